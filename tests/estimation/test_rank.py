"""Rank correlations against scipy, over windows that roll and bars that are compounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from backtester.arrays import Float
from backtester.estimation.covariance import estimate
from backtester.estimation.rank import KendallCovariance, SpearmanCovariance


def run(estimator: Any, returns: Float, elapsed: float = 1.0) -> Any:
    state = estimator.init(*returns.shape[1:])
    for row in returns:
        state = estimator.step(state, row, elapsed)
    return state


def draw(seed: int, bars: int, paths: int, assets: int, ties: bool = False) -> Float:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(3, (bars, paths, 1)) + rng.standard_t(3, (bars, paths, assets))
    return np.asarray(np.round(values) if ties else values) * 0.01


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("window", "bars"), [(12, 5), (12, 40), (70, 100)])
def test_both_equal_scipy_over_the_window(window: int, bars: int, ties: bool) -> None:
    returns = draw(1, bars, 2, 3, ties)
    kendall = run(KendallCovariance(float(window)), returns)
    spearman = run(SpearmanCovariance(float(window)), returns)
    taus = KendallCovariance(float(window)).rank_correlation(kendall)
    rhos = SpearmanCovariance(float(window)).rank_correlation(spearman)
    seen = returns[-window:]
    for p in range(2):
        for i in range(3):
            for j in range(i):
                pair = seen[:, p, i], seen[:, p, j]
                assert taus[p, i, j] == pytest.approx(stats.kendalltau(*pair).statistic, abs=1e-12)
                assert rhos[p, i, j] == pytest.approx(stats.spearmanr(*pair).statistic, abs=1e-12)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    elapsed=st.lists(st.sampled_from([0.0, 1e-3, 0.3, 1.0, 2.5]), min_size=1, max_size=60),
    ties=st.booleans(),
)
def test_counts_kept_up_to_date_are_counts_from_scratch(
    seed: int, elapsed: list[float], ties: bool
) -> None:
    """Whatever was compounded, dropped or several dropped at once."""
    estimator = KendallCovariance(4.0)
    state = estimator.init(2, 3)
    returns = draw(seed, len(elapsed), 2, 3, ties)
    for row, days in zip(returns, elapsed, strict=True):
        state = estimator.step(state, row, days)
    scale = 1.0 / np.sqrt(np.array(state.window.elapsed))
    rows = np.array([s * r for s, r in zip(scale, state.window.returns, strict=True)])
    expected = np.zeros((2, 3, 3), dtype=np.int64)
    for t in range(len(rows)):
        for s in range(t):
            sign = np.sign(rows[t] - rows[s]).astype(np.int64)
            expected += sign[:, :, None] * sign[:, None, :]
    assert np.array_equal(state.counts, expected)


@pytest.mark.parametrize("kind", [SpearmanCovariance, KendallCovariance])
def test_a_monotone_change_of_a_margin_changes_no_correlation(kind: Any) -> None:
    returns = draw(2, 80, 2, 3)
    estimator = kind(60.0)
    before = estimator.rank_correlation(run(estimator, returns))
    returns[..., 1] = np.sinh(100.0 * returns[..., 1])
    assert np.array_equal(estimator.rank_correlation(run(estimator, returns)), before)


@pytest.mark.parametrize(("kind", "nu"), [(SpearmanCovariance, None), (KendallCovariance, None),
                                          (KendallCovariance, 3.0)])  # fmt: skip
def test_the_maps_return_the_correlation_of_the_copula(kind: Any, nu: float | None) -> None:
    """Both for a normal copula, Kendall's for a t copula too; many paths, so that bias shows."""
    rng = np.random.default_rng(3)
    matrix = np.array([[1.0, 0.7, -0.3], [0.7, 1.0, 0.1], [-0.3, 0.1, 1.0]])
    values = rng.standard_normal((120, 400, 3)) @ np.linalg.cholesky(matrix).T
    if nu:
        values *= np.sqrt(nu / rng.chisquare(nu, (120, 400, 1)))
    estimator = kind(120.0)
    covariance = estimator.covariance(run(estimator, 0.01 * values))
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    found = covariance / (deviation[:, :, None] * deviation[:, None, :])
    error = found.std(axis=0) / np.sqrt(400)
    # 1/120 of bias in the rank of a finite window
    assert np.all(np.abs(found.mean(axis=0) - matrix) < 4 * error + 0.008)


def test_variances_are_those_of_the_window() -> None:
    returns = draw(4, 90, 2, 3)
    for estimator in (SpearmanCovariance(30.0), KendallCovariance(30.0)):
        found = np.diagonal(estimator.covariance(run(estimator, returns)), axis1=1, axis2=2)
        np.testing.assert_allclose(found, (returns[-30:] ** 2).mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", [SpearmanCovariance, KendallCovariance])
def test_a_repair_is_reported_and_nothing_else_is_touched(kind: Any) -> None:
    """More assets than bars: the mapped matrix is not PSD; with many bars it is."""
    short, long = kind(5.0), kind(200.0)
    returns = draw(5, 220, 4, 8)
    covariance, repairs = short.estimate(run(short, returns))
    assert repairs.repaired.all() and (repairs.distance > 0).all() and (repairs.smallest < 0).all()
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    assert np.linalg.eigvalsh(repairs.matrix).min() >= -1e-13
    np.testing.assert_allclose(
        covariance, repairs.matrix * (deviation[:, :, None] * deviation[:, None, :]), rtol=1e-12
    )
    _, signals = estimate(short, run(short, returns))
    assert signals["correlation_repaired"].all()
    covariance, signals = estimate(long, run(long, returns))
    assert not signals["correlation_repaired"].any()


def test_an_asset_that_does_not_move_has_no_correlation() -> None:
    returns = draw(6, 30, 2, 3)
    returns[..., 1] = 0.0
    for estimator in (SpearmanCovariance(20.0), KendallCovariance(20.0)):
        covariance = estimator.covariance(run(estimator, returns))
        assert not covariance[:, 1].any() and covariance[:, 0, 2].all()
