"""The one door to the solvers: every path gets an answer that is certified, or an honest status.

Route of a path: the batched twin; the reference (cvxpy, Clarabel); the second solver (cvxpy, DAQP
for quadratic problems, SCS with impact); the elastic problem; holding today's hedge. A path goes
on to the next rung when the certificate of its answer fails. Where the limits are *proved* not to
hold together, the rigid rungs are skipped. Nothing is remembered between calls, so no status is
absorbing: a path held now is solved afresh at the next decision.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backtester.arrays import Bool, Byte, Float, Int, is_plain, plain
from backtester.errors import Status
from backtester.hedging import active_set
from backtester.hedging.active_set import Candidate
from backtester.hedging.attained import attained
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.certificate import FEASIBLE, Certificate, certify
from backtester.hedging.elastic import excess, feasibility, penalties, widened
from backtester.hedging.framed import FramedBatch
from backtester.hedging.kernels_valid import valid_paths
from backtester.hedging.problem import Answer, Shape, compiled

ACCEPTED = 1e-6
"""Largest certified gap of an iterative solver's answer or an elastic one; the twin's own are
held to `certificate.OPTIMAL`."""

NEEDED = 1e-6
"""Largest turnover, in units of the scale, by which limits may give way more than they must;
where larger penalties act, a tenth of `ACCEPTED` of them all."""

REFERENCE = "CLARABEL"
_NONE = dict.fromkeys(("twin", "reference", "second", "elastic", "held", "invalid"), 0)
_OK = int(Status.OK)


def solve(batch: HedgeBatch, *, twin: bool = True) -> HedgeSolution:
    """Solve every path of a batch; never raises for what one path holds.

    Parameters
    ----------
    batch: the problems, see `backtester.hedging.batch`.
    twin: False sends every path to the reference and onwards (for parity tests).

    A `FramedBatch` (a risk that is not quadratic) is solved by what it brings along.

    A path with a value that is not finite, ``lower > upper``, a negative cost, band or risk
    weight, or a scale that is not positive is `Status.INVALID` and keeps h0.
    """
    if isinstance(batch, FramedBatch):
        return batch.answer(batch)
    batch = _plain(batch)
    if not twin:
        run = _Run(batch, valid_paths(batch))
    else:
        found = active_set.attempt(batch)
        if found.certified == batch.paths:  # the usual case, kept short: it runs at every decision
            P = batch.paths
            status: Byte = np.empty(P, dtype=np.int8)
            status.fill(_OK)
            return HedgeSolution(
                found.h,
                status,
                found.gap,
                found.violation,
                np.zeros((P, 3)),
                {**_NONE, "twin": P},
            )
        run = _Run(batch, found.code != active_set.INVALID)
        run.by_twin(found)
    run.by_reference()
    return run.solution()


def solve_target(batch: HedgeBatch, target: Float) -> HedgeSolution:
    """`solve` for problems that ask for stated notionals (P, K), at no planned cost.

    Where the target keeps every limit it is the answer; the other paths are solved. Path by path,
    so that an answer does not depend on its neighbours.
    """
    batch = _plain(batch)
    done = attained(batch, np.ascontiguousarray(target))
    n = int(done.sum())
    zero = np.zeros(batch.paths)
    h, status = np.where(done[:, None], target, batch.h0), np.where(done, _OK, Status.NONE)
    found = HedgeSolution(
        h, status.astype(np.int8), zero, zero.copy(), np.zeros((batch.paths, 3)),
        _NONE | {"twin": n},
    )  # fmt: skip
    if n == batch.paths:
        return found
    rest = solve(batch.select(~done))
    for item in ("h", "status", "gap", "violation", "relaxed"):
        getattr(found, item)[~done] = getattr(rest, item)
    counts = {route: found.counts[route] + count for route, count in rest.counts.items()}
    return replace(found, counts=counts)


def compile_kernels() -> None:
    """Compile every kernel (about 25 s when the cache is cold); call before starting workers."""
    one, two = np.ones((1, 1)), np.ones((1, 1, 1))
    inf = np.full((1, 1), np.inf)
    solve(
        HedgeBatch(
            F=two, f=-one, risk_weight=one[0], reward=0 * one, h0=0 * one, linear=0.1 * one,
            impact=0.1 * one, lower=-inf, upper=inf, gross=0.5 * one[0], turnover=0.1 * one[0],
            A=two, b=one, band=0 * one, scale=one[0],
        )
    )  # fmt: skip


class _Run:
    """Answers of one call, filled rung by rung."""

    def __init__(self, batch: HedgeBatch, valid: Bool) -> None:
        P = batch.paths
        self.batch = batch
        self.h = batch.h0.copy()
        self.gap = np.full(P, np.inf)
        self.violation = np.full(P, np.inf)
        self.relaxed = np.zeros((P, 3))
        self.open = valid.copy()
        self.status: Byte = np.where(self.open, Status.HELD, Status.INVALID).astype(np.int8)
        self.rigid = np.ones(P, dtype=np.bool_)  # False where limits are proved to conflict
        self.counts = dict(_NONE)

    # The twin

    def by_twin(self, found: Candidate) -> None:
        """Accept what is certified, and treat paths whose limits cannot hold as elastic."""
        index = np.flatnonzero(found.code == active_set.CERTIFIED)
        self._accept(index, found.h[index], found.gap[index], found.violation[index], Status.OK)
        self.counts["twin"] = index.size
        broken = (found.code == active_set.SOLVED) & (found.violation > FEASIBLE)
        rest = np.flatnonzero(broken)
        if rest.size:
            part = self.batch.select(rest)
            proved = infeasible(part)
            self.rigid[rest] = ~proved
            rest, part = rest[proved], part.select(proved)
            self._relax(rest, part, found.h[rest], found.multipliers[rest], penalties(part))

    def _relax(
        self, index: Int, part: HedgeBatch, h: Float, multipliers: Float, penalty: Float
    ) -> None:
        """Elastic answers of the twin, on paths whose limits are proved to conflict.

        The penalties say how far each limit gives way; solving again inside limits moved out that
        far gives the answer to full precision, undisturbed by the size of the penalties. The few
        paths where that leaves no room to compute in keep the penalised answer.
        """
        if not index.size:
            return
        inside = widened(part, h, slack=1e-13)
        again, exact, _ = active_set.solve_batch(inside, penalty)
        good = self._elastic(index, part, again, exact, multipliers, penalty)
        left = ~good
        if left.any():
            self._elastic(index[left], part.select(left), h[left], None, multipliers[left],
                          penalty[left])  # fmt: skip

    # The reference and what follows

    def by_reference(self) -> None:
        """Path by path: reference, second solver, elastic; what is left is held."""
        for p in np.flatnonzero(self.open):
            one = np.array([p])
            path = self.batch.select(one)
            second = "SCS" if (path.impact > 0).any() else "DAQP"
            for solver, status in ((REFERENCE, Status.REFERENCE), (second, Status.SECOND)):
                if self.rigid[p] and self.open[p]:
                    answer = rung(path, solver)
                    self._try(one, path, answer, status)
                    self.rigid[p] = not answer.infeasible
            if not self.open[p]:
                continue
            penalty = penalties(path)
            for solver in (REFERENCE, second):
                if self.open[p]:
                    answer = rung(path, solver, penalty)
                    if answer.ok:
                        self._elastic(one, path, answer.h[None, :], None, None, penalty)
            self.counts["held"] += int(self.open[p])

    def _try(self, one: Int, path: HedgeBatch, answer: Answer, status: Status) -> None:
        """Accept a rigid answer when its certificate holds."""
        if not answer.ok:
            return
        h, check = tidied(path, answer.h[None, :])
        if check.holds(ACCEPTED)[0]:
            self._accept(one, h, check.gap, check.violation, status)
            self.counts[status.name.lower()] += 1

    def _elastic(
        self, index: Int, part: HedgeBatch, h: Float, multipliers: Float | None,
        penalised: Float | None, penalty: Float,
    ) -> Bool:  # fmt: skip
        """Accept elastic answers that are certified twice over; returns which were.

        Once as optimal under limits moved out just far enough (`multipliers`), once as giving way
        no further than the penalties require (`penalised`).
        """
        optimal = certify(widened(part, h), h, multipliers)
        least = certify(part, h, penalised, penalty)
        needed = least.absolute <= NEEDED * part.scale * penalty[:, 0]
        needed |= least.gap <= 0.1 * ACCEPTED
        good: Bool = optimal.holds(ACCEPTED) & needed
        self._accept(
            index[good], h[good], optimal.gap[good], optimal.violation[good], Status.ELASTIC
        )
        amount = excess(part, h)[good]
        matters = amount > FEASIBLE * part.scale[good][:, None]
        self.relaxed[index[good]] = np.where(matters, amount, 0.0)
        self.counts["elastic"] += int(good.sum())
        return good

    def _accept(self, index: Int, h: Float, gap: Float, violation: Float, status: Status) -> None:
        self.h[index], self.gap[index], self.violation[index] = h, gap, violation
        self.status[index] = status
        self.open[index] = False

    def solution(self) -> HedgeSolution:
        """The answers; held and invalid paths carry h0, an infinite gap and violation."""
        self.counts["invalid"] = int((self.status == Status.INVALID).sum())
        return HedgeSolution(
            self.h, self.status, self.gap, self.violation, self.relaxed, self.counts
        )


def rung(path: HedgeBatch, solver: str, penalty: Float | None = None) -> Answer:
    """One solver on one path (P = 1), rigid or, with penalties (1, 3), elastic."""
    shape = Shape.of(path, elastic=penalty is not None)
    return compiled(shape).solve(path, solver, None if penalty is None else penalty[0])


def tidied(path: HedgeBatch, h: Float) -> tuple[Float, Certificate]:
    """The better certified of an iterative solver's answer and the same put on close kinks."""
    near = 1e-6 * path.scale[:, None]
    neat = h.copy()
    for kink in (np.zeros_like(h), path.lower, path.upper, path.h0):
        neat = np.where(np.abs(h - kink) <= near, kink, neat)
    neat = np.clip(neat, path.lower, path.upper)
    raw, put = certify(path, h), certify(path, neat)
    if put.violation[0] <= max(FEASIBLE, raw.violation[0]) and put.gap[0] <= raw.gap[0]:
        return neat, put
    return h, raw


