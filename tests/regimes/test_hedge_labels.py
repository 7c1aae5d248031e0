"""The default labels: what happened to the hedge, not how large the moves were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.accounting.exposure import Exposure
from backtester.arrays import Byte, Float
from backtester.clock import SESSIONS
from backtester.errors import ConfigError, DataError
from backtester.market.panel import MarketPanel
from backtester.regimes.book import book_returns
from backtester.regimes.episodes import episodes, grown, spells
from backtester.regimes.hedge_labels import hedge_label, hedge_measures
from backtester.regimes.labelled import crisis_mask
from backtester.regimes.labels import labels_of
from backtester.regimes.placebo import placebo_panel

from .worlds import BOOK, CALM, WILD, chain, market, pair

SPELL = slice(600, 680)


def world(rho: float, volatility: float, seed: int = 1, paths: int = 8) -> MarketPanel:
    """1,500 days at ρ = .8 and 1 % a day with one spell of another ρ and volatility."""
    level, size = np.full((1500, paths), 0.8), np.full((1500, paths), 0.01)
    level[SPELL], size[SPELL] = rho, volatility
    return pair(level, size, seed)


def shares(label: Byte, bars: slice) -> tuple[float, float]:
    """Share of convergence and of decoupling among `bars`."""
    inside = label[1:][bars]
    return float((inside == 1).mean()), float((inside == 2).mean())


def test_a_broken_hedge_is_decoupling_whatever_volatility_does() -> None:
    for volatility in (0.01, 0.03):
        found = hedge_label(world(0.1, volatility), BOOK, ("F",)).label
        assert shares(found, SPELL)[1] > 0.85
        assert shares(found, slice(0, 560))[1] < 0.03


def test_a_stress_in_which_the_hedge_holds_is_convergence() -> None:
    for rho in (0.8, 0.97):
        found = hedge_label(world(rho, 0.03), BOOK, ("F",)).label
        assert shares(found, SPELL)[0] > 0.9
        assert (found[1 + SPELL.start] != 0).all()  # its first day lies inside
        assert shares(found, SPELL)[1] < 0.05


def test_a_better_hedge_at_the_same_volatility_is_no_crisis() -> None:
    found = hedge_label(world(0.97, 0.01), BOOK, ("F",)).label
    assert crisis_mask(found[1:][SPELL], ("normal", "convergence", "decoupling")).mean() < 0.02


def test_a_fall_that_leaves_less_money_at_risk_is_no_crisis() -> None:
    """ρ .8 → .5 doubles the share unexplained; volatility ÷ 3 takes the variance to a ninth."""
    found = hedge_label(world(0.5, 0.01 / 3), BOOK, ("F",)).label
    assert shares(found, SPELL)[1] < 0.05


def test_volatility_alone_makes_no_decoupling() -> None:
    """The chain of Nystrup et al. at constant correlation: under 1 % by chance, stress found."""
    state = chain(2500, 40, seed=3)
    panel = pair(np.full(state.shape, 0.8), np.where(state == 1, WILD, CALM), seed=4)
    label = hedge_label(panel, BOOK, ("F",)).label[1:]
    assert (label == 2).mean() < 0.012
    assert (label[state == 1] == 1).mean() > 0.6
    assert (label[state == 0] == 1).mean() < 0.03


def test_a_placebo_keeps_the_stress_and_loses_the_decoupling() -> None:
    real = world(0.1, 0.03, paths=1)
    twin = placebo_panel(real, paths=30, seed=1)
    assert shares(hedge_label(real, BOOK, ("F",)).label, SPELL)[1] > 0.8
    found = hedge_label(twin, BOOK, ("F",)).label
    assert shares(found, SPELL)[1] < 0.25
    assert shares(found, SPELL)[0] > 0.6


def test_nothing_happens_in_a_quiet_history() -> None:
    quiet = pair(np.full((1500, 20), 0.8), np.full((1500, 20), 0.01), seed=9)
    assert (hedge_label(quiet, BOOK, ("F",)).label != 0).mean() < 0.02


def test_a_sign_that_flips_is_decoupling() -> None:
    """A hedge that comes to move the other way doubles the risk, however well it correlates."""
    found = hedge_label(world(-0.9, 0.01), BOOK, ("F",)).label
    assert shares(found, SPELL)[1] > 0.85


@settings(max_examples=12, deadline=None)
@given(st.floats(-0.9, 0.95), st.floats(0.3, 6.0), st.floats(0.03, 0.3), st.integers(0, 99))
def test_the_crisis_share_is_bounded(rho: float, size: float, share: float, seed: int) -> None:
    level, volatility = np.full((800, 2), 0.7), np.full((800, 2), 0.01)
    level[200:500], volatility[200:500] = rho, 0.01 * size
    label = hedge_label(pair(level, volatility, seed), BOOK, ("F",), share=share).label[1:]
    assert ((label != 0).mean(axis=0) <= share + 1e-12).all()


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3), st.booleans())
def test_units_and_the_side_of_the_book_do_not_matter(a: float, b: float, short: bool) -> None:
    panel = world(0.1, 0.02, paths=1)
    scaled = market_scaled(panel, np.array([a, b]))
    book = Exposure(("S",), np.array([-2.5e3 if short else 7.0]), hold="notional")
    one, two = (hedge_label(p, e, ("F",)).label for p, e in ((panel, BOOK), (scaled, book)))
    assert (one != two).mean() < 0.003  # prices in other units round differently


def market_scaled(panel: MarketPanel, factor: Float) -> MarketPanel:
    return MarketPanel(panel.times, panel.assets, panel.prices * factor, panel.calendar)


def test_paths_are_labelled_alone() -> None:
    panel = world(0.2, 0.02, paths=5)
    label = hedge_label(panel, BOOK, ("F",)).label
    for p in range(5):
        alone = hedge_label(panel.path(p), BOOK, ("F",)).label
        np.testing.assert_array_equal(label[:, [p]], alone)
    order = np.array([3, 1, 4, 0, 2])
    np.testing.assert_array_equal(
        label[:, order], hedge_label(panel.select(order), BOOK, ("F",)).label
    )


def test_bar_size_changes_little() -> None:
    """A spell that is plain to daily bars is the same spell every six hours."""
    level, size = np.full((1500, 4), 0.8), np.full((1500, 4), 0.01)
    level[SPELL] = 0.0
    size[SPELL] = 0.02
    day = hedge_label(pair(level, size, 2), BOOK, ("F",)).label[1:]
    fine = pair(np.repeat(level, 4, axis=0), np.repeat(size / 2.0, 4, axis=0), 2, hours=6)
    quarter = hedge_label(fine, BOOK, ("F",)).label[1:].reshape(1500, 4, 4)[:, 0]
    assert ((day == 2) == (quarter == 2)).mean() > 0.97


def test_several_hedges_are_judged_as_the_best_mix() -> None:
    """S = (F + G)/√2 + noise; either hedge alone explains half of what the pair does."""
    rng = np.random.default_rng(5)
    f, g, noise = rng.standard_normal((3, 1500, 3))
    spot = 0.65 * (f + g) + 0.4 * noise
    spot[SPELL] = rng.standard_normal(spot[SPELL].shape)
    panel = market(0.01 * np.stack([spot, f, g], axis=-1), names=("S", "F", "G"))
    found = hedge_measures(panel, BOOK, ("F", "G"))
    truth = 0.65 * np.sqrt(2) / np.hypot(0.65 * np.sqrt(2), 0.4)
    assert np.median(found.usual) == pytest.approx(truth, abs=0.03)
    assert shares(hedge_label(panel, BOOK, ("F", "G")).label, SPELL)[1] > 0.85


def test_the_residual_of_a_stale_hedge_is_the_identity() -> None:
    """`worse` is (1 − HE)/(1 − ρ₀²) with HE = 2 ρ₀ ρ₁ − ρ₀²."""
    found = hedge_measures(world(0.3, 0.01, paths=1), BOOK, ("F",))
    effect = 2 * found.usual * found.correlation - found.usual**2
    np.testing.assert_allclose(found.worse, (1 - effect) / (1 - found.usual**2), rtol=1e-12)


def test_a_book_that_never_moves_and_a_dead_hedge_are_normal() -> None:
    rng = np.random.default_rng(0)
    for dead in (0, 1):
        returns = 0.01 * rng.standard_normal((600, 2, 2))
        returns[1:, :, dead] = 0.0
        found = hedge_label(market(returns), BOOK, ("F",))
        assert np.isin(found.label, (0, 1)).all()
        assert (found.label == 1).mean() < 0.02
    still = np.zeros((600, 1, 2))
    still[-1] = 0.01
    assert not hedge_label(market(still), BOOK, ("F",)).label[:-20].any()


def test_an_asset_that_stops_trading_is_no_news() -> None:
    """No move, no news: a price that stands still for 100 days neither breaks nor makes a hedge."""
    panel = world(0.8, 0.01, paths=2)
    returns = np.diff(np.log(panel.prices), axis=0)
    returns[700:800, :, 1] = 0.0
    found = hedge_measures(market(returns), BOOK, ("F",))
    np.testing.assert_array_equal(found.fall[720:780], 0.0)


def test_two_equal_hedges_are_one() -> None:
    panel = world(0.1, 0.01, paths=1)
    twice = MarketPanel(panel.times, ("S", "F", "G"), panel.prices[..., [0, 1, 1]], panel.calendar)
    one, two = hedge_label(panel, BOOK, ("F",)), hedge_label(twice, BOOK, ("F", "G"))
    assert (one.label != two.label).mean() < 0.005


def test_book_returns_follow_the_holding_rule() -> None:
    panel = market(np.array([[[0.1, 0.2]], [[-0.3, 0.1]], [[0.2, 0.0]]]))
    amounts = np.array([3.0, -1.0])
    price = panel.prices[:, 0]
    fixed = Exposure(("S", "F"), amounts, "units", "units")
    money = Exposure(("S", "F"), amounts, "notional", "notional")
    change = np.diff(price, axis=0)
    gross = np.abs(price[:-1] * amounts).sum(axis=1)
    y, x = book_returns(panel, fixed, ("F",))
    np.testing.assert_allclose(y[:, 0], (change @ amounts) / gross)
    np.testing.assert_allclose(x[:, 0, 0], change[:, 1] / price[:-1, 1])
    y, _ = book_returns(panel, money, ("F",))
    np.testing.assert_allclose(y[:, 0], (change / price[:-1]) @ amounts / 4.0)


def test_short_history_is_normal_and_says_so() -> None:
    found = hedge_label(world(0.1, 0.05).until(100), BOOK, ("F",))
    assert not found.label.any() and "fewer than" in found.description


def test_sessions_count_trading_days() -> None:
    panel = world(0.1, 0.03, paths=1)
    sessions = MarketPanel(panel.times, panel.assets, panel.prices, SESSIONS)
    found = hedge_label(sessions, BOOK, ("F",))
    assert shares(found.label, SPELL)[1] > 0.8


def test_who_labels() -> None:
    panel = world(0.1, 0.03, paths=1)
    by_hedge = labels_of(panel, BOOK, ("F",))
    assert by_hedge.names == ("normal", "convergence", "decoupling") and not by_hedge.known
    assert len(by_hedge.description) <= 400  # what a report shows of it
    assert labels_of(panel, labeller="volatility").names == ("normal", "crisis")
    np.testing.assert_array_equal(by_hedge.crisis, by_hedge.label != 0)
    with pytest.raises(ConfigError, match="Give labels_of the exposure"):
        labels_of(panel)
    with pytest.raises(ConfigError, match=r"'psychic' is unknown.*'hedge'"):
        labels_of(panel, BOOK, ("F",), "psychic")
    with pytest.raises(DataError, match="hedge_with needs asset 'Z'"):
        labels_of(panel, BOOK, ("Z",))


@pytest.mark.parametrize("wrong", [{"window": 0.0}, {"share": 1.0}, {"shortest": -1.0}])
def test_nonsense_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="Give window"):
        hedge_label(world(0.1, 0.03, paths=1), BOOK, ("F",), **wrong)


def test_crisis_is_every_regime_but_normal() -> None:
    label = np.array([0, 1, 2], dtype=np.int8)
    assert crisis_mask(label, ("normal", "a", "b")).tolist() == [False, True, True]
    assert crisis_mask(label, ("storm", "normal", "b")).tolist() == [True, False, True]
    assert crisis_mask(label, ("calm", "storm", "b")).tolist() == [False, True, True]


def test_episodes() -> None:
    mask = np.array([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0], dtype=bool)
    days = np.arange(13.0)
    assert [s.tolist() for s in spells(mask)] == [[1, 5, 10], [3, 6, 11]]
    assert np.flatnonzero(episodes(mask, days, 3.0, 0.0)).tolist() == [1, 2, 3, 4, 5, 10]
    assert np.flatnonzero(episodes(mask, days, 3.0, 2.0)).tolist() == [1, 2, 3, 4, 5]
    core = np.zeros(12, dtype=bool)
    core[2] = True
    assert np.flatnonzero(grown(core, mask)).tolist() == [1, 2]
