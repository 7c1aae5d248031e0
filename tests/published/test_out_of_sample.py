"""Published: what estimating a hedge ratio costs out of sample, and where a stale one turns.

Both through the real engine: constant-notional exposure, normal returns, no cost, decisions at
every bar. ``same_close`` is used so that the hedge earns the very next bar, as the formulas assume.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_strategies.baselines import RollingOLS, StaticHedge

from backtester.accounting.exposure import Exposure
from backtester.arrays import Float
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.hedging.assemble import HedgeSettings
from backtester.market.panel import MarketPanel
from backtester.metrics.hedge import out_of_sample_effectiveness, stale_effectiveness
from backtester.setup import RunSetup
from backtester.strategy import Strategy

DAY = 86_400_000_000_000
VOLATILITY = 1e-3  # small: simple returns are normal and notionals do not drift


def pair(rho: float, paths: int, bars: int, seed: int) -> MarketPanel:
    """Spot and hedge with normal returns of equal volatility and correlation rho."""
    rng = np.random.default_rng(seed)
    hedge, other = VOLATILITY * rng.standard_normal((2, bars, paths))
    spot = rho * hedge + np.sqrt(1.0 - rho**2) * other
    returns = np.stack([spot, hedge], axis=-1)
    prices = np.concatenate([np.ones((1, paths, 2)), np.cumprod(1.0 + returns, axis=0)])
    times = np.arange(bars + 1, dtype=np.int64) * DAY
    return MarketPanel(times, ("S", "F"), prices, CONTINUOUS)


def squares(panel: MarketPanel, strategy: Strategy[Any], first: int) -> tuple[Float, Float]:
    """Sums of squared hedged and unhedged P&L by path, from the bar after `first`."""
    setup = RunSetup(
        exposure=Exposure(("S",), np.array([1.0]), hold="notional"),
        instruments=("F",),
        costs=CostConfig(fee_bps=0, half_spread_bps=0),
        hedging=HedgeSettings(1.0),
        execution="same_close",
        start=float(first),
    )
    led = run(panel, strategy, setup).ledger
    hedged = (led.exposure_pnl + led.hedge_pnl)[first + 1 :]
    return (hedged**2).sum(axis=0), (led.exposure_pnl[first + 1 :] ** 2).sum(axis=0)


@pytest.mark.parametrize(("window", "published"), [(30, 0.626667), (60, 0.633684)])
def test_rolling_ols_out_of_sample(window: int, published: float) -> None:
    """E[HE] = ρ² − (1 − ρ²)/(T − 3) at ρ = .8: the loss against the true ratio, path by path."""
    expected = 0.64 - out_of_sample_effectiveness(0.64, window)
    assert expected == pytest.approx(0.64 - published, abs=1e-6)
    panel = pair(0.8, paths=256, bars=400, seed=window)
    estimated, bare = squares(panel, RollingOLS(window=float(window)), window)
    known, same = squares(panel, StaticHedge(ratio={"F": -0.8}), window)
    assert np.array_equal(bare, same)
    loss = (estimated - known).sum() / bare.sum()
    # Paired on the same shocks; the jackknife over paths gives the error of the ratio of sums.
    rest = (estimated - known).sum() - (estimated - known)
    error = np.std(rest / (bare.sum() - bare)) * np.sqrt(len(bare) - 1)
    assert error < 0.1 * expected
    assert abs(loss - expected) < 4.0 * error


@pytest.mark.parametrize(
    ("now", "expected"), [(0.95, 0.88), (0.8, 0.64), (0.4, 0.0), (0.2, -0.32), (-0.2, -0.96)]
)
def test_a_stale_hedge_breaks_even_at_half_its_correlation(now: float, expected: float) -> None:
    """HE = 2 ρ₀ ρ₁ − ρ₀² with ρ₀ = .8, held at constant notional: zero at ρ₁ = .4."""
    assert stale_effectiveness(0.8, now) == pytest.approx(expected, abs=1e-12)
    panel = pair(now, paths=256, bars=150, seed=7)
    hedged, bare = squares(panel, StaticHedge(ratio={"F": -0.8}), 0)
    found = 1.0 - hedged.sum() / bare.sum()
    rest = 1.0 - (hedged.sum() - hedged) / (bare.sum() - bare)
    error = np.std(rest) * np.sqrt(len(bare) - 1)
    assert error < 0.02
    assert abs(found - expected) < 4.0 * error
