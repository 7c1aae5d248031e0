"""Residual tests against statsmodels, and their size."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from backtester.calibration.residual_tests import arch_lm, ljung_box, uniform_ks
from backtester.errors import DataError

X = np.random.default_rng(4).standard_t(5, 700)


def test_ljung_box_is_that_of_statsmodels() -> None:
    from statsmodels.stats.diagnostic import acorr_ljungbox

    want = acorr_ljungbox(X**2, lags=[12])
    found = ljung_box(X**2, 12)
    assert found.statistic == pytest.approx(float(want["lb_stat"].iloc[0]), rel=1e-10)
    assert found.p == pytest.approx(float(want["lb_pvalue"].iloc[0]), rel=1e-8)


def test_arch_lm_is_that_of_statsmodels() -> None:
    from statsmodels.stats.diagnostic import het_arch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on the form of what it will return one day
        want = het_arch(X, nlags=8)
    found = arch_lm(X, 8)
    assert (found.statistic, found.p) == pytest.approx(want[:2], rel=1e-8)


def test_clustering_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    level = np.exp(np.cumsum(0.1 * rng.standard_normal(2000)) * 0.3)
    assert arch_lm(level * rng.standard_normal(2000), 10).p < 1e-6
    p = [arch_lm(rng.standard_normal(400), 5).p for _ in range(200)]
    assert 2 <= sum(v < 0.05 for v in p) <= 25  # binomial, four standard errors
    assert uniform_ks(rng.random(500)).p > 1e-4 > uniform_ks(rng.random(500) ** 2).p


def test_constants_and_short_samples() -> None:
    assert ljung_box(np.ones(50), 5).p == arch_lm(np.ones(50), 5).p == 1.0
    with pytest.raises(DataError, match="20 values are too few for a test with 10 lags"):
        ljung_box(X[:20], 10)
