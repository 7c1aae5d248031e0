"""Hedges against an interval or a set of correlations, solved as cvxpy problems."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.hedging.decision import Robust
from backtester.verify.claim import Claim
from backtester.verify.problems import covariance, hedge_of

TOPIC = "Robust hedges"
INTERVAL = "h = max(ρ_l, 0)σ_S/σ_F, guaranteed effectiveness ρ_l² (minimax variance)"
REGRET = "regret (h − h_r)²σ_F²/σ_S² is least midway between two regimes' own hedges"
LARGEST = "least of the largest variance: the most volatile regime's own hedge"
claim = partial(Claim, TOPIC)


def interval(low: float, high: float) -> float:
    """Short hedge for ρ anywhere between; volatilities .05 and .04."""
    ends = np.stack([covariance(0.05, 0.04, rho) for rho in (low, high)])
    return -hedge_of(Robust(ends, regret=False))


def guaranteed() -> float:
    """Least effectiveness over [.5, .9] of the hedge found."""
    spread = np.array([1.0, -interval(0.5, 0.9)])
    ends = (covariance(0.05, 0.04, rho) for rho in (0.5, 0.9))
    return 1.0 - max(float(spread @ end @ spread) for end in ends) / 0.05**2


def regimes(normal: float, crisis: float, regret: bool) -> float:
    """Short hedge against a calm and a volatile regime, 3 % and 8 % a day."""
    both = np.stack([covariance(0.03, 0.03, normal), covariance(0.08, 0.08, crisis)])
    return -hedge_of(Robust(both, regret=regret))


CLAIMS = (
    claim(
        "hedge, ρ in [0.5, 0.9], σ 5 % and 4 %", "0.625", lambda: interval(0.5, 0.9), INTERVAL, 1e-5
    ),
    claim("its effectiveness at the worst ρ", "0.25", guaranteed, INTERVAL, 1e-5),
    claim("hedge, ρ in [−0.3, 0.6]: none", "0", lambda: interval(-0.3, 0.6), INTERVAL, 1e-5),
    claim("hedge, ρ in [−0.9, −0.5]", "-0.625", lambda: interval(-0.9, -0.5), INTERVAL, 1e-5),
    claim(
        "least regret, ρ 0.65 normal and 0.9 crisis",
        "0.775",
        lambda: regimes(0.65, 0.9, True),
        REGRET,
        1e-5,
    ),
    claim(
        "least regret, ρ 0.8 normal and 0.4 crisis",
        "0.6",
        lambda: regimes(0.8, 0.4, True),
        REGRET,
        1e-5,
    ),
    claim(
        "least largest variance, the first pair",
        "0.9",
        lambda: regimes(0.65, 0.9, False),
        LARGEST,
        1e-5,
    ),
    claim(
        "least largest variance, the second pair",
        "0.4",
        lambda: regimes(0.8, 0.4, False),
        LARGEST,
        1e-5,
    ),
)
