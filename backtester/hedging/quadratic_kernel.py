"""Risk root, target, diffusion, horizon and scale of every path in one pass; loaded lazily (numba).

What `risk_root`, `step_diffusion` and `horizon` say one after the other, on the same numbers in the
same order, but a path is read once and nothing is allocated between the steps.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.horizon_kernel import horizon_lanes
from backtester.hedging.kernels import inlined, jit
from backtester.hedging.risk_kernel import root_block, scratch_of, unload_root


@inlined
def pose_block(
    covariance: Float, exposure: Float, index: Int, usable: Bool, every: bool, linear: Float,
    gas: Float, gamma: float, fixed: float, shortest: float, longest: float, before: Float,
    last: Float, elapsed: float, share: float, L: Float, T: Float, work: Float, order: Int,
    target: Float, rate: Float, days: Float, risk_weight: Float,
) -> None:  # fmt: skip
    """`pose` of one block of paths, but for F and f, which are left in L, see `root_block`.

    L, T, work and order are scratch, see `scratch_of`; T[0] > 0 where Σ is not PSD.
    """
    k, lanes = index.shape[0], exposure.shape[0]
    aims, variance = T[2:][:k], T[k + 2 :][:k]
    root_block(covariance, exposure, index, usable, every, L, aims, variance, T, work, order)
    horizon_lanes(
        lanes, aims, variance, linear, gas, gamma, before, last, elapsed, share, T[2 * k + 2 :],
        rate, days,
    )  # fmt: skip
    for p in range(lanes):
        for i in range(k):
            target[p, i] = aims[i, p]
        if np.isnan(fixed):
            value = days[p]
            value = shortest if value < shortest else (longest if value > longest else value)
        else:
            value = fixed
        days[p] = value
        risk_weight[p] = gamma * value


@inlined
def _pose(
    covariance: Float, exposure: Float, index: Int, usable: Bool, linear: Float, gas: Float,
    gamma: float, fixed: float, shortest: float, longest: float, before: Float, last: Float,
    elapsed: float, share: float, L: Float, T: Float, work: Float, order: Int, F: Float, f: Float,
    target: Float, rate: Float, days: Float, risk_weight: Float,
) -> None:  # fmt: skip
    paths = exposure.shape[0]
    for a in range(0, paths, L.shape[2]):
        z = min(a + L.shape[2], paths)
        begin, end = (0, 1) if covariance.shape[0] == 1 else (a, z)
        pose_block(
            covariance[begin:end], exposure[a:z], index, usable[a:z], False, linear[a:z], gas,
            gamma, fixed, shortest, longest, before[a:z], last[a:z], elapsed, share, L, T, work,
            order, target[a:z], rate[a:z], days[a:z], risk_weight[a:z],
        )  # fmt: skip
        for p in range(a, z):
            unload_root(p - a, L, F[p], f[p])
            if T[0, p - a] > 0.0:  # the solver answers INVALID: no optimum of a non-convex risk
                F[p] = np.nan


@jit
def pose(
    covariance: Float, exposure: Float, index: Int, usable: Bool, linear: Float, gas: Float,
    gamma: float, fixed: float, shortest: float, longest: float, before: Float, last: Float,
    elapsed: float, share: float, F: Float, f: Float, target: Float, rate: Float, days: Float,
    risk_weight: Float,
) -> None:  # fmt: skip
    """Fill F (P, K+1, K), f (P, K+1), the frictionless target (P, K), its diffusion rate (P,), the
    horizon in days (P,) and γ · days (P,); where Σ is not PSD F is NaN and the target zero.

    Parameters
    ----------
    covariance: (P or 1, N, N) per day; exposure: (P, N) money; index: (K,) columns.
    usable: (P, K) instruments that may be held.
    linear: (P, K) proportional cost; gas: (K,) money per trade; gamma: per money.
    fixed: horizon in days; NaN calibrates it within [shortest, longest].
    before, last: target (P, K) and rate (P,) of the decision `elapsed` days ago, NaN for none.
    share: weight of the new observation in the rate.
    """
    L, T, work, order = scratch_of(exposure.shape[0], exposure.shape[1], index.shape[0])
    _pose(
        covariance, exposure, index, usable, linear, gas, gamma, fixed, shortest, longest, before,
        last, elapsed, share, L, T, work, order, F, f, target, rate, days, risk_weight,
    )  # fmt: skip


@inlined
def gross_block(exposure: Float, hedges: Float, least: float, out: Float) -> None:
    """Fill (P,): sum of absolute notionals of exposure (P, N) and hedges (P, K), ≥ `least`."""
    for p in range(out.shape[0]):
        held, hedged = 0.0, 0.0
        for n in range(exposure.shape[1]):
            held += abs(exposure[p, n])
        for i in range(hedges.shape[1]):
            hedged += abs(hedges[p, i])
        out[p] = max(held + hedged, least)


@jit
def gross_book(exposure: Float, hedges: Float, least: float, out: Float) -> None:
    """Fill (P,): sum of absolute notionals of exposure (P, N) and hedges (P, K), ≥ `least`."""
    gross_block(exposure, hedges, least, out)
