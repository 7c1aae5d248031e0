"""Tail dependence, noise edges and conditional correlation: closed forms against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.errors import ConfigError
from backtester.estimation.conditional import adjusted_correlation, conditional_correlation
from backtester.estimation.spectrum import marchenko_pastur_edges
from backtester.estimation.tails import t_tail_dependence


def test_tail_dependence_at_its_limits() -> None:
    np.testing.assert_array_equal(t_tail_dependence([1.0, -1.0], 4.0), [1.0, 0.0])
    np.testing.assert_array_equal(t_tail_dependence([0.9, 1.0], np.inf), [0.0, 1.0])
    many = t_tail_dependence(np.linspace(-0.9, 0.9, 19)[:, None], np.array([2.0, 4.0, 10.0]))
    assert many.shape == (19, 3)
    assert (np.diff(many, axis=0) > 0).all()  # rises with correlation
    assert (np.diff(many, axis=1) < 0).all()  # falls with the degrees of freedom


def test_tail_dependence_is_the_limit_of_joint_crashes() -> None:
    """P(both beyond their q-quantile)/q tends to λ as q → 0."""
    rho, nu, draws = 0.5, 2.0, 2_000_000
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((2, draws))
    heavy = np.sqrt(nu / rng.chisquare(nu, draws))
    x, y = a * heavy, (rho * a + np.sqrt(1 - rho**2) * b) * heavy
    q = 1e-3
    both = (x < np.quantile(x, q)) & (y < np.quantile(y, q))
    found, exact = both.mean() / q, float(t_tail_dependence(rho, nu))
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact / (q * draws)) + 0.005)


@pytest.mark.parametrize(("rho", "degrees"), [(1.2, 4.0), (np.nan, 4.0), (0.5, 0.0), (0.5, -1.0)])
def test_tail_dependence_refuses_what_has_none(rho: float, degrees: float) -> None:
    with pytest.raises(ConfigError, match="tail dependence"):
        t_tail_dependence(rho, degrees)


def test_noise_stays_between_its_edges() -> None:
    low, high = marchenko_pastur_edges(100, 1000)
    x = np.random.default_rng(1).standard_normal((1000, 100))
    values = np.linalg.eigvalsh(np.corrcoef(x.T))
    assert low - 0.05 < values[0] < low + 0.1
    assert high - 0.1 < values[-1] < high + 0.05
    for wrong in ((0, 10), (5, 0)):
        with pytest.raises(ConfigError, match="noise edges"):
            marchenko_pastur_edges(*wrong)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.5, 1.0])
@pytest.mark.parametrize("delta", [-0.7, 0.0, 3.0, 15.0])
def test_adjusting_undoes_conditioning(rho: float, delta: float) -> None:
    assert adjusted_correlation(conditional_correlation(rho, delta), delta) == pytest.approx(rho)


def test_conditional_correlation_of_a_sample() -> None:
    rng = np.random.default_rng(2)
    x, rest = rng.standard_normal((2, 1_000_000))
    y = 0.5 * x + np.sqrt(0.75) * rest
    far = np.abs(x) > 1.96
    delta = x[far].var() / x.var() - 1.0
    assert np.corrcoef(x[far], y[far])[0, 1] == pytest.approx(
        float(conditional_correlation(0.5, delta)), abs=0.01
    )


@pytest.mark.parametrize(("rho", "delta"), [(1.1, 0.0), (0.5, -1.0), (0.5, np.nan)])
def test_conditional_correlation_refuses_what_has_none(rho: float, delta: float) -> None:
    for function in (conditional_correlation, adjusted_correlation):
        with pytest.raises(ConfigError, match="conditional correlation"):
            function(rho, delta)
