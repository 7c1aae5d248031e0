"""Hamilton's filter, Kim's smoother and EM against statsmodels."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from backtester.arrays import Float, Int
from backtester.regimes.markov_kernels import (
    filtered_last,
    fit_markov,
    hamilton_filter,
    kim_smoother,
    log_densities,
)

CHAIN = np.array([[0.98, 0.02], [0.06, 0.94]])


def sample(seed: int = 0, bars: int = 800) -> tuple[Float, Int]:
    """A univariate series that switches mean and variance."""
    rng = np.random.default_rng(seed)
    state = np.zeros(bars, dtype=np.int64)
    for t in range(1, bars):
        state[t] = rng.random() < CHAIN[state[t - 1], 1]
    x = np.where(state == 1, -0.5, 0.3) + np.where(state == 1, 2.0, 0.7) * rng.standard_normal(bars)
    return x, state


def peer(x: Float) -> tuple[object, Float]:
    from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

    model = MarkovRegression(x, k_regimes=2, switching_variance=True)
    # p[0->0], p[1->0], means, variances
    return model, np.array([0.98, 0.06, 0.3, -0.5, 0.49, 4.0])


def test_filter_and_smoother_are_those_of_statsmodels() -> None:
    x, _ = sample()
    model, parameters = peer(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = model.smooth(parameters)  # type: ignore[attr-defined]
    density = log_densities(
        x[:, None], np.array([[0.3], [-0.5]]), np.array([[[0.49]], [[4.0]]]), 0.0
    )
    stationary = np.array([0.75, 0.25])
    filtered, predicted, loglik = hamilton_filter(density, CHAIN, stationary)
    smooth, moves = kim_smoother(filtered, predicted, CHAIN)
    np.testing.assert_allclose(filtered, theirs.filtered_marginal_probabilities, atol=1e-9)
    np.testing.assert_allclose(smooth, theirs.smoothed_marginal_probabilities, atol=1e-9)
    assert loglik == pytest.approx(theirs.llf, rel=1e-10)
    assert moves.sum() == pytest.approx(len(x) - 1)
    np.testing.assert_allclose(moves.sum(axis=1), smooth[:-1].sum(axis=0), rtol=1e-9)


def test_em_reaches_the_likelihood_of_statsmodels() -> None:
    x, state = sample(1)
    model, parameters = peer(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = model.fit(start_params=parameters, disp=False)  # type: ignore[attr-defined]
    means, covariances, chain, smooth, loglik, ended = fit_markov(
        x[:, None],
        np.array([[0.5], [-1.0]]),
        np.array([[[1.0]], [[3.0]]]),
        np.array([[0.95, 0.05], [0.05, 0.95]]),
        np.array([0.5, 0.5]),
        np.zeros((2, 2)),
        np.eye(1),
        0.0,
        False,
        2000,
        1e-12,
    )
    assert ended
    # Ours estimates the first bar's probability too; theirs takes the stationary one.
    assert theirs.llf - 1e-3 < loglik < theirs.llf + 2.0
    np.testing.assert_allclose(means[:, 0], theirs.params[2:4], atol=0.02)
    np.testing.assert_allclose(covariances[:, 0, 0], theirs.params[4:6], rtol=0.03)
    np.testing.assert_allclose([chain[0, 0], chain[1, 0]], theirs.params[:2], atol=0.01)
    assert ((smooth[:, 1] > 0.5) == state).mean() > 0.9


def test_em_never_lowers_the_likelihood() -> None:
    x, _ = sample(2, 300)
    before = -np.inf
    for turns in range(1, 12):
        loglik = fit_markov(
            x[:, None],
            np.array([[0.5], [-1.0]]),
            np.array([[[1.0]], [[3.0]]]),
            np.full((2, 2), 0.5),
            np.array([0.5, 0.5]),
            np.zeros((2, 2)),
            np.eye(1),
            0.0,
            False,
            turns,
            0.0,
        )[4]
        assert loglik >= before - 1e-9
        before = loglik


def test_student_density_falls_as_student_does() -> None:
    from scipy.stats import multivariate_t

    x = np.random.default_rng(0).standard_normal((6, 2)) * 3
    shapes = np.array([[[1.0, 0.5], [0.5, 2.0]], [[4.0, -1.0], [-1.0, 1.0]]])
    ours = log_densities(x, np.zeros((2, 2)), shapes, 8.0)
    theirs = np.stack([multivariate_t(shape=s, df=8.0).logpdf(x) for s in shapes], axis=1)
    np.testing.assert_allclose(ours - theirs, (ours - theirs)[0, 0], atol=1e-10)


def test_the_last_filtered_value_is_that_of_the_filter() -> None:
    x = np.random.default_rng(3).standard_normal((200, 2))
    shapes = np.array([[[1.0, 0.5], [0.5, 1.0]], [[4.0, -1.0], [-1.0, 3.0]]])
    for freedom in (0.0, 8.0):
        density = log_densities(x, np.zeros((2, 2)), shapes, freedom)
        whole, _, _ = hamilton_filter(density, CHAIN, np.array([0.7, 0.3]))
        last = filtered_last(x, shapes, CHAIN, np.array([0.7, 0.3]), freedom)
        np.testing.assert_allclose(last, whole[-1], rtol=1e-9)
