"""Turbulence, correlation surprise and absorption ratio against published numbers and laws."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.ewma import outer
from backtester.estimation.turbulence import (
    AbsorptionShift,
    Turbulence,
    absorption_ratio,
    correlation_surprise,
    magnitude,
    turbulence,
    turbulence_quantile,
)


def uniform(rho: float, assets: int) -> Float:
    """One correlation matrix with all off-diagonals rho, (1, N, N)."""
    return np.full((1, assets, assets), rho) + (1.0 - rho) * np.eye(assets)


def test_published_correlation_surprise() -> None:
    """ρ = .5: moves (−2, 2) surprise, 16/8; moves (−2, −2) do not, 5.3333/8 (methods A17)."""
    x, covariance = np.array([[-2.0, 2.0], [-2.0, -2.0]]), np.repeat(uniform(0.5, 2), 2, axis=0)
    np.testing.assert_allclose(turbulence(x, covariance), [16.0, 16.0 / 3.0], rtol=1e-14)
    np.testing.assert_allclose(magnitude(x, covariance), 8.0, rtol=1e-14)
    np.testing.assert_allclose(correlation_surprise(x, covariance), [2.0, 2.0 / 3.0], rtol=1e-14)


@pytest.mark.parametrize(("assets", "quantile"), [(2, 2.7726), (5, 6.6257), (10, 12.5489)])
def test_published_turbulence_quantiles(assets: int, quantile: float) -> None:
    assert turbulence_quantile(0.75, assets) == pytest.approx(quantile, abs=5e-5)


@pytest.mark.parametrize(
    ("rho", "first", "second"), [(0.2, 0.28, 0.36), (0.5, 0.55, 0.60), (0.9, 0.91, 0.92)]
)
def test_published_absorption_ratios(rho: float, first: float, second: float) -> None:
    """N = 10 assets of one correlation: AR₁ = ρ + (1 − ρ)/N (methods A17)."""
    matrix = uniform(rho, 10)
    assert absorption_ratio(matrix, 1).item() == pytest.approx(first, abs=1e-12)
    assert absorption_ratio(matrix, 2).item() == pytest.approx(second, abs=1e-12)
    assert absorption_ratio(matrix, 10).item() == pytest.approx(1.0, abs=1e-12)


def test_a_volatility_is_no_surprise() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((50, 4))
    covariance = np.matmul(rng.standard_normal((50, 4, 6)), rng.standard_normal((50, 6, 4)))
    covariance = np.matmul(covariance, covariance.transpose(0, 2, 1))
    surprise = correlation_surprise(x, covariance)
    np.testing.assert_allclose(correlation_surprise(3.0 * x, covariance), surprise, rtol=1e-9)
    np.testing.assert_allclose(turbulence(3.0 * x, covariance), 9.0 * turbulence(x, covariance))


def test_what_cannot_move_has_no_scale() -> None:
    covariance = np.array([[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]])
    x = np.array([[2.0, 2.0, 0.0]])
    assert turbulence(x, covariance).item() == pytest.approx(4.0)
    assert correlation_surprise(np.zeros((1, 3)), covariance).item() == 1.0
    assert absorption_ratio(np.zeros((1, 3, 3)), 1).item() == 0.0


def test_online_turbulence_is_of_the_covariance_before_the_bar() -> None:
    rng, online = np.random.default_rng(1), Turbulence(halflife=20.0, ready=30.0)
    returns = 0.02 * rng.standard_normal((80, 3, 2))
    state = online.init(3, 2)
    covariance = np.zeros((3, 2, 2))
    weight, decay = 0.0, 0.5 ** (1 / 20)
    for t, row in enumerate(returns):
        state = online.step(state, row, 1.0)
        if t < 30:
            assert (state.turbulence == 2.0).all() and (state.surprise == 1.0).all()
        else:
            before = covariance / weight
            np.testing.assert_allclose(state.turbulence, turbulence(row, before), rtol=1e-9)
            expected = correlation_surprise(row, before)
            np.testing.assert_allclose(state.surprise, expected, rtol=1e-9)
        covariance = decay * covariance + (1 - decay) * outer(row)
        weight = decay * weight + 1 - decay
    # One number of a path does not depend on the others, to the bit.
    alone = online.init(1, 2)
    for row in returns:
        alone = online.step(alone, row[2:], 1.0)
    assert alone.turbulence[0] == state.turbulence[2] and alone.surprise[0] == state.surprise[2]
    assert online.step(state, returns[0], 0.0) is state


def test_the_shift_of_the_absorption_ratio() -> None:
    online = AbsorptionShift(k=1, short=2, long=6)
    state, seen = online.init(), []
    for rho in (0.1, 0.2, 0.1, 0.2, 0.1, 0.7, 0.8):
        matrix = np.concatenate([uniform(rho, 4), uniform(0.3, 4)])
        state = online.step(state, matrix)
        seen.append(absorption_ratio(matrix, 1))
        if len(seen) < 6:
            assert (online.shift(state) == 0.0).all()
    window = np.array(seen[-6:])[:, 0]
    expected = (window[-2:].mean() - window.mean()) / window.std()
    assert online.shift(state) == pytest.approx([expected, 0.0], abs=1e-12)
    assert expected > 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: absorption_ratio(uniform(0.1, 3), 4), "absorption ratio of 4 eigenvectors of 3"),
        (lambda: AbsorptionShift(1, short=9, long=9), "absorption shift of 9 against 9"),
        (lambda: AbsorptionShift(1).shift(AbsorptionShift(1).init()), "no observations"),
        (lambda: turbulence_quantile(1.0, 2), "no turbulence quantile at probability 1.0"),
        (lambda: Turbulence(halflife=0.0), "halflife"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        call()  # type: ignore[operator]
