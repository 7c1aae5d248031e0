"""The correlation CUSUM: published critical value, variance by the published route, size, power."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.cusum import bridge_critical, correlation_cusum


def pairs(rng: np.random.Generator, count: int, *spells: tuple[float, int]) -> tuple[Float, Float]:
    """Normal pairs (count, T) over spells of (correlation, length)."""
    parts = []
    for rho, n in spells:
        x, e = rng.standard_normal((2, count, n))
        parts.append((x, rho * x + np.sqrt(1.0 - rho * rho) * e))
    return np.concatenate([p[0] for p in parts], 1), np.concatenate([p[1] for p in parts], 1)


def test_published_critical_values() -> None:
    """sup |Brownian bridge|: 1.358 at 5 % (methods A10), 1.628 at 1 %."""
    assert bridge_critical(0.05) == pytest.approx(1.358, abs=5e-4)
    assert bridge_critical(0.01) == pytest.approx(1.628, abs=5e-4)
    with pytest.raises(ConfigError, match="significance"):
        bridge_critical(0.0)


def published(x: Float, y: Float) -> float:
    """The statistic by the paper's own route: moments, their long-run covariance, two Jacobians."""
    n = len(x)
    moments = np.array([x * x, y * y, x, y, x * y])
    u = moments - moments.mean(axis=1, keepdims=True)
    bandwidth = int(np.log(n))
    weights = np.maximum(1.0 - np.abs(np.subtract.outer(range(n), range(n))) / bandwidth, 0.0)
    d1 = u @ weights @ u.T / n
    mx, my = x.mean(), y.mean()
    d2 = np.array([[1, 0, -2 * mx, 0, 0], [0, 1, 0, -2 * my, 0], [0, 0, -my, -mx, 1]])
    vx, vy, cxy = x.var(), y.var(), np.mean((x - mx) * (y - my))
    d3 = np.array(
        [-0.5 * cxy * vx**-1.5 * vy**-0.5, -0.5 * cxy * vy**-1.5 * vx**-0.5, (vx * vy) ** -0.5]
    )
    variance = d3 @ (d2 @ d1 @ d2.T) @ d3
    whole = np.corrcoef(x, y)[0, 1]
    gaps = [j * abs(np.corrcoef(x[:j], y[:j])[0, 1] - whole) for j in range(2, n - 1)]
    return float(max(gaps) / np.sqrt(n * variance))


@pytest.mark.parametrize("n", [40, 150])
def test_it_is_the_statistic_of_the_paper(n: int) -> None:
    rng = np.random.default_rng(n)
    x, y = pairs(rng, 6, (0.6, n // 2), (0.1, n - n // 2))
    x, y = 1.0 + np.cumsum(x, axis=1)[:, ::-1] * 0.1 + x, y * 3.0 - 2.0  # drift and dependence
    found = correlation_cusum(x, y)
    np.testing.assert_allclose(
        found.statistic, [published(a, b) for a, b in zip(x, y, strict=True)], rtol=1e-9
    )
    for i, j in enumerate(found.at):
        assert found.before[i] == pytest.approx(np.corrcoef(x[i, :j], y[i, :j])[0, 1], rel=1e-9)
        assert found.after[i] == pytest.approx(np.corrcoef(x[i, j:], y[i, j:])[0, 1], rel=1e-9)


def test_size_and_power() -> None:
    """The paper's test is near its nominal size at T = 500, and finds a change in the middle."""
    rng = np.random.default_rng(3)
    for rho in (0.0, 0.5):
        level = correlation_cusum(*pairs(rng, 4000, (rho, 500))).p_value
        assert 0.02 <= np.mean(level < 0.05) <= 0.065  # measured .04 and .05
    found = correlation_cusum(*pairs(rng, 500, (0.8, 250), (0.4, 250)))
    assert np.mean(found.p_value < 0.05) > 0.99
    assert np.median(np.abs(found.at - 250)) < 12
    assert found.before.mean() == pytest.approx(0.8, abs=0.02)
    assert found.after.mean() == pytest.approx(0.4, abs=0.04)


def test_pairs_are_tested_by_themselves_in_any_shape() -> None:
    x, y = pairs(np.random.default_rng(4), 12, (0.5, 90))
    whole = correlation_cusum(x, y, first=10)
    shaped = correlation_cusum(x.reshape(3, 4, 90), y.reshape(3, 4, 90), first=10)
    np.testing.assert_array_equal(shaped.statistic.ravel(), whole.statistic)
    np.testing.assert_array_equal(
        correlation_cusum(x[5:6], y[5:6], first=10).statistic, whole.statistic[5:6]
    )
    assert whole.at.min() >= 10 and whole.at.max() <= 80
    scaled = correlation_cusum(3.0 * x - 1.0, y / 7.0, first=10)
    np.testing.assert_allclose(scaled.statistic, whole.statistic, rtol=1e-9)


def test_what_does_not_move_has_not_changed() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, 50))
    for y in (np.ones((1, 50)), x, -2.0 * x):
        found = correlation_cusum(x, y)
        assert found.statistic.item() == 0.0 and found.p_value.item() == 1.0
        assert found.at.item() == 0


@pytest.mark.parametrize(("shape", "first"), [((2, 9), 2), ((2, 10), 1), ((2, 10), 6)])
def test_too_little_to_test(shape: tuple[int, int], first: int) -> None:
    with pytest.raises(ConfigError, match="at least twice the shortest part"):
        correlation_cusum(np.zeros((2, 10)), np.zeros(shape), first=first)
