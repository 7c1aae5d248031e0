"""Correlation estimates, their tests, and what selecting bars does to them."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.estimation.change import correlation_change
from backtester.estimation.conditional import adjusted_correlation, conditional_correlation
from backtester.estimation.correlation import correlation
from backtester.estimation.covariance import EwmaCovariance
from backtester.estimation.cusum import bridge_critical
from backtester.estimation.ewma import EwmaState
from backtester.estimation.spectrum import marchenko_pastur_edges
from backtester.verify.claim import Claim
from backtester.verify.problems import normal_grid

TOPIC = "Correlation"
FISHER = "Fisher (1921): (atanh r₁ − atanh r₂)/√(2/(n − 3))"
FORBES = "Forbes & Rigobon (2002): ρ√((1 + δ)/(1 + δρ²))"
BOYER = "Boyer, Gibson & Loretan (1999), truncated normal"
BRIDGE = "sup |Brownian bridge| (Kolmogorov): correlation CUSUM of Wied, Krämer & Dehling (2012)"
NOISE = "Marchenko & Pastur (1967): (1 ∓ √q)², q = N/T"
claim = partial(Claim, TOPIC)


def ewma_step() -> float:
    """Correlation after one return (−2, −3) with λ = .94 from [[1, .6], [.6, 1]]."""
    estimator = EwmaCovariance(halflife=np.log(0.5) / np.log(0.94))
    before = EwmaState(np.array([[[1.0, 0.6], [0.6, 1.0]]]), weight=1.0, square=1.0)
    after = estimator.step(before, np.array([[-2.0, -3.0]]), 1.0)
    return float(correlation(estimator.covariance(after))[0, 0, 1])


def change() -> tuple[float, float]:
    """Statistic and p-value of .6 against .2, sixty observations each."""
    found = correlation_change(np.array(0.6), 60, np.array(0.2), 60)
    return float(found.statistic), float(found.p_value)


def truncated(low: float, high: float, two_sided: bool) -> float:
    """Conditional correlation where ρ = .5 and the normal x, or |x|, lies in [low, high]."""
    x = normal_grid(4_000_000)
    at = np.abs(x) if two_sided else x
    variance = float(x[(at >= low) & (at <= high)].var())
    return float(conditional_correlation(0.5, variance - 1.0))


def edge(which: int) -> float:
    """Eigenvalue edge of twenty independent assets over a hundred observations."""
    return marchenko_pastur_edges(20, 100)[which]


CLAIMS = (
    claim(
        "EWMA, λ = 0.94, ρ 0.6 before, z = (−2, −3)",
        "0.699198",
        ewma_step,
        "RiskMetrics (1996): λQ + (1 − λ)zzᵀ by hand",
    ),
    claim("Fisher z of 0.6 against 0.2, n = 60 each", "2.618098", lambda: change()[0], FISHER),
    claim("its two-sided p-value", "0.008842", lambda: change()[1], FISHER),
    *(
        claim(
            f"seen where the variance is {1 + delta:g} times as high, ρ = {rho:g} throughout",
            text,
            partial(lambda r, d: float(conditional_correlation(r, d)), rho, delta),
            FORBES,
        )
        for rho, delta, text in (
            (0.5, 1.0, "0.632456"),
            (0.5, 3.0, "0.755929"),
            (0.5, 8.0, "0.866025"),
            (0.5, 15.0, "0.917663"),
            (0.3, 8.0, "0.686244"),
            (0.8, 8.0, "0.970143"),
        )
    ),
    claim(
        "adjusted back: 0.866025 seen at 9 times the variance",
        "0.5",
        lambda: float(adjusted_correlation(0.866025, 8.0)),
        FORBES,
        1e-5,
    ),
    *(
        claim(f"CUSUM bound at {100 * a:g} %", text, partial(bridge_critical, a), BRIDGE)
        for a, text in ((0.1, "1.224"), (0.05, "1.358"), (0.01, "1.628"))
    ),
    claim(
        "ρ = 0.5 where |x| > 1.96", "0.806497", lambda: truncated(1.96, np.inf, True), BOYER, 1e-4
    ),
    claim(
        "ρ = 0.5 where x > 1.96", "0.193491", lambda: truncated(1.96, np.inf, False), BOYER, 1e-4
    ),
    claim("ρ = 0.5 where |x| < 1", "0.297418", lambda: truncated(0.0, 1.0, True), BOYER, 1e-4),
    claim("least noise eigenvalue, N = 20, T = 100", "0.305573", lambda: edge(0), NOISE),
    claim("largest noise eigenvalue", "2.094427", lambda: edge(1), NOISE),
)
