"""Stepdown p-values: a hand example, laws, family-wise error and power by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtester.arrays import Float
from backtester.metrics.bootstrap import stationary_index
from backtester.metrics.risk import expected_shortfall, influence, windows
from backtester.metrics.romano_wolf import (
    Comparisons,
    balanced,
    over_blocks,
    over_units,
    stepdown,
)


def test_stepdown_by_hand() -> None:
    """Four draws of three comparisons; p = (1 + draws whose largest reaches the statistic) / 5."""
    statistic = np.array([2.0, 3.0, 1.0])
    draws = np.array([[0.5, 3.5, 0.2], [2.5, 0.1, 0.3], [0.4, 0.9, 1.5], [2.1, 0.6, 1.2]])
    # 3.0 against the largest of all: 3.5                        → (1 + 1) / 5
    # 2.0 against the largest of the first and third: 2.5, 2.1   → (1 + 2) / 5
    # 1.0 against the third: 1.5, 1.2                            → (1 + 2) / 5
    assert stepdown(statistic, draws).tolist() == [0.6, 0.4, 0.6]


def test_stepdown_is_monotone_where_a_raw_step_is_not() -> None:
    statistic = np.array([3.0, 2.0])
    draws = np.array([[9.0, 0.0], [9.0, 0.0], [0.0, 0.0]])
    assert stepdown(statistic, draws).tolist() == [0.75, 0.75]


FINITE = st.floats(0, 50, allow_subnormal=False)


@given(arrays(np.float64, 5, elements=FINITE), arrays(np.float64, (19, 5), elements=FINITE))
def test_laws_of_the_stepdown(statistic: Float, draws: Float) -> None:
    p = stepdown(statistic, draws)
    single = Comparisons(statistic, np.ones(5), draws).single()
    assert (p >= single).all()  # never smaller than alone
    assert (p <= 1.0).all()
    order = np.argsort(-statistic, kind="stable")
    assert (np.diff(p[order]) >= 0).all()
    largest = np.max(draws, axis=1)
    for i in range(5):  # nor larger than by one step against the largest of all
        assert p[i] <= (1 + np.sum(largest >= statistic[i])) / 20 + 1e-12
    alone = stepdown(statistic[:1], draws[:, :1])
    assert alone[0] == single[0]


@given(arrays(np.float64, 4, elements=FINITE), arrays(np.float64, (19, 4), elements=FINITE))
def test_a_copy_of_a_comparison_costs_nothing(statistic: Float, draws: Float) -> None:
    twice = stepdown(np.r_[statistic, statistic[0]], np.c_[draws, draws[:, 0]])
    assert np.array_equal(twice[:4], stepdown(statistic, draws))


def test_balance() -> None:
    """Long-tailed draws of one comparison do not drown another that is clear."""
    rng = np.random.default_rng(6)
    draws = np.abs(np.stack([rng.normal(size=999), 20 * rng.normal(size=999)], axis=1))
    found = Comparisons(np.array([4.0, 4.0]), np.ones(2), draws)
    assert stepdown(found.statistic, found.draws)[0] > 0.5
    p = stepdown(*balanced(found))
    assert p[0] < 0.01 < 0.5 < p[1]
    alone = Comparisons(np.array([1.7]), np.ones(1), draws[:, :1])
    assert stepdown(*balanced(alone))[0] == alone.single()[0]


def test_influence_is_the_derivative() -> None:
    losses = np.random.default_rng(0).normal(size=397)
    share = influence(losses, 0.9)
    assert np.sum(share) == pytest.approx(0.0, abs=1e-12)
    step = 1e-4
    base = expected_shortfall(-losses, 0.9)
    for i in (int(np.argmax(losses)), int(np.argmin(losses)), 17):
        weight = np.ones(397)
        weight[i] += step
        slope = (expected_shortfall(-losses, 0.9, weight) - base) / step
        assert slope == pytest.approx(share[i], rel=2e-3)


def test_the_interval_is_the_test() -> None:
    """The symmetric interval excludes zero exactly where the single p-value is at most 5 %."""
    rng = np.random.default_rng(1)
    for effect in np.linspace(0, 0.9, 40):
        parts = rng.normal(size=(30, 1)) / 30
        found = over_units(np.array([effect * 0.18]), parts, rng.integers(0, 30, (199, 30)))
        excluded = abs(found.value[0]) > found.half_width(0.95)[0]
        assert excluded == (found.single()[0] <= 0.05)


def test_books_that_never_differ() -> None:
    picks = np.random.default_rng(2).integers(0, 9, (99, 9))
    found = over_units(np.zeros(1), np.zeros((9, 1)), picks)
    assert found.single()[0] == 1.0
    assert found.half_width(0.95)[0] == 0.0


def _shortfalls(pnl: Float) -> tuple[Float, Float]:
    """Pairwise differences of S books' shortfalls and their shares, from P&L (B, P, S)."""
    s = pnl.shape[-1]
    losses = [-windows(pnl[..., i]) for i in range(s)]
    worst = np.array([expected_shortfall(-x) for x in losses])
    share = np.stack([influence(x.ravel()).reshape(x.shape) for x in losses], axis=-1)
    i, j = np.triu_indices(s, 1)
    return worst[i] - worst[j], share[..., i] - share[..., j]


def _family(rng: np.random.Generator, volatility: Float, paths: int, bars: int) -> Float:
    """p-values of all pairs of books with a common and an own part of P&L."""
    common = rng.standard_t(5, (bars, paths, 1))
    own = rng.standard_t(5, (bars, paths, volatility.size))
    value, share = _shortfalls(volatility * (common + own))
    if paths > 1:
        picks = rng.integers(0, paths, (199, paths))
        found = over_units(value, share.sum(axis=0), picks)
    else:
        picks = np.array([stationary_index(rng, len(share), 20.0) for _ in range(199)])
        found = over_blocks(value, share[:, 0], picks, 20.0)
    return stepdown(*balanced(found))


@pytest.mark.parametrize(("paths", "bars", "trials"), [(40, 60, 120), (1, 1200, 40)])
def test_family_wise_error(paths: int, bars: int, trials: int) -> None:
    """Four equal books, six comparisons: a false finding at 5 % in at most 5 % of the trials."""
    rng = np.random.default_rng(paths)
    same = np.ones(4)
    wrong = sum(bool((_family(rng, same, paths, bars) <= 0.05).any()) for _ in range(trials))

    assert wrong / trials <= 0.05 + 3.0 * np.sqrt(0.05 * 0.95 / trials)


def test_power_against_one_true_effect() -> None:
    """One book in four is 60 % worse: its three comparisons are found, the others are not."""
    rng = np.random.default_rng(4)
    found, false = 0, 0
    i, j = np.triu_indices(4, 1)
    true = (i == 3) | (j == 3)
    for _ in range(40):
        p = _family(rng, np.array([1.0, 1.0, 1.0, 1.6]), 60, 80)
        found += int((p[true] <= 0.05).all())
        false += int((p[~true] <= 0.05).any())

    assert found >= 32
    assert false <= 6
