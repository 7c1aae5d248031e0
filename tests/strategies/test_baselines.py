"""The baselines do exactly what their formulas say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backtester_strategies.baselines import Naked, OneToOne, RollingOLS, StaticHedge

from backtester.arrays import Float

from .driver import World, drive, effectiveness, prices_of, simulate

MONEY = 1e6


def pair(rho: float, seed: int = 1, bars: int = 60, paths: int = 400) -> World:
    """An exposure and one hedge of equal volatility."""
    matrix = np.array([[1.0, rho], [rho, 1.0]])
    returns = simulate(np.random.default_rng(seed), bars, paths, matrix)
    return World(prices_of(returns), ("S", "H"), {"S": MONEY}, ("H",))


def test_naked_holds_nothing() -> None:
    assert not any(step.hedges.any() for step in drive(pair(0.9, paths=2), Naked()))


@pytest.mark.parametrize("rho", [0.95, 0.8, 0.6, 0.5, 0.4, 0.2, 0.0])
def test_a_stale_hedge_has_the_effectiveness_of_the_identity(rho: float) -> None:
    """2ρ₀ρ₁ − ρ₀² at ρ₀ = .8 (methods A2), within four standard errors of at most .005."""
    steps = list(drive(pair(rho, bars=101), StaticHedge(ratio={"H": -0.8})))
    plain = np.array([s.exposure_pnl for s in steps]).ravel() / MONEY
    hedged = plain + np.array([s.hedge_pnl for s in steps]).ravel() / MONEY
    value = effectiveness(steps)
    spread = hedged**2 - (1.0 - value) * plain**2
    error = spread.std() / np.sqrt(spread.size) / np.mean(plain**2)
    assert error <= 0.011
    assert abs(value - (1.6 * rho - 0.64)) < 4 * error


def test_the_estimated_ratio_is_the_windows_and_stays() -> None:
    world = pair(0.7, paths=3)
    steps = list(drive(world, StaticHedge(window=20)))
    returns = world.prices[1:21] / world.prices[:20] - 1.0
    ratio = (returns[..., 0] * returns[..., 1]).sum(axis=0) / (returns[..., 1] ** 2).sum(axis=0)
    for step in steps:
        np.testing.assert_allclose(step.hedges[:, 0], -MONEY * ratio, rtol=1e-9)


def test_one_to_one_takes_the_most_correlated() -> None:
    matrix = np.eye(4)
    matrix[0, 1:] = matrix[1:, 0] = 0.3, 0.7, -0.6
    returns = simulate(np.random.default_rng(2), 100, 3, matrix)
    names = ("S", "A", "B", "C")
    world = World(prices_of(returns), names, {"S": MONEY}, names[1:])
    for money in (MONEY, -MONEY):
        held = replace(world, exposure={"S": money})
        for step in drive(held, OneToOne()):
            np.testing.assert_allclose(step.hedges, np.tile([0.0, -money, 0.0], (3, 1)))


def test_one_to_one_with_a_stated_instrument_starts_at_once() -> None:
    steps = list(drive(pair(0.1, paths=2), OneToOne(instrument="H")))
    assert steps[0].t == 0
    np.testing.assert_allclose([s.hedges for s in steps], -MONEY, rtol=1e-12)


def test_rolling_ols_is_the_regression_of_the_window() -> None:
    world = pair(0.6, paths=2, bars=50)
    for step in drive(world, RollingOLS(window=20)):
        returns = world.prices[1:] / world.prices[:-1] - 1.0
        part = returns[step.t - 20 : step.t]
        for p in range(2):
            slope = np.polyfit(part[:, p, 1], part[:, p, 0], 1)[0]
            assert step.hedges[p, 0] == pytest.approx(-MONEY * slope, rel=1e-7)


@pytest.mark.parametrize(("window", "published"), [(30, 0.626667), (60, 0.633684)])
def test_rolling_ols_pays_for_estimating(window: int, published: float) -> None:
    """Out of sample ρ² − (1 − ρ²)/(T − 3) at ρ = .8 (methods A2)."""
    steps = list(drive(pair(0.8, seed=3, bars=window + 40, paths=1000), RollingOLS(window=window)))
    ratio = np.array([s.hedges[:, 0] for s in steps]) / MONEY
    lost = ((ratio + 0.8) ** 2).mean(axis=0)  # per path: bars of a path overlap
    error = lost.std() / np.sqrt(lost.size)
    assert abs(0.64 - lost.mean() - published) < 4 * error + 2e-4
    assert error < 1e-3


def test_a_static_ratio_is_a_baseline_for_each_asset_held() -> None:
    """Two assets, two hedges, each the twin of one: the ratio matrix keeps them apart."""
    matrix: Float = np.eye(4)
    matrix[0, 2] = matrix[2, 0] = matrix[1, 3] = matrix[3, 1] = 0.999
    returns = simulate(np.random.default_rng(4), 400, 2, matrix)
    names = ("S", "T", "HS", "HT")
    world = World(prices_of(returns), names, {"S": MONEY, "T": -2 * MONEY}, ("HS", "HT"))
    last = list(drive(world, StaticHedge(window=300)))[-1]
    np.testing.assert_allclose(last.hedges, np.tile([-MONEY, 2 * MONEY], (2, 1)), rtol=0.02)
