"""Paired differences in shortfall: values, families, reference, regimes, what cannot be tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtester.errors import ConfigError
from backtester.metrics.paired import UNHEDGED, MarketPairs, adjusted, market_pairs
from backtester.metrics.risk import expected_shortfall, windows
from backtester.metrics.series import PathSeries

from .test_stability import series

NONE: dict[tuple[str, str], str] = {}


def books(paths: int, bars: int = 200, seed: int = 0, market: str = "m") -> list[PathSeries]:
    """No hedge, one that removes half of each move, one a little worse, a copy of the first."""
    rng = np.random.default_rng(seed)
    bare, noise = rng.standard_t(5, (2, bars, paths))
    label = np.zeros((bars, paths), dtype=np.int8)
    for start in range(20, bars - 20, 40):
        label[start : start + 20] = 1
    nets = {"Naked": bare, "half": 0.5 * bare, "noisy": 0.5 * bare + 0.15 * noise}
    return [replace(series(n, bare, label), strategy=k, market=market) for k, n in nets.items()]


def _row(rows, regime: str, first: str, second: str):  # type: ignore[no-untyped-def]
    return next(r for r in rows if (r.regime, r.first, r.second) == (regime, first, second))


def test_values_are_differences_of_shortfalls() -> None:
    found = books(40)
    rows = adjusted(market_pairs(found, seed=1, withheld=NONE))
    es = {b.strategy: expected_shortfall(windows(b.net)) * 100 for b in found}
    assert {r.regime for r in rows} == {"all", "normal", "convergence"}
    # Naked is the unhedged book: three pairs are left in each of three regimes.
    assert len(rows) == 9
    row = _row(rows, "all", "half", UNHEDGED)
    assert row.estimate.value == pytest.approx(es["half"] - es["Naked"])
    assert row.family == "unhedged"
    assert row.comparisons == 6
    between = _row(rows, "all", "half", "noisy")
    assert between.estimate.value == pytest.approx(es["half"] - es["noisy"])
    assert (between.family, between.comparisons) == ("strategies", 3)
    for r in rows:
        assert r.p_single <= r.p_adjusted <= 1.0
        assert r.estimate.low <= r.estimate.value <= r.estimate.high
    assert row.p_adjusted == pytest.approx(0.001)  # none of 999 draws comes near


def test_one_comparison_keeps_its_own_p_value() -> None:
    _, _, noisy = books(30, bars=60)
    flat = replace(noisy, label=np.zeros_like(noisy.label))
    (block,) = market_pairs([replace(flat, strategy="x")], seed=1, withheld=NONE)
    (row,) = adjusted([block])
    assert row.p_adjusted == row.p_single
    assert row.comparisons == 1


def test_a_study_of_more_markets_pays_for_them() -> None:
    one = market_pairs(books(12, seed=3), seed=1, withheld=NONE)
    more = [*one, *market_pairs(books(12, seed=4, market="n"), seed=1, withheld=NONE)]
    few, many = adjusted(one), adjusted(more)
    assert many[0].comparisons == 2 * few[0].comparisons
    assert all(b.p_adjusted >= a.p_adjusted for a, b in zip(few, many[: len(few)], strict=True))


def test_against_a_reference() -> None:
    found = books(12)
    rows = adjusted(market_pairs(found, seed=1, withheld=NONE, reference="half"))
    assert {(r.first, r.second) for r in rows if r.family == "strategies"} == {("noisy", "half")}
    with pytest.raises(ConfigError, match="'halv' is not a strategy"):
        market_pairs(found, seed=1, withheld=NONE, reference="halv")


def test_a_history_is_resampled_by_blocks_and_episodes() -> None:
    found = books(1, bars=2400, seed=5)
    rows = adjusted(market_pairs(found, seed=1, withheld={("half", "normal"): "insufficient: why"}))
    every, spells = (_row(rows, r, "half", UNHEDGED) for r in ("all", "convergence"))
    assert every.p_adjusted < 0.05
    assert spells.p_adjusted < 0.05
    held = _row(rows, "normal", "half", UNHEDGED)
    assert held.estimate.note == "insufficient: why"
    assert np.isnan(held.p_adjusted)
    assert held.to_dict()["p_adjusted"] is None
    assert every.comparisons == 5  # what could not be tested is no test


def test_draws_depend_on_the_seed_alone() -> None:
    a, b = (adjusted(market_pairs(books(9), seed=7, withheld=NONE)) for _ in range(2))
    assert a == b
    assert a != adjusted(market_pairs(books(9), seed=8, withheld=NONE))


def test_nothing_hedged_and_nothing_scored() -> None:
    assert market_pairs(books(5)[:1], seed=1, withheld=NONE) == ()
    empty = series(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 2), dtype=np.int8))
    assert market_pairs([empty], seed=1, withheld=NONE) == ()
    assert adjusted(list[MarketPairs]()) == ()


def test_a_strategy_called_unhedged_is_a_strategy() -> None:
    found = books(12)
    renamed = [found[0], replace(found[1], strategy=UNHEDGED), found[2]]
    rows = adjusted(market_pairs(renamed, seed=1, withheld=NONE))
    one, two = (adjusted(market_pairs(b, seed=1, withheld=NONE)) for b in (found, renamed))
    assert [r.family for r in rows] == [r.family for r in one]
    assert [r.p_adjusted for r in one] == [r.p_adjusted for r in two]
