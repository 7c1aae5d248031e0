"""Durations and shares of a Markov chain of regimes, as scenarios draw it."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import Any

import numpy as np

from backtester.metrics.regime import episode_count
from backtester.plugins import find
from backtester.verify.claim import Claim

TOPIC = "Regime chains"
NYSTRUP = "two-state chain of Nystrup et al. (2020): Γ₁₂ = 0.0021, Γ₂₁ = 0.0120"
CHAIN = "two-state chain, p₁₁ = 0.98, p₂₂ = 0.94: 1/(1 − p), (1 − p₁₁)/(2 − p₁₁ − p₂₂)"
claim = partial(Claim, TOPIC)


@cache
def scenario(leave: float, back: float) -> Any:
    """A scenario whose chain, seen daily, leaves normal and crisis with these probabilities.

    Durations are stated in continuous time; exp(Q) is the daily chain.
    """
    total = leave + back
    rate = -math.log1p(-total) / total
    states = {
        "normal": {"volatility": 0.2, "duration_days": 1.0 / (rate * leave)},
        "crisis": {"volatility": 0.6, "duration_days": 1.0 / (rate * back)},
    }
    regimes = {name: {**values, "correlation": [[1.0]]} for name, values in states.items()}
    generator: Any = find("scenarios", "CorrelatedReturns")[1]
    return generator.model_validate({"name": "chain", "prices": {"X": 1.0}, "regimes": regimes})


def duration(leave: float, back: float, regime: int) -> float:
    """Expected bars in one visit."""
    return float(1.0 / (1.0 - scenario(leave, back).tables.transition[regime, regime]))


def share(leave: float, back: float) -> float:
    """Percent of bars in crisis in the long run."""
    return 100.0 * float(scenario(leave, back).tables.start[1])


@cache
def sampled() -> tuple[float, float]:
    """Share of crisis in percent and mean visit in bars, of 400 drawn paths of 2,000 bars.

    Visits are counted over all paths end to end, each cut at the ends of its path.
    """
    panel = scenario(0.02, 0.06).draw(first=0, paths=400, bars=2_000, seed=11)
    crisis = panel.regime[1:] == 1
    visits = episode_count(crisis)
    cut = np.count_nonzero(crisis[-1])
    return 100.0 * float(crisis.mean()), np.count_nonzero(crisis) / (visits - cut)


CLAIMS = (
    claim("days in normal", "50", lambda: duration(0.02, 0.06, 0), CHAIN, 1e-9, "days"),
    claim("days in crisis", "16.67", lambda: duration(0.02, 0.06, 1), CHAIN, unit="days"),
    claim("share of crisis", "25", lambda: share(0.02, 0.06), CHAIN, 1e-9, "%"),
    claim(
        "share of crisis in 800,000 drawn bars",
        "25",
        lambda: sampled()[0],
        CHAIN + "; tolerance 4 standard errors",
        0.038,
        "%",
    ),
    claim(
        "days in crisis of a visit in the same",
        "16.67",
        lambda: sampled()[1],
        CHAIN + "; tolerance 4 standard errors",
        0.036,
        "days",
    ),
    claim("days in normal", "476.2", lambda: duration(0.0021, 0.012, 0), NYSTRUP, unit="days"),
    claim("days in crisis", "83.3", lambda: duration(0.0021, 0.012, 1), NYSTRUP, unit="days"),
    claim("share of crisis", "14.894", lambda: share(0.0021, 0.012), NYSTRUP, unit="%"),
)
