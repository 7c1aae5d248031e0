"""One path of a batch, normalised, into the workspaces of the active set."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.hedging.elastic import unmovable
from backtester.hedging.kernels import inlined
from backtester.hedging.kernels_step import (
    FLAG,
    IMPACT,
    LINEAR,
    LOWER,
    OFFSET,
    PENALTY,
    ROW_HIGH,
    ROW_LOW,
    ROW_SCALE,
    SOURCE,
    UPPER,
    VALUE,
    X0,
    X,
    evaluate,
    fix,
    set_state,
)


@inlined
def load_box(
    F: Float, f: Float, weight: float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, scale: float, V: Float, W: Int, Q: Float,
) -> tuple[float, bool]:  # fmt: skip
    """Risk, costs and box of one path; x starts at h0, clipped to the box.

    Returns ``(size, impact?)``; `size` is what the objective was divided by, in money. With
    ``x = h / scale`` the objective is ``½ xᵀQx + offsetᵀx + …``, the largest diagonal of Q being
    1 unless there is more reward than risk.
    """
    R, K = F.shape
    quadratic = weight * scale * scale
    for i in range(K):
        V[OFFSET, i] = 0.0
        for j in range(i + 1):
            Q[i, j] = 0.0
    for r in range(R):  # row by row of F: a risk root is triangular, and zeros in front are free
        first = 0
        while first < K and F[r, first] == 0.0:
            first += 1
        for i in range(first, K):
            value = F[r, i]
            V[OFFSET, i] += value * f[r]
            for j in range(first, i + 1):
                Q[i, j] += value * F[r, j]
    size, most = 0.0, 0.0
    for i in range(K):
        size = max(size, quadratic * Q[i, i])
        most = max(most, abs(reward[i]))
    size = max(size, scale * most)
    if size == 0.0:
        size = scale
    quadratic /= size
    for i in range(K):
        for j in range(i + 1):
            Q[i, j] *= quadratic
            Q[j, i] = Q[i, j]
        V[OFFSET, i] = (quadratic / scale) * V[OFFSET, i] - (scale / size) * reward[i]
    any_impact = False
    for k in range(K):
        V[X0, k] = h0[k] / scale
        V[LOWER, k] = lower[k] / scale
        V[UPPER, k] = upper[k] / scale
        V[X, k] = min(max(V[X0, k], V[LOWER, k]), V[UPPER, k])
        V[LINEAR, k] = (scale / size) * linear[k]
        V[IMPACT, k] = (scale * np.sqrt(scale) / size) * impact[k]
        any_impact = any_impact or V[IMPACT, k] > 0.0
        W[FLAG, k] = 0
    return size, any_impact


@inlined
def load_rows(
    A: Float, b: Float, band: Float, turnover: float, gross_limit: float, scale: float,
    penalty: Float, V: Float, N: Float, W: Int, C: Float,
) -> tuple[int, int, int]:  # fmt: skip
    """Limit rows of one path: neutrality rows scaled to largest coefficient 1, then budgets.

    Returns ``(rows, turnover row or −1, gross row or −1)``. Rows no instrument can move, and
    infinite limits, are left out. `penalty` bounds the multipliers of turnover, gross and
    neutrality (per unit of the largest coefficient), normalised.
    """
    M, K = A.shape
    m = 0
    for r in range(M):
        most = 0.0
        for k in range(K):
            most = max(most, abs(A[r, k]))
        if unmovable(most, b[r], scale) or band[r] == np.inf:
            continue
        for k in range(K):
            C[m, k] = A[r, k] / most
        N[ROW_LOW, m] = (b[r] - band[r]) / (scale * most)
        N[ROW_HIGH, m] = (b[r] + band[r]) / (scale * most)
        N[ROW_SCALE, m] = most
        N[PENALTY, m] = penalty[2]
        W[SOURCE, m] = r
        m += 1
    turn, gross = -1, -1
    if turnover < np.inf:
        turn = m
        N[ROW_HIGH, m] = turnover / scale
        N[PENALTY, m] = penalty[0]
        m += 1
    if gross_limit < np.inf:
        gross = m
        N[ROW_HIGH, m] = gross_limit / scale
        N[PENALTY, m] = penalty[1]
        m += 1
    for r in range(max(turn, gross) + 1):
        if r in (turn, gross):
            N[ROW_LOW, r] = -np.inf
            N[ROW_SCALE, r] = 1.0
    for k in range(K):
        fix(k, V[X, k], V, C, turn, gross)
    return m, turn, gross


@inlined
def start_rows(K: int, m: int, Q: Float, V: Float, N: Float, W: Int, C: Float, turn: int,
               gross: int) -> None:  # fmt: skip
    """Gradient, row values and row states at the starting point."""
    evaluate(K, m, Q, V, N, C, turn, gross)
    for r in range(m):
        value = N[VALUE, r]
        slack = 4e-16 * abs(value)
        if value > N[ROW_HIGH, r] + slack:
            set_state(r, 2, N, W)
        elif value < N[ROW_LOW, r] - slack:
            set_state(r, -2, N, W)
        else:
            set_state(r, 0, N, W)
