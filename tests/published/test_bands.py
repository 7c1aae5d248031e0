"""Published: the multi-period no-trade band (methods A4) and the horizon that reproduces it."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.hedging import band
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.horizon import (
    TargetDiffusion,
    horizon,
    start_diffusion,
    step_diffusion,
)
from backtester.hedging.solver import solve

COST, DIFFUSION, CURVATURE = 0.001, 0.04, 2.0
BAND = 0.0310723  # (3 c s² / 2A)^⅓
TOTAL = 9.6549e-4  # cost and risk a unit of time at the best band


def days() -> float:
    """H* of the worked example: γσ² = A with σ² = 1."""
    state = TargetDiffusion(np.array([[1.0]]), np.array([DIFFUSION]), 0.0)
    return float(horizon(state, CURVATURE, np.array([[1.0]]), np.array([[COST]]))[0])


def problem(h0: float, target: float) -> HedgeBatch:
    """One hedge with risk ½ A H (h − target)² and cost c |h − h0|."""
    inf = np.full((1, 1), np.inf)
    return HedgeBatch(
        F=np.ones((1, 1, 1)),
        f=np.array([[-target]]),
        risk_weight=np.array([CURVATURE * days()]),
        reward=np.zeros((1, 1)),
        h0=np.array([[h0]]),
        linear=np.array([[COST]]),
        impact=np.zeros((1, 1)),
        lower=-inf,
        upper=inf,
        gross=inf[0],
        turnover=inf[0],
        A=np.zeros((1, 0, 1)),
        b=np.zeros((1, 0)),
        band=np.zeros((1, 0)),
        scale=np.ones(1),
    )


def running_cost(half_width: float) -> tuple[float, float]:
    """Trading cost and risk a unit of time of the worked example."""
    return band.running_cost(half_width, fee=COST, diffusion=DIFFUSION, curvature=CURVATURE)


def test_the_published_band_is_the_best_one() -> None:
    trading, risk = running_cost(BAND)
    assert trading == pytest.approx(6.4366e-4, rel=1e-4)
    assert risk == pytest.approx(3.2183e-4, rel=1e-4)
    assert trading + risk == pytest.approx(TOTAL, rel=1e-4)
    for other, theory in ((0.6, 1.18862e-3), (1.6, 1.22617e-3)):
        assert sum(running_cost(other * BAND)) == pytest.approx(theory, rel=1e-4)


def test_the_horizon_makes_the_one_period_half_width_that_band() -> None:
    half_width = COST / (CURVATURE * days())
    assert half_width == pytest.approx((1.5 * COST * DIFFUSION / CURVATURE) ** (1 / 3), rel=1e-12)
    assert half_width == pytest.approx(BAND, abs=5e-8)
    assert days() == pytest.approx(COST / (CURVATURE * BAND), rel=1e-5)


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_the_solver_trades_to_the_edge_of_the_band_and_not_within_it(side: float) -> None:
    target, edge = 1.0, COST / (CURVATURE * days())
    inside, outside = target + 0.99 * side * edge, target + 1.5 * side * edge
    assert solve(problem(inside, target)).h[0, 0] == inside
    assert solve(problem(outside, target)).h[0, 0] == pytest.approx(target + side * edge, rel=1e-9)


@pytest.mark.parametrize(("factor", "power"), [(8.0, 1 / 3), (27.0, 1 / 3)])
def test_the_band_follows_the_cube_root_of_cost(factor: float, power: float) -> None:
    state = TargetDiffusion(np.array([[1.0]]), np.array([DIFFUSION]), 0.0)
    unit = np.array([[1.0]])

    def width(cost: float) -> float:
        return cost / (CURVATURE * float(horizon(state, CURVATURE, unit, cost * unit)[0]))

    assert width(factor * COST) / width(COST) == pytest.approx(factor**power, rel=1e-12)


def test_hourly_and_daily_decisions_measure_the_same_diffusion() -> None:
    """s² is per day of trading time, so H and the band do not depend on the size of a bar."""
    rng = np.random.default_rng(4)
    paths, hours = 400, 24 * 60
    walk = 1.0 + np.cumsum(0.2 * np.sqrt(1 / 24) * rng.standard_normal((hours, paths, 1)), axis=0)
    variance = np.full((paths, 1), 1e-4)
    found = {}
    for step in (1, 24):
        state = start_diffusion(paths, 1)
        for t in range(step - 1, hours, step):
            state = step_diffusion(state, walk[t], variance, (t + 1) / 24)
        found[step] = state.rate.mean()
    # An EWMA of half-life 30 days over 60 days: three quarters of the way from the prior's ~0.
    share = 1.0 - 0.5 ** (60 / 30)
    assert found[1] == pytest.approx(share * DIFFUSION, rel=0.02)
    assert found[24] == pytest.approx(found[1], rel=0.05)
