"""The hedge of one period, and of a plan, where trading costs something."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.hedging.decision import MultiPeriod, Quadratic
from backtester.verify.claim import Claim
from backtester.verify.problems import answer, covariance, hedge_of, lone

TOPIC = "Hedges with trading costs"
SOFT = "soft threshold: h* ± c/A, or no trade within it"
SHARE = "h = (A h* + Λ h₀)/(A + Λ)"
PLAN = "Gârleanu & Pedersen (2013): a/λ with a = ½(√(γ² + 4γλ) − γ), γ = 1"
claim = partial(Claim, TOPIC)


def from_gap(gap: float, **costs: float) -> float:
    """Hedge for A = 2 and h* = 1, starting at h* + gap."""
    return float(answer(lone(2.0, 1.0, np.array([gap]), **costs))[0])


def first_trade(trade_risk: float) -> float:
    """Share of the way to its target that a plan of sixty periods goes at once."""
    plan = MultiPeriod(covariance(1.0, 1.0, 0.8), 60, days=1.0, trade_risk=trade_risk)
    return hedge_of(plan) / -0.8


CLAIMS = (
    claim(
        "minimum-variance hedge −ρσ_S/σ_F, ρ = 0.7, σ 5 % and 4 %",
        "-0.875",
        lambda: hedge_of(Quadratic(covariance(0.05, 0.04, 0.7))),
        "Johnson (1960), Ederington (1979)",
        1e-9,
    ),
    claim("A = 2, h* = 1, h₀ = 0, c = 0.5", "0.75", lambda: from_gap(-1.0, fee=0.5), SOFT, 1e-9),
    claim("the same from h₀ = 2", "1.25", lambda: from_gap(1.0, fee=0.5), SOFT, 1e-9),
    claim("the same from h₀ = 0.8: no trade", "0.8", lambda: from_gap(-0.2, fee=0.5), SOFT, 1e-12),
    claim(
        "quadratic cost Λ = 3 from h₀ = 0", "0.4", lambda: from_gap(-1.0, trade=3.0), SHARE, 1e-9
    ),
    claim(
        "impact |z|^{3/2}, A = 2, from h₀ = 0",
        "0.50",
        lambda: from_gap(-1.0, impact=2.0 * np.sqrt(2.0) / 3.0),
        "A z + (3/2)c√z = A: z = ½ at c = 2√2/3",
        1e-8,
    ),
    claim("first trade of a plan, λ = 10", "0.270156", lambda: first_trade(10.0), PLAN),
    claim("first trade of a plan, λ = 1: golden ratio", "0.618034", lambda: first_trade(1.0), PLAN),
)
