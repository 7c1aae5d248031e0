"""Covariance estimators against slow twins, scikit-learn, and their laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.covariance import (
    DynamicCorrelation,
    EwmaCovariance,
    FactorCovariance,
    KendallCovariance,
    LedoitWolf,
    SampleCovariance,
    SpearmanCovariance,
    covariance_estimator,
)
from backtester.estimation.ewma import Ewma, outer, per_root_day
from backtester.estimation.shrinkage import ShrinkTo, ledoit_wolf, sample_covariance

ESTIMATORS = [
    EwmaCovariance(7.0),
    SampleCovariance(12.0),
    LedoitWolf(12.0),
    LedoitWolf(12.0, ShrinkTo.CONSTANT_CORRELATION),
    DynamicCorrelation(a=0.0, b=0.0),
    DynamicCorrelation(a=0.05, b=0.9),
    DynamicCorrelation(a=0.05, b=0.9, corrected=True),
    DynamicCorrelation(a=0.06, b=0.94, alpha=0.1, beta=0.9),
    SpearmanCovariance(12.0),
    KendallCovariance(12.0),
    FactorCovariance(7.0, 2),
]
IDS = ["ewma", "sample", "ledoit_wolf", "constant_correlation", "ccc", "dcc", "cdcc", "integrated"]
IDS += ["spearman", "kendall", "factor"]


def draw(seed: int, bars: int, paths: int, assets: int) -> Float:
    """Correlated returns (T, P, N) of different size."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((bars, paths, 1))
    size = 0.01 * (1.0 + np.arange(assets))
    return size * (0.6 * common + 0.8 * rng.standard_normal((bars, paths, assets)))


def estimate(estimator: Any, returns: Float, elapsed: float = 1.0) -> Float:
    """Covariance (P, N, N) after all of `returns` (T, P, N)."""
    state = estimator.init(*returns.shape[1:])
    state = estimator.step(state, np.zeros(returns.shape[1:]), 0.0)  # the first event: no return
    for row in returns:
        state = estimator.step(state, row, elapsed)
    return estimator.covariance(state)


@pytest.mark.parametrize("elapsed", [1.0, 1 / 24, 3.5])
def test_ewma_is_the_weighted_mean_written_out(elapsed: float) -> None:
    returns = draw(1, 30, 2, 3)
    age = np.arange(29, -1, -1) * elapsed
    weights = 0.5 ** (age / 7.0)
    weights /= weights.sum()
    slow = sum(
        w * r[:, :, None] * r[:, None, :] / elapsed for w, r in zip(weights, returns, strict=True)
    )
    np.testing.assert_allclose(estimate(EwmaCovariance(7.0), returns, elapsed), slow, rtol=1e-12)


def test_ewma_sample_size_is_kish() -> None:
    state = Ewma(7.0).init(1, 1)
    for _ in range(40):
        state = Ewma(7.0).step(state, np.ones((1, 1)), 1.0)
    weights = 0.5 ** (np.arange(40) / 7.0)
    assert state.sample_size == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-12)
    assert state.mean.item() == 1.0


def test_ewma_half_life_halves_the_weight() -> None:
    filter_ = Ewma(5.0)
    state = filter_.init(1, 1)
    for _ in range(2000):
        state = filter_.step(state, np.ones((1, 1)), 1.0)
    for _ in range(5):
        state = filter_.step(state, np.zeros((1, 1)), 1.0)
    assert state.mean.item() == pytest.approx(0.5, rel=1e-12)


def test_sample_is_the_mean_over_the_window() -> None:
    returns = draw(2, 40, 2, 3)
    slow = np.einsum("tpi,tpj->pij", returns[-12:], returns[-12:]) / 12
    np.testing.assert_allclose(estimate(SampleCovariance(12.0), returns), slow, rtol=1e-12)


@pytest.mark.parametrize("shape", [(12, 3), (40, 10), (8, 20)])
def test_scaled_identity_equals_scikit_learn(shape: tuple[int, int]) -> None:
    from sklearn.covariance import LedoitWolf as Reference

    bars, assets = shape
    returns = draw(3, bars, 3, assets)
    ours = estimate(LedoitWolf(float(bars)), returns)
    _, intensity = ledoit_wolf(np.ascontiguousarray(returns.transpose(1, 2, 0)))
    for p in range(3):
        reference = Reference(assume_centered=True).fit(returns[:, p])
        np.testing.assert_allclose(ours[p], reference.covariance_, rtol=1e-9)
        assert intensity[p] == pytest.approx(reference.shrinkage_, rel=1e-9)


