"""From a decision to hedges: the engine's one door to assembly, solvers and gate.

The usual decision – a quadratic risk without carry, for every path, with no gas to weigh – goes
through one kernel (`direct_kernel`), which poses, solves and certifies block by block of paths.
Every other one, and one of which a single path could not be certified, goes the long way: assemble,
solve, gate. Where both can go they agree to the bit.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Bool, Byte, Float, plain
from backtester.errors import Status
from backtester.hedging.assemble import (
    HedgeSettings,
    assemble,
    limits_of,
    rows_of,
    usable_of,
    zeros,
)
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import HedgeDecision, Quadratic, Risk, Target
from backtester.hedging.gate import gated
from backtester.hedging.horizon import LONGEST, SHORTEST, TargetDiffusion, since
from backtester.hedging.solver import solve, solve_target


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
    names: tuple[str, ...],
    rates: tuple[Float, Float],
    settings: HedgeSettings,
    diffusion: TargetDiffusion,
    now: float,
    gas: Float | None = None,
) -> Hedged:
    """Hedges of the paths that may `trade` (P,); the others keep today's.

    names: the K eligible instruments; rates: planned coefficients of |z| and |z|^{3/2}, (P, K);
    now: trading days; gas: fixed cost of each instrument traded (K,), None for none.
    """
    some = np.count_nonzero(trade)
    whole = some == len(trade)
    if whole and gas is None:
        found = direct(decision, book, names, rates, settings, diffusion, now)
        if found is not None:
            return found
    batch, stepped, days = assemble(decision, book, names, rates, settings, diffusion, now, gas)
    if not some:
        h, status = batch.h0.copy(), np.zeros(batch.paths, dtype=np.int8)
        return Hedged(h, status, {}, None, np.full(batch.paths, np.nan), stepped)
    part = batch if whole else batch.select(trade)
    h, status, counts, slack = _solved(part, decision.risk, gas)
    if not whole:
        own, known = h, status
        h, status = batch.h0.copy(), np.zeros(batch.paths, dtype=np.int8)
        h[trade], status[trade] = own, known
        days = np.where(trade, days, np.nan)
    return Hedged(h, status, counts, slack, days, stepped)


def direct(
    decision: HedgeDecision,
    book: Book,
    names: tuple[str, ...],
    rates: tuple[Float, Float],
    settings: HedgeSettings,
    diffusion: TargetDiffusion,
    now: float,
) -> Hedged | None:
    """The usual decision in one pass; None where it is not usual or not certified on every path."""
    risk = decision.risk
    if not isinstance(risk, Quadratic) or decision.carry is not None or decision.scale is not None:
        return None
    exposure, covariance = decision.exposure, risk.covariance
    index, shape = book.instrument_index, book.hedge_units.shape
    paths, k = shape
    usable = usable_of(decision, names, shape)
    lower, upper, gross, turnover = limits_of(decision, settings.limits, usable)
    A, b, band = rows_of(decision, exposure, index, paths)
    elapsed, share = since(diffusion, now)
    h, target, rate, days = np.empty(shape), np.empty(shape), np.empty(paths), np.empty(paths)
    certified = _kernels().hedge_paths(
        plain(covariance if covariance.ndim == 3 else covariance[None]), plain(exposure), index,
        usable, plain(rates[0]), plain(rates[1]), zeros((k,)), settings.gamma,
        np.nan if settings.horizon is None else settings.horizon, SHORTEST, LONGEST,
        diffusion.target, diffusion.rate, elapsed, share, zeros(shape), book.hedge_units,
        book.hedge_price, lower, upper, gross, turnover, A, b, band, 1e-9 * settings.capital,
        h, target, rate, days,
    )  # fmt: skip
    if not certified:
        return None
    after = TargetDiffusion(target, rate, now)
    return Hedged(h, _all_ok(paths), {"twin": paths}, None, days, after)


@cache
def _kernels() -> Any:
    from backtester.hedging import direct_kernel

    return direct_kernel


@lru_cache(maxsize=8)
def _all_ok(paths: int) -> Byte:
    """The status of paths that were all certified; nobody writes to it."""
    status: Byte = np.full(paths, Status.OK, dtype=np.int8)
    status.setflags(write=False)
    return status


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
