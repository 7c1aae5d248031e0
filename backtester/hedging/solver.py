"""The one door to the solvers: every path gets an answer that is certified, or an honest status.

Route of a path: the batched twin; the reference (cvxpy, Clarabel); the second solver (cvxpy, DAQP
for quadratic problems, SCS with impact); the elastic problem; holding today's hedge. A path goes
on to the next rung when the certificate of its answer fails. Where the limits are *proved* not to
hold together, the rigid rungs are skipped. Nothing is remembered between calls, so no status is
absorbing: a path held now is solved afresh at the next decision.
"""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from backtester.arrays import Bool, Byte, Float, Int
from backtester.errors import Status
from backtester.hedging import active_set
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.certificate import FEASIBLE, Certificate, certify
from backtester.hedging.elastic import excess, feasibility, penalties, widened
from backtester.hedging.kernels_valid import valid_paths
from backtester.hedging.problem import Answer, Shape, compiled

ACCEPTED = 1e-6
"""Largest certified gap of an answer of an iterative solver, or of an elastic problem's penalties
(which are a million times the objective); the twin is held to `certificate.OPTIMAL`."""

REFERENCE = "CLARABEL"
ROUTES = ("twin", "reference", "second", "elastic", "held", "invalid")


def solve(batch: HedgeBatch, *, twin: bool = True) -> HedgeSolution:
    """Solve every path of a batch; never raises for what one path holds.

    Parameters
    ----------
    batch: the problems, see `backtester.hedging.batch`.
    twin: False sends every path to the reference and onwards (for parity tests).

    A path with a value that is not finite, ``lower > upper``, a negative cost, band or risk
    weight, or a scale that is not positive is `Status.INVALID` and keeps h0.
    """
    batch = _plain(batch)
    run = _Run(batch)
    if run.open.any():
        if twin:
            run.by_twin()
        run.by_reference()
    return run.solution()


def compile_kernels() -> None:
    """Compile every kernel (about 10 s when the cache is cold); call before starting workers."""
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

    def __init__(self, batch: HedgeBatch) -> None:
        P = batch.paths
        self.batch = batch
        self.h = batch.h0.copy()
        self.gap = np.full(P, np.inf)
        self.violation = np.full(P, np.inf)
        self.relaxed = np.zeros((P, 3))
        self.open = valid_paths(batch)
        self.status: Byte = np.where(self.open, Status.HELD, Status.INVALID).astype(np.int8)
        self.rigid = np.ones(P, dtype=np.bool_)  # False where limits are proved to conflict
        self.counts = dict.fromkeys(ROUTES, 0)
        self.penalty: Float | None = None

    # The twin

    def by_twin(self) -> None:
        """Solve, certify, and treat the paths whose limits cannot hold as elastic."""
        whole = bool(self.open.all())
        index: Int = np.arange(self.batch.paths) if whole else np.flatnonzero(self.open)
        part = self.batch if whole else self.batch.select(index)
        penalty = penalties(part)
        h, multipliers, solved = active_set.solve_batch(part, penalty)
        check = certify(part, h, multipliers)
        good = check.holds() & (solved == 1)
        if good.all() and whole:
            self.h, self.gap, self.violation = h, check.gap, check.violation
            self.status[:] = Status.OK
            self.open[:] = False
            self.counts["twin"] = index.size
            return
        self._accept(index[good], h[good], check.gap[good], check.violation[good], Status.OK)
        self.counts["twin"] = int(good.sum())
        rest = np.flatnonzero(~good & (check.violation > FEASIBLE))
        if rest.size:
            part, penalty = part.select(rest), penalty[rest]
            proved = infeasible(part)
            self.rigid[index[rest[proved]]] = False
            accepted = self._elastic(
                index[rest], part, h[rest], multipliers[rest], penalty, proved & (solved[rest] == 1)
            )
            self.counts["elastic"] += accepted

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
                answer = rung(path, solver, penalty)
                if answer.ok and self.open[p]:
                    self.counts["elastic"] += self._elastic(
                        one, path, answer.h[None, :], None, penalty, np.ones(1, dtype=np.bool_)
                    )
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
        self, index: Int, part: HedgeBatch, h: Float, multipliers: Float | None, penalty: Float,
        candidate: Bool,
    ) -> int:  # fmt: skip
        """Accept elastic answers that are certified twice over; returns how many were.

        Once as optimal under limits moved out just far enough, once as giving way no further
        than the penalties require.
        """
        optimal = certify(widened(part, h), h, multipliers)
        least = certify(part, h, multipliers, penalty)
        good = candidate & optimal.holds(ACCEPTED) & (least.gap <= ACCEPTED)
        self._accept(index[good], h[good], optimal.gap[good], optimal.violation[good],
                     Status.ELASTIC)  # fmt: skip
        self.relaxed[index[good]] = excess(part, h)[good]
        return int(good.sum())

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
    if batch.A.shape[1]:
        miss = (batch.A * h[:, None, :]).sum(axis=2) - batch.b
        still = (np.abs(miss) > batch.band) & (multipliers[:, :-2] == 0.0)
        multipliers[:, :-2] = np.where(still, np.sign(miss), multipliers[:, :-2])
    check = certify(bare, h, multipliers, far=1e3)
    weight = np.abs(multipliers).max(axis=1) * batch.scale
    result: Bool = check.absolute < -1e-10 * weight
    return result


def _plain(batch: HedgeBatch) -> HedgeBatch:
    """Arrays as the kernels were compiled for: contiguous, writeable, float64."""
    changed = {}
    for item in fields(batch):
        array = getattr(batch, item.name)
        flags = array.flags
        if not (flags.c_contiguous and flags.writeable and array.dtype == np.float64):
            changed[item.name] = np.array(array, dtype=np.float64, order="C")
    return replace(batch, **changed) if changed else batch
