"""Batched least squares against numpy, and the published cost of estimating a ratio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.arrays import Float
from backtester.estimation.beta import hedge_ratios, ols_beta, solve_psd
from backtester.estimation.window import RollingWindow, WindowState


def window(returns: Float, elapsed: float = 1.0) -> WindowState:
    """Returns (T, P, N) as a window."""
    rolling = RollingWindow(len(returns) * elapsed)
    state = rolling.init(*returns.shape[1:])
    for row in returns:
        state = rolling.step(state, row, elapsed)
    return state


@given(seed=st.integers(0, 10_000), k=st.integers(1, 8))
def test_the_solution_is_numpys(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((4, k, k + 4))
    matrix, right = root @ root.transpose(0, 2, 1), rng.standard_normal((4, k, 2))
    np.testing.assert_allclose(solve_psd(matrix, right), np.linalg.solve(matrix, right), rtol=1e-7)


@given(seed=st.integers(0, 10_000), k=st.integers(2, 6))
def test_a_singular_path_gets_the_smallest_norm_and_leaves_the_others_alone(
    seed: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((3, k, k + 4))
    root[1, 1] = root[1, 0]
    matrix = root @ root.transpose(0, 2, 1)
    right = matrix @ rng.standard_normal((3, k, 1))
    solution = solve_psd(matrix, right)
    np.testing.assert_allclose(solution[1], np.linalg.pinv(matrix[1]) @ right[1], atol=1e-7)
    assert np.array_equal(solution[[0, 2]], solve_psd(matrix[[0, 2]], right[[0, 2]]))


def test_nothing_moves_nothing_is_hedged() -> None:
    assert np.array_equal(solve_psd(np.zeros((2, 3, 3)), np.zeros((2, 3, 1))), np.zeros((2, 3, 1)))
    still = window(np.zeros((10, 2, 3)))
    exposure, hedges = np.ones((2, 3)), np.array([1, 2])
    assert np.array_equal(ols_beta(still, exposure, hedges), np.zeros((2, 2)))
    empty = RollingWindow(5.0).init(2, 3)
    assert np.array_equal(ols_beta(empty, exposure, hedges), np.zeros((2, 2)))
    drifting = np.random.default_rng(1).standard_normal((10, 2, 3)) * 0.01
    drifting[:, :, 2] = 0.001  # the same return every day: a drift, not a hedge
    assert np.array_equal(ols_beta(window(drifting), exposure, hedges)[:, 1], np.zeros(2))


@given(seed=st.integers(0, 10_000), k=st.integers(1, 4), elapsed=st.sampled_from([1.0, 0.25]))
def test_slopes_are_ordinary_least_squares(seed: int, k: int, elapsed: float) -> None:
    rng = np.random.default_rng(seed)
    returns = 0.01 * rng.standard_normal((20, 3, 6)) + 0.002
    hedges = rng.permutation(6)[:k]
    exposure = rng.standard_normal((3, 6))
    ours = ols_beta(window(returns, elapsed), exposure, hedges)
    for p in range(3):
        design = np.column_stack([np.ones(20), returns[:, p, hedges]])
        slow = np.linalg.lstsq(design, returns[:, p] @ exposure[p], rcond=None)[0][1:]
        np.testing.assert_allclose(ours[p], slow, rtol=1e-8, atol=1e-10)


def test_hull_table_3_2() -> None:
    """Jet fuel hedged with heating oil: h* = .777651 (methods A1)."""
    fuel = "29 20 -44 8 26 -19 -10 -7 43 11 -36 -18 9 -32 23"
    oil = "21 35 -46 1 44 -29 -26 -29 48 -6 -36 -11 19 -27 29"
    columns = [np.array([float(x) for x in s.split()]) / 1000 for s in (fuel, oil)]
    table = np.column_stack(columns)[:, None, :]
    beta = ols_beta(window(table), np.array([[1.0, 0.0]]), np.array([1]))
    assert beta.item() == pytest.approx(0.777651, abs=5e-7)


@pytest.mark.parametrize(("bars", "published"), [(30, 0.626667), (60, 0.633684)])
def test_out_of_sample_effectiveness_of_an_estimated_ratio(bars: int, published: float) -> None:
    """ρ² − (1 − ρ²)/(T − 3) at ρ = .8 (methods A2), on 20,000 windows."""
    rng, rho = np.random.default_rng(11), 0.8
    hedge = rng.standard_normal((bars, 20_000))
    spot = rho * hedge + np.sqrt(1 - rho**2) * rng.standard_normal((bars, 20_000))
    both = np.stack([spot, hedge], axis=2)
    beta = ols_beta(window(both), np.tile([1.0, 0.0], (20_000, 1)), np.array([1]))[:, 0]
    lost = (beta - rho) ** 2
    error = lost.std() / np.sqrt(len(lost))
    assert abs(rho**2 - lost.mean() - published) < 4 * error
    assert error < 5e-4


def test_ratios_are_minus_the_covariance_ratio() -> None:
    covariance = np.array([[[0.04, 0.03, 0.0], [0.03, 0.09, 0.0], [0.0, 0.0, 0.01]]])
    ratios = hedge_ratios(covariance, np.array([1, 2]))
    np.testing.assert_allclose(ratios[0], [[-1 / 3, -1.0, 0.0], [0.0, 0.0, -1.0]], atol=1e-15)


@given(seed=st.integers(0, 500), paths=st.integers(2, 4), assets=st.sampled_from([3, 9, 12]))
def test_paths_together_are_paths_alone_bit_for_bit(seed: int, paths: int, assets: int) -> None:
    rng = np.random.default_rng(seed)
    returns, exposure = rng.standard_normal((15, paths, assets)), rng.standard_normal(assets)
    returns[:, 0, 1] = returns[:, 0, 2]  # one singular path among the others
    held, hedges = np.tile(exposure, (paths, 1)), np.arange(1, assets)
    together = ols_beta(window(returns), held, hedges)
    for p in range(paths):
        alone = ols_beta(window(returns[:, p : p + 1].copy()), held[:1], hedges)
        assert np.array_equal(together[p], alone[0])
