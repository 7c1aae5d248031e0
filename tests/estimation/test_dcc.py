"""Online CCC, DCC and cDCC: published steps, degenerate cases, slow twins, messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.arrays import Float
from backtester.errors import ConfigError, DataError
from backtester.estimation.correlation import correlation
from backtester.estimation.dcc import DccState, DynamicCorrelation, half_life, per_day, revert
from backtester.estimation.ewma import Ewma, outer

UNIT: dict[str, Any] = {"alpha": 0.0, "beta": 0.0, "level": (1.0, 1.0), "winsor": float("inf")}
INF = float("inf")


def draw(seed: int, bars: int, paths: int, assets: int) -> Float:
    """Correlated, fat-tailed returns (T, P, N)."""
    rng = np.random.default_rng(seed)
    shape = (bars, paths, assets)
    return np.asarray(
        0.01
        * (rng.standard_t(4, (bars, paths, 1)) + rng.standard_t(4, shape))
        * (1 + np.arange(assets))
    )


def run(estimator: DynamicCorrelation, returns: Float, elapsed: float = 1.0) -> DccState:
    state = estimator.init(*returns.shape[1:])
    for row in returns:
        state = estimator.step(state, row, elapsed)
    return state


def with_q(estimator: DynamicCorrelation, off: float) -> DccState:
    """The state in which Q has unit diagonal and `off` beside it."""
    Q, S = np.array([[1.0, off], [off, 1.0]]), np.array(estimator.target or np.zeros((2, 2)))
    news = (Q - estimator.blend * S) / (1.0 - estimator.blend)
    return replace(estimator.init(1, 2), news=news[None], news_weight=1.0)


@pytest.mark.parametrize(("second", "rho"), [(-3.0, 0.682504), (3.0, 0.209637)])
def test_one_step_of_dcc(second: float, rho: float) -> None:
    dcc = DynamicCorrelation(0.05, 0.93, target=((1.0, 0.4), (0.4, 1.0)), **UNIT)
    state = with_q(dcc, 0.6)
    assert dcc.correlation(state)[0, 0, 1] == pytest.approx(0.6, abs=1e-15)
    after = dcc.step(state, np.array([[-2.0, second]]), 1.0)
    Q = dcc.blend * after.target[0] + (1.0 - dcc.blend) * after.news[0]
    off = 0.866 if second < 0 else 0.266
    np.testing.assert_allclose(Q, [[1.15, off], [off, 1.4]], rtol=1e-13)
    assert dcc.correlation(after)[0, 0, 1] == pytest.approx(rho, abs=5e-7)
    np.testing.assert_allclose(dcc.variance(after), 1.0, rtol=1e-14)


def test_one_step_of_ewma() -> None:
    ewma = DynamicCorrelation(0.06, 0.94, **UNIT)
    after = ewma.step(with_q(ewma, 0.6), np.array([[-2.0, -3.0]]), 1.0)
    assert ewma.blend == 0.0
    assert ewma.correlation(after)[0, 0, 1] == pytest.approx(0.699198, abs=5e-7)


def test_one_step_of_cdcc_scales_the_news() -> None:
    """z* = diag(Q)^½ z: from Q = [1.15, .866, 1.4], z = (1, −1), S12 = .4."""
    cdcc = DynamicCorrelation(0.05, 0.93, target=((1.0, 0.4), (0.4, 1.0)), corrected=True, **UNIT)
    state = cdcc.step(with_q(cdcc, 0.6), np.array([[-2.0, -3.0]]), 1.0)
    after = cdcc.step(state, np.array([[1.0, -1.0]]), 1.0)
    Q = cdcc.blend * after.target[0] + (1.0 - cdcc.blend) * after.news[0]
    first = 0.02 + (0.05 + 0.93) * 1.15
    second = 0.02 + (0.05 + 0.93) * 1.4
    off = 0.02 * 0.4 - 0.05 * np.sqrt(1.15 * 1.4) + 0.93 * 0.866
    np.testing.assert_allclose(Q, [[first, off], [off, second]], rtol=1e-13)


@pytest.mark.parametrize("corrected", [False, True])
def test_daily_bars_are_the_textbook_recursion(corrected: bool) -> None:
    returns = draw(1, 60, 2, 3)
    target = ((1.0, 0.4, 0.2), (0.4, 1.0, 0.1), (0.2, 0.1, 1.0))
    alpha, beta, level = (0.05, 0.1, 0.0), (0.9, 0.85, 0.0), (4e-4, 2e-3, 5e-3)
    a, b = 0.04, 0.94
    estimator = DynamicCorrelation(a, b, alpha, beta, corrected, INF, target, level)
    state = run(estimator, returns)
    for p in range(2):
        h, Q, S = np.array(level), np.array(target), np.array(target)
        for x in returns[:, p]:
            z = x / np.sqrt(h)
            news = np.sqrt(np.diag(Q)) * z if corrected else z
            h = (1 - np.add(alpha, beta)) * level + np.array(alpha) * x**2 + np.array(beta) * h
            Q = (1 - a - b) * S + a * np.outer(news, news) + b * Q
        root = np.sqrt(np.diag(Q))
        R = Q / np.outer(root, root)
        np.testing.assert_allclose(estimator.correlation(state)[p], R, rtol=1e-11)
        covariance = R * np.sqrt(np.outer(h, h))
        np.testing.assert_allclose(estimator.covariance(state)[p], covariance, rtol=1e-11)


def standardised(estimator: DynamicCorrelation, returns: Float) -> list[Float]:
    """z of every bar, by the estimator's own variances."""
    state, out = estimator.init(*returns.shape[1:]), []
    for x in returns:
        h = estimator.variance(state) if state.days > 0.0 else x * x
        out.append(np.clip(x / np.sqrt(h), -estimator.winsor, estimator.winsor))
        state = estimator.step(state, x, 1.0)
    return out


