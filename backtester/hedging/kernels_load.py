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

SOUND = 1e-5
"""Smallest pivot, beside a largest diagonal of 1, of a risk that singles out one optimum."""


@inlined
def load_box(
    F: Float, f: Float, weight: float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, scale: float, V: Float, W: Int, Q: Float,
) -> tuple[float, bool, bool]:  # fmt: skip
    """Risk, costs and box of one path; x starts at h0, clipped to the box.

    Returns ``(size, impact?, sound?)``; `size` is what the objective was divided by, in money. With
    ``x = h / scale`` the objective is ``½ xᵀQx + offsetᵀx + …``, the largest diagonal of Q being
    1 unless there is more reward than risk. The risk is sound where F starts with a triangle of
    large pivots: those of any set of instruments are no smaller (a Schur complement only grows
    when columns go or rows come).
    """
    R, K = F.shape
    quadratic = weight * scale * scale
    triangular = R >= K
    for i in range(K):
        V[OFFSET, i] = 0.0
        for j in range(i + 1):
            Q[i, j] = 0.0
    for r in range(R):  # row by row of F: a risk root is triangular, and zeros in front are free
        first, level = 0, f[r]
        while first < K and F[r, first] == 0.0:
            first += 1
        triangular &= first >= min(r, K)
        for i in range(first, K):
            value = F[r, i]
            V[OFFSET, i] += value * level
            for j in range(first, i + 1):
                Q[i, j] += value * F[r, j]
    size, most = 0.0, 0.0
    for i in range(K):
        size = max(size, Q[i, i])
        most = max(most, abs(reward[i]))
    size = max(quadratic * size, scale * most)
    if size == 0.0:
        size = scale
    unit, quadratic = scale / size, quadratic / size
    slope, per = quadratic / scale, 1.0 / scale
    root = unit * np.sqrt(scale)
    any_impact, sound = False, triangular
    for k in range(K):
        sound = sound and quadratic * F[k, k] * F[k, k] > SOUND
        for j in range(k + 1):
            Q[k, j] *= quadratic
            Q[j, k] = Q[k, j]
        V[OFFSET, k] = slope * V[OFFSET, k] - unit * reward[k]
        start, low, high = h0[k] * per, lower[k] * per, upper[k] * per
        V[X0, k], V[LOWER, k], V[UPPER, k] = start, low, high
        V[X, k] = min(max(start, low), high)
        V[LINEAR, k] = unit * linear[k]
        V[IMPACT, k] = root * impact[k]
        any_impact |= impact[k] > 0.0
        W[FLAG, k] = 0
    return size, any_impact, sound


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
