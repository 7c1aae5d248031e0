"""Paths whose hedge is optimal where it is: found from the slopes alone, without a solve."""

from __future__ import annotations

from backtester.arrays import Float
from backtester.hedging.kernels import inlined


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
