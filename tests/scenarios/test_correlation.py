"""Factors and the sweep's construction, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from backtester_scenarios.correlation import exposure_correlation, semidefinite_cholesky
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ScenarioError

from .conftest import Make

NAMES = tuple("ABCDE")


def matrices(rank: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((5, rank))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    matrix = rows @ rows.T
    np.fill_diagonal(matrix, 1.0)
    return (matrix + matrix.T) / 2


@given(rank=st.integers(1, 8), seed=st.integers(0, 10_000))
def test_factor_of_any_semidefinite_matrix(rank: int, seed: int) -> None:
    matrix = matrices(rank, seed)
    lower = semidefinite_cholesky(matrix)
    assert (np.triu(lower, 1) == 0).all()
    assert np.abs(lower @ lower.T - matrix).max() < 1e-6 if rank < 5 else 1e-12


@given(seed=st.integers(0, 10_000), hedges=st.integers(1, 3), exposed=st.integers(1, 2))
def test_multiple_correlation_is_exact_and_psd(seed: int, hedges: int, exposed: int) -> None:
    base = matrices(8, seed)
    basket, moved = NAMES[:hedges], NAMES[hedges : hedges + exposed]
    rho = np.array([-1.0, -0.8, -0.3, 0.0, 0.2, 0.7, 1.0])
    result = exposure_correlation(base, NAMES, moved, basket, rho)
    assert np.linalg.eigvalsh(result).min() > -1e-12
    assert (np.diagonal(result, axis1=1, axis2=2) == 1.0).all()
    inner = base[:hedges, :hedges]
    for matrix, r in zip(result, rho, strict=True):
        assert matrix[:hedges, :hedges] == pytest.approx(inner, abs=1e-15)
        for i in range(hedges, hedges + exposed):
            to_hedges = matrix[i, :hedges]
            explained = to_hedges @ np.linalg.solve(inner, to_hedges)
            assert np.sqrt(max(explained, 0)) == pytest.approx(abs(r), abs=1e-7)
            if hedges == 1:
                assert to_hedges[0] == pytest.approx(r, abs=1e-12)
            else:
                assert np.sign(to_hedges @ np.linalg.solve(inner, base[i, :hedges])) * r >= 0
        others = list(range(hedges + exposed, 5))
        kept = [*range(hedges), *others]
        assert matrix[np.ix_(kept, kept)] == pytest.approx(base[np.ix_(kept, kept)], abs=1e-12)


def test_the_base_correlation_reproduces_the_base_matrix() -> None:
    base = matrices(8, 5)
    inner, to_hedges = base[:2, :2], base[2, :2]
    own = np.sqrt(to_hedges @ np.linalg.solve(inner, to_hedges))
    result = exposure_correlation(base, NAMES, ("C",), ("A", "B"), np.array([own]))
    assert result[0] == pytest.approx(base, abs=1e-12)


def test_residuals_keep_their_correlation() -> None:
    base = matrices(8, 7)
    result = exposure_correlation(base, NAMES, ("B", "C"), ("A",), np.array([0.0]))[0]
    partial = (base[1, 2] - base[0, 1] * base[0, 2]) / np.sqrt(
        (1 - base[0, 1] ** 2) * (1 - base[0, 2] ** 2)
    )
    assert result[1, 2] == pytest.approx(partial)


def test_an_asset_the_hedges_replicate_gets_a_residual_of_its_own() -> None:
    base = np.ones((2, 2))
    result = exposure_correlation(base, ("A", "B"), ("A",), ("B",), np.array([0.3]))
    assert result[0] == pytest.approx(np.array([[1, 0.3], [0.3, 1]]))


def test_drawn_returns_have_the_swept_correlation(make: Make) -> None:
    scenario = make()
    for rho in (-0.9, 0.0, 1.0):
        matrix = scenario.with_exposure_correlation(np.array([rho]), ("A",), ("B",))[0]
        panel = scenario.draw(first=0, paths=200, bars=100, seed=1, correlation=matrix)
        steps = np.diff(np.log(panel.prices), axis=0)[panel.regime[1:] == 0]
        assert np.corrcoef(steps[:, 0], steps[:, 1])[0, 1] == pytest.approx(rho, abs=0.03)


def test_a_hedge_may_be_a_perpetual(make: Make) -> None:
    scenario = make()
    by_spot = scenario.with_exposure_correlation(np.array([0.4]), ("B",), ("A",))
    by_perpetual = scenario.with_exposure_correlation(np.array([0.4]), ("B",), ("A-PERP", "A"))
    assert np.array_equal(by_spot, by_perpetual)


@pytest.mark.parametrize(
    ("rho", "exposed", "hedges", "words"),
    [
        ([0.5], ("A",), ("A-PERP",), "not free"),
        ([0.5], ("A",), ("A",), "not free"),
        ([1.5], ("A",), ("B",), "must lie in"),
        ([np.nan], ("A",), ("B",), "must lie in"),
        ([0.5], ("X",), ("B",), "exposed asset 'X' is not in scenario"),
        ([0.5], ("A",), ("b",), "Did you mean 'B'"),
        ([0.5], ("A",), (), "needs exposed assets and hedges"),
    ],
)
def test_sweeps_that_cannot_be(
    make: Make, rho: list[float], exposed: tuple[str, ...], hedges: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ScenarioError, match=words):
        make().with_exposure_correlation(np.array(rho), exposed, hedges)


def test_no_best_combination_of_uncorrelated_hedges() -> None:
    with pytest.raises(ScenarioError, match="correlation 0 with every hedge"):
        exposure_correlation(np.eye(3), ("A", "B", "C"), ("A",), ("B", "C"), np.array([0.5]))
