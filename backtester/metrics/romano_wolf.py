"""Stepdown p-values for many comparisons at once (Romano & Wolf 2005, 2016), studentised.

The p-values hold the chance of even one false finding among all comparisons at their level, and
use that comparisons move together: nothing is paid for a copy of a strategy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float, Int
from backtester.metrics.bootstrap import (
    autocovariances,
    stationary_factors,
    stationary_variance,
)
from backtester.metrics.risk import HORIZON


@dataclass(frozen=True)
class Comparisons:
    """S comparisons and D bootstrap draws of each; draws of one row belong together."""

    value: Float  # (S,) estimates
    error: Float  # (S,) standard errors
    draws: Float  # (D, S) |θ* − θ| / se*, the law of the studentised distance under the null

    @property
    def statistic(self) -> Float:
        """|θ| / se, (S,); 0 where the two never differ."""
        size = np.abs(self.value)
        blank = np.where(size > 0.0, np.inf, 0.0)
        return np.asarray(np.divide(size, self.error, out=blank, where=self.error > 0.0))

    def single(self) -> Float:
        """Two-sided p-value of each comparison alone, (S,): (1 + draws beyond) / (1 + D)."""
        beyond = (self.draws >= self.statistic).sum(axis=0)
        return np.asarray((1.0 + beyond) / (1.0 + len(self.draws)))

    def half_width(self, level: float) -> Float:
        """Half the symmetric studentised interval, (S,): it excludes 0 where `single` is small.

        The quantile is the draw beyond which at most 1 − level of them and of the sample lie.
        """
        count = len(self.draws) + 1
        rank = int(np.floor((1.0 - level) * count + 1e-9))
        if rank < 1:
            return np.full(self.value.shape, np.inf)
        ordered = np.sort(self.draws, axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(self.error > 0, ordered[-rank] * self.error, 0.0))


def balanced(found: Comparisons) -> tuple[Float, Float]:
    """Statistics (S,) and draws (D, S), each in units of the 95 % quantile of its own draws.

    Studentised draws from few units have longer tails than those from many; unscaled, the former
    would decide what the largest of all is (Romano & Wolf 2010 on balance). One comparison alone
    is not moved by its scale.
    """
    scale = np.quantile(found.draws, 0.95, axis=0, method="higher")
    usable = np.isfinite(scale) & (scale > 0.0)
    scale = np.where(usable, scale, 1.0)
    return found.statistic / scale, found.draws / scale


def stepdown(statistic: Float, draws: Float) -> Float:
    """Adjusted p-values (S,) of statistics (S,) from draws (D, S) under the null.

    Step j compares the j-th largest statistic with the largest draw among those not yet passed,
    and is never below step j − 1 (Romano & Wolf 2016, algorithm 4.2). One comparison alone keeps
    its own p-value.
    """
    order = np.argsort(-statistic, kind="stable")
    # Largest over what is left: running maxima from the smallest statistic up.
    left = np.maximum.accumulate(draws[:, order[::-1]], axis=1)[:, ::-1]
    beyond = (left >= statistic[order]).sum(axis=0)
    raw = (1.0 + beyond) / (1.0 + len(draws))
    out = np.empty(statistic.size)
    out[order] = np.maximum.accumulate(raw)
    return out


def over_units(value: Float, parts: Float, picks: Iterable[Int]) -> Comparisons:
    """Differences made of independent units: the paths of an ensemble, the episodes of a regime.

    Parameters
    ----------
    value: (S,) differences.
    parts: (U, S) what each unit adds to their first-order error; see `risk.influence`.
    picks: D times (U,), units drawn with replacement, the same for every comparison.
    """
    units = len(parts)
    centred = parts - parts.mean(axis=0)
    scale = units / (units - 1.0)
    error = np.sqrt(scale * np.einsum("us,us->s", centred, centred))
    draws = []
    for pick in picks:
        drawn = centred[pick]
        total = np.einsum("us->s", drawn)
        rest = drawn - total / units
        own = np.sqrt(scale * np.einsum("us,us->s", rest, rest))
        draws.append(_studentised(total, own, error))
    return Comparisons(value, error, np.array(draws))


def over_blocks(value: Float, parts: Float, picks: Iterable[Int], length: float) -> Comparisons:
    """Differences on one history, resampled by stationary blocks.

    parts: (W, S) what each window adds to the first-order error; picks: D times (W,), windows
    drawn in circular blocks of mean `length`. The standard error of the sample is `_block_error`;
    that of a draw comes from the sums of its own blocks (Götze & Künsch 1996).
    """
    count = len(parts)
    centred = parts - parts.mean(axis=0)
    error = np.array([_block_error(c, length) for c in centred.T])
    draws = []
    for pick in picks:
        drawn = centred[pick]
        total = np.einsum("ws->s", drawn)
        fresh = np.flatnonzero(np.diff(pick, prepend=-2) % count != 1)
        sums = np.add.reduceat(drawn - total / count, fresh, axis=0)
        own = np.sqrt(np.einsum("bs,bs->s", sums, sums))
        draws.append(_studentised(total, own, error))
    return Comparisons(value, error, np.array(draws))


def _block_error(parts: Float, length: float) -> float:
    """Standard error of a sum over dependent windows (W,).

    The exact variance of the stationary bootstrap takes something off every lag. Windows that share
    bars are alike by construction, so lags within the horizon count whole, and the bootstrap's
    weights begin beyond; never below the exact one.
    """
    covariances = autocovariances(parts)
    exact = stationary_variance(covariances, parts.size, length)
    weights = np.ones(parts.size - 1)
    beyond = stationary_factors(parts.size, length)
    weights[HORIZON - 1 :] = beyond[: max(parts.size - HORIZON, 0)]
    whole = covariances[0] + 2.0 * float(np.sum(weights * covariances[1:]))
    return float(np.sqrt(parts.size * max(exact, whole, 0.0)))


def _studentised(total: Float, own: Float, error: Float) -> Float:
    """|total| / own; beyond everything where a draw has no spread but the sample does."""
    blank = np.where(error > 0.0, np.inf, 0.0)
    return np.asarray(np.divide(np.abs(total), own, out=blank, where=own > 0.0))