def test_constant_correlation_equals_the_published_formula_in_loops() -> None:
    x = draw(4, 25, 1, 4)[:, 0]
    x[:, 0] += 2.0 * x[:, 1]  # correlations that are not all alike
    x[:, 2] -= 2.0 * x[:, 3]
    rows, assets = x.shape
    sample = x.T @ x / rows
    root = np.sqrt(np.diag(sample))
    upper = np.triu_indices(assets, 1)
    level = np.mean((sample / np.outer(root, root))[upper])
    target = level * np.outer(root, root)
    np.fill_diagonal(target, np.diag(sample))
    spread = shared = 0.0
    for i in range(assets):
        for j in range(assets):
            noise = x[:, i] * x[:, j] - sample[i, j]
            spread += np.mean(noise**2)
            if i == j:
                shared += np.mean(noise**2)
                continue
            first = np.mean((x[:, i] ** 2 - sample[i, i]) * noise)
            second = np.mean((x[:, j] ** 2 - sample[j, j]) * noise)
            shared += level / 2 * (root[j] / root[i] * first + root[i] / root[j] * second)
    delta = np.clip((spread - shared) / np.sum((target - sample) ** 2) / rows, 0, 1)
    ours, intensity = ledoit_wolf(x.T[None].copy(), ShrinkTo.CONSTANT_CORRELATION)
    assert 0 < delta < 1
    assert intensity[0] == pytest.approx(delta, rel=1e-9)
    np.testing.assert_allclose(ours[0], delta * target + (1 - delta) * sample, rtol=1e-9)


def test_ewma_per_day_does_not_depend_on_the_bar_size() -> None:
    """The same r rᵀ a day, spread evenly over 24 hours, is the same estimate."""
    daily = draw(5, 30, 2, 3)
    hourly = np.repeat(daily / np.sqrt(24.0), 24, axis=0)
    expected = estimate(EwmaCovariance(7.0), daily)
    np.testing.assert_allclose(estimate(EwmaCovariance(7.0), hourly, 1 / 24), expected, rtol=1e-9)


def test_the_window_is_the_realised_covariance_per_day() -> None:
    hourly = draw(5, 300, 2, 3)
    slow = np.einsum("tpi,tpj->pij", hourly[-240:], hourly[-240:]) / 10.0
    np.testing.assert_allclose(estimate(SampleCovariance(10.0), hourly, 1 / 24), slow, rtol=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=IDS)
def test_hourly_and_daily_bars_of_one_market_agree_in_the_mean(estimator: Any) -> None:
    hourly = draw(9, 40 * 24, 150, 2) / 5.0
    daily = np.prod(1.0 + hourly.reshape(40, 24, 150, 2), axis=1) - 1.0
    fine = estimate(estimator, hourly, 1 / 24)[:, 0, 1]
    coarse = estimate(estimator, daily)[:, 0, 1]
    error = np.std(fine - coarse) / np.sqrt(150)
    # Shrinkage with fewer rows draws the daily one nearer to 0: that is its job, not the bar's.
    slack = 0.25 * fine.mean() if isinstance(estimator, LedoitWolf) else 0.0
    assert abs(fine.mean() - coarse.mean()) < 4 * error + slack


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=IDS)
@given(seed=st.integers(0, 1000), paths=st.integers(2, 5), assets=st.sampled_from([1, 2, 9, 17]))
def test_paths_together_are_paths_alone_bit_for_bit(
    estimator: Any, seed: int, paths: int, assets: int
) -> None:
    returns = draw(seed, 15, paths, assets)
    together = estimate(estimator, returns)
    for p in range(paths):
        alone = estimate(estimator, np.ascontiguousarray(returns[:, p : p + 1]))
        assert np.array_equal(together[p], alone[0])


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=IDS)
@given(seed=st.integers(0, 1000), still=st.sets(st.integers(0, 3)), bars=st.integers(0, 20))
def test_it_is_symmetric_psd_and_finite_whatever_stands_still(
    estimator: Any, seed: int, still: set[int], bars: int
) -> None:
    returns = draw(seed, bars, 3, 4)
    returns[:, :, list(still)] = 0.0
    covariance = estimate(estimator, returns)
    assert np.isfinite(covariance).all()
    assert np.allclose(covariance, covariance.transpose(0, 2, 1), rtol=1e-14, atol=0)
    size = np.abs(covariance).max(initial=1e-300)
    assert np.linalg.eigvalsh(covariance).min() >= -1e-12 * size


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=IDS)
@given(scale=st.floats(1e-3, 1e3))
def test_it_scales_with_the_square_of_returns(estimator: Any, scale: float) -> None:
    returns = draw(6, 20, 2, 3)
    scaled = estimate(estimator, scale * returns)
    if getattr(estimator, "window", 0.0) <= 20:
        np.testing.assert_allclose(scaled, scale**2 * estimate(estimator, returns), rtol=1e-9)


