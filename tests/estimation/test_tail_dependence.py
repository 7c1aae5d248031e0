"""Tail dependence: published numbers, limits, and a sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backtester.errors import ConfigError
from backtester.estimation.tail_dependence import joint_tail, sample_joint_tail, tail_dependence

PUBLISHED = {  # McNeil, Frey & Embrechts, table 5.1, with two more digits
    2.0: (0.0577, 0.1817, 0.3910, 0.7177),
    4.0: (0.0117, 0.0756, 0.2532, 0.6298),
    10.0: (0.0001, 0.0069, 0.0819, 0.4627),
}


@pytest.mark.parametrize("nu", PUBLISHED)
def test_the_published_table(nu: float) -> None:
    found = [tail_dependence(rho, nu) for rho in (-0.5, 0.0, 0.5, 0.9)]
    assert found == pytest.approx(PUBLISHED[nu], abs=5e-5)


def test_the_gaussian_copula_has_none() -> None:
    assert tail_dependence(0.9, None) == 0.0
    assert tail_dependence(1.0, None) == tail_dependence(1.0, 4.0) == 1.0
    assert tail_dependence(-1.0, 4.0) == 0.0
    assert joint_tail(0.9, None, 1e-10) < joint_tail(0.9, None, 1e-3) < joint_tail(0.9, None, 0.05)


@pytest.mark.parametrize(("rho", "nu"), [(-0.5, 2.0), (0.5, 4.0), (0.9, 4.0)])
def test_a_finite_tail_tends_to_the_limit(rho: float, nu: float) -> None:
    assert joint_tail(rho, nu, 1e-12) == pytest.approx(tail_dependence(rho, nu), abs=2e-3)
    half = joint_tail(rho, nu, 0.5)  # Sheppard: the same for every elliptical law
    assert half == pytest.approx(0.5 + np.arcsin(rho) / np.pi, abs=1e-8)
    assert joint_tail(rho, None, 0.5) == pytest.approx(half, abs=1e-8)
    assert joint_tail(1.0, nu, 0.1) == 1.0 and joint_tail(-1.0, nu, 0.1) == 0.0


def test_a_sample_shows_what_the_law_says() -> None:
    law = stats.multivariate_t(shape=[[1.0, 0.6], [0.6, 1.0]], df=4.0, seed=3)
    x, y = law.rvs(200_000).T
    for upper in (False, True):
        want = joint_tail(0.6, 4.0, 0.02)
        found = sample_joint_tail(x, y, 0.02, upper=upper)
        assert abs(found - want) < 4 * np.sqrt(want * (1 - want) / 4000)


@pytest.mark.parametrize(
    "bad", [lambda: tail_dependence(1.1, 4.0), lambda: joint_tail(0.5, 4.0, 0)]
)
def test_arguments_out_of_range(bad: object) -> None:
    with pytest.raises(ConfigError, match="not in"):
        bad()  # type: ignore[operator]
    with pytest.raises(ConfigError, match="degrees of freedom"):
        tail_dependence(0.5, -1.0)
