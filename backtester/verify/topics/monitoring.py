"""Turbulence, correlation surprise and the absorption ratio."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.arrays import Float
from backtester.estimation.turbulence import (
    absorption_ratio,
    correlation_surprise,
    turbulence,
    turbulence_quantile,
)
from backtester.verify.claim import Claim

TOPIC = "Turbulence and absorption"
CHI = "turbulence of normal returns is χ² with n degrees of freedom, 75 %"
SURPRISE = "Kinlaw & Turkington (2014): turbulence over the same without correlations, ρ = 0.5"
TOP = "Kritzman et al. (2011); uniform ρ, N = 10: λ₁ = 1 + 9ρ, all others 1 − ρ"
PRINTED = {0.2: ("0.28", "0.36"), 0.5: ("0.55", "0.60"), 0.9: ("0.91", "0.92")}
claim = partial(Claim, TOPIC)


def uniform(assets: int, rho: float) -> Float:
    """One matrix (1, N, N) with every correlation alike."""
    return (1.0 - rho) * np.eye(assets)[None] + rho


def moved(first: float, second: float) -> Float:
    """Standardised returns of two assets, (1, 2)."""
    return np.array([[first, second]])


def surprise(first: float, second: float) -> float:
    """Correlation surprise at ρ = .5."""
    return float(correlation_surprise(moved(first, second), uniform(2, 0.5))[0])


def absorbed(rho: float, k: int) -> float:
    """Share of variance in the first k eigenvectors of ten assets."""
    return float(absorption_ratio(uniform(10, rho), k)[0])


CLAIMS = (
    claim(
        "turbulence, ρ = 0.5, z = (−2, 2)",
        "16",
        lambda: float(turbulence(moved(-2.0, 2.0), uniform(2, 0.5))[0]),
        "Kritzman & Li (2010): (y − μ)Σ⁻¹(y − μ)ᵀ by hand",
        1e-12,
    ),
    claim("correlation surprise, z = (−2, 2)", "2", lambda: surprise(-2.0, 2.0), SURPRISE, 1e-12),
    claim("correlation surprise, z = (−2, −2)", "0.6667", lambda: surprise(-2.0, -2.0), SURPRISE),
    *(
        claim(f"threshold, n = {n}", text, partial(turbulence_quantile, 0.75, n), CHI)
        for n, text in ((2, "2.7726"), (5, "6.6257"), (10, "12.5489"))
    ),
    *(
        claim(f"absorption ratio of {k}, ρ = {rho:g}", text, partial(absorbed, rho, k), TOP, 1e-9)
        for rho, texts in PRINTED.items()
        for k, text in enumerate(texts, 1)
    ),
)
