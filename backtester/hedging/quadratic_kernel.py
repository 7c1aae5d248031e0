"""Risk root, target, diffusion, horizon and scale of every path in one pass; loaded lazily (numba).

What `risk_root`, `step_diffusion` and `horizon` say one after the other, on the same numbers in the
same order, but a path is read once and nothing is allocated between the steps.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.horizon_kernel import days_path, rate_path, weigh
from backtester.hedging.kernels import inlined, jit
from backtester.hedging.risk_kernel import lanes_of, root_and_target


@inlined
def _pose(
    covariance: Float, exposure: Float, index: Int, usable: Bool, linear: Float, gas: Float,
    gamma: float, fixed: float, shortest: float, longest: float, before: Float, last: Float,
    elapsed: float, share: float, L: Float, T: Float, work: Float, order: Int, F: Float, f: Float,
    target: Float, rate: Float, days: Float, risk_weight: Float,
) -> None:  # fmt: skip
    k, paths, first = index.shape[0], exposure.shape[0], 0
    weight, variance = work[2 * k + 2], work[2 * k + 3]
    one = covariance.shape[0] == 1
    while first < paths:
        lanes = min(L.shape[2], paths - first)
        root_and_target(
            first, lanes, covariance, exposure, index, usable, L, T, work, order, F, f, target
        )
        for p in range(first, first + lanes):
            if T[k, p - first] > 0.0:  # the solver answers INVALID: no optimum of a non-convex risk
                for i in range(k):
                    target[p, i] = 0.0
                    for r in range(k + 1):
                        F[p, r, i] = np.nan
            s = covariance[0 if one else p]
            for i in range(k):
                variance[i] = s[index[i], index[i]]
            weigh(target[p], weight[:k])
            rate[p] = rate_path(target[p], before[p], weight[:k], variance, last[p], elapsed, share)
            if np.isnan(fixed):
                value = days_path(weight[:k], variance, linear[p], gas, gamma, rate[p])
                value = shortest if value < shortest else (longest if value > longest else value)
            else:
                value = fixed
            days[p] = value
            risk_weight[p] = gamma * value
        first += lanes


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
    k = index.shape[0]
    lanes = min(lanes_of(k), exposure.shape[0])
    L, T = np.empty((k + 1, k + 1, lanes)), np.empty((k + 2, lanes))
    work = np.empty((2 * k + 4, k + 1))
    order = np.empty(max(exposure.shape[1], k), dtype=np.int64)
    _pose(
        covariance, exposure, index, usable, linear, gas, gamma, fixed, shortest, longest, before,
        last, elapsed, share, L, T, work, order, F, f, target, rate, days, risk_weight,
    )  # fmt: skip


@jit
def gross_book(exposure: Float, hedges: Float, least: float, out: Float) -> None:
    """Fill (P,): sum of absolute notionals of exposure (P, N) and hedges (P, K), ≥ `least`."""
    for p in range(out.shape[0]):
        held, hedged = 0.0, 0.0
        for n in range(exposure.shape[1]):
            held += abs(exposure[p, n])
        for i in range(hedges.shape[1]):
            hedged += abs(hedges[p, i])
        out[p] = max(held + hedged, least)
