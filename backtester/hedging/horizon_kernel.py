"""Loops of the holding horizon over paths, loaded lazily (numba); formula in horizon.py."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float

POWER = 1.2  # in which the two horizons add, see horizon.py


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def diffusion_rate(
    target: Float, before: Float, rate: Float, variance: Float, elapsed: float, share: float
) -> Float:
    """Diffusion rate (P,) after a target (P, K) that followed `before` by `elapsed` days.

    elapsed NaN: the first target, whose rate is the prior. share: weight of the new observation.
    """
    paths, k = target.shape
    out = np.empty(paths)
    for p in range(paths):
        total = 0.0
        for i in range(k):
            total += abs(target[p, i])
        prior, moved = 0.0, 0.0
        for i in range(k):
            weight = abs(target[p, i]) / total if total > 0.0 else 1.0 / k
            prior += weight * target[p, i] ** 2 * variance[p, i]
            moved += weight * (target[p, i] - before[p, i]) ** 2
        if np.isnan(elapsed):
            out[p] = prior
        elif elapsed <= 0.0:
            out[p] = rate[p]
        else:
            out[p] = rate[p] + share * (moved / elapsed - rate[p])
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def horizon_days(
    target: Float, rate: Float, gamma: float, variance: Float, linear: Float, gas: Float
) -> Float:
    """H* in days, (P,), not yet clipped; inf where nothing is gained by waiting.

    linear (P, K) proportional cost, gas (K,) money per trade.
    """
    paths, k = target.shape
    out = np.empty(paths)
    for p in range(paths):
        total = 0.0
        for i in range(k):
            total += abs(target[p, i])
        curvature, cost, fixed = 0.0, 0.0, 0.0
        for i in range(k):
            weight = abs(target[p, i]) / total if total > 0.0 else 1.0 / k
            curvature += weight * variance[p, i]
            cost += weight * linear[p, i]
            fixed += weight * gas[i]
        curvature *= gamma
        if cost <= 0.0 and fixed <= 0.0:
            out[p] = 1.0
            continue
        if curvature <= 0.0 or rate[p] <= 0.0:
            # No curvature or no diffusion: nothing is gained by waiting, the target is reached.
            out[p] = np.inf
            continue
        days = 0.0
        if cost > 0.0:
            band = (1.5 * cost * rate[p] / curvature) ** (1.0 / 3.0)
            days = cost / (curvature * band)
        if fixed > 0.0:
            alone = np.sqrt(fixed / (3.0 * curvature * rate[p]))
            days = (days**POWER + alone**POWER) ** (1.0 / POWER) if days > 0.0 else alone
        out[p] = days
    return out
