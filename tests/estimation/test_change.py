"""Tests on correlations against published numbers and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ConfigError
from backtester.estimation.change import (
    correlation_change,
    critical,
    shrink_factor,
    two_sided,
)


def test_published_fisher_change() -> None:
    """r = .6 against .2, 60 observations each: z = 2.618098, p = .008842 (methods A10)."""
    change = correlation_change(np.array([0.6]), 60, np.array([0.2]), 60)
    assert change.statistic.item() == pytest.approx(2.618098, abs=5e-7)
    assert change.p_value.item() == pytest.approx(0.008842, abs=5e-7)
    assert change.direction.item() == 1.0


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 500), st.floats(0, 500))
def test_swapping_the_samples_turns_the_sign(a: float, b: float, n: float, m: float) -> None:
    one = correlation_change(np.array([a]), n, np.array([b]), m)
    other = correlation_change(np.array([b]), m, np.array([a]), n)
    assert one.statistic.item() == -other.statistic.item()
    assert 0.0 <= one.p_value.item() == other.p_value.item() <= 1.0


def test_too_small_a_sample_says_nothing() -> None:
    change = correlation_change(np.array([0.9]), 3, np.array([-0.9]), 60)
    assert change.statistic.item() == 0.0 and change.p_value.item() == 1.0


def test_it_rejects_as_often_as_it_says() -> None:
    rng, n = np.random.default_rng(2), 60
    x = rng.standard_normal((2, 20_000, n))
    y = 0.5 * x + np.sqrt(0.75) * rng.standard_normal(x.shape)
    r = (x * y).sum(-1) / np.sqrt((x * x).sum(-1) * (y * y).sum(-1))
    # Uncentred moments: one more degree of freedom than the textbook's n.
    p = correlation_change(r[0], n + 1, r[1], n + 1).p_value
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.006)


def test_critical_values() -> None:
    assert critical(0.05) == pytest.approx(1.959964, abs=1e-6)
    assert critical(0.05, sides=1) == pytest.approx(1.644854, abs=1e-6)
    each = 1 - 0.95 ** (1 / 6)
    assert two_sided(np.array(critical(0.05, 6))).item() == pytest.approx(each, rel=1e-9)
    with pytest.raises(ConfigError, match="significance"):
        critical(1.0)


@given(st.floats(0.1, 10), st.floats(-100, 100))
def test_the_factor_is_continuous_and_grows(bound: float, statistic: float) -> None:
    factor = shrink_factor(np.array([statistic, 1.1 * statistic, bound]), bound)
    assert 0.0 <= factor[0] <= factor[1] <= 1.0 and factor[2] == 0.0
    if abs(statistic) <= bound:
        assert factor[0] == 0.0
