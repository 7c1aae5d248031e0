"""From covariances to certified hedges, block by block of paths; loaded lazily (numba).

`quadratic_kernel.pose` and `active_set.run_paths` one after the other, a block of paths at a time.
Paths that rest and paths that take the usual course (`kernels_box`) are answered side by side, in
lanes; only the problem of another path is written down and handed to the active set.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.active_set import CERTIFIED, run_path, workspace
from backtester.hedging.certificate import FEASIBLE, OPTIMAL
from backtester.hedging.kernels import inlined, jit
from backtester.hedging.kernels_box import (
    GOOD,
    H0,
    HEDGE,
    LINEAR,
    LOWER,
    NUMBERS,
    SCALE,
    UPPER,
    VECTORS,
    WEIGHT,
    box_lanes,
    certify_lanes,
)
from backtester.hedging.kernels_rest import rest_lanes
from backtester.hedging.kernels_valid import valid_path
from backtester.hedging.lanes import finite
from backtester.hedging.quadratic_kernel import gross_block, pose_block
from backtester.hedging.risk_kernel import scratch_of, unload_root

FEW = 8
"""Fewer paths than this are solved one after the other: vectors would be mostly empty."""


@inlined
def boxed(
    L: Float, T: Float, weight: Float, held: Float, linear: Float, lower: Float, upper: Float,
    gross: Float, turnover: Float, scale: Float, done: Bool, busy: Int, G: Float, V: Float,
    S: Float, Q: Float, C: Float, h: Float,
) -> None:  # fmt: skip
    """Hedges of the paths not yet `done` on which the usual course is the whole; they are then.

    There is no reward and no impact. T[0] > 0 where there is no risk root. What follows `busy` and
    comes before h is scratch.
    """
    k, n = held.shape[0], 0
    for p in range(done.shape[0]):
        if not done[p]:
            busy[n] = p
            n += 1
    if n < FEW:
        return
    for q in range(n):
        p = busy[q]
        S[WEIGHT, q], S[SCALE, q] = weight[p], scale[p]
        good = (T[0, p] == 0.0) & (gross[p] == np.inf) & (turnover[p] == np.inf)
        good &= (weight[p] >= 0.0) & finite(weight[p]) & (scale[p] > 0.0) & finite(scale[p])
        for i in range(k):
            here, cost, low, high = held[i, p], linear[p, i], lower[p, i], upper[p, i]
            V[H0, i, q], V[LINEAR, i, q], V[LOWER, i, q], V[UPPER, i, q] = here, cost, low, high
            good &= finite(here) & (cost >= 0.0) & (cost < np.inf)
            good &= (low <= high) & (low < np.inf) & (high > -np.inf)
        S[GOOD, q] = 1.0 if good else 0.0
    for i in range(k + 1):
        for j in range(i + 1):
            one, other = G[i, j], L[i, j]
            for q in range(n):
                one[q] = other[busy[q]]
    box_lanes(n, G, V, S, Q, C)
    certify_lanes(n, G, V, S, T[1:], OPTIMAL, FEASIBLE)
    for q in range(n):
        if S[GOOD, q] > 0.0:
            p = busy[q]
            done[p] = True
            for i in range(k):
                h[p, i] = V[HEDGE, i, q]


@inlined
def _blocks(
    covariance: Float, exposure: Float, index: Int, usable: Bool, every: bool, linear: Float,
    impact: Float, gas: Float, gamma: float, fixed: float, shortest: float, longest: float,
    before: Float, last: Float, elapsed: float, share: float, zero: Float, units: Float,
    price: Float, lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float,
    band: Float, least: float, LT: Float, T: Float, work: Float, order: Int, F: Float, f: Float,
    weight: Float, scale: Float, held: Float, h0: Float, notes: Float, still: Bool, busy: Int,
    G: Float, VB: Float, SB: Float, QB: Float, CB: Float, V: Float, N: Float, W: Int, Q: Float,
    L: Float, C: Float, Y: Float, S: Float, scratch: Float, h: Float, target: Float, rate: Float,
    days: Float,
) -> bool:  # fmt: skip
    paths, k = units.shape
    light = A.shape[1] == 0  # neither rows nor impact: paths may go side by side
    for p in range(paths):
        for i in range(k):
            light &= impact[p, i] == 0.0
    for a in range(0, paths, LT.shape[2]):
        z = min(a + LT.shape[2], paths)
        n = z - a
        begin, end = (0, 1) if covariance.shape[0] == 1 else (a, z)
        pose_block(
            covariance[begin:end], exposure[a:z], index, usable[a:z], every, linear[a:z], gas,
            gamma, fixed, shortest, longest, before[a:z], last[a:z], elapsed, share, LT, T, work,
            order, target[a:z], rate[a:z], days[a:z], weight,
        )  # fmt: skip
        for p in range(n):
            for i in range(k):
                held[i, p] = units[a + p, i] * price[a + p, i]
                h[a + p, i] = held[i, p]
        gross_block(exposure[a:z], h[a:z], least, scale[:n])
        for p in range(n):
            still[p] = False
        if light:
            rest_lanes(
                LT, T[0], weight, held, linear[a:z], lower[a:z], upper[a:z], gross[a:z],
                turnover[a:z], scale, T[2:], still[:n],
            )  # fmt: skip
            boxed(
                LT, T, weight, held, linear[a:z], lower[a:z], upper[a:z], gross[a:z],
                turnover[a:z], scale, still[:n], busy, G, VB, SB, QB, CB, h[a:z],
            )  # fmt: skip
        for p in range(n):
            if still[p]:
                continue
            q = a + p
            unload_root(p, LT, F, f)
            for i in range(k):
                h0[i] = held[i, p]
            if T[0, p] > 0.0 or not valid_path(
                F, f, weight[p], zero, h0, linear[q], impact[q], lower[q], upper[q], gross[q],
                turnover[q], A[q], b[q], band[q], scale[p],
            ):  # fmt: skip
                return False
            code, _, _ = run_path(
                F, f, weight[p], zero, h0, linear[q], impact[q], lower[q], upper[q], gross[q],
                turnover[q], A[q], b[q], band[q], scale[p], False, h[q], notes, V, N, W, Q, L, C,
                Y, S, scratch,
            )  # fmt: skip
            if code != CERTIFIED:
                return False
    return True


@jit
def hedge_paths(
    covariance: Float, exposure: Float, index: Int, usable: Bool, every: bool, linear: Float,
    impact: Float, gas: Float, gamma: float, fixed: float, shortest: float, longest: float,
    before: Float, last: Float, elapsed: float, share: float, units: Float, price: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    least: float, h: Float, target: Float, rate: Float, days: Float,
) -> bool:  # fmt: skip
    """Fill hedges h (P, K) in money, target (P, K), rate (P,) and days (P,) of `pose`.

    Arguments as in `pose` and `backtester.hedging.batch`; units and price (P, K) of the hedges held
    today; every: all of `usable` is True; least: smallest scale, money. Returns whether every path
    is certified: where not, nothing that was filled counts.
    """
    paths, k = units.shape
    LT, T, work, order = scratch_of(paths, exposure.shape[1], k)
    V, N, W, Q, L, C, Y, S, scratch = workspace(k + 1, k, A.shape[1])
    n = LT.shape[2]
    F, f, h0, notes = np.empty((k + 1, k)), np.empty(k + 1), np.empty(k), np.empty(A.shape[1] + 5)
    zero = np.zeros(k)  # no reward
    weight, scale, held, still = (
        np.empty(n), np.empty(n), np.empty((k, n)), np.empty(n, dtype=np.bool_),
    )  # fmt: skip
    busy = np.empty(n, dtype=np.int64)
    G, VB, SB = np.empty((k + 1, k + 1, n)), np.empty((VECTORS, k, n)), np.empty((NUMBERS, n))
    QB, CB = np.empty((k, k, n)), np.empty((k, k, n))
    certified: bool = _blocks(
        covariance, exposure, index, usable, every, linear, impact, gas, gamma, fixed, shortest,
        longest, before, last, elapsed, share, zero, units, price, lower, upper, gross, turnover, A,
        b, band, least, LT, T, work, order, F, f, weight, scale, held, h0, notes, still, busy, G,
        VB, SB, QB, CB, V, N, W, Q, L, C, Y, S, scratch, h, target, rate, days,
    )  # fmt: skip
    return certified
