"""One path of a batch, from its data to a candidate hedge and multipliers, in money."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.hedging.kernels import inlined
from backtester.hedging.kernels_active import optimise
from backtester.hedging.kernels_load import load_box, load_rows
from backtester.hedging.kernels_step import (
    LOWER,
    MULTIPLIER,
    ROW_SCALE,
    SOURCE,
    UPPER,
    X0,
    X,
)

DIVERGED = 1e7
"""A hedge of this many times the scale has run off along an unbounded direction."""


@inlined
def solve_path(
    F: Float, f: Float, risk_weight: float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: float, turnover: float, A: Float, b: Float, band: Float,
    scale: float, penalty: Float, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float,
    Y: Float, S: Float, limits: Float, h: Float, multipliers: Float,
) -> bool:  # fmt: skip
    """Fill `h` (K,) and `multipliers` (M + 2,); whether the active set came to its end.

    `penalty` (3,) bounds the multipliers of turnover, gross and neutrality. Multipliers belong to
    ``A h − b``, ``‖z‖₁`` and ``‖h‖₁`` in that order, per unit of money.
    """
    K, M = F.shape[1], A.shape[0]
    size, curved, sound = load_box(
        F, f, risk_weight, reward, h0, linear, impact, lower, upper, scale, V, W, Q
    )
    for r in range(M + 2):
        multipliers[r] = 0.0
    slope = size / scale
    if M > 0 or gross < np.inf or turnover < np.inf:
        for r in range(3):
            limits[r] = penalty[r] / slope
    m, turn, whole = load_rows(A, b, band, turnover, gross, scale, limits, V, N, W, C)
    if m == 1 and turnover == 0.0:
        curved = False  # no trade, no impact
    ok: bool = optimise(K, m, V, N, W, Q, L, C, Y, S, turn, whole, curved, sound)
    for r in range(m):
        target = M if r == turn else (M + 1 if r == whole else W[SOURCE, r])
        multipliers[target] = N[MULTIPLIER, r] * slope / N[ROW_SCALE, r]
    for k in range(K):
        value = V[X, k]
        if not abs(value) < DIVERGED:
            ok = False
            value = 0.0
        # on a breakpoint the caller's own number comes back, to the bit
        if value == V[X0, k]:
            value = h0[k]
        elif value == V[UPPER, k]:
            value = upper[k]
        else:
            value = lower[k] if value == V[LOWER, k] else value * scale
        h[k] = min(max(value, lower[k]), upper[k])
    return ok
