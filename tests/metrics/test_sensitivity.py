"""Correlation sensitivity: published figures, derivatives against differences, a book by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.metrics.sensitivity import (
    book_sensitivity,
    book_volatility,
    pair_sensitivities,
    uniform_sensitivity,
    uniform_volatility,
)

EQUAL = np.full(10, 0.1)
HIGH = np.full(10, 0.8)
PAIR, TWO = np.array([1.0, -0.9]), np.array([0.8, 0.9])


@pytest.mark.parametrize(
    ("rho", "value"), [(0, 0.25298), (0.2, 0.42332), (0.5, 0.59330), (0.9, 0.76315), (1, 0.8)]
)
def test_ten_equal_assets(rho: float, value: float) -> None:
    assert uniform_volatility(EQUAL, HIGH, rho) == pytest.approx(value, abs=5e-6)


@pytest.mark.parametrize(
    ("rho", "value"),
    [(0.95, 0.25475), (0.9, 0.36014), (0.8, 0.50922), (0.5, 0.80505), (0, 1.13846)],
)
def test_a_hedged_pair_is_hurt_by_correlation_falling(rho: float, value: float) -> None:
    assert uniform_volatility(PAIR, TWO, rho) == pytest.approx(value, abs=5e-6)
    assert uniform_sensitivity(PAIR, TWO, rho) < 0 < uniform_sensitivity(EQUAL, HIGH, rho)


@given(st.floats(0.0, 0.98), st.integers(2, 6), st.integers(0, 50))
def test_derivatives_are_those_of_the_volatility(rho: float, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, sigma = rng.normal(size=n), rng.uniform(0.1, 1, n)
    step = 1e-6
    up, down = (float(uniform_volatility(w, sigma, rho + d)) for d in (step, -step))
    exact = float(uniform_sensitivity(w, sigma, rho))
    assert exact == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-6)
    matrix = (np.full((n, n), rho) + (1 - rho) * np.eye(n)) * np.outer(sigma, sigma)
    assert book_volatility(w, matrix) == pytest.approx(float(uniform_volatility(w, sigma, rho)))
    # one number for all correlations is the sum over pairs
    assert np.triu(pair_sensitivities(w, matrix)).sum() == pytest.approx(exact, rel=1e-7, abs=1e-9)


def test_no_volatility_has_no_derivative() -> None:
    slope = pair_sensitivities(np.array([1.0, -1.0]), np.ones((2, 2)))
    assert np.isnan(slope[0, 1])
    assert np.isnan(uniform_sensitivity(np.array([1.0, -1.0]), np.ones(2), 1.0))


def test_a_book_by_hand() -> None:
    """Long A and B, short C against both: ∂σ/∂ρ_AC = w_A w_C σ_A σ_C / σ."""
    sigma = np.array([0.5, 0.4, 0.9, 0.3])
    rho = np.array([[1, 0.2, 0, 0.6], [0.2, 1, 0, 0.5], [0, 0, 1, 0], [0.6, 0.5, 0, 1]])
    covariance = rho * np.outer(sigma, sigma)
    book = book_sensitivity(
        ("A", "B"), np.array([0.6, 0.4]), ("C",), np.array([-0.8]), tuple("ABXC"), covariance
    )
    w = np.array([0.6, 0.4, 0.0, -0.8])
    total = np.sqrt(w @ covariance @ w)
    assert book.volatility == pytest.approx(100 * total)
    assert book.exposures == pytest.approx(100 * 0.6 * 0.4 * 0.5 * 0.4 / total)
    both = 0.6 * -0.8 * 0.5 * 0.3 + 0.4 * -0.8 * 0.4 * 0.3
    assert book.across == pytest.approx(100 * both / total)
    assert book.hedges == 0.0
    assert book.total == pytest.approx(book.exposures + book.across)
    assert (book.pairs[0].first, book.pairs[0].second) == ("A", "C")
    assert book.pairs[0].correlation == pytest.approx(0.6)
    assert book.to_dict()["weights"] == {"A": 0.6, "B": 0.4, "C": -0.8}