def test_without_news_it_is_constant_correlation() -> None:
    returns = draw(2, 50, 3, 3)
    constant = DynamicCorrelation(a=0.0, b=0.0)
    z = standardised(constant, returns)
    expected = correlation(np.mean([outer(v) for v in z], axis=0))
    for b in (0.0, 0.5, 0.99):
        found = DynamicCorrelation(a=0.0, b=b)
        np.testing.assert_allclose(found.correlation(run(found, returns)), expected, rtol=1e-12)
    alike = DynamicCorrelation(a=0.0, b=0.3, corrected=True)
    assert np.array_equal(
        alike.covariance(run(alike, returns)), constant.covariance(run(constant, returns))
    )


@pytest.mark.parametrize("elapsed", [1.0, 0.25])
def test_at_a_plus_b_equal_one_it_is_ewma(elapsed: float) -> None:
    returns = draw(3, 50, 3, 3)
    estimator = DynamicCorrelation(a=0.06, b=0.94)
    state = run(estimator, returns, elapsed)
    ewma = Ewma(np.log(0.5) / np.log(0.94))
    mean = ewma.init(3, 3, 3)
    walk = estimator.init(3, 3)
    for x in returns:
        scaled = x / np.sqrt(elapsed)
        h = estimator.variance(walk) if walk.days > 0.0 else scaled**2
        z = np.clip(scaled / np.sqrt(h), -5.0, 5.0)
        mean = ewma.step(mean, outer(z), elapsed)
        walk = estimator.step(walk, x, elapsed)
    np.testing.assert_allclose(estimator.correlation(state), correlation(mean.mean), rtol=1e-10)


