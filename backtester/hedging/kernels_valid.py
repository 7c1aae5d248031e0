"""Which paths of a batch hold a well posed problem."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.kernels import inlined, jit


@inlined
def valid_path(
    F: Float, f: Float, risk_weight: float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: float, turnover: float, A: Float, b: Float, band: Float,
    scale: float,
) -> bool:  # fmt: skip
    """Whether one path's problem is well posed, see `valid_paths`."""
    R, K = F.shape
    good = 0.0 <= risk_weight < np.inf and 0.0 < scale < np.inf
    # ±inf budgets are limits like any other, except that −inf can never be met
    good = good and gross > -np.inf and turnover > -np.inf
    # sums of v − v, NaN for anything that is not finite; several, so that none waits for another
    one, two, three = 0.0, 0.0, 0.0
    for r in range(R):
        one += f[r] - f[r]
        for k in range(K):
            two += F[r, k] - F[r, k]
    for k in range(K):
        one += reward[k] - reward[k]
        two += h0[k] - h0[k]
        three += (linear[k] - linear[k]) + (impact[k] - impact[k])
        good &= linear[k] >= 0.0 and impact[k] >= 0.0
        good &= lower[k] <= upper[k] and lower[k] < np.inf and upper[k] > -np.inf
    for r in range(A.shape[0]):
        one += b[r] - b[r]
        good &= band[r] >= 0.0
        for k in range(K):
            three += A[r, k] - A[r, k]
    return good and one + two + three == 0.0


@jit
def _valid(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, out: Bool,
) -> None:  # fmt: skip
    for p in range(F.shape[0]):
        out[p] = valid_path(
            F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
            upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p],
        )  # fmt: skip


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
