"""What a no-trade band costs, against a walk held in it."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.errors import ConfigError
from backtester.hedging.band import running_cost


@pytest.mark.parametrize(("fee", "gas"), [(1e-3, 0.0), (0.0, 1e-4)])
def test_a_simulated_walk_pays_what_the_formula_says(fee: float, gas: float) -> None:
    """Started in the stationary law of the gap: uniform under a fee, a triangle under gas."""
    b, A, s2, dt = 0.2, 2.0, 0.04, 1e-4
    rng = np.random.default_rng(1)
    x = b * (rng.uniform(-1, 1, 4000) if fee else rng.triangular(-1, 0, 1, 4000))
    cost, risk, steps = 0.0, 0.0, 2500
    for _ in range(steps):
        x = x + np.sqrt(s2 * dt) * rng.standard_normal(x.size)
        kept = np.clip(x, -b, b) if fee else np.where(np.abs(x) > b, 0.0, x)
        cost += fee * np.abs(x - kept).sum() + gas * np.count_nonzero(x != kept)
        risk += 0.5 * A * (kept**2).sum() * dt
        x = kept
    time = x.size * steps * dt
    exact = running_cost(b, fee=fee, gas=gas, diffusion=s2, curvature=A)
    assert (cost / time, risk / time) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("half_width", [0.0, -1.0, float("nan")])
def test_a_band_has_a_width(half_width: float) -> None:
    with pytest.raises(ConfigError, match="half-width"):
        running_cost(half_width, fee=1e-3, diffusion=0.04, curvature=2.0)


def test_both_costs_together_have_no_closed_form() -> None:
    with pytest.raises(ConfigError, match="no closed form"):
        running_cost(0.1, fee=1e-3, gas=1e-4, diffusion=0.04, curvature=2.0)
