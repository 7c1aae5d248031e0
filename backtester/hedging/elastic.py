"""Limits that cannot all hold: the order in which they give way, and by how much.

The elastic problem replaces each limit but the box by an exact penalty on its excess, in money:

    π_turnover (‖z‖₁ − turnover)₊ + π_gross (‖h‖₁ − gross)₊
        + Σ_j π_neutrality / ‖A_j‖∞ · (|A_j h − b_j| − band_j)₊

with π_turnover ≪ π_gross ≪ π_neutrality, so that turnover gives way first and neutrality last; the
box never does. Rows no hedge can move are left out of the sum. Where the limits can hold together
the penalties are exact: same answer, no excess.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backtester.arrays import Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.kernels import inlined, jit

ORDER = (1e2, 1e4, 1e6)
"""Penalties of turnover, gross and neutrality, in units of the largest slope of the objective."""


@inlined
def unmovable(largest: float, target: float, scale: float) -> bool:
    """Whether no hedge of any size that matters moves a row of largest coefficient `largest`."""
    return largest == 0.0 or largest * scale <= 1e-12 * abs(target)


@inlined
def price(
    F: Float, f: Float, risk_weight: float, reward: Float, h0: Float, linear: Float, scale: float,
    out: Float,
) -> None:  # fmt: skip
    """Penalties of one path into `out` (3,): `ORDER` times the largest slope of its objective."""
    R, K = F.shape
    largest = 0.0
    for k in range(K):
        square, cross = 0.0, 0.0
        for r in range(R):
            square += F[r, k] * F[r, k]
            cross += F[r, k] * f[r]
        here = square * max(scale, abs(h0[k])) + abs(cross)
        largest = max(largest, risk_weight * here + abs(reward[k]) + linear[k])
    slope = largest if largest > 0.0 else 1.0
    out[0], out[1], out[2] = slope * ORDER[0], slope * ORDER[1], slope * ORDER[2]


@jit
def _prices(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, scale: Float,
    out: Float,
) -> None:  # fmt: skip
    for p in range(F.shape[0]):
        price(F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], scale[p], out[p])


def penalties(batch: HedgeBatch) -> Float:
    """(P, 3) penalties of turnover, gross and neutrality, per unit of money."""
    result = np.empty((batch.paths, 3))
    _prices(
        batch.F, batch.f, batch.risk_weight, batch.reward, batch.h0, batch.linear, batch.scale,
        result,
    )  # fmt: skip
    return result


def excess(batch: HedgeBatch, h: Float) -> Float:
    """(P, 3) money by which turnover, gross and neutrality are exceeded at `h` (P, K).

    Neutrality is the largest row's excess, in money of exposure.
    """
    out = np.zeros((batch.paths, 3))
    out[:, 0] = np.abs(h - batch.h0).sum(axis=1) - batch.turnover
    out[:, 1] = np.abs(h).sum(axis=1) - batch.gross
    if batch.A.shape[1]:
        rows = np.abs((batch.A * h[:, None, :]).sum(axis=2) - batch.b) - batch.band
        out[:, 2] = rows.max(axis=1)
    return np.maximum(out, 0.0)


def widened(batch: HedgeBatch, h: Float, slack: float = 0.0) -> HedgeBatch:
    """The batch with every limit but the box moved out just far enough to admit `h`.

    Limits that are moved are moved by `slack` times the scale more.
    """
    room = slack * batch.scale
    rows = np.abs((batch.A * h[:, None, :]).sum(axis=2) - batch.b)
    traded, held = np.abs(h - batch.h0).sum(axis=1), np.abs(h).sum(axis=1)
    return replace(
        batch,
        turnover=np.where(traded > batch.turnover, traded + room, batch.turnover),
        gross=np.where(held > batch.gross, held + room, batch.gross),
        band=np.where(rows > batch.band, rows + room[:, None], batch.band),
    )


def feasibility(batch: HedgeBatch) -> HedgeBatch:
    """The batch without its objective: only the limits are left."""
    zero = np.zeros_like
    return replace(
        batch,
        risk_weight=zero(batch.risk_weight),
        reward=zero(batch.reward),
        linear=zero(batch.linear),
        impact=zero(batch.impact),
    )
