"""GARCH with a known long-run variance: recovered, with honest errors."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.calibration.targeted import PERSISTENT, fit_targeted


def simulated(seed: int, bars: int, alpha: float, beta: float, nu: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    z = rng.standard_t(nu, bars) * np.sqrt((nu - 2) / nu)
    x, g = np.empty(bars), 1.0
    for t in range(bars):
        x[t] = np.sqrt(g) * z[t]
        g = 1 - alpha - beta + alpha * x[t] ** 2 + beta * g
    return x


def test_parameters_are_recovered_within_their_errors() -> None:
    truth = {"alpha": 0.08, "beta": 0.87, "nu": 5.0}
    scores = []
    for seed in range(30):
        found = fit_targeted(simulated(seed, 1500, **truth), 0.05, 0.9, 8.0)
        for name, value in truth.items():
            scores.append((getattr(found, name) - value) / found.errors[name])
    scores = np.array(scores)
    assert np.abs(scores).max() < 4.5
    assert (np.abs(scores) < 1.96).mean() > 0.88  # nominal 95 %, 90 estimates


def test_the_start_does_not_matter() -> None:
    x = simulated(3, 1000, 0.1, 0.8, 6.0)
    one, two = fit_targeted(x, 0.02, 0.97, 30.0), fit_targeted(x, 0.4, 0.2, 2.5)
    assert one.loglik == pytest.approx(two.loglik, abs=1e-3)
    assert one.alpha == pytest.approx(two.alpha, abs=2e-3)


def test_an_edge_is_held_and_has_no_error_of_its_own() -> None:
    walk = np.exp(0.02 * np.cumsum(np.random.default_rng(2).standard_normal(3000)))
    x = walk * np.random.default_rng(3).standard_normal(3000)
    found = fit_targeted(x / np.sqrt((x**2).mean()), 0.05, 0.94, 30.0)
    assert found.alpha + found.beta == pytest.approx(PERSISTENT, abs=1e-6)
    assert found.errors["alpha"] == pytest.approx(found.errors["beta"])
    flat = fit_targeted(np.random.default_rng(5).standard_t(4, 800) / np.sqrt(2), 0.0, 0.5, 4.0)
    assert flat.alpha < 0.06
