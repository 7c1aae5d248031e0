"""Tests on correlations: is it there at all, and has it changed?

Source: R. A. Fisher, "On the probable error of a coefficient of correlation", Metron 1 (1921):
atanh r is normal with standard error 1/√(n − 3). For weighted estimates n is the effective sample
size (Σw)²/Σw².
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.correlation import fisher_error, fisher_z


@dataclass(frozen=True, slots=True)
class Change:
    """Outcome of a change test; arrays have the shape of the correlations."""

    statistic: Float  # standard normal where nothing changed; > 0: the recent one is higher
    p_value: Float  # two-sided

    @property
    def direction(self) -> Float:
        """+1 where the recent correlation is higher, −1 where lower."""
        return np.sign(self.statistic)


def change_statistic(
    recent: Float, recent_size: Float | float, reference: Float, reference_size: Float | float
) -> Float:
    """(z₁ − z₂)/√(1/(n₁−3) + 1/(n₂−3)) of two independent samples; 0 where n ≤ 3."""
    error = np.hypot(fisher_error(recent_size), fisher_error(reference_size))
    return np.asarray((fisher_z(recent) - fisher_z(reference)) / error)


def correlation_change(
    recent: Float, recent_size: Float | float, reference: Float, reference_size: Float | float
) -> Change:
    """Two-sided Fisher test of equal correlation in two independent samples.

    Correlations of any one shape; sizes, (effective) numbers of observations, broadcast to it.
    """
    statistic = change_statistic(recent, recent_size, reference, reference_size)
    return Change(statistic, two_sided(statistic))


def two_sided(statistic: Float) -> Float:
    """P(|Z| ≥ |statistic|) of a standard normal Z; any shape."""
    from scipy.special import ndtr

    return np.asarray(2.0 * ndtr(-np.abs(statistic)))


def critical(significance: float, candidates: int = 1, sides: int = 2) -> float:
    """Bound a standard normal exceeds with probability `significance` in any of `candidates`.

    Šidák's correction, 1 − (1 − α)^(1/candidates): picking the best of many by chance is allowed
    no more often than one test alone would err. Raises ConfigError unless 0 < significance < 1.
    """
    if not 0.0 < significance < 1.0:
        raise ConfigError(
            f"significance must lie between 0 and 1, got {significance!r}",
            cure="Give the probability of a false positive, for example 0.05.",
        )
    each = 1.0 - (1.0 - significance) ** (1.0 / max(candidates, 1))
    return NormalDist().inv_cdf(1.0 - each / sides)


def shrink_factor(statistic: Float, bound: float) -> Float:
    """Factor in [0, 1] that draws an estimate to 0: 1 − (bound/statistic)², 0 inside the bound.

    The positive-part James–Stein factor with the selection bound in the place of one standard
    error (Breiman's non-negative garrote, Technometrics 37, 1995): it is 0 where a test against 0
    does not reject, continuous there, and tends to 1 where the estimate is far above its error.
    """
    size = np.maximum(np.abs(statistic), bound)
    return np.asarray(1.0 - (bound / size) ** 2)
