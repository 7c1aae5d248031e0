"""A hedge sized for one correlation where it has become another, through the engine."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from backtester.accounting.exposure import Exposure
from backtester.arrays import Float
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.hedging.assemble import HedgeSettings
from backtester.market.panel import MarketPanel
from backtester.metrics.hedge import (
    effectiveness_of,
    hedging_effectiveness,
    out_of_sample_effectiveness,
    stale_effectiveness,
)
from backtester.plugins import load_strategy
from backtester.setup import RunSetup
from backtester.verify.claim import Claim
from backtester.verify.problems import normal_grid

TOPIC = "Stale and estimated hedges"
IDENTITY = "HE = 2ρ₀ρ₁ − ρ₀²: the variance of e + h written out (Ederington 1979)"
OLS = "E[HE] = ρ² − (1 − ρ²)N/(T − N − 2), normal returns"
DAY = 86_400_000_000_000
NOW = (1.0, 0.95, 0.8, 0.6, 0.5, 0.4, 0.2, 0.0, -0.2)
claim = partial(Claim, TOPIC)


@cache
def engine_effectiveness() -> Float:
    """Effectiveness (len(NOW),) of a static hedge of −.8, each path with a correlation of NOW.

    Four bars, repeated, whose sample moments are the correlation exactly; constant notional, no
    cost, filled at the close that was decided on, so that each bar earns what was decided for it.
    """
    hedge, other = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    rho = np.array(NOW)
    spot = rho * hedge[:, None] + np.sqrt(1.0 - rho**2) * other[:, None]
    returns = np.stack([spot, np.tile(hedge[:, None], len(NOW))], axis=-1)
    returns = 1e-3 * np.concatenate([returns, returns])
    prices = np.concatenate([np.ones((1, len(NOW), 2)), np.cumprod(1.0 + returns, axis=0)])
    panel = MarketPanel(np.arange(9, dtype=np.int64) * DAY, ("S", "F"), prices, CONTINUOUS)
    setup = RunSetup(
        exposure=Exposure(("S",), np.array([1.0]), hold="notional"),
        instruments=("F",),
        costs=CostConfig(fee_bps=0, half_spread_bps=0),
        hedging=HedgeSettings(1.0),
        execution="same_close",
    )
    ledger = run(panel, load_strategy("StaticHedge")(ratio={"F": -0.8}), setup).ledger
    hedged = (ledger.exposure_pnl + ledger.hedge_pnl)[1:]
    bare = ledger.exposure_pnl[1:]
    return effectiveness_of((hedged**2).sum(axis=0), (bare**2).sum(axis=0))


def stale(now: float) -> float:
    """What the engine found at one correlation of NOW."""
    return float(engine_effectiveness()[NOW.index(now)])


@cache
def selected(largest: bool) -> float:
    """Effectiveness on the tenth of bars in which the hedge moved most, or on the others.

    Correlation .6 throughout: a million bars of hedge returns on the quantiles of a normal, each
    with both signs of what the hedge does not explain.
    """
    hedge = np.tile(normal_grid(500_000), 2)[:, None]
    rest = np.repeat([1.0, -1.0], 500_000)[:, None]
    spot = 0.6 * hedge + 0.8 * rest
    size = np.abs(hedge)
    far = size > np.quantile(size, 0.9)
    bars = far if largest else ~far
    return hedging_effectiveness(spot - 0.6 * hedge, spot, np.ones_like(spot), bars)


CLAIMS = (
    *(
        claim(f"effectiveness, sized for ρ₀ = 0.8, now ρ₁ = {rho:g}", text, compute, IDENTITY, 1e-9)
        for rho, text in zip(
            NOW,
            ("0.96", "0.88", "0.64", "0.32", "0.16", "0", "-0.32", "-0.64", "-0.96"),
            strict=True,
        )
        for compute in (partial(stale, rho),)
    ),
    claim(
        "the same at ρ₁ = 0.8, the hedge's relative volatility doubled",
        "0",
        lambda: float(stale_effectiveness(0.8, 0.8, 2.0)),
        "HE = 2ρ₀ρ₁k − ρ₀²k²",
        1e-12,
    ),
    claim(
        "expected out of sample, ratio by OLS over 30 bars, ρ = 0.8",
        "0.626667",
        lambda: out_of_sample_effectiveness(0.64, 30),
        OLS,
    ),
    claim("the same over 60 bars", "0.633684", lambda: out_of_sample_effectiveness(0.64, 60), OLS),
    claim(
        "the same over 250 bars", "0.638543", lambda: out_of_sample_effectiveness(0.64, 250), OLS
    ),
    claim(
        "constant ρ = 0.6: effectiveness on the tenth of bars with the largest moves",
        "0.71",
        lambda: selected(True),
        "normal moments beyond the 90 % quantile of |F|: selection alone",
    ),
    claim(
        "the same on the other nine tenths",
        "0.26",
        lambda: selected(False),
        "normal moments within the 90 % quantile of |F|: selection alone",
    ),
)
