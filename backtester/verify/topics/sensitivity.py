"""Volatility of a book against the correlation between its assets."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.metrics.sensitivity import (
    pair_sensitivities,
    uniform_sensitivity,
    uniform_volatility,
)
from backtester.verify.claim import Claim
from backtester.verify.problems import covariance

TOPIC = "Volatility and correlation"
UNIFORM = "σ² = (1 − ρ)Σw²σ² + ρ(Σwσ)², ten assets in equal parts, σ = 80 %"
HEDGED = "the same, w = (1, −0.9), σ = (0.8, 0.9)"
SLOPE = "∂σ/∂ρ₁₂ = w₁w₂σ₁σ₂/σ = −0.648/√0.2593, the same book"
EQUAL = {0.0: "25.298", 0.2: "42.332", 0.5: "59.330", 0.9: "76.315", 1.0: "80.000"}
SHORT = {0.95: "0.25475", 0.9: "0.36014", 0.8: "0.50922", 0.5: "0.80505", 0.0: "1.13846"}
WEIGHTS, VOLATILITY = np.array([1.0, -0.9]), np.array([0.8, 0.9])
claim = partial(Claim, TOPIC)


def equal(rho: float) -> float:
    """Percent a year of the long book."""
    return 100.0 * float(uniform_volatility(np.full(10, 0.1), np.full(10, 0.8), rho))


def hedged(rho: float) -> float:
    """Volatility of the hedged book."""
    return float(uniform_volatility(WEIGHTS, VOLATILITY, rho))


def pair_slope() -> float:
    """From the covariance matrix at ρ = .8."""
    return float(pair_sensitivities(WEIGHTS, covariance(0.8, 0.9, 0.8))[0, 1])


CLAIMS = (
    *(
        claim(f"long book, ρ = {rho:g}", text, partial(equal, rho), UNIFORM, unit="%")
        for rho, text in EQUAL.items()
    ),
    *(
        claim(f"hedged book, ρ = {rho:g}: a falling ρ hurts", text, partial(hedged, rho), HEDGED)
        for rho, text in SHORT.items()
    ),
    claim("slope of the hedged book at ρ = 0.8", "-1.272547", pair_slope, SLOPE),
    claim(
        "the same from the uniform form",
        "-1.272547",
        lambda: float(uniform_sensitivity(WEIGHTS, VOLATILITY, 0.8)),
        SLOPE,
    ),
)
