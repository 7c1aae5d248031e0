"""Loops of the holding horizon over paths, loaded lazily (numba); formula in horizon.py."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.hedging.kernels import inlined, jit

POWER = 1.2  # in which the two horizons add, see horizon.py


@inlined
def weigh(target: Float, weight: Float) -> None:
    """Share (K,) of each instrument in Σ|target|; equal ones where there is no target."""
    k = target.shape[0]
    total = 0.0
    for i in range(k):
        total += abs(target[i])
    share = 1.0 / total if total > 0.0 else 0.0
    if not 0.0 < share < np.inf:  # no target, or one too small to be shared out
        for i in range(k):
            weight[i] = 1.0 / k
        return
    for i in range(k):
        weight[i] = abs(target[i]) * share


@inlined
def rate_path(
    target: Float, before: Float, weight: Float, variance: Float, rate: float, elapsed: float,
    share: float,
) -> float:  # fmt: skip
    """Diffusion rate of one path, see `diffusion_rate`."""
    if elapsed <= 0.0:
        return rate
    prior, moved = 0.0, 0.0
    for i in range(target.shape[0]):
        if np.isnan(elapsed):
            prior += weight[i] * target[i] ** 2 * variance[i]
        else:
            moved += weight[i] * (target[i] - before[i]) ** 2
    return prior if np.isnan(elapsed) else rate + share * (moved / elapsed - rate)


@inlined
def days_path(
    weight: Float, variance: Float, linear: Float, gas: Float, gamma: float, rate: float
) -> float:
    """Horizon of one path in days, see `horizon_days`."""
    curvature, cost, fixed = 0.0, 0.0, 0.0
    for i in range(weight.shape[0]):
        curvature += weight[i] * variance[i]
        cost += weight[i] * linear[i]
        fixed += weight[i] * gas[i]
    days: float = days_of(gamma * curvature, cost, fixed, rate)
    return days


@inlined
def days_of(curvature: float, cost: float, fixed: float, rate: float) -> float:
    """H* from γ σ², the proportional and the fixed cost and the diffusion rate."""
    if cost <= 0.0 and fixed <= 0.0:
        return 1.0
    if curvature <= 0.0 or rate <= 0.0:
        # No curvature or no diffusion: nothing is gained by waiting, the target is reached.
        return np.inf
    days = 0.0
    if cost > 0.0:
        band = (1.5 * cost * rate / curvature) ** (1.0 / 3.0)
        days = cost / (curvature * band)
    if fixed > 0.0:
        alone = np.sqrt(fixed / (3.0 * curvature * rate))
        days = (days**POWER + alone**POWER) ** (1.0 / POWER) if days > 0.0 else alone
    return days


@inlined
def horizon_lanes(
    lanes: int, target: Float, variance: Float, linear: Float, gas: Float, gamma: float,
    before: Float, last: Float, elapsed: float, share: float, T: Float, rate: Float, days: Float,
) -> None:  # fmt: skip
    """Fill rate and days (lanes,): `rate_path` and `days_path` of many paths side by side.

    target and variance are (K, lanes), linear and before (lanes, K); T (7, lanes) is scratch.
    """
    k = target.shape[0]
    total, moved, curvature, cost, fixed, mine, fee = T[0], T[1], T[2], T[3], T[4], T[5], T[6]
    for p in range(lanes):
        total[p], moved[p], curvature[p], cost[p], fixed[p] = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(k):
        row = target[i]
        for p in range(lanes):
            total[p] += abs(row[p])
    for p in range(lanes):
        value = 1.0 / total[p] if total[p] > 0.0 else 0.0
        total[p] = value if value < np.inf else 0.0  # 0: no target, or one too small to share out
    first = np.isnan(elapsed)
    for i in range(k):
        row, own = target[i], variance[i]
        for p in range(lanes):
            mine[p] = abs(row[p]) * total[p] if total[p] > 0.0 else 1.0 / k
        for p in range(lanes):  # into lanes first: strides keep a loop from being vectorised
            fee[p] = linear[p, i]
        for p in range(lanes):
            curvature[p] += mine[p] * own[p]
            cost[p] += mine[p] * fee[p]
            fixed[p] += mine[p] * gas[i]
        if first:
            for p in range(lanes):
                moved[p] += mine[p] * (row[p] * row[p]) * own[p]
            continue
        for p in range(lanes):
            fee[p] = before[p, i]
        for p in range(lanes):
            step = row[p] - fee[p]
            moved[p] += mine[p] * (step * step)
    for p in range(lanes):
        if elapsed <= 0.0:
            rate[p] = last[p]
        else:
            rate[p] = moved[p] if first else last[p] + share * (moved[p] / elapsed - last[p])
        days[p] = days_of(gamma * curvature[p], cost[p], fixed[p], rate[p])


@jit
def diffusion_rate(
    target: Float, before: Float, rate: Float, variance: Float, elapsed: float, share: float
) -> Float:
    """Diffusion rate (P,) after a target (P, K) that followed `before` by `elapsed` days.

    elapsed NaN: the first target, whose rate is the prior. share: weight of the new observation.
    """
    paths, k = target.shape
    out, weight = np.empty(paths), np.empty(k)
    for p in range(paths):
        weigh(target[p], weight)
        out[p] = rate_path(target[p], before[p], weight, variance[p], rate[p], elapsed, share)
    return out


@jit
def horizon_days(
    target: Float, rate: Float, gamma: float, variance: Float, linear: Float, gas: Float
) -> Float:
    """H* in days, (P,), not yet clipped; inf where nothing is gained by waiting.

    linear (P, K) proportional cost, gas (K,) money per trade.
    """
    paths, k = target.shape
    out, weight = np.empty(paths), np.empty(k)
    for p in range(paths):
        weigh(target[p], weight)
        out[p] = days_path(weight, variance[p], linear[p], gas, gamma, rate[p])
    return out
