"""Factor covariances: what is exact, and what they are for."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.covariance import EwmaCovariance
from backtester.estimation.factor import FactorCovariance, factor_correlation


def alike(rho: float, assets: int) -> Float:
    return np.asarray(rho * np.ones((1, assets, assets)) + (1.0 - rho) * np.eye(assets))


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.95])
def test_equal_correlations_are_one_factor_exactly(rho: float) -> None:
    matrix = alike(rho, 6)
    np.testing.assert_allclose(factor_correlation(matrix, 1), matrix, atol=1e-14)


def test_blocks_are_as_many_factors() -> None:
    matrix = np.zeros((1, 8, 8))
    matrix[0, :4, :4], matrix[0, 4:, 4:] = alike(0.6, 4), alike(0.6, 4)
    np.testing.assert_allclose(factor_correlation(matrix, 2), matrix, atol=1e-14)


def test_all_components_leave_the_matrix_and_fewer_keep_it_a_correlation() -> None:
    rng = np.random.default_rng(1)
    matrix = np.array([np.corrcoef(rng.standard_normal((6, 9))) for _ in range(5)])
    assert factor_correlation(matrix, 6) is matrix
    for factors in range(1, 6):
        found = factor_correlation(matrix, factors)
        assert np.array_equal(np.diagonal(found, axis1=1, axis2=2), np.ones((5, 6)))
        assert np.array_equal(found, found.transpose(0, 2, 1))
        assert np.linalg.eigvalsh(found).min() >= -1e-13
        assert np.abs(found).max() <= 1.0


def test_variances_are_those_of_the_ewma_and_few_factors_are_less_noisy() -> None:
    rng = np.random.default_rng(2)
    loading = np.linspace(0.4, 0.8, 20)
    truth = np.outer(loading, loading)
    np.fill_diagonal(truth, 1.0)
    returns = rng.standard_normal((150, 40, 1)) * loading + rng.standard_normal(
        (150, 40, 20)
    ) * np.sqrt(1.0 - loading**2)
    factor, plain = FactorCovariance(30.0, 1), EwmaCovariance(30.0)
    state = plain.init(40, 20)
    for row in returns:
        state = plain.step(state, row, 1.0)
    few, full = factor.covariance(state), plain.covariance(state)
    diagonal = np.arange(20)
    np.testing.assert_allclose(few[:, diagonal, diagonal], full[:, diagonal, diagonal], rtol=1e-12)
    assert np.square(few - truth).mean() < 0.7 * np.square(full - truth).mean()


def test_there_is_at_least_one_factor() -> None:
    with pytest.raises(ConfigError, match="factors must be at least 1, got 0"):
        FactorCovariance(30.0, 0)
