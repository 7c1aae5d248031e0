"""Two-step DCC fits: recovery, likelihood against scipy, errors, online filter, messages."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from backtester.arrays import Float
from backtester.errors import DataError
from backtester.estimation.dcc_errors import long_run_variance
from backtester.estimation.dcc_fit import DccFit, fit_dcc
from backtester.estimation.dcc_kernels import dcc_path
from backtester.estimation.dcc_likelihood import DccLikelihood, uncentred_correlation

STUDY = Path(__file__).resolve().parents[1] / "published" / "dcc_study.py"


def study() -> Any:
    spec = importlib.util.spec_from_file_location("dcc_study", STUDY)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDY_MODULE = study()


def residuals(seed: int, bars: int, assets: int) -> Float:
    rng = np.random.default_rng(seed)
    return np.asarray(0.5 * rng.standard_normal((bars, 1)) + rng.standard_normal((bars, assets)))


@pytest.mark.parametrize("corrected", [False, True])
def test_the_likelihood_is_the_normal_density_less_the_margins(corrected: bool) -> None:
    z = residuals(1, 40, 3)
    likelihood = DccLikelihood(z, corrected, composite=False)
    point = np.array([0.08, 0.85])
    S = likelihood.target(*point)
    Q, terms = S.copy(), []
    for row in z:
        root = np.sqrt(np.diag(Q))
        joint = stats.multivariate_normal(np.zeros(3), Q / np.outer(root, root)).logpdf(row)
        terms.append(joint - stats.norm.logpdf(row).sum())
        news = root * row if corrected else row
        Q = 0.07 * S + 0.08 * np.outer(news, news) + 0.85 * Q
    np.testing.assert_allclose(likelihood.terms(point), terms, rtol=1e-9, atol=1e-12)


def test_pairs_are_bivariate_likelihoods() -> None:
    z = residuals(2, 60, 4)
    for corrected in (False, True):
        found = DccLikelihood(z, corrected, composite=True).terms(np.array([0.05, 0.9]))
        pairs = sum(
            DccLikelihood(z[:, i : i + 2], corrected, composite=False).terms(np.array([0.05, 0.9]))
            for i in range(3)
        )
        np.testing.assert_allclose(found, pairs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("composite", [False, True])
def test_the_slope_in_the_target_is_the_difference_quotient(composite: bool) -> None:
    from backtester.estimation.dcc_kernels import dcc_terms, pair_terms

    z = residuals(3, 200, 4)
    likelihood = DccLikelihood(z, corrected=True, composite=composite)
    point = np.array([0.05, 0.9])
    news, slope = likelihood.news(*point), likelihood.target_slope(point)
    kernel = pair_terms if composite else dcc_terms
    for i, j in ((1, 0), (2, 3), (3, 0)):
        moved = []
        for sign in (1, -1):
            S = uncentred_correlation(news)
            S[i, j] += sign * 1e-6
            S[j, i] = S[i, j]
            moved.append(kernel(z, news, S, *point).mean())
        assert slope[i, j] == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-5, abs=1e-10)
    assert np.array_equal(slope, slope.T)


def test_one_step_of_q_is_the_published_one() -> None:
    """S12 = .4 throughout, from Q = S: (1 − a − b) S + a z zᵀ + b S."""
    S = np.array([[1.0, 0.4], [0.4, 1.0]])
    path = dcc_path(np.array([[-2.0, -3.0]]), S, 0.05, 0.93)
    np.testing.assert_allclose(path[1], [[1.15, 0.68], [0.68, 1.4]], rtol=1e-13)


@pytest.mark.parametrize("model", ["dcc", "cdcc"])
def test_it_recovers_what_was_simulated(model: str) -> None:
    fit = STUDY_MODULE.recover(model, 3, 0, bars=3000)
    a_error, b_error = fit.errors
    assert not fit.on_bound and fit.fallbacks == ()
    assert abs(fit.a - 0.05) < 3.0 * a_error < 0.05
    assert abs(fit.b - 0.93) < 3.0 * b_error < 0.10
    np.testing.assert_allclose(fit.target, STUDY_MODULE.target(3), atol=0.15)


def test_composite_likelihood_recovers_a_large_cross_section() -> None:
    returns = STUDY_MODULE.simulate("cdcc", 32, 1200, 1)
    fit = fit_dcc(returns, errors=False)
    assert fit.composite
    assert fit.a == pytest.approx(0.05, abs=0.015) and fit.b == pytest.approx(0.93, abs=0.03)
    assert np.isnan(fit.errors[0])


@pytest.mark.parametrize("model", ["dcc", "cdcc"])
def test_no_point_nearby_is_better(model: str) -> None:
    returns = STUDY_MODULE.simulate(model, 2, 1500, 2)
    fit = fit_dcc(returns, model=model, errors=False)  # type: ignore[arg-type]
    likelihood = DccLikelihood(fit.standardised(returns), model == "cdcc", composite=False)
    for a, b in ((1e-3, 0), (-1e-3, 0), (0, 1e-3), (0, -1e-3), (1e-3, -1e-3)):
        assert likelihood.terms(np.array([fit.a + a, fit.b + b])).sum() < fit.loglik


@pytest.mark.parametrize("model", ["dcc", "cdcc"])
def test_the_online_filter_is_the_fitted_one(model: str) -> None:
    returns = STUDY_MODULE.simulate(model, 3, 1200, 3)
    fit = fit_dcc(returns, model=model, mean="zero", errors=False)  # type: ignore[arg-type]
    estimator = fit.online()
    state = estimator.init(1, 3)
    for row in returns:
        state = estimator.step(state, row[None], 1.0)
    offline = fit.correlations(returns)
    assert offline.shape == (1201, 3, 3)
    # They differ in where the variances start, which 1,200 bars have forgotten.
    np.testing.assert_allclose(estimator.correlation(state)[0], offline[-1], rtol=1e-8)
    after = [m.variances(np.append(returns[:, i], 0.0))[-1] for i, m in enumerate(fit.margins)]
    np.testing.assert_allclose(estimator.variance(state)[0], after, rtol=1e-8)
    hourly = fit.online(1 / 24)
    assert hourly.b == pytest.approx(fit.b**24, rel=1e-9) and hourly.level is not None
    assert hourly.level[0] == pytest.approx(24 * fit.margins[0].variance, rel=1e-9)


def test_constant_correlation_is_on_the_bound_and_has_no_errors() -> None:
    rng = np.random.default_rng(4)
    seen: list[DccFit] = []
    for _ in range(4):
        returns = rng.standard_normal((1500, 2)) @ np.array([[1.0, 0.5], [0.0, 0.9]])
        seen.append(fit_dcc(returns, fallback=True))
    assert all(f.a < 0.03 for f in seen)
    bound = [f for f in seen if f.on_bound]
    assert bound and all(np.isnan(f.errors).all() for f in bound)


def test_the_long_run_variance_is_the_bartlett_sum() -> None:
    x = np.random.default_rng(5).standard_normal((400, 2))
    x[1:] += 0.5 * x[:-1]
    c = x - x.mean(axis=0)
    slow = sum(
        (1 - abs(k) / 6) * sum(np.outer(c[t], c[t - k]) for t in range(max(k, 0), 400 + min(k, 0)))
        for k in range(-5, 6)
    )
    np.testing.assert_allclose(long_run_variance(x, 5), slow / 400, rtol=1e-10)


def test_a_margin_without_an_optimum_is_listed() -> None:
    returns = np.zeros((300, 2))
    returns[:, 0] = STUDY_MODULE.simulate("dcc", 2, 300, 6)[:, 0]
    returns[50, 1] = 1.0
    options: dict[str, Any] = {"distribution": "t", "names": ("A", "STALE")}
    with pytest.raises(DataError, match=r"'STALE'.*did not converge"):
        fit_dcc(returns, **options)
    fit = fit_dcc(returns, fallback=True, **options)
    assert fit.fallbacks == ("STALE",)


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        (np.zeros((200, 1)), "no correlation to fit"),
        (np.zeros(200), "no correlation to fit"),
        (residuals(7, 50, 2), "'series 0'.*too few"),
        (np.repeat(residuals(8, 300, 1), 2, axis=1), "singular .closest: series"),
    ],
)
def test_bad_input_is_named(returns: Float, words: str) -> None:
    with pytest.raises(DataError, match=words):
        fit_dcc(returns)


def test_names_and_margins_go_with_the_assets() -> None:
    with pytest.raises(DataError, match="3 names and 2 margins for returns of 2 assets"):
        fit_dcc(residuals(7, 300, 2), names=("A", "B", "C"))


@pytest.mark.slow
@pytest.mark.parametrize(("model", "assets"), [("dcc", 2), ("cdcc", 2), ("cdcc", 10)])
def test_intervals_cover_the_truth(model: str, assets: int) -> None:
    """24 replications of the published study, docs/estimation.md; seldom under 18 if 90 % cover."""
    fits = [STUDY_MODULE.recover(model, assets, r) for r in range(24)]
    found, errors = np.array([[f.a, f.b] for f in fits]), np.array([f.errors for f in fits])
    inside = np.abs(found - [0.05, 0.93]) <= 1.96 * errors
    assert inside.sum(axis=0).min() >= 18
    spread = found.std(axis=0, ddof=1)
    assert np.all((errors.mean(axis=0) < 2.0 * spread) & (errors.mean(axis=0) > 0.5 * spread))
    bias = np.abs(found.mean(axis=0) - [0.05, 0.93])
    assert np.all(bias < 4.0 * spread / np.sqrt(24))


def test_errors_grow_when_margins_and_target_are_estimated() -> None:
    """The two-step covariance is not the naive inverse Hessian."""
    returns = STUDY_MODULE.simulate("dcc", 2, 2000, 9)
    fit = fit_dcc(returns, model="dcc")
    again = fit_dcc(returns, model="dcc", margins=fit.margins)
    np.testing.assert_allclose(again.covariance, fit.covariance, rtol=1e-6)
    known = tuple(replace(m, converged=False) for m in fit.margins)  # margins taken as known
    fewer = fit_dcc(returns, model="dcc", margins=known)
    assert not np.allclose(fewer.covariance, fit.covariance, rtol=1e-3)
