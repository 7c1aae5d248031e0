"""CrossAssetCorrelationHedge reaches the R² of the population."""

from __future__ import annotations

import numpy as np
import pytest
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge

from backtester.errors import ConfigError
from backtester.estimation.covariance import Covariance

from .driver import World, drive, effectiveness, prices_of, simulate

MATRIX = np.array([[1, 0.6, 0.7, -0.4], [0.6, 1, 0.5, 0], [0.7, 0.5, 1, -0.2], [-0.4, 0, -0.2, 1]])
NAMES = ("S", "A", "B", "C")
BEST = MATRIX[1:, 1:]
R2 = float(MATRIX[0, 1:] @ np.linalg.solve(BEST, MATRIX[0, 1:]))


def world(money: float = 1e6) -> World:
    returns = simulate(np.random.default_rng(1), 400, 60, MATRIX)
    return World(prices_of(returns), NAMES, {"S": money}, NAMES[1:])


@pytest.mark.parametrize("estimator", list(Covariance))
def test_effectiveness_is_r_squared_less_the_cost_of_estimating(estimator: Covariance) -> None:
    # this market is not one of a single factor: four components leave nothing out
    strategy = CrossAssetCorrelationHedge(estimator=estimator, halflife=100, window=150, factors=4)
    value = effectiveness(list(drive(world(), strategy)))
    assert R2 - 0.04 < value < R2 + 0.02


def test_hedges_approach_the_closed_form() -> None:
    strategy = CrossAssetCorrelationHedge(estimator=Covariance.SAMPLE, window=256)
    last = list(drive(world(), strategy))[-1].hedges.mean(axis=0)
    best = -1e6 * np.linalg.solve(BEST, MATRIX[0, 1:])
    np.testing.assert_allclose(last, best, atol=3e4)


def test_long_where_it_falls_short_where_it_rises() -> None:
    for sign in (1.0, -1.0):
        for name, rho in zip(NAMES[1:], MATRIX[0, 1:], strict=True):
            strategy = CrossAssetCorrelationHedge(hedge_with=(name,), halflife=100)
            last = list(drive(world(sign * 1e6), strategy))[-1].hedges[:, NAMES.index(name) - 1]
            assert np.all(np.sign(last) == -sign * np.sign(rho))


def test_correlation_one_leaves_nothing_and_zero_is_left_alone() -> None:
    returns = simulate(np.random.default_rng(2), 80, 20, np.eye(2))
    twin = np.concatenate([returns[..., :1], -2.0 * returns[..., :1]], axis=2)
    perfect = World(prices_of(twin), ("S", "H"), {"S": 1e6}, ("H",))
    steps = list(drive(perfect, CrossAssetCorrelationHedge()))
    assert effectiveness(steps) == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(steps[-1].hedges, 5e5, rtol=1e-9)
    unrelated = World(prices_of(returns), ("S", "H"), {"S": 1e6}, ("H",))
    hedges = np.array([s.hedges for s in drive(unrelated, CrossAssetCorrelationHedge())])
    assert abs(hedges.mean()) < 5e4


def test_an_exact_duplicate_instrument_is_no_trouble() -> None:
    returns = simulate(np.random.default_rng(3), 80, 5, MATRIX)
    doubled = np.concatenate([returns, returns[..., 1:2]], axis=2)
    market = World(prices_of(doubled), (*NAMES, "A2"), {"S": 1e6}, (*NAMES[1:], "A2"))
    single = World(prices_of(returns), NAMES, {"S": 1e6}, NAMES[1:])
    both = list(drive(market, CrossAssetCorrelationHedge()))
    alone = list(drive(single, CrossAssetCorrelationHedge()))
    assert effectiveness(both) == pytest.approx(effectiveness(alone), abs=1e-6)


def test_weights_that_do_not_go_together_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"alpha = 0.2 and beta = 0.89"):
        CrossAssetCorrelationHedge(estimator=Covariance.CCC, garch_alpha=0.2)
    with pytest.raises(ConfigError, match=r"a = 0.025 and b = 1.0 .*0 ≤ b < 1"):
        CrossAssetCorrelationHedge.configured({"estimator": "dcc", "dcc_b": 1.0})
    with pytest.raises(ConfigError, match="cdc"):
        CrossAssetCorrelationHedge.configured({"estimator": "cdc"})


def test_the_first_decision_waits_for_what_the_estimator_needs() -> None:
    waits = {
        name.value: CrossAssetCorrelationHedge(estimator=name, halflife=7, window=90).warmup
        for name in Covariance
    }
    assert {name for name, days in waits.items() if days == 7} == {"ewma", "factor"}
    assert all(days in (7, 90) for days in waits.values())


def test_a_repaired_correlation_is_signalled() -> None:
    """Five bars of eight assets: Kendall's matrix is not PSD."""
    returns = simulate(np.random.default_rng(4), 12, 6, np.eye(8))
    names = tuple("SABCDEFG")
    market = World(prices_of(returns), names, {"S": 1e6}, names[1:])
    strategy = CrossAssetCorrelationHedge(estimator=Covariance.KENDALL, window=5)
    steps = list(drive(market, strategy))
    assert steps and all(np.isfinite(s.hedges).all() for s in steps)
    assert any(s.decision.signals["correlation_repaired"].any() for s in steps)
    plain = next(iter(drive(market, CrossAssetCorrelationHedge(halflife=5))))
    assert not plain.decision.signals
