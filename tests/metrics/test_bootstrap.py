"""Resampling a history: weights, block length, the exact variance of the stationary bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.metrics.bootstrap import (
    SHORTEST,
    autocovariances,
    block_length,
    history_draws,
    stationary_factors,
    stationary_index,
    stationary_variance,
)

LENGTH = 20.0


def weights_of(bars: np.ndarray, name: str, seed: int) -> np.ndarray:
    return np.array([d.weights for d in history_draws(bars, name, seed, LENGTH)])


def test_the_exact_variance_of_the_stationary_bootstrap() -> None:
    """n = 100, p = .1, γ = (1, .5, .25): the factor is 2.2879 where the truth is 2.5."""
    factors = stationary_factors(100, 10.0)
    assert factors[:2] == pytest.approx([0.8910003, 0.7938007], abs=5e-8)
    variance = stationary_variance(np.array([1.0, 0.5, 0.25]), 100, 10.0)
    assert variance == pytest.approx(2.2879006, abs=5e-8)


def test_draws_have_the_exact_variance() -> None:
    """The draws themselves, not only the formula: 20,000 means of 40 dependent bars."""
    rng = np.random.default_rng(8)
    x = np.convolve(rng.normal(size=44), np.ones(5), "valid")
    exact = stationary_variance(autocovariances(x), x.size, 6.0)
    means = [x[stationary_index(rng, x.size, 6.0)].mean() for _ in range(20_000)]
    # a variance of 20,000 nearly normal means is known to √(2/20,000) = 1 %
    assert np.var(means) * x.size == pytest.approx(exact, rel=0.04)
    assert np.mean(means) == pytest.approx(x.mean(), abs=4 * np.std(means) / np.sqrt(20_000))


def test_autocovariances() -> None:
    x = np.random.default_rng(1).normal(size=50)
    d = x - x.mean()
    expected = [np.sum(d[k:] * d[: 50 - k]) / 50 for k in range(50)]
    np.testing.assert_allclose(autocovariances(x), expected, atol=1e-14)


def test_blocks_are_as_long_as_volatility_persists() -> None:
    rng = np.random.default_rng(2)
    calm = rng.normal(size=3000)
    assert block_length(calm) == SHORTEST
    spells = np.repeat(rng.choice([0.3, 3.0], 30), 100)  # same sign-free P&L, squares persist
    assert block_length(calm * spells) > 3 * SHORTEST
    assert block_length(1e9 * calm * spells) == pytest.approx(block_length(calm * spells))


@pytest.mark.parametrize("pnl", [np.zeros(0), np.zeros(700), np.ones(5), np.eye(1, 900)[0]])
def test_block_length_where_there_is_no_automatic_choice(pnl: np.ndarray) -> None:
    assert block_length(pnl) == SHORTEST


@pytest.mark.parametrize("bars", [130, 200, 400])
def test_blocks_leave_five_of_them(bars: int) -> None:
    trend = np.arange(float(bars))
    assert SHORTEST <= block_length(trend) <= max(SHORTEST, bars / 5)


def test_stationary_bootstrap_keeps_length_and_mean() -> None:
    bars = np.ones(600, dtype=bool)
    weights = weights_of(bars, "all", 3)
    assert weights.shape == (400, 600)
    assert (weights.sum(axis=1) == 600).all()
    np.testing.assert_allclose(weights.mean(), 1.0)
    # Neighbours are drawn together: their counts correlate by about 1 − 1/L.
    pair = np.corrcoef(weights[:, :-1].ravel(), weights[:, 1:].ravel())[0, 1]
    assert pair == pytest.approx(1 - 1 / LENGTH, abs=0.02)


def test_stationary_bootstrap_sees_serial_correlation() -> None:
    """The variance of the mean of an AR(1) is several times that of independent bars."""
    rng = np.random.default_rng(5)
    noise, x = rng.normal(size=4000), np.zeros(4000)
    for t in range(1, 4000):
        x[t] = 0.7 * x[t - 1] + noise[t]
    means = [w @ x / 4000 for w in weights_of(np.ones(4000, dtype=bool), "all", 1)]
    naive = x.std() / np.sqrt(4000)
    truth = 1 / (1 - 0.7) / np.sqrt(4000)
    assert naive * 1.6 < np.std(means) < truth * 1.25


def test_regimes_are_resampled_by_whole_episodes() -> None:
    bars = np.zeros(30, dtype=bool)
    bars[2:5] = bars[10:17] = bars[20:22] = True
    for weight in weights_of(bars, "crisis", 1):
        assert (weight[~bars] == 0).all()
        assert {len(set(weight[s])) for s in (slice(2, 5), slice(10, 17), slice(20, 22))} == {1}
        assert weight[2] + weight[10] + weight[20] == 3


def test_draws_depend_on_seed_and_name_alone() -> None:
    bars = np.ones(50, dtype=bool)
    one, two = (weights_of(bars, "all", s) for s in (1, 1))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, weights_of(bars, "all", 2))
