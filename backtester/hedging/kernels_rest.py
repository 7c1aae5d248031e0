"""Paths whose hedge is optimal where it is: found from the slopes alone, without a solve."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float
from backtester.hedging.kernels import inlined
from backtester.hedging.lanes import add, copy, put


@inlined
def rests(
    F: Float, f: Float, risk_weight: float, reward: Float, h0: Float, linear: Float, lower: Float,
    upper: Float, gross: float, turnover: float, residual: Float,
) -> bool:  # fmt: skip
    """Whether h0 keeps every limit and no instrument gains by leaving it, on a path without rows.

    The objective is convex, so that is optimal; impact has no slope at h0. `residual` (R,) is
    scratch. The same answer the active set would return, which starts by asking the same; and the
    same question the certificate asks: with every slope at h0 within its cost its bound on the gap
    is a sum of zeros, and no limit is violated.
    """
    R, K = F.shape
    held = 0.0
    for k in range(K):
        if not lower[k] <= h0[k] <= upper[k]:
            return False
        held += abs(h0[k])
    if not (held <= gross and turnover >= 0.0):
        return False
    for r in range(R):
        value = f[r]
        for k in range(K):
            value += F[r, k] * h0[k]
        residual[r] = value
    for k in range(K):
        value = 0.0
        for r in range(R):
            value += F[r, k] * residual[r]
        if not abs(risk_weight * value - reward[k]) <= linear[k]:
            return False
    return True


@inlined
def rest_lanes(
    L: Float, wrong: Float, risk_weight: Float, h0: Float, linear: Float, lower: Float,
    upper: Float, gross: Float, turnover: Float, scale: Float, T: Float, still: Bool,
) -> None:  # fmt: skip
    """Fill `still` (lanes,): `rests` of well posed paths side by side, from their factors L.

    There is no reward and no impact. L (K + 1, K + 1, lanes) as `risk_kernel.root_block` leaves
    it, h0 (K, lanes); the others are (lanes,) and (lanes, K). T (K + 6, lanes) is scratch.
    """
    rows, lanes = L.shape[0], still.shape[0]
    k = rows - 1
    worst, value, cost, low, high, residual = T[0], T[1], T[2], T[3], T[4], T[5:]
    copy(lanes, worst, wrong)
    put(lanes, value, 0.0)
    for r in range(rows):
        copy(lanes, residual[r], L[k, r])
        for i in range(r, k):
            add(lanes, residual[r], L[i, r], h0[i])
    for i in range(k):
        mine = h0[i]
        for p in range(lanes):
            value[p] += abs(mine[p])  # held
    for p in range(lanes):
        good = (value[p] <= gross[p]) & (turnover[p] >= 0.0) & (risk_weight[p] >= 0.0)
        worst[p] += 0.0 if good & (scale[p] > 0.0) & (scale[p] < np.inf) else 1.0
    for i in range(k):
        mine = h0[i]
        put(lanes, value, 0.0)
        for r in range(i + 1):
            add(lanes, value, L[i, r], residual[r])
        for p in range(lanes):  # into lanes first: strides keep a loop from being vectorised
            cost[p], low[p], high[p] = linear[p, i], lower[p, i], upper[p, i]
        for p in range(lanes):
            good = (abs(risk_weight[p] * value[p]) <= cost[p]) & (cost[p] < np.inf)
            good &= (low[p] <= mine[p]) & (mine[p] <= high[p])
            worst[p] += 0.0 if good else 1.0
    for p in range(lanes):
        still[p] = worst[p] == 0.0