@given(assets=st.integers(1, 6), bars=st.integers(1, 30), seed=st.integers(0, 100))
def test_shrinkage_lies_between_sample_and_target(assets: int, bars: int, seed: int) -> None:
    returns = np.ascontiguousarray(draw(seed, bars, 2, assets).transpose(1, 2, 0))
    for target in ShrinkTo:
        shrunk, intensity = ledoit_wolf(returns, target)
        assert np.all((intensity >= 0) & (intensity <= 1))
        trace = np.trace(sample_covariance(returns), axis1=1, axis2=2)
        np.testing.assert_allclose(np.trace(shrunk, axis1=1, axis2=2), trace, rtol=1e-9)


def test_the_state_before_a_step_is_not_changed_by_it() -> None:
    for estimator in ESTIMATORS:
        first = estimator.step(estimator.init(2, 3), draw(7, 1, 2, 3)[0], 1.0)
        before = estimator.covariance(first).copy()
        estimator.step(first, draw(8, 1, 2, 3)[0], 1.0)
        assert np.array_equal(estimator.covariance(first), before)


def test_the_factory_names_what_it_knows() -> None:
    assert covariance_estimator("ewma", halflife=3.0) == EwmaCovariance(3.0)
    assert covariance_estimator("sample", window=9.0) == SampleCovariance(9.0)
    assert covariance_estimator("ledoit_wolf", window=9.0) == LedoitWolf(9.0)
    assert covariance_estimator("spearman", window=9.0) == SpearmanCovariance(9.0)
    assert covariance_estimator("kendall", window=9.0) == KendallCovariance(9.0)
    assert covariance_estimator("factor", halflife=9.0, factors=3) == FactorCovariance(9.0, 3)
    weights = {"a": 0.01, "b": 0.97, "alpha": 0.1, "beta": 0.8}
    assert covariance_estimator("dcc", **weights) == DynamicCorrelation(**weights)
    assert covariance_estimator("cdcc", **weights) == DynamicCorrelation(**weights, corrected=True)
    constant = DynamicCorrelation(a=0.0, b=0.0, alpha=0.1, beta=0.8)
    assert covariance_estimator("ccc", **weights) == constant
    with pytest.raises(ConfigError, match="Did you mean 'ewma'"):
        covariance_estimator("ewm")


@pytest.mark.parametrize("days", [0.0, -1.0, float("nan"), float("inf")])
def test_a_length_of_time_must_be_positive(days: float) -> None:
    with pytest.raises(ConfigError, match="halflife"):
        EwmaCovariance(days)
    with pytest.raises(ConfigError, match="window"):
        SampleCovariance(days)


def test_one_pass_over_a_path_is_the_mean_of_outer_products() -> None:
    """The kernel against the running mean of any array, to the bit."""
    rng = np.random.default_rng(3)
    fast, slow = EwmaCovariance(12.0), Ewma(12.0)
    one, other = fast.init(3, 4), slow.init(3, 4, 4)
    for elapsed in (0.0, 1.0, 1 / 24, 3.0):
        returns = rng.normal(0, 0.02, (3, 4))
        one = fast.step(one, returns, elapsed)
        other = slow.step(other, outer(per_root_day(returns, elapsed or 1.0)), elapsed)
        assert np.array_equal(one.mean, other.mean)
        assert (one.weight, one.square) == (other.weight, other.square)
    frozen = returns.copy()
    frozen.flags.writeable = False
    assert np.array_equal(fast.step(one, frozen, 1.0).mean, fast.step(one, returns, 1.0).mean)
