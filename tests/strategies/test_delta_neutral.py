"""DeltaNeutralOffset: groups, bands, beta rows, funding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backtester_strategies.delta_neutral import DeltaNeutralOffset, State

from backtester.hedging.decision import HedgeDecision
from backtester.market.view import MarketView

from .driver import World, prices_of, simulate

SPOT_PERP = ("BTC", "BTC-PERP", "ETH", "ETH-PERP")


def world(names: tuple[str, ...], exposure: dict[str, float], hedges: tuple[str, ...]) -> World:
    """Sixty daily bars of assets correlated at .8, with funding of 1 bp a bar."""
    n = len(names)
    matrix = 0.8 * np.ones((n, n)) + 0.2 * np.eye(n)
    prices = prices_of(simulate(np.random.default_rng(1), 60, 3, matrix))
    return World(prices, names, exposure, hedges, funding=np.full(prices.shape, 1e-4))


def decide(
    market: World, strategy: DeltaNeutralOffset, hedges: np.ndarray | float = 0.0
) -> tuple[HedgeDecision, State]:
    """The decision after the last bar with `hedges` (K,) on every path."""
    state = strategy.init(market.info)
    view: MarketView | None = None
    for t in range(len(market.prices)):
        view = market.view(t)
        state = strategy.observe(view, state)
    assert view is not None
    shape = (market.prices.shape[1], len(market.instruments))
    book = market.book(view.t, np.broadcast_to(np.asarray(hedges, dtype=float), shape))
    return strategy.decide(view, book, state), state


def test_each_underlying_has_its_row_and_its_band() -> None:
    market = world(SPOT_PERP, {"BTC": 1e6, "ETH": -5e5}, ("BTC-PERP", "ETH-PERP"))
    rule = decide(market, DeltaNeutralOffset())[0].neutrality
    assert rule is not None
    np.testing.assert_array_equal(rule.rows[0], [[1, 1, 0, 0], [0, 0, 1, 1]])
    np.testing.assert_allclose(rule.band, np.tile([2e4, 1e4], (3, 1)))


@pytest.mark.parametrize(
    ("short", "trades"), [(0.0, True), (-9.9e5, False), (-9.7e5, True), (-1.03e6, True)]
)
def test_it_trades_at_first_and_when_the_band_is_left(short: float, trades: bool) -> None:
    market = world(SPOT_PERP[:2], {"BTC": 1e6}, ("BTC-PERP",))
    decision, _ = decide(market, DeltaNeutralOffset(), short)
    assert decision.trade is not None
    assert decision.trade.all() == decision.trade.any() == trades
    assert decision.signals["band_breach"].any() == (trades and short != 0.0)


def test_an_underlying_without_an_instrument_is_neutral_in_beta() -> None:
    market = world(("SP500", "NASDAQ"), {"SP500": 1e6}, ("NASDAQ",))
    decision, state = decide(market, DeltaNeutralOffset())
    rule, covariance = decision.neutrality, state.covariance.mean
    assert rule is not None
    beta = covariance[:, 0, 1] / covariance[:, 1, 1]
    np.testing.assert_allclose(rule.rows[:, 0], np.stack([beta, np.ones(3)], axis=1), rtol=1e-12)
    left = covariance[:, 0, 0] - beta**2 * covariance[:, 1, 1]
    error = np.sqrt(left / covariance[:, 1, 1] / state.covariance.sample_size)
    np.testing.assert_allclose(rule.band[:, 0], 1e6 * (0.02 * beta + error), rtol=1e-9)
    least = -1e6 * beta  # the minimum-variance hedge is beta-neutral itself
    assert not decide(market, DeltaNeutralOffset(), least.mean())[0].trade[1]


def test_rows_and_betas_live_side_by_side() -> None:
    names = ("BTC", "BTC-PERP", "DOGE", "ETH-PERP")
    market = world(names, {"BTC": 1e6, "DOGE": 1e5}, ("BTC-PERP", "ETH-PERP"))
    rule = decide(market, DeltaNeutralOffset())[0].neutrality
    assert rule is not None and rule.rows.shape == (3, 2, 4)
    np.testing.assert_array_equal(rule.rows[:, 0], np.tile([1, 1, 0, 0], (3, 1)))
    assert np.array_equal(rule.rows[:, 1] != 0, np.tile([False, False, True, True], (3, 1)))
    for left_to_variance in (
        decide(market, DeltaNeutralOffset(beta_neutral=False))[0],
        decide(replace(market, instruments=("BTC-PERP",)), DeltaNeutralOffset())[0],
    ):
        assert left_to_variance.neutrality is not None
        assert left_to_variance.neutrality.rows.shape == (3, 1, 4)


def test_without_any_row_the_optimiser_decides_when_to_trade() -> None:
    market = world(("SP500", "NASDAQ"), {"SP500": 1e6}, ("NASDAQ",))
    decision, _ = decide(market, DeltaNeutralOffset(beta_neutral=False), -8e5)
    assert decision.neutrality is None and decision.trade is not None and decision.trade.all()


def test_underlyings_can_be_named() -> None:
    market = world(("stETH", "ETH-PERP"), {"stETH": 1e6}, ("ETH-PERP",))
    strategy = DeltaNeutralOffset(underlyings={"stETH": "ETH"})
    rule = decide(market, strategy)[0].neutrality
    assert rule is not None
    np.testing.assert_array_equal(rule.rows[0], [[1, 1]])


def test_a_short_earns_the_funding_a_long_pays() -> None:
    market = world(SPOT_PERP[:2], {"BTC": 1e6}, ("BTC-PERP",))
    decision, _ = decide(market, DeltaNeutralOffset(carry_seeking=True))
    assert decision.carry is not None and decision.carry_seeking
    np.testing.assert_allclose(decision.carry, -1e-4, rtol=1e-12)
    hourly, _ = decide(replace(market, elapsed=1 / 24), DeltaNeutralOffset())
    np.testing.assert_allclose(hourly.carry, -24e-4, rtol=1e-12)  # per day, whatever the bar
    assert not decide(replace(market, funding=None), DeltaNeutralOffset())[0].carry.any()


def test_a_market_that_stands_still_needs_no_beta() -> None:
    market = world(("SP500", "NASDAQ"), {"SP500": 1e6}, ("NASDAQ",))
    rule = decide(replace(market, prices=np.full((60, 3, 2), 100.0)), DeltaNeutralOffset())[0]
    assert rule.neutrality is not None
    assert not rule.neutrality.rows.any() and not rule.neutrality.band.any()
