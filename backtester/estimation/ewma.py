"""Exponentially weighted mean of any array, with properly normalised weights.

Source: RiskMetrics Technical Document (1996), section 5.2; the effective sample size is Kish's,
(Σw)²/Σw². Half-lives are in days of trading time, so the result does not depend on bar size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.records import record


def positive_days(name: str, days: float) -> float:
    """`days`, if it is a finite length of time > 0; raises ConfigError naming the parameter."""
    if not 0.0 < days < float("inf"):
        raise ConfigError(
            f"{name} must be a number of trading days > 0, got {days!r}",
            cure="Give it in days: 30 is a month, 1/24 an hour on a 24/7 calendar.",
        )
    return float(days)


@record
class EwmaState:
    """Mean so far and the moments of its weights; zero before the first observation."""

    mean: Float  # (P, ...)
    weight: float = 0.0  # Σw, towards 1
    square: float = 0.0  # Σw²

    @property
    def sample_size(self) -> float:
        """Effective number of observations, (Σw)²/Σw²; 0 before the first."""
        return self.weight * self.weight / self.square if self.square > 0.0 else 0.0


@dataclass(frozen=True)
class Ewma:
    """Mean with weights that halve every `halflife` trading days.

    The weights are divided by their sum, so that during warm-up the mean is unbiased rather than
    drawn to the starting value. Raises ConfigError unless halflife > 0.
    """

    halflife: float

    def __post_init__(self) -> None:
        positive_days("halflife", self.halflife)

    def init(self, *shape: int) -> EwmaState:
        """State before the first event for values of `shape` (P, ...)."""
        return EwmaState(np.zeros(shape))

    def step(self, state: EwmaState, value: Float, elapsed: float) -> EwmaState:
        """State after `value` (P, ...), observed over `elapsed` trading days; ignored at 0."""
        if elapsed <= 0.0:
            return state
        weight, square, share = weights(state, self.halflife, elapsed)
        mean = value - state.mean
        mean *= share
        mean += state.mean
        return EwmaState(mean, weight, square)


def weights(state: EwmaState, halflife: float, elapsed: float) -> tuple[float, float, float]:
    """Σw and Σw² after an observation over `elapsed` days, and its share in the mean."""
    decay = 0.5 ** (elapsed / halflife)
    fresh = 1.0 - decay
    weight = decay * state.weight + fresh
    return weight, decay * decay * state.square + fresh * fresh, fresh / weight


def per_root_day(returns: Float, elapsed: float) -> Float:
    """Returns (P, N) over `elapsed` days brought to one day's scale: r/√elapsed."""
    return np.asarray(returns / np.sqrt(elapsed))


def outer(values: Float) -> Float:
    """x xᵀ of every path, (P, N) → (P, N, N); exactly symmetric."""
    return np.asarray(values[:, :, None] * values[:, None, :])
