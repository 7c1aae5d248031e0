"""One exposure, one hedge: the smallest problem that goes through assembly and solver."""

from __future__ import annotations

from functools import cache

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Float
from backtester.errors import ProblemError
from backtester.hedging.assemble import HedgeSettings, assemble
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import HedgeDecision, Risk
from backtester.hedging.horizon import start_diffusion
from backtester.hedging.solver import solve


def covariance(spot: float, future: float, rho: float) -> Float:
    """(2, 2) of two volatilities and a correlation."""
    joint = rho * spot * future
    return np.array([[spot**2, joint], [joint, future**2]])


def hedge_of(risk: Risk, held: float = 0.0, fee: float = 0.0, impact: float = 0.0) -> float:
    """Hedge notional for one unit of the first asset, in the second; λ = 1, H = 1 day, capital 1.

    held: today's hedge; fee and impact: cost of |z| and of |z|^{3/2}.
    """
    one = np.ones((1, 2))
    book = Book(
        price=one,
        hedge_price=one[:, 1:],
        exposure_units=np.array([[1.0, 0.0]]),
        hedge_units=np.array([[held]]),
        cash=np.zeros(1),
        instrument_index=np.array([1]),
        capital=1.0,
    )
    decision = HedgeDecision(book.exposure, risk)
    rates = np.array([[fee]]), np.array([[impact]])
    settings = HedgeSettings(1.0, risk_aversion=1.0, horizon=1.0)
    diffusion = start_diffusion(1, 1)
    batch, _, _ = assemble(decision, book, ("hedge",), rates, settings, diffusion, 0.0)
    return float(answer(batch)[0])


def lone(
    curvature: float,
    target: float,
    gap: Float,
    *,
    fee: float = 0.0,
    impact: float = 0.0,
    trade: float = 0.0,
) -> HedgeBatch:
    """½ A (h − h*)² + ½ Λ z² + fee |z| + impact |z|^{3/2} from h0 = h* + gap (P,), one hedge."""
    paths = len(gap)
    column, one = np.ones((paths, 1)), np.ones(paths)
    held = target + np.asarray(gap)
    root, quadratic = np.sqrt(curvature), np.sqrt(trade)
    F = np.tile(np.array([[root], [quadratic]]), (paths, 1, 1))
    f = np.stack([-root * target * one, -quadratic * held], axis=1)
    return HedgeBatch(
        F=F,
        f=f,
        risk_weight=one,
        reward=0.0 * column,
        h0=held[:, None],
        linear=fee * column,
        impact=impact * column,
        lower=-np.inf * column,
        upper=np.inf * column,
        gross=np.inf * one,
        turnover=np.inf * one,
        A=np.zeros((paths, 0, 1)),
        b=np.zeros((paths, 0)),
        band=np.zeros((paths, 0)),
        scale=np.maximum(np.abs(held), abs(target)) + 1e-9,
    )


def answer(batch: HedgeBatch) -> Float:
    """Hedges (P,) of problems of one instrument; ProblemError where one was not certified."""
    solution = solve(batch)
    if not all(status in (1, 2, 3) for status in solution.status.tolist()):
        raise ProblemError("a hedge problem of the table was not solved", cure="Report it.")
    return np.asarray(solution.h[:, 0])


@cache
def normal_grid(count: int) -> Float:
    """`count` equally likely values of a standard normal: quantiles of the cells' middles."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(count) + 0.5) / count))