@given(
    a=st.floats(0.0, 1.0),
    b=st.floats(0.0, 0.999),
    alpha=st.floats(0.0, 1.0),
    beta=st.floats(0.0, 0.999),
    corrected=st.booleans(),
    seed=st.integers(0, 1000),
    elapsed=st.sampled_from([1 / 24, 1.0, 3.0]),
    bars=st.integers(0, 25),
)
def test_r_is_psd_with_unit_diagonal_whatever_the_parameters(
    a: float,
    b: float,
    alpha: float,
    beta: float,
    corrected: bool,
    seed: int,
    elapsed: float,
    bars: int,
) -> None:
    a, alpha = min(a, 1.0 - b), min(alpha, 1.0 - beta)
    estimator = DynamicCorrelation(a, b, alpha, beta, corrected)
    returns = draw(seed, bars, 2, 4)
    returns[: bars // 2, :, 1] = 0.0  # one asset that starts late, one that never moves
    returns[:, :, 2] = 0.0
    state = run(estimator, returns, elapsed)
    matrix = estimator.correlation(state)
    assert np.array_equal(np.diagonal(matrix, axis1=1, axis2=2), np.ones((2, 4)))
    assert np.array_equal(matrix, matrix.transpose(0, 2, 1))
    assert np.linalg.eigvalsh(matrix).min() >= -1e-12
    assert not matrix[:, 2, [0, 1, 3]].any()
    assert np.isfinite(estimator.covariance(state)).all()


def test_forecasts_revert_with_the_half_life() -> None:
    for persistence, published in ((0.95, 13.51), (0.97, 22.76), (0.99, 68.97)):
        assert half_life(persistence) == pytest.approx(published, abs=5e-3)
        left = revert(np.array(0.9), np.array(0.5), persistence, 1.0 + half_life(persistence))
        assert left == pytest.approx(0.7, rel=1e-12)
    assert half_life(1.0) == INF
    estimator = DynamicCorrelation(0.05, 0.93)
    state = run(estimator, draw(4, 80, 2, 3))
    now, mean = estimator.correlation(state), correlation(state.target)
    np.testing.assert_allclose(estimator.forecast(state, 1.0), now, rtol=1e-12)
    np.testing.assert_allclose(estimator.forecast(state, 6.0), mean + 0.98**5 * (now - mean))


def test_a_burst_of_volatility_alone_leaves_the_correlation() -> None:
    """Forbes & Rigobon (2002): only what is not devolatilised rises with the variance."""
    returns = np.random.default_rng(5).standard_normal((400, 300, 2)) @ np.array(
        [[1, 0.5], [0, 0.75**0.5]]
    )
    returns[350:, :, 0] *= 3.0
    returns[350:, :, 1] *= 3.0
    estimator = DynamicCorrelation(0.03, 0.95)
    assert estimator.correlation(run(estimator, returns))[:, 0, 1].mean() == pytest.approx(
        0.5, abs=0.02
    )


def test_parameters_per_bar_become_parameters_per_day() -> None:
    assert per_day(0.05, 0.93, 1.0) == (0.05, 0.93)
    a, b = per_day(0.05, 0.93, 1 / 24)
    assert b == pytest.approx(0.93**24, rel=1e-12)
    assert (1 - a - b) / (1 - b) == pytest.approx(0.02 / 0.07, rel=1e-12)
    hourly = draw(6, 100, 2, 2)
    level = (1e-3, 1e-3)
    target = ((1.0, 0.3), (0.3, 1.0))
    bars = DynamicCorrelation(0.05, 0.93, target=target, level=level, winsor=INF)
    days = DynamicCorrelation(
        a, b, *per_day(0.09, 0.89, 1 / 24), target=target, level=(0.024, 0.024), winsor=INF
    )
    found = days.covariance(run(days, hourly, 1 / 24))
    np.testing.assert_allclose(found, 24 * bars.covariance(run(bars, hourly)), rtol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"a": -0.1}, "a = -0.1 and b = 0.965 are not weights"),
        ({"a": 0.1, "b": 0.95}, "a \\+ b ≤ 1"),
        ({"b": 1.0, "a": 0.0}, "0 ≤ b < 1"),
        ({"alpha": 0.2, "beta": 0.9}, "alpha = 0.2 and beta = 0.9"),
        ({"alpha": (0.05, float("nan"))}, "alpha = nan"),
        ({"winsor": 0.0}, "winsor must be > 0"),
        ({"alpha": (0.1, 0.1), "beta": (0.8,) * 3}, "alpha has 2 entries and beta 3"),
        ({"target": ((1.0, 1.2), (1.2, 1.0))}, "not a correlation matrix: smallest.*-0.2"),
        ({"target": ((2.0, 0.2), (0.2, 1.0))}, r"not a correlation matrix.*diagonal \[2.0, 1.0\]"),
    ],
)
def test_bad_parameters_are_named(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        DynamicCorrelation(**parameters)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (((1.0, 0.2), (0.3, 1.0)), "not symmetric"),
        (((1.0, 0.2, 0.1),), "must be square"),
        (((1.0, float("nan")), (float("nan"), 1.0)), "is nan"),
    ],
)
def test_a_target_that_is_no_matrix_is_refused(target: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        DynamicCorrelation(target=target)


def test_a_fit_of_other_assets_is_refused() -> None:
    estimator = DynamicCorrelation(target=((1.0, 0.2), (0.2, 1.0)))
    with pytest.raises(ConfigError, match="target has 2 entries for a market of 3 assets"):
        estimator.init(1, 3)
