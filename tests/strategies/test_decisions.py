"""What every built-in strategy must do, whatever its method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from backtester_strategies.baselines import Naked, OneToOne, RollingOLS, StaticHedge
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge
from backtester_strategies.delta_neutral import DeltaNeutralOffset
from backtester_strategies.negative_correlation_pairs import NegativeCorrelationPairs
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.arrays import Float
from backtester.errors import BacktesterError, ConfigError, StrategyError
from backtester.estimation.covariance import Covariance
from backtester.strategy import Strategy

from .driver import World, drive, prices_of, simulate

STRATEGIES: list[Strategy[Any]] = [
    Naked(),
    StaticHedge(window=10),
    StaticHedge(ratio={"H0": -0.8}),
    OneToOne(window=10),
    OneToOne(instrument="H0"),
    RollingOLS(window=12),
    CrossAssetCorrelationHedge(halflife=8),
    CrossAssetCorrelationHedge(estimator=Covariance.SAMPLE, window=12),
    CrossAssetCorrelationHedge(estimator=Covariance.LEDOIT_WOLF, window=12),
    CrossAssetCorrelationHedge(hedge_with=("H0",), halflife=8),
    *(
        CrossAssetCorrelationHedge(estimator=name, window=12, halflife=8, factors=2)
        for name in list(Covariance)[3:]
    ),
    NegativeCorrelationPairs(halflife=12, recent=3, volatility_halflife=8),
    NegativeCorrelationPairs(halflife=12, recent=3, volatility_halflife=8, partners=2),
    DeltaNeutralOffset(halflife=8),
    DeltaNeutralOffset(halflife=8, underlyings={"H0": "E0"}),
]
IDS = [f"{i}-{type(s).__name__}" for i, s in enumerate(STRATEGIES)]
every = pytest.mark.parametrize("strategy", STRATEGIES, ids=IDS)


def market(
    seed: int, paths: int, hedges: int = 3, exposed: int = 1, bars: int = 40, money: float = 1e6
) -> World:
    """E exposed assets, K hedges and a bystander, all correlated."""
    names = (*(f"E{i}" for i in range(exposed)), "other", *(f"H{i}" for i in range(hedges)))
    n = len(names)
    signs = np.where(np.arange(n) % 3 == 2, -1.0, 1.0)
    matrix = 0.7 * np.outer(signs, signs) + 0.3 * np.eye(n)
    returns = simulate(np.random.default_rng(seed), bars, paths, matrix)
    exposure = {f"E{i}": money * (1 + i) * (-1) ** i for i in range(exposed)}
    funding = np.full((bars + 1, paths, n), 1e-4)
    return World(prices_of(returns), names, exposure, names[exposed + 1 :], funding=funding)


def hedges(world: World, strategy: Strategy[Any]) -> Float:
    """Hedges of every decision, (D, P, K)."""
    return np.array([step.hedges for step in drive(world, strategy)])


@every
@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    paths=st.sampled_from([1, 3]),
    k=st.integers(1, 8),
    exposed=st.integers(1, 3),
)
def test_decisions_keep_the_contract(
    strategy: Strategy[Any], seed: int, paths: int, k: int, exposed: int
) -> None:
    decided = hedges(market(seed, paths, k, exposed), strategy)
    assert decided.shape[1:] == (paths, k)
    assert np.isfinite(decided).all() and len(decided) > 5


@every
def test_twice_the_book_is_twice_the_hedge_and_a_short_book_its_mirror(
    strategy: Strategy[Any],
) -> None:
    once = hedges(market(1, 4, exposed=2), strategy)
    assert np.array_equal(2.0 * once, hedges(market(1, 4, exposed=2, money=2e6), strategy))
    assert np.array_equal(-once, hedges(market(1, 4, exposed=2, money=-1e6), strategy))


@every
@settings(max_examples=6)
@given(seed=st.integers(0, 1000), k=st.sampled_from([1, 3, 9]), exposed=st.sampled_from([1, 2, 9]))
def test_paths_together_are_paths_alone_bit_for_bit(
    strategy: Strategy[Any], seed: int, k: int, exposed: int
) -> None:
    world = market(seed, 3, k, exposed, bars=30)
    together = hedges(world, strategy)
    for p in range(3):
        assert world.funding is not None
        alone = replace(
            world, prices=world.prices[:, [p]].copy(), funding=world.funding[:, [p]].copy()
        )
        assert np.array_equal(together[:, p], hedges(alone, strategy)[:, 0])


@every
def test_the_future_changes_nothing(strategy: Strategy[Any]) -> None:
    world = market(2, 2)
    scrambled = world.prices.copy()
    scrambled[31:] *= np.random.default_rng(3).uniform(0.5, 2.0, scrambled[31:].shape)
    before = [s.hedges for s in drive(world, strategy) if s.t <= 30]
    after = [s.hedges for s in drive(replace(world, prices=scrambled), strategy) if s.t <= 30]
    assert np.array_equal(before, after)


@every
@pytest.mark.parametrize("still", ["E0", "H0", "all"])
def test_what_stands_still_is_never_nan(strategy: Strategy[Any], still: str) -> None:
    world = market(4, 2)
    prices = world.prices.copy()
    columns = slice(None) if still == "all" else world.assets.index(still)
    prices[:, :, columns] = 100.0
    decided = hedges(replace(world, prices=prices), strategy)
    stated = isinstance(strategy, StaticHedge | OneToOne)  # a stated ratio needs no variance
    if still == "H0" and not stated:
        assert not decided[:, :, 0].any()
    if still == "all" and not stated:
        assert not decided.any()


@every
def test_a_run_leaves_no_trace(strategy: Strategy[Any]) -> None:
    world, before = market(5, 2), strategy.model_dump()
    first = hedges(world, strategy)
    assert np.array_equal(first, hedges(world, strategy))
    assert strategy.model_dump() == before


@every
def test_only_eligible_instruments_are_held(strategy: Strategy[Any]) -> None:
    world = market(6, 2)
    assert "E0" not in world.instruments
    if isinstance(strategy, CrossAssetCorrelationHedge) and strategy.hedge_with:
        assert not hedges(world, strategy)[:, :, 1:].any()


def test_an_exposed_asset_that_is_eligible_is_the_perfect_hedge() -> None:
    world = replace(market(7, 3), instruments=("E0", "H0"))
    for strategy in (
        CrossAssetCorrelationHedge(halflife=8),
        NegativeCorrelationPairs(halflife=12, recent=3),
        OneToOne(window=10),
        RollingOLS(window=12),
    ):
        np.testing.assert_allclose(hedges(world, strategy)[-1][:, 0], -1e6, rtol=1e-2)


@pytest.mark.parametrize(
    "strategy",
    [
        CrossAssetCorrelationHedge(hedge_with=("H00",)),
        StaticHedge(ratio={"H00": 1.0}),
        OneToOne(instrument="H00"),
        DeltaNeutralOffset(underlyings={"H00": "E0"}),
    ],
    ids=lambda s: type(s).__name__,
)
def test_a_misspelt_instrument_is_named_with_advice(strategy: Strategy[Any]) -> None:
    assert strategy.requires() == ("H00",)
    with pytest.raises(BacktesterError, match=r"'H00'.*Did you mean 'H0'"):
        strategy.init(market(1, 1).info)


def test_an_asset_that_may_not_hedge_is_refused() -> None:
    with pytest.raises(StrategyError, match="not an eligible instrument"):
        OneToOne(instrument="other").init(market(1, 1).info)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (CrossAssetCorrelationHedge, {"halflive": 3}, "Did you mean 'halflife'"),
        (CrossAssetCorrelationHedge, {"estimator": "ewm"}, "estimator"),
        (RollingOLS, {"window": 0}, "window"),
        (StaticHedge, {"ratio": {"H0": float("nan")}}, "ratio"),
        (NegativeCorrelationPairs, {"significance": 2}, "significance"),
        (DeltaNeutralOffset, {"band": 0}, "band"),
    ],
)
def test_an_invalid_parameter_is_named(
    kind: type[Strategy[Any]], parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        kind.configured(parameters)


@every
def test_the_warm_up_is_the_memory_of_the_estimate(strategy: Strategy[Any]) -> None:
    first = next(drive(market(8, 1), strategy))
    assert first.t == strategy.warmup
