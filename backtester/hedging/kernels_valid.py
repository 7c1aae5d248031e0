"""Which paths of a batch hold a well posed problem."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.kernels import jit


@jit
def _finite(values: Float) -> bool:
    total = 0.0
    for value in values.flat:
        total += value - value  # NaN for anything that is not finite
    return total == 0.0


@jit
def _valid(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, out: Bool,
) -> None:  # fmt: skip
    P, _, K = F.shape
    for p in range(P):
        good = (
            _finite(F[p]) and _finite(f[p]) and _finite(reward[p]) and _finite(h0[p])
            and _finite(linear[p]) and _finite(impact[p]) and _finite(A[p]) and _finite(b[p])
        )  # fmt: skip
        good = good and 0.0 <= risk_weight[p] < np.inf and 0.0 < scale[p] < np.inf
        # ±inf budgets are limits like any other, except that −inf can never be met
        good = good and gross[p] > -np.inf and turnover[p] > -np.inf
        for k in range(K):
            good = good and linear[p, k] >= 0.0 and impact[p, k] >= 0.0
            good = good and lower[p, k] <= upper[p, k]
            good = good and lower[p, k] < np.inf and upper[p, k] > -np.inf
        for r in range(band.shape[1]):
            good = good and band[p, r] >= 0.0
        out[p] = good


def valid_paths(batch: HedgeBatch) -> Bool:
    """(P,) True where every number is finite (bounds and budgets may be infinite), costs, bands
    and the risk weight are not negative, the scale is positive and ``lower ≤ upper``."""
    out = np.empty(batch.paths, dtype=np.bool_)
    _valid(
        batch.F, batch.f, batch.risk_weight, batch.reward, batch.h0, batch.linear, batch.impact,
        batch.lower, batch.upper, batch.gross, batch.turnover, batch.A, batch.b, batch.band,
        batch.scale, out,
    )  # fmt: skip
    return out
