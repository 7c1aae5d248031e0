"""Paths whose stated target can simply be held: nothing to optimise.

The objective ``w/2 ‖F h + f‖²`` with no costs and no reward is never below zero. An h that makes it
exactly zero inside every limit is therefore optimal, which is its own certificate.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.kernels import jit


@jit
def _attained(
    F: Float, f: Float, risk_weight: Float, h0: Float, reward: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, h: Float, out: Bool,
) -> None:  # fmt: skip
    P, R, K = F.shape
    for p in range(P):
        good = 0.0 <= risk_weight[p] < np.inf
        held, traded = 0.0, 0.0
        for k in range(K):
            good = good and reward[p, k] == 0.0 and linear[p, k] == 0.0 and impact[p, k] == 0.0
            good = good and np.isfinite(h0[p, k]) and lower[p, k] <= h[p, k] <= upper[p, k]
            held += abs(h[p, k])
            traded += abs(h[p, k] - h0[p, k])
        good = good and held <= gross[p] and traded <= turnover[p]
        for r in range(R):
            if not good:
                break
            residual = f[p, r]
            for k in range(K):
                residual += F[p, r, k] * h[p, k]
            good = residual == 0.0
        out[p] = good


def attained(batch: HedgeBatch, h: Float) -> Bool:
    """(P,) True where `h` (P, K) has objective zero and keeps every limit; False with any row."""
    out = np.zeros(batch.paths, dtype=np.bool_)
    if batch.A.shape[1] == 0:
        _attained(
            batch.F, batch.f, batch.risk_weight, batch.h0, batch.reward, batch.linear,
            batch.impact, batch.lower, batch.upper, batch.gross, batch.turnover, h, out,
        )  # fmt: skip
    return out
