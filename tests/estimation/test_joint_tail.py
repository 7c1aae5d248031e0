"""Joint tails at a finite threshold: limits, and a sample."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backtester.errors import ConfigError
from backtester.estimation.joint_tail import joint_tail, sample_joint_tail
from backtester.estimation.tails import t_tail_dependence


def test_the_gaussian_copula_forgets_the_other_asset_in_the_tail() -> None:
    assert joint_tail(0.9, None, 1e-10) < joint_tail(0.9, None, 1e-3) < joint_tail(0.9, None, 0.05)
    assert joint_tail(0.0, None, 0.03) == pytest.approx(0.03, rel=1e-9)


@pytest.mark.parametrize(("rho", "nu"), [(-0.5, 2.0), (0.5, 4.0), (0.9, 4.0)])
def test_a_finite_tail_tends_to_the_limit(rho: float, nu: float) -> None:
    assert joint_tail(rho, nu, 1e-12) == pytest.approx(float(t_tail_dependence(rho, nu)), abs=2e-3)
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


def test_arguments_out_of_range() -> None:
    with pytest.raises(ConfigError, match=r"1\.1 is not in"):
        joint_tail(1.1, 4.0, 0.1)
    with pytest.raises(ConfigError, match="tail of 0 is not in"):
        joint_tail(0.5, 4.0, 0)
    with pytest.raises(ConfigError, match="degrees of freedom"):
        joint_tail(0.5, -1.0, 0.1)
