"""Intervals: algebra of the jackknife, coverage, bootstrap weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtester.arrays import Float
from backtester.metrics import hedge
from backtester.metrics.inference import (
    Estimate,
    Sample,
    bootstrap_paths,
    jackknife_half_width,
    leave_one_out,
    path_groups,
)


@given(sums=arrays(np.float64, (7, 3), elements=st.floats(0, 1e6)))
def test_leave_one_out(sums: Float) -> None:
    expected = [np.delete(sums, u, axis=0).sum(axis=0) for u in range(7)]
    np.testing.assert_allclose(leave_one_out(sums), expected, rtol=1e-12, atol=1e-9)


def test_leave_one_out_keeps_small_sums_beside_a_huge_one() -> None:
    sums = np.array([[1e-30], [1.0], [2e-30]])
    assert leave_one_out(sums)[1, 0] == pytest.approx(3e-30, rel=1e-12)


def test_jackknife_of_a_mean_is_the_classical_interval() -> None:
    from scipy import stats

    x = np.random.default_rng(0).normal(size=23)
    half = jackknife_half_width((x.sum() - x) / 22)
    expected = stats.t.ppf(0.975, 22) * x.std(ddof=1) / np.sqrt(23)
    assert half == pytest.approx(expected, rel=1e-12)


def test_jackknife_covers_pooled_effectiveness() -> None:
    """95 % intervals over 60 paths of 20 heavy-tailed bars hold the truth 91–98 % of the time."""
    rng = np.random.default_rng(1)
    hits, trials = 0, 400
    for _ in range(trials):
        f, e = rng.standard_t(5, (2, 20, 60))
        spot = 0.8 * f + 0.6 * e
        hedged = ((spot - 0.8 * f) ** 2).sum(axis=0)
        sums = np.stack([hedged, (spot**2).sum(axis=0)], axis=1)
        left = leave_one_out(sums)
        value = float(hedge.effectiveness_of(*sums.sum(axis=0)))
        sample = Sample(value, hedge.effectiveness_of(left[:, 0], left[:, 1]), bounded=True)
        low, high = sample.interval()
        assert high <= 1.0
        hits += low <= 0.64 <= high
    assert 0.91 <= hits / trials <= 0.98


def test_bootstrap_of_a_median_ignores_paths_that_are_out() -> None:
    values = np.where(np.arange(60) < 30, 1.0, np.nan)
    assert (bootstrap_paths(values, seed=0) == 1.0).all()


def test_groups() -> None:
    assert path_groups(3).tolist() == [0, 1, 2]
    assert np.bincount(path_groups(1000)).tolist() == [20] * 50


def test_every_missing_figure_has_a_reason() -> None:
    with pytest.raises(ValueError, match="note"):
        Estimate(float("nan"))
    assert Sample(float("nan"), note="why").estimate().note == "why"
    assert Sample(1.0, np.array([1.0, np.nan])).estimate().note.startswith("no interval")
    assert Sample(1.0, np.array([1.0, 2.0])).estimate("insufficient: x").to_dict() == {
        "value": 1.0,
        "low": None,
        "high": None,
        "note": "insufficient: x",
    }


def test_perfect_hedge_has_a_point_interval() -> None:
    assert Sample(1.0, np.ones(5), bounded=True).interval() == (1.0, 1.0)
