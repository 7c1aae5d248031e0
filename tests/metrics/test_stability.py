"""Spread of effectiveness over episodes: by hand, its decomposition, coverage, its placebo."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Byte, Float
from backtester.metrics.hedge import hedging_effectiveness
from backtester.metrics.series import PathSeries
from backtester.metrics.stability import LEAST_BARS, stabilities, units_of, weighted_spread

DAY = 86_400_000_000_000


def series(net: Float, bare: Float, label: Byte) -> PathSeries:
    bars, paths = net.shape
    return PathSeries(
        "s",
        "m",
        bare,
        net - bare,
        np.zeros((bars, paths)),
        np.zeros((bars, paths, 1)),
        ("fee",),
        np.zeros((bars, paths)),
        np.ones((bars, paths)),
        np.ones((bars, paths)),
        label,
        ("normal", "convergence", "decoupling"),
        np.ones(bars),
        DAY * np.arange(1, bars + 1),
        365.0,
        1.0,
    )


def test_by_hand() -> None:
    """Two episodes of six bars: hedged half (Σu² = 24) and three quarters (Σu² = 6)."""
    label = np.zeros((30, 1), dtype=np.int8)
    label[3:9] = label[20:26] = 2
    bare = np.ones((30, 1))
    bare[3:9] = 2.0
    net = bare.copy()
    net[3:9] *= np.sqrt(0.5)
    net[20:26] *= 0.5
    row = next(r for r in stabilities(series(net, bare, label)) if r.regime == "decoupling")
    mean = (24 * 0.5 + 6 * 0.75) / 30
    expected = np.sqrt((24 * (0.5 - mean) ** 2 + 6 * (0.75 - mean) ** 2) / 30)
    assert row.spread.value == pytest.approx(expected)
    assert row.spread.note == "insufficient: 2 units, 5 needed"
    assert row.units == 2
    assert row.lowest == pytest.approx(0.5)
    assert row.lowest_at == "1970-01-05"
    assert row.negative == 0.0


def test_units_add_up_to_the_pooled_figure_and_stay_on_their_path() -> None:
    rng = np.random.default_rng(0)
    bars = rng.random((60, 7)) < 0.85
    begin = bars.copy()
    begin[1:] &= ~bars[:-1]
    net, bare = rng.normal(size=(2, 60, 7))
    found = units_of(net, bare, begin, bars)
    expected, short, weights = [], 0, []
    for p in range(7):
        edges = np.flatnonzero(begin[:, p])
        for first in edges:
            stop = first + int(np.argmin(np.r_[bars[first:, p], False]))
            if stop - first < LEAST_BARS:
                short += 1
                continue
            n, u = net[first:stop, p], bare[first:stop, p]
            expected.append(1 - np.sum(n * n) / np.sum(u * u))
            weights.append(np.sum(u * u))
    np.testing.assert_allclose(found.effectiveness, expected)
    assert found.short == short
    mean = np.average(expected, weights=weights)
    assert mean == pytest.approx(1 - found.hedged.sum() / found.unhedged.sum())


def test_all_bars_are_cut_into_quarters() -> None:
    rng = np.random.default_rng(1)
    bare = rng.normal(size=(730, 1))
    net = 0.5 * bare
    (row,) = stabilities(series(net, bare, np.zeros((730, 1), dtype=np.int8)))
    assert (row.regime, row.units) == ("all", 8)
    assert row.spread.value == pytest.approx(0.0, abs=1e-7)
    net[:365] = bare[:365]
    (row,) = stabilities(series(net, bare, np.zeros((730, 1), dtype=np.int8)))
    whole = hedging_effectiveness(net, bare, np.ones_like(bare))
    assert abs(row.spread.value - 0.375) < 0.02  # 0 and .75 in equal parts
    assert 0.3 < whole < 0.45
    assert row.spread.low < row.spread.value < row.spread.high


def test_the_interval_holds_the_spread_of_many_paths() -> None:
    """Effectiveness drawn anew in each episode: the jackknife over 40 paths covers 88–99 %."""
    rng = np.random.default_rng(2)
    label = np.zeros((60, 40), dtype=np.int8)
    for k in range(0, 60, 20):
        label[k + 10 : k + 20] = 1

    def one() -> tuple[float, float, float]:
        bare = rng.normal(size=(60, 40))
        share = np.repeat(rng.uniform(0.1, 0.9, (6, 40)), 10, axis=0)
        rows = stabilities(series(bare * np.sqrt(share), bare, label))
        e = next(r for r in rows if r.regime == "convergence").spread
        return e.value, e.low, e.high

    found = np.array([one() for _ in range(150)])
    truth = 0.8 / np.sqrt(12)
    assert np.mean(found[:, 0]) == pytest.approx(truth, abs=0.01)
    held = np.mean((found[:, 1] <= truth) & (truth <= found[:, 2]))
    assert 0.88 <= held <= 0.99


def test_the_placebo_stands_beside() -> None:
    rng = np.random.default_rng(3)
    bare, net = rng.normal(size=(2, 400, 12))
    label = np.zeros((400, 12), dtype=np.int8)
    label[100:120] = label[300:330] = 1
    mine = series(net, bare, label)
    rows = stabilities(mine, series(net[:, :3], bare[:, :3], label[:, :3]))
    assert all(r.placebo is not None and r.placebo.value > 0 for r in rows)
    assert rows[0].to_dict()["placebo"]["value"] > 0
    assert stabilities(mine)[0].placebo is None


def test_no_bars_and_no_movement() -> None:
    nothing = np.zeros((0, 3))
    assert stabilities(series(nothing, nothing, np.zeros((0, 3), dtype=np.int8))) == ()
    flat = np.zeros((50, 1))
    (row,) = stabilities(series(flat, flat, np.zeros((50, 1), dtype=np.int8)))
    assert row.spread.note == "0 units: 2 needed for a spread"
    assert row.to_dict()["lowest"] is None
    assert np.isnan(weighted_spread(np.zeros(3)))
