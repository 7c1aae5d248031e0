"""The nearest correlation matrix: published numbers, a slow twin, optimality, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.arrays import Bool, Float
from backtester.errors import DataError
from backtester.estimation.nearest import nearest_correlation, nearest_correlations

HIGHAM = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
QI_SUN = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, 0.0], [0.9, 0.0, 1.0]])


def pairs(size: int, *chosen: tuple[int, int]) -> Bool:
    """Mask of the chosen entries, above and below the diagonal."""
    mask = np.zeros((size, size), dtype=np.bool_)
    for i, j in chosen:
        mask[i, j] = mask[j, i] = True
    return mask


def noise(seed: int, size: int) -> Float:
    """A symmetric matrix with unit diagonal, hardly ever PSD."""
    matrix = np.random.default_rng(seed).uniform(-1, 1, (size, size))
    matrix = np.triu(matrix, 1) + np.triu(matrix, 1).T
    return np.asarray(matrix + np.eye(size))


def alternating(matrix: Float, weight: Float, held: Bool, floor: float) -> Float:
    """Higham (2002): alternating projections with Dykstra's correction, 20,000 times."""
    scale = np.sqrt(np.outer(weight, weight))
    x, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(20_000):
        values, vectors = np.linalg.eigh((x - correction - floor * np.eye(len(x))) * scale)
        psd = (vectors * np.maximum(values, 0)) @ vectors.T / scale + floor * np.eye(len(x))
        correction = psd - (x - correction)
        before, x = x, psd.copy()
        x[held] = matrix[held]
        np.fill_diagonal(x, 1.0)
        if np.abs(x - before).max() < 1e-13:
            break
    return np.asarray(x)


def test_higham() -> None:
    found = nearest_correlation(HIGHAM)
    assert found.matrix[0, 1] == pytest.approx(0.76068985, abs=5e-9)
    assert found.matrix[1, 2] == pytest.approx(0.76068985, abs=5e-9)
    assert found.matrix[0, 2] == pytest.approx(0.15729811, abs=5e-9)
    assert found.distance == pytest.approx(0.527790, abs=5e-7)
    assert found.smallest == pytest.approx(1.0 - np.sqrt(2.0), rel=1e-12)
    assert found.repaired and "moved by 0.528" in found.text()


def test_the_nag_example_has_a_diagonal_of_two() -> None:
    given_ = 2.0 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1)
    found = nearest_correlation(given_).matrix
    assert found[0] == pytest.approx([1.0, -0.8084125, 0.1915875, 0.10677505], abs=6e-9)
    assert found[1, 2] == pytest.approx(-0.65623269, abs=6e-9)


def test_weights() -> None:
    found = nearest_correlation(HIGHAM, weights=[1, 2, 3]).matrix
    published = [0.66774961, 0.16723692, 0.84557496]
    assert found[np.triu_indices(3, 1)] == pytest.approx(published, abs=6e-9)
    assert np.array_equal(nearest_correlation(HIGHAM, weights=[5, 10, 15]).matrix, found)


def test_qi_sun_with_and_without_the_fixed_entry() -> None:
    free = nearest_correlation(QI_SUN)
    assert free.smallest == pytest.approx(-0.272792, abs=5e-7)
    # The published figures come from a conic solver, good to 1e-5.
    expected = [0.743411, 0.743411, 0.105320]
    assert free.matrix[np.triu_indices(3, 1)] == pytest.approx(expected, abs=1e-5)
    held = nearest_correlation(QI_SUN, fixed=pairs(3, (1, 2))).matrix
    assert held[0, 1] == pytest.approx(np.sqrt(0.5), abs=1e-11)
    assert held[0, 2] == pytest.approx(np.sqrt(0.5), abs=1e-11)
    assert held[1, 2] == pytest.approx(0.0, abs=1e-13)


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_newton_equals_alternating_projections(floor: float) -> None:
    for seed, size in ((1, 4), (2, 6), (3, 6)):
        matrix, weight = noise(seed, size), np.random.default_rng(seed).uniform(0.5, 3.0, size)
        held = pairs(size, (0, 1), (2, 3))
        matrix[held] *= 0.5
        slow = alternating(matrix, weight, held, floor)
        found = nearest_correlation(matrix, weights=weight, fixed=held, floor=floor).matrix
        np.testing.assert_allclose(found, slow, atol=2e-8)


