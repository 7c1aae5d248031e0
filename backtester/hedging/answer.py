"""From a decision to hedges: the engine's one door to assembly, solvers and gate.

The usual decision – a quadratic risk without carry, for every path, with no gas to weigh – goes
through one kernel (`direct_kernel`), which poses, solves and certifies block by block of paths.
Every other one, and one of which a single path could not be certified, goes the long way: assemble,
solve, gate. Where both can go they agree to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Bool, Byte, Float, plain, sealed
from backtester.errors import Status
from backtester.hedging.assemble import (
    HedgeSettings,
    assemble,
    limits_of,
    merged,
    rows_of,
    usable_of,
)
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import HedgeDecision, Limits, Quadratic, Risk, Target
from backtester.hedging.gate import gated
from backtester.hedging.horizon import LONGEST, SHORTEST, TargetDiffusion, since
from backtester.hedging.solver import solve, solve_target


@dataclass(frozen=True)
class Desk:
    """What is the same at every decision of a run; nobody writes to its arrays."""

    names: tuple[str, ...]  # the K eligible instruments
    settings: HedgeSettings
    gas: Float | None  # fixed cost of each instrument traded (K,), money; None for none
    usable: Bool  # (P, K) all of them
    limits: tuple[Float, Float, Float, Float]  # the study's: lower, upper (P, K), gross, turnover
    rows: tuple[Float, Float, Float]  # no neutrality rows: A (P, 0, K), b and band (P, 0)
    no_gas: Float  # (K,)
    ok: Byte  # (P,) the status of paths that were all certified

    @classmethod
    def of(
        cls, names: tuple[str, ...], settings: HedgeSettings, paths: int, gas: Float | None = None
    ) -> Desk:
        """The desk of a run of P paths."""
        shape = (paths, len(names))
        status: Byte = np.full(paths, Status.OK, dtype=np.int8)
        none = np.zeros((paths, 0))
        return cls(
            names,
            settings,
            gas,
            usable=np.ones(shape, dtype=bool),
            limits=merged(settings.limits, Limits(), shape),
            rows=(np.zeros((paths, 0, len(names))), none, none),
            no_gas=np.zeros(len(names)),
            ok=sealed(status),
        )


class Hedged(NamedTuple):
    """What became of one decision."""

    h: Float  # (P, K) money; today's hedge on paths that do not trade
    status: Byte  # (P,)
    counts: dict[str, int]  # solver route -> number of paths
    slack: Float | None  # (3,) largest relaxation of turnover, gross, neutrality, money
    days: Float  # (P,) holding horizon, NaN on paths that do not trade
    diffusion: TargetDiffusion  # after this decision


def hedged(
    decision: HedgeDecision,
    book: Book,
    trade: Bool,
    rates: tuple[Float, Float],
    desk: Desk,
    diffusion: TargetDiffusion,
    now: float,
) -> Hedged:
    """Hedges of the paths that may `trade` (P,); the others keep today's.

    rates: planned coefficients of |z| and |z|^{3/2}, (P, K); now: trading days.
    """
    some = np.count_nonzero(trade)
    whole = some == len(trade)
    if whole and desk.gas is None:
        found = direct(decision, book, rates, desk, diffusion, now)
        if found is not None:
            return found
    batch, stepped, days = assemble(
        decision, book, desk.names, rates, desk.settings, diffusion, now, desk.gas
    )
    if not some:
        h, status = batch.h0.copy(), np.zeros(batch.paths, dtype=np.int8)
        return Hedged(h, status, {}, None, np.full(batch.paths, np.nan), stepped)
    part = batch if whole else batch.select(trade)
    h, status, counts, slack = _solved(part, decision.risk, desk.gas)
    if not whole:
        own, known = h, status
        h, status = batch.h0.copy(), np.zeros(batch.paths, dtype=np.int8)
        h[trade], status[trade] = own, known
        days = np.where(trade, days, np.nan)
    return Hedged(h, status, counts, slack, days, stepped)


def direct(
    decision: HedgeDecision,
    book: Book,
    rates: tuple[Float, Float],
    desk: Desk,
    diffusion: TargetDiffusion,
    now: float,
) -> Hedged | None:
    """The usual decision in one pass; None where it is not usual or not certified on every path."""
    risk = decision.risk
    if not isinstance(risk, Quadratic) or decision.carry is not None or decision.scale is not None:
        return None
    exposure, covariance, settings = decision.exposure, risk.covariance, desk.settings
    index, usable, limits, rows = book.instrument_index, desk.usable, desk.limits, desk.rows
    shape = book.hedge_units.shape
    if decision.instruments is not None or decision.eligible is not None:
        usable = usable_of(decision, desk.names, shape)
    if decision.limits is not None or usable is not desk.usable:
        limits = limits_of(decision, settings.limits, usable)
    if decision.neutrality is not None:
        rows = rows_of(decision, exposure, index, shape[0])
    elapsed, share = since(diffusion, now)
    h, target = np.empty(shape), np.empty(shape)
    rate, days = np.empty(shape[0]), np.empty(shape[0])
    certified = _kernels().hedge_paths(
        plain(covariance if covariance.ndim == 3 else covariance[None]), plain(exposure), index,
        usable, usable is desk.usable, rates[0], rates[1], desk.no_gas, settings.gamma,
        np.nan if settings.horizon is None else settings.horizon, SHORTEST, LONGEST,
        diffusion.target, diffusion.rate, elapsed, share, book.hedge_units,
        book.hedge_price, *limits, *rows, 1e-9 * settings.capital, h, target, rate, days,
    )  # fmt: skip
    if not certified:
        return None
    after = TargetDiffusion(target, rate, now)
    return Hedged(h, desk.ok, {"twin": shape[0]}, None, days, after)


@cache
def _kernels() -> Any:
    from backtester.hedging import direct_kernel

    return direct_kernel


def _solved(
    part: HedgeBatch, risk: Risk, gas: Float | None
) -> tuple[Float, Byte, dict[str, int], Float | None]:
    """Hedges (P, K), status (P,), routes and the largest relaxation (3,) of paths that trade."""
    if isinstance(risk, Target):
        solution = solve_target(part, -part.f[:, : part.instruments])
    else:
        solution = solve(part)
    if gas is not None:
        solution = gated(part, solution, gas, planned=isinstance(risk, Quadratic))
    slack = solution.relaxed.max(axis=0) if solution.counts.get("elastic") else None
    return solution.h, solution.status, solution.counts, slack
