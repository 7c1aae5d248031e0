"""The t copula of one regime: likelihood, recovery, sampling error, repair."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backtester.calibration.copula import fit_copula, kendall_correlation, t_copula_loglik
from backtester.errors import DataError

SHAPE = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, -0.1], [0.2, -0.1, 1.0]])


def drawn(seed: int, bars: int, nu: float | None) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((bars, 3)) @ np.linalg.cholesky(SHAPE).T
    return x if nu is None else x / np.sqrt(rng.chisquare(nu, bars) / nu)[:, None]


@pytest.mark.parametrize("nu", [3.0, 12.0, None])
def test_the_likelihood_is_joint_over_margins(nu: float | None) -> None:
    x = drawn(1, 200, nu)
    if nu is None:
        u, joint = stats.norm.cdf(x), stats.multivariate_normal(cov=SHAPE).logpdf(x)
        apart = stats.norm.logpdf(x)
    else:
        u, joint = stats.t.cdf(x, nu), stats.multivariate_t(shape=SHAPE, df=nu).logpdf(x)
        apart = stats.t.logpdf(x, nu)
    want = float(joint.sum() - apart.sum())
    assert t_copula_loglik(u, SHAPE, nu) == pytest.approx(want, rel=1e-8)


def test_a_sample_gives_its_copula_back() -> None:
    scores, degrees = [], []
    for seed in range(8):
        # margins do not matter: any increasing function of each column
        fit = fit_copula(np.sinh(drawn(seed, 1200, 5.0)), "normal")
        off = np.triu_indices(3, 1)
        scores += list(((fit.correlation - SHAPE) / fit.correlation_error.clip(1e-12))[off])
        assert fit.degrees_of_freedom is not None
        degrees.append((fit.degrees_of_freedom - 5.0) / fit.degrees_error)
        assert fit.loglik > fit.gaussian_loglik + 10
        assert (fit.effective[off] > 300).all() and (fit.effective <= 1200.001).all()
    assert np.abs(scores).max() < 4 and np.abs(degrees).max() < 4
    assert 0.5 < np.std(scores) < 1.6


def test_a_gaussian_copula_is_called_so() -> None:
    fit = fit_copula(drawn(2, 4000, None), "normal")
    assert fit.degrees_of_freedom is None or fit.degrees_of_freedom > 25


def test_runs_of_bars_see_correlation_that_moves() -> None:
    rng = np.random.default_rng(3)
    rho = np.repeat([0.9, -0.5] * 10, 100)  # alternates between runs
    first = rng.standard_normal(2000)
    second = rho * first + np.sqrt(1 - rho**2) * rng.standard_normal(2000)
    moving = fit_copula(np.column_stack([first, second]), "normal")
    steady = fit_copula(drawn(4, 2000, None)[:, [0, 2]], "normal")
    assert moving.effective[0, 1] < 200 < steady.effective[0, 1]


def test_a_matrix_that_is_none_is_repaired_and_said() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((26, 1)) + 0.15 * rng.standard_normal((26, 20))
    assert np.linalg.eigvalsh(kendall_correlation(x))[0] < -1e-6
    fit = fit_copula(x, "crisis")
    assert "regime crisis: moved by" in fit.repair
    assert np.linalg.eigvalsh(fit.correlation)[0] > 0


def test_too_few_bars() -> None:
    with pytest.raises(DataError, match="'crisis' has 12 bars, too few for the copula of 3 assets"):
        fit_copula(drawn(1, 12, 5.0), "crisis")