def infeasible(batch: HedgeBatch) -> Bool:
    """(P,) whether limits are *proved* not to hold together (a Farkas certificate, checked).

    With the objective left out, a dual bound above zero shows that some violation is unavoidable
    within the box and a million times the scale.
    """
    bare = feasibility(batch)
    h, multipliers, _ = active_set.solve_batch(bare, np.ones((batch.paths, 3)))
    if batch.A.shape[1]:  # a row no hedge can move is its own proof
        miss = (batch.A * h[:, None, :]).sum(axis=2) - batch.b
        largest = np.abs(batch.A).max(axis=2) * batch.scale[:, None]
        still = (largest <= 1e-12 * np.abs(batch.b)) & (np.abs(miss) > batch.band)
        multipliers[:, :-2] = np.where(still, np.sign(miss), multipliers[:, :-2])
    check = certify(bare, h, multipliers, far=1e3)
    weight = np.abs(multipliers).max(axis=1) * batch.scale
    result: Bool = check.absolute < -1e-10 * weight
    return result


def _plain(batch: HedgeBatch) -> HedgeBatch:
    """Arrays as the kernels were compiled for: contiguous, writeable, float64."""
    if batch.plain:
        return batch
    changed = {}
    for name, array in vars(batch).items():
        if not is_plain(array):
            changed[name] = plain(array)
    return replace(batch, **changed) if changed else batch
