"""Closed forms of the hedges solved as cvxpy problems.

Largest regret in effectiveness: midway between the regimes' own hedges. Largest variance with one
pair of volatilities: ``max(ρ_l, 0) σ_S/σ_F``, effectiveness at least ρ_l². Expected shortfall
(Rockafellar & Uryasev 2000): enumeration of its kinks. Plan with quadratic trading cost
(Gârleanu & Pedersen 2013): first trade a/λ = .270156 for γ = 1, λ = 10.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backtester.errors import Status
from backtester.hedging.assemble import HedgeSettings, assemble
from backtester.hedging.decision import (
    Custom,
    ExpectedShortfall,
    HedgeDecision,
    Limits,
    MultiPeriod,
    Quadratic,
    Robust,
)
from backtester.hedging.horizon import start_diffusion
from backtester.hedging.shortfall import normal_shortfall
from backtester.hedging.solver import solve


def solved(risk: Any, h0: float = 0.0, rate: float = 0.0, **limits: Any) -> Any:
    """One unit of the first asset, hedged with the second; λ = 1, H = 1 day, capital 1."""
    book: Any = SimpleNamespace(hedges=np.array([[h0]]), instrument_index=np.array([1]))
    decision = HedgeDecision(np.array([[1.0, 0.0]]), risk, limits=Limits(**limits))
    rates = np.array([[rate]]), np.zeros((1, 1))
    settings = HedgeSettings(1.0, 1.0, 1.0)
    batch, _, _ = assemble(decision, book, ("F",), rates, settings, start_diffusion(1, 1), 0.0)
    return solve(batch)


def matrix(spot: float, future: float, correlation: float) -> np.ndarray:
    joint = correlation * spot * future
    return np.array([[spot**2, joint], [joint, future**2]])


@pytest.mark.parametrize(
    ("normal", "crisis", "regret", "variance"), [(0.65, 0.9, 0.775, 0.9), (0.8, 0.4, 0.6, 0.4)]
)
def test_regret_is_midway_and_variance_follows_the_most_volatile(
    normal: float, crisis: float, regret: float, variance: float
) -> None:
    regimes = np.stack([matrix(0.03, 0.03, normal), matrix(0.08, 0.08, crisis)])
    assert -solved(Robust(regimes)).h[0, 0] == pytest.approx(regret, abs=1e-6)
    assert -solved(Robust(regimes, regret=False)).h[0, 0] == pytest.approx(variance, abs=2e-6)


@pytest.mark.parametrize(
    ("low", "high"), [(0.5, 0.9), (0.2, 0.3), (-0.3, 0.6), (-0.9, -0.5), (0.7, 0.7)]
)
def test_largest_variance_over_an_interval_of_correlation(low: float, high: float) -> None:
    regimes = np.stack([matrix(0.05, 0.04, low), matrix(0.05, 0.04, high)])
    sure = max(low, 0.0) if high > 0 else high
    h = solved(Robust(regimes, regret=False)).h[0, 0]
    assert -h == pytest.approx(sure * 1.25, abs=1e-5)
    spread = np.array([1.0, h])
    worst = max(spread @ m @ spread for m in regimes) / 0.05**2
    assert 1.0 - worst == pytest.approx(sure**2, abs=1e-6)


def test_regret_with_different_volatilities() -> None:
    """Regret of regime r is k_r (h − h_r)², k = (σ_F/σ_S)²: equal where the roots balance."""
    regimes = np.stack([matrix(0.04, 0.02, 0.5), matrix(0.04, 0.08, 0.6)])
    roots, best = np.array([0.5, 2.0]), np.array([1.0, 0.3])
    exact = (roots * best).sum() / roots.sum()
    assert -solved(Robust(regimes)).h[0, 0] == pytest.approx(exact, abs=1e-6)


def test_expected_shortfall_is_the_least_of_its_kinks() -> None:
    rng = np.random.default_rng(5)
    scenarios = rng.standard_t(4, size=(40, 2)) @ np.linalg.cholesky(matrix(0.05, 0.04, 0.8)).T
    level = 0.9

    def shortfall(h: float) -> float:
        losses = np.sort(-(scenarios @ np.array([1.0, h])))[::-1]
        return float(losses[:4].mean())  # (1 − level) S = 4 whole scenarios

    spot, future = scenarios.T
    i, j = np.triu_indices(40, 1)
    kinks = (spot[i] - spot[j]) / (future[j] - future[i])  # piecewise linear between ties
    exact = min(kinks, key=shortfall)
    solution = solved(ExpectedShortfall(scenarios, level))
    assert solution.status[0] == Status.OK
    assert solution.h[0, 0] == pytest.approx(exact, abs=1e-6)
    assert shortfall(solution.h[0, 0]) == pytest.approx(shortfall(exact), rel=1e-7)


def test_normal_scenarios_give_the_quadratic_hedge_and_its_band() -> None:
    """ES/k of a normal is its standard deviation: same hedge, same price of trading."""
    assert normal_shortfall(0.975) == pytest.approx(2.3378, abs=1e-4)
    half = np.random.default_rng(1).normal(size=(300, 2))
    half -= half.mean(axis=0)
    half = half @ np.linalg.inv(np.linalg.cholesky(half.T @ half / 300)).T
    scenarios = np.concatenate([half, -half]) @ np.linalg.cholesky(matrix(0.05, 0.04, 0.8)).T
    quadratic = solved(Quadratic(matrix(0.05, 0.04, 0.8)), rate=2e-4).h[0, 0]
    shortfall = solved(ExpectedShortfall(scenarios, 0.9), rate=2e-4).h[0, 0]
    assert shortfall == pytest.approx(quadratic, abs=0.08)


@pytest.mark.parametrize(("trade_risk", "share"), [(10.0, 0.270156), (1.0, 0.618034)])
def test_garleanu_pedersen(trade_risk: float, share: float) -> None:
    a = 0.5 * (-1.0 + np.sqrt(1.0 + 4.0 * trade_risk))
    assert a / trade_risk == pytest.approx(share, abs=1e-6)
    plan = MultiPeriod(matrix(1.0, 1.0, 0.8), 60, days=1.0, trade_risk=trade_risk)
    for h0 in (0.0, 0.5):
        h = solved(plan, h0=h0).h[0, 0]
        assert (h - h0) / (-0.8 - h0) == pytest.approx(a / trade_risk, abs=1e-6)


def test_the_band_of_a_plan_goes_with_its_length() -> None:
    """Half-width c/(A T Δ): a certainty-equivalent plan knows no diffusion of its target."""
    cost, variance = 1e-3, 0.04**2
    for periods in (1, 4):
        width = cost / (variance * periods * 0.5)
        plan = MultiPeriod(matrix(0.04, 0.04, 0.8), periods, days=0.5)
        assert -solved(plan, rate=cost).h[0, 0] == pytest.approx(max(0.8 - width, 0.0), abs=1e-5)
        assert solved(plan, rate=cost, h0=-0.8 + 0.9 * width).h[0, 0] == -0.8 + 0.9 * width


def variance(hedge: Any, p: Any) -> Any:
    import cvxpy as cp

    return cp.sum_squares(p["F"] @ hedge + p["f"])


def test_every_kind_agrees_with_the_quadratic_one_where_they_coincide() -> None:
    sigma = matrix(0.05, 0.04, 0.8)
    root = np.linalg.cholesky(sigma).T
    own = Custom(variance, {"F": root[None, :, 1:], "f": root[None, :, 0]}, sigma)
    exact = solved(Quadratic(sigma), rate=1e-4).h[0, 0]
    kinds = (own, Robust(sigma[None]), Robust(sigma[None], regret=False), MultiPeriod(sigma, 3))
    for kind in kinds:
        solution = solved(kind, rate=1e-4)
        assert solution.counts["generic"] == 1
        assert solution.h[0, 0] == pytest.approx(exact, abs=1e-6), kind


@pytest.mark.parametrize("name", ["Robust", "ExpectedShortfall", "MultiPeriod", "Custom"])
def test_costs_and_limits_hold_for_every_kind(name: str) -> None:
    sigma = matrix(0.05, 0.04, 0.8)
    root = np.linalg.cholesky(sigma).T
    kind = {
        "Robust": Robust(np.stack([sigma, matrix(0.05, 0.04, 0.6)])),
        "ExpectedShortfall": ExpectedShortfall(np.concatenate([root, -root]), 0.7),
        "MultiPeriod": MultiPeriod(sigma, 2),
        "Custom": Custom(variance, {"F": root[None, :, 1:], "f": root[None, :, 0]}, sigma),
    }[name]
    assert solved(kind, h0=0.3, rate=10.0).h[0, 0] == 0.3  # no trade, to the bit
    assert solved(kind, lower=-0.25).h[0, 0] == pytest.approx(-0.25, abs=1e-9)
    assert solved(kind, gross=0.3).h[0, 0] == pytest.approx(-0.3, abs=1e-8)
    assert solved(kind, h0=0.1, turnover=0.2).h[0, 0] == pytest.approx(-0.1, abs=1e-8)
    broken = solved(kind, h0=2.0, gross=0.5, turnover=0.2)  # turnover gives way to gross
    assert broken.status[0] == Status.ELASTIC
    assert broken.counts["elastic"] == 1
    np.testing.assert_allclose(broken.relaxed, [[1.3, 0.0, 0.0]], atol=1e-6)
    assert broken.h[0, 0] == pytest.approx(0.5, abs=1e-6)
