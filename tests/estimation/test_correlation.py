"""Correlation: constant columns, portfolios, and devolatilised returns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.arrays import Float
from backtester.estimation.correlation import (
    DevolatilisedCorrelation,
    correlation,
    fisher_error,
    fisher_z,
    portfolio_correlation,
)


def psd(seed: int, paths: int, assets: int) -> Float:
    """Random covariances (P, N, N)."""
    root = np.random.default_rng(seed).standard_normal((paths, assets, assets + 2))
    return root @ root.transpose(0, 2, 1)


@given(seed=st.integers(0, 10_000), assets=st.integers(1, 8))
def test_it_equals_numpy(seed: int, assets: int) -> None:
    covariance = psd(seed, 3, assets)
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    slow = covariance / deviation[:, :, None] / deviation[:, None, :]
    ours = correlation(covariance)
    np.testing.assert_allclose(ours, slow, rtol=1e-12, atol=1e-15)
    assert np.abs(ours).max() <= 1.0


def test_a_constant_column_is_uncorrelated_and_never_nan() -> None:
    covariance = np.array([[[0.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    assert np.array_equal(correlation(covariance), np.broadcast_to(np.eye(2), (2, 2, 2)))


@given(seed=st.integers(0, 10_000), held=st.integers(1, 4))
def test_the_portfolio_is_the_weighted_sum(seed: int, held: int) -> None:
    covariance = psd(seed, 3, 6)
    rng = np.random.default_rng(seed)
    columns = rng.permutation(6)[:held]
    money = rng.standard_normal((3, held))
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    ours = portfolio_correlation(
        correlation(covariance)[:, columns], columns, money * deviation[:, columns]
    )
    for p in range(3):
        weights = np.zeros(6)
        weights[columns] = money[p]
        with_assets = covariance[p] @ weights
        slow = with_assets / np.sqrt(weights @ with_assets) / deviation[p]
        np.testing.assert_allclose(ours[p], slow, rtol=1e-9, atol=1e-12)


def test_legs_that_cancel_leave_nothing_to_hedge() -> None:
    same = np.ones((1, 2, 3))
    weights = np.array([[1.0, -1.0]])
    assert np.array_equal(portfolio_correlation(same, np.array([0, 1]), weights), np.zeros((1, 3)))
    nothing = portfolio_correlation(same, np.array([0, 1]), np.zeros((1, 2)))
    assert np.array_equal(nothing, np.zeros((1, 3)))


def test_fisher() -> None:
    assert fisher_z(np.array([0.6])).item() == pytest.approx(np.arctanh(0.6), rel=1e-15)
    assert np.isfinite(fisher_z(np.array([1.0, -1.0]))).all()
    assert fisher_error(60.0).item() == pytest.approx(57**-0.5, rel=1e-15)
    assert np.array_equal(fisher_error(np.array([3.0, 0.0, 4.0])), [np.inf, np.inf, 1.0])


def run(estimator: DevolatilisedCorrelation, returns: Float, elapsed: float = 1.0):
    state = estimator.init(*returns.shape[1:])
    for row in returns:
        state = estimator.step(state, row, elapsed)
    return state


def test_a_volatility_burst_does_not_raise_it() -> None:
    """Forbes–Rigobon: raw correlation of the burst is far above ρ, the devolatilised is not."""
    rng = np.random.default_rng(5)
    common = rng.standard_normal((1500, 200, 1))
    factor = np.where(np.arange(1500) < 1200, 1.0, 3.0)[:, None, None]
    # Only the first asset's own driver becomes more volatile: dependence is unchanged in β.
    x = factor * common
    y = 0.5 * x + np.sqrt(0.75) * factor * rng.standard_normal((1500, 200, 1))
    state = run(DevolatilisedCorrelation(60.0, 20.0), 0.01 * np.concatenate([x, y], axis=2))
    level = DevolatilisedCorrelation(60.0, 20.0).correlation(state)[:, 0, 1]
    assert level.mean() == pytest.approx(0.5, abs=0.02)


def test_its_covariance_is_volatility_times_correlation() -> None:
    rng = np.random.default_rng(6)
    estimator = DevolatilisedCorrelation(30.0, 10.0)
    state = run(estimator, 0.02 * rng.standard_normal((200, 3, 4)))
    covariance = estimator.covariance(state)
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(variance, state.variance.mean, rtol=1e-12)
    np.testing.assert_allclose(correlation(covariance), estimator.correlation(state), atol=1e-12)


@given(seed=st.integers(0, 500), paths=st.integers(2, 4), assets=st.sampled_from([2, 9]))
def test_paths_together_are_paths_alone_bit_for_bit(seed: int, paths: int, assets: int) -> None:
    returns = 0.01 * np.random.default_rng(seed).standard_normal((25, paths, assets))
    estimator = DevolatilisedCorrelation(10.0, 5.0)
    together = estimator.covariance(run(estimator, returns))
    for p in range(paths):
        alone = estimator.covariance(run(estimator, returns[:, p : p + 1].copy()))
        assert np.array_equal(together[p], alone[0])


@given(still=st.sets(st.integers(0, 3)), late=st.integers(0, 30))
def test_what_stands_still_or_starts_late_is_never_nan(still: set[int], late: int) -> None:
    returns = 0.01 * np.random.default_rng(3).standard_normal((30, 2, 4))
    returns[:late, :, list(still)] = 0.0
    estimator = DevolatilisedCorrelation(10.0, 5.0)
    state = run(estimator, returns)
    assert np.isfinite(estimator.covariance(state)).all()
    assert np.abs(estimator.correlation(state)).max() <= 1.0


@pytest.mark.parametrize(("freedom", "published"), [(None, 1.0), (12, 10 / 8), (10, 8 / 6)])
def test_tails_that_returns_share_widen_the_error(freedom: int | None, published: float) -> None:
    """1 + κ of a multivariate t is (ν − 2)/(ν − 4); independent tails count for nothing."""
    rng = np.random.default_rng(7)
    root = np.linalg.cholesky(0.5 * np.eye(4) + 0.5)
    returns = rng.standard_normal((2500, 60, 4)) @ root.T
    if freedom is not None:
        returns /= np.sqrt(rng.chisquare(freedom, (2500, 60, 1)) / freedom)
    estimator = DevolatilisedCorrelation(250.0, 250.0, winsor=10.0)
    assert estimator.tail_inflation(run(estimator, returns)).mean() == pytest.approx(
        published, abs=0.06
    )


def test_one_asset_has_no_pairs_and_no_inflation() -> None:
    estimator = DevolatilisedCorrelation()
    state = run(estimator, np.random.default_rng(1).standard_t(3, (50, 2, 1)))
    assert np.array_equal(estimator.tail_inflation(state), np.ones(2))
    assert np.array_equal(estimator.tail_inflation(estimator.init(2, 3)), np.ones(2))
