"""Solving a `FramedBatch`: every path certified, or an honest status.

Route of a path: the batched generic solver (`OK`), cvxpy's own solve (`REFERENCE`); where the
limits are *proved* not to hold together, the limits are moved out as far as the standard problem
with the stand-in covariance has to move them (turnover first, then gross, then neutrality) and
the problem is solved again inside (`ELASTIC`); else today's hedge is held (`HELD`).
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from backtester.arrays import Bool, Byte, Float, Int
from backtester.errors import Status
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.certificate import FEASIBLE, certify
from backtester.hedging.elastic import excess, widened
from backtester.hedging.framed import FramedBatch, compiled, flags, values
from backtester.hedging.kernels_valid import valid_paths
from backtester.hedging.solver import infeasible, solve, solve_target

NEAR = 1e-7
"""Hedges this close to today's or to a bound, in units of the scale, are put there."""

MOVED = 1e-6
"""Furthest a hedge may be moved to keep limits an interior-point solver just misses."""

ROOM = 1e-8
"""Limits that give way are moved out this much more, in units of the scale, to leave room."""

ROUTES = ("generic", "twin", "reference", "second", "elastic", "held", "invalid")


def solve_framed(batch: FramedBatch) -> HedgeSolution:
    """Solve every path; never raises for what one path holds.

    ``counts`` has the routes of the standard solver, and ``generic`` for the batched one here.
    Raises ProblemError where the risk is not convex and DPP.
    """
    run = _Run(batch)
    index = np.flatnonzero(run.valid)
    if index.size:
        run.accept(index, batch if run.valid.all() else batch.select(index))
        left = np.flatnonzero(run.status == Status.HELD)
        if left.size:
            run.give_way(left, batch.select(left))
    outcome = {
        "generic": Status.OK, "reference": Status.REFERENCE, "elastic": Status.ELASTIC,
        "held": Status.HELD, "invalid": Status.INVALID,
    }  # fmt: skip
    counts = dict.fromkeys(ROUTES, 0)
    for route, status in outcome.items():
        counts[route] = int((run.status == status).sum())
    return HedgeSolution(run.h, run.status, run.gap, run.violation, run.relaxed, counts)


class _Run:
    """Answers of one call."""

    def __init__(self, batch: FramedBatch) -> None:
        P = batch.paths
        self.valid: Bool = valid_paths(_plain(batch)) & batch.form.finite(P)
        self.h = batch.h0.copy()
        self.status: Byte = np.where(self.valid, Status.HELD, Status.INVALID).astype(np.int8)
        self.gap, self.violation = np.full(P, np.inf), np.full(P, np.inf)
        self.relaxed = np.zeros((P, 3))

    def accept(self, index: Int, part: FramedBatch) -> Bool:
        """Solve `part`, the paths `index`, and keep what is certified and admissible."""
        found, status, gap = _answers(part)
        neat, beyond = _admissible(_plain(part), found)
        good: Bool = (status != Status.HELD) & (beyond <= FEASIBLE)
        done = index[good]
        self.h[done], self.status[done] = neat[good], status[good]
        self.gap[done], self.violation[done] = gap[good], beyond[good]
        return good

    def give_way(self, index: Int, part: FramedBatch) -> None:
        """Elastic answers of the paths `index` whose limits are proved to conflict."""
        proved = infeasible(_plain(part))
        if not proved.any():
            return
        part, index = part.select(proved), index[proved]
        nearest = solve(_plain(part))
        able = nearest.status == Status.ELASTIC
        if not able.any():
            return
        part, index = part.select(able), index[able]
        plain = _plain(part)
        wide = widened(plain, nearest.h[able], slack=ROOM)
        good = self.accept(index, FramedBatch.of(wide, part.form, part.answer))
        self.status[index[good]] = Status.ELASTIC
        amount = excess(plain, self.h[index])
        amount = np.where(amount > 10.0 * ROOM * plain.scale[:, None], amount, 0.0)
        self.relaxed[index[good]] = amount[good]


def _plain(batch: FramedBatch) -> HedgeBatch:
    """The standard problem, in arrays the kernels were compiled for."""
    plain = batch.standard()
    for item in fields(plain):
        array = np.require(getattr(plain, item.name), np.float64, ["C", "W"])
        object.__setattr__(plain, item.name, array)
    return plain


def _answers(batch: FramedBatch) -> tuple[Float, Byte, Float]:
    """Hedges (P, K) in money, OK, REFERENCE or HELD (P,), certified gap (P,)."""
    P = batch.paths
    h, status, gap = batch.h0.copy(), np.zeros(P, dtype=np.int8), np.full(P, np.inf)
    for need, index in flags(batch):
        part = batch if len(index) == P else batch.select(index)
        size, own = part.form.template.values(part.form.arrays, part)
        answer = compiled(part.form.template, need).solve(own | values(part, need, size))
        ok = (answer.status == Status.OK) | (answer.status == Status.REFERENCE)
        h[index[ok]] = (answer.value("hedge") * part.scale[:, None])[ok]
        status[index] = np.where(ok, answer.status, Status.HELD)
        gap[index] = answer.gap
    return h, status, gap


def _admissible(batch: HedgeBatch, h: Float) -> tuple[Float, Float]:
    """Hedges (P, K) inside the limits to rounding, and what violation is left (P,).

    Hedges next to a kink are put on it. An interior-point answer that misses a limit by a hair is
    replaced by the nearest admissible hedge, if that is near.
    """
    near = NEAR * batch.scale[:, None]
    neat = np.clip(h, batch.lower, batch.upper)
    for kink in (batch.lower, batch.upper, batch.h0):
        neat = np.where(np.abs(neat - kink) <= near, kink, neat)
    neat = np.clip(neat, batch.lower, batch.upper)
    multipliers = np.zeros((batch.paths, batch.A.shape[1] + 2))
    beyond = certify(batch, neat, multipliers).violation
    outside = beyond > FEASIBLE
    if outside.any():
        part = batch.select(outside)
        put = _hedges(part, h[outside])
        close = np.abs(put - h[outside]).max(axis=1) <= MOVED * part.scale
        left = certify(part, put, multipliers[outside]).violation
        index = np.flatnonzero(outside)[close]
        neat[index], beyond[index] = put[close], left[close]
    return neat, beyond


def _hedges(batch: HedgeBatch, target: Float) -> Float:
    """The admissible hedges nearest to `target` (P, K)."""
    P, K = batch.h0.shape
    eye = np.zeros((P, K, K))
    eye[:, np.arange(K), np.arange(K)] = 1.0
    zero = np.zeros((P, K))
    plain = HedgeBatch(
        F=eye, f=-target, risk_weight=np.ones(P), reward=zero, h0=batch.h0, linear=zero,
        impact=zero, lower=batch.lower, upper=batch.upper, gross=batch.gross,
        turnover=batch.turnover, A=batch.A, b=batch.b, band=batch.band, scale=batch.scale,
    )  # fmt: skip
    return solve_target(plain, target).h
