"""Multipliers from an answer alone: the best dual bound of the certificate, by linear programming.

The gap of `backtester.hedging.certificate` is a convex piecewise linear function of the
multipliers, so its least value is a small linear program. It serves answers that come without
multipliers; milliseconds a path, and never the word of the solver that gave the answer.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.hedging.batch import HedgeBatch

LARGEST = 1e8
"""Bound on multipliers, in units of the largest slope of the path."""


def reconstruct(batch: HedgeBatch, h: Float, penalty: Float | None, far: float) -> Float:
    """(P, M + 2) multipliers making the gap of `h` smallest; zeros where there are no limits.

    Parameters are those of `backtester.hedging.certificate.certify`.
    """
    rows = batch.A.shape[1]
    out = np.zeros((batch.paths, rows + 2))
    limited = np.isfinite(batch.turnover) | np.isfinite(batch.gross)
    usable = np.isfinite(h).all(axis=1)
    for p in np.flatnonzero(usable & (limited | (rows > 0))):
        bound = None if penalty is None else penalty[p]
        out[p] = _one(batch.select(np.array([p])), h[p], bound, far)
    return out


def _one(batch: HedgeBatch, h: Float, penalty: Float | None, far: float) -> Float:
    """Multipliers (M + 2,) of a batch of one path."""
    from scipy.optimize import linprog

    scale, A, b, band = batch.scale[0], batch.A[0], batch.b[0], batch.band[0]
    F, x, x0 = batch.F[0], h / scale, batch.h0[0] / scale
    weight, linear, M, K = batch.risk_weight[0], batch.linear[0], A.shape[0], h.size
    z = h - batch.h0[0]
    slope = weight * F.T @ (F @ h + batch.f[0]) - batch.reward[0]
    slope += 1.5 * batch.impact[0] * np.sqrt(np.abs(z)) * np.sign(z)
    square = weight * scale * np.einsum("rk,rk->k", F, F)
    alone = np.divide(np.abs(slope), square, out=np.where(slope != 0, 1.0, 0.0), where=square > 0)
    reach = max(np.abs(x).max(), np.abs(x0).max())
    radius = far * max(reach, np.minimum(alone, 10.0 * max(1.0, reach)).max())
    size = max(np.abs(slope).max(), square.max(), linear.max(), 1e-300)
    largest = np.abs(A).max(axis=1, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)

    # variables: λ⁺, λ⁻ (per normalised row), μ, ν, one epigraph per coordinate
    value = (A @ h - b) / (scale * unit)
    half = band / (scale * unit)
    budget = [batch.turnover[0] / scale - np.abs(x - x0).sum(), batch.gross[0] / scale]
    budget[1] -= np.abs(x).sum()
    cost = np.concatenate([half - value, half + value, budget, np.ones(K)])
    if penalty is None:
        cost = np.maximum(cost, 0.0)  # a limit exceeded by rounding must not pay for slopes
        top = np.full(2 * M + 2, LARGEST)
    else:
        caps = np.minimum(penalty / size, LARGEST)
        top = np.concatenate([np.full(2 * M, caps[2]), caps[:2]])
    free = np.isfinite(cost)
    bounds = [(0.0, t if ok else 0.0) for t, ok in zip(top, free[:-K], strict=True)]
    bounds += [(0.0, None)] * K
    low = np.maximum(batch.lower[0] / scale, x - radius)
    high = np.minimum(batch.upper[0] / scale, x + radius)
    left, right = [], []
    for corner in (low, high, x0, np.zeros(K)):
        y = np.clip(corner, low, high)
        trade, hold = np.abs(x - x0) - np.abs(y - x0), np.abs(x) - np.abs(y)
        along = (A / unit[:, None]).T * (x - y)[:, None]
        left.append(np.column_stack([along, -along, trade, hold, -np.eye(K)]))
        right.append(-(slope * (x - y) + linear * trade) / size)
    found = linprog(
        np.where(free, cost, 0.0), np.vstack(left), np.concatenate(right), bounds=bounds,
        method="highs", options={"primal_feasibility_tolerance": 1e-10,
                                 "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    if found.x is None:
        return np.zeros(M + 2)
    multipliers = (found.x[:M] - found.x[M : 2 * M]) / unit
    result: Float = np.concatenate([multipliers, found.x[2 * M : 2 * M + 2]]) * size
    return result