@given(
    seed=st.integers(0, 10_000), size=st.integers(2, 12), floor=st.sampled_from([0.0, 1e-8, 0.2])
)
def test_it_is_a_correlation_matrix_and_none_is_nearer(seed: int, size: int, floor: float) -> None:
    matrix = noise(seed, size)
    found = nearest_correlation(matrix, floor=floor)
    assert np.array_equal(np.diagonal(found.matrix), np.ones(size))
    assert np.array_equal(found.matrix, found.matrix.T)
    assert np.linalg.eigvalsh(found.matrix)[0] >= floor - 1e-13
    # Projection on a convex set: the step taken makes an obtuse angle with every way inside.
    again = nearest_correlation(found.matrix, floor=floor)
    assert again.distance <= 1e-12
    inside = np.random.default_rng(seed + 1).standard_normal((size, 2 * size))
    other = np.corrcoef(inside) * (1 - floor) + floor * np.eye(size)
    assert np.sum((matrix - found.matrix) * (other - found.matrix)) <= 1e-8


@given(seed=st.integers(0, 10_000), size=st.integers(2, 8))
def test_a_correlation_matrix_is_left_alone(seed: int, size: int) -> None:
    matrix = np.corrcoef(np.random.default_rng(seed).standard_normal((size, 3 * size)))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    found = nearest_correlation(matrix)
    assert not found.repaired and found.distance == 0.0
    assert np.array_equal(found.matrix, matrix) and "already" in found.text()


def test_a_stack_is_its_matrices_alone_bit_for_bit() -> None:
    stack = np.array([noise(i, 5) if i % 3 else np.eye(5) for i in range(9)])
    together = nearest_correlations(stack, floor=1e-6)
    assert together.repaired.tolist() == [i % 3 > 0 for i in range(9)]
    for i in range(9):
        alone = nearest_correlations(stack[i : i + 1], floor=1e-6)
        assert np.array_equal(alone.matrix[0], together.matrix[i])
        assert alone.distance[0] == together.distance[i]
        assert alone.smallest[0] == together.smallest[i]


def test_a_large_matrix_with_many_fixed_entries() -> None:
    matrix = noise(5, 60)
    held = np.random.default_rng(5).random((60, 60)) < 0.05
    held = held & held.T
    found = nearest_correlation(matrix, fixed=held, floor=1e-6).matrix
    np.testing.assert_allclose(found[held], matrix[held], atol=1e-10)
    assert np.linalg.eigvalsh(found)[0] >= 1e-6 - 1e-12


@pytest.mark.parametrize(
    ("matrix", "options", "words"),
    [
        (np.ones((2, 3)), {}, "must be square"),
        ([[1.0, np.nan], [np.nan, 1.0]], {}, r"entry \(0, 1\).*is nan"),
        ([[1.0, 0.2], [0.3, 1.0]], {}, "not symmetric: entry"),
        (HIGHAM, {"weights": [1.0, 2.0]}, "are not 3 finite numbers > 0"),
        (HIGHAM, {"weights": [1.0, 0.0, 2.0]}, "are not 3 finite numbers > 0"),
        (HIGHAM, {"floor": 1.0}, r"floor 1.0 is not in \[0, 1\)"),
        (HIGHAM, {"floor": np.nan}, r"floor nan is not in \[0, 1\)"),
        (HIGHAM, {"fixed": np.ones((2, 2))}, "not a symmetric mask"),
        (HIGHAM, {"fixed": np.triu(np.ones((3, 3)))}, "not a symmetric mask"),
        (1.5 * HIGHAM, {"fixed": pairs(3, (0, 1))}, r"fixed entry \(0, 1\) is 1.5"),
        (QI_SUN, {"fixed": np.ones((3, 3))}, r"has the fixed entries \(3 above.*Free some"),
        (QI_SUN, {"fixed": pairs(3, (0, 1)), "floor": 0.2}, "lies within ±0.8"),
    ],
)
def test_bad_input_is_named(matrix: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        nearest_correlation(matrix, **options)


def test_a_stack_with_a_nan_says_which_entry() -> None:
    stack = np.array([np.eye(3)] * 4)
    stack[2, 0, 1] = np.nan
    with pytest.raises(DataError, match=r"entry \(0, 1\)"):
        nearest_correlations(stack)


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_a_fixed_perfect_correlation(value: float) -> None:
    """No positive definite matrix keeps it, the answer exists all the same."""
    matrix = np.array([[1.0, 0.5, 0.9], [0.5, 1.0, value], [0.9, value, 1.0]])
    found = nearest_correlation(matrix, fixed=pairs(3, (1, 2)))
    assert found.matrix[1, 2] == pytest.approx(value, abs=1e-6)
    expected = [0.7, 0.7] if value > 0 else [-0.2, 0.2]
    assert found.matrix[0, 1:] == pytest.approx(expected, abs=1e-3)
