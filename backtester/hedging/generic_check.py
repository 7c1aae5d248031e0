"""Independent check of an answer to a canonical problem: from its data and (x, y) alone.

For ``min ½xᵀPx + qᵀx, A x + s = b, s ∈ K`` and any y ∈ K*, with r = P x + q + Aᵀy,

    J(x) − J(x') ≤ |xᵀP x + qᵀx + bᵀy| + Σⱼ |rⱼ| (|xⱼ| + |x'ⱼ|)

for every feasible x' (Boyd & Vandenberghe, *Convex Optimization*, §5.5); x' is taken as large as
‖x‖∞. Multipliers are witnesses: they are put inside K* first, which can only enlarge r. The gap is
relative to the size of the objective's terms, violation to that of each row's.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.generic_data import Data, Layout
from backtester.hedging.kernels import jit

SMALLEST = 1e-3
"""Answers are taken to be at least this large where a tolerance is scaled by them."""

LARGEST = 1e6
"""Infeasibility is proved for all x up to this size."""


@jit
def _tidy(y: Float, zero: int, nonneg: int, soc: Int) -> None:
    """Multipliers (m,) put inside the dual cone, in place."""
    for i in range(zero, zero + nonneg):
        y[i] = max(y[i], 0.0)
    at = zero + nonneg
    for size in soc:
        norm = 0.0
        for i in range(at + 1, at + size):
            norm += y[i] * y[i]
        y[at] = max(y[at], np.sqrt(norm))
        at += size


@jit
def _verify(
    zero: int, nonneg: int, soc: Int, P_row: Int, P_col: Int, A_row: Int, A_col: Int,
    P: Float, q: Float, A: Float, b: Float, x: Float, y: Float,
    gap: Float, violation: Float, proved: Bool,
) -> None:  # fmt: skip
    paths, n = q.shape
    m = b.shape[1]
    Px, Ay = np.zeros(n), np.zeros(n)
    s, largest, dual = np.zeros(m), np.zeros(m), np.zeros(m)
    for p in range(paths):
        Px[:], Ay[:], largest[:] = 0.0, 0.0, 0.0
        s[:] = b[p]
        dual[:] = y[p]
        _tidy(dual, zero, nonneg, soc)
        widest, steepest = SMALLEST, 0.0
        for j in range(n):
            widest = max(widest, abs(x[p, j]))
            steepest = max(steepest, abs(q[p, j]))
        curved = 0.0
        for e in range(P_row.size):
            i, j, value = P_row[e], P_col[e], P[p, e]
            Px[i] += value * x[p, j]
            if i != j:
                Px[j] += value * x[p, i]
            else:
                curved = max(curved, value)
        for e in range(A_row.size):
            i, j, value = A_row[e], A_col[e], A[p, e]
            s[i] -= value * x[p, j]
            Ay[j] += value * dual[i]
            largest[i] = max(largest[i], abs(value))
        worst = 0.0
        for i in range(m):
            largest[i] = largest[i] * widest + abs(b[p, i])
            if i < zero:
                worst = max(worst, abs(s[i]) / max(largest[i], 1e-300))
            elif i < zero + nonneg:
                worst = max(worst, -s[i] / max(largest[i], 1e-300))
        at = zero + nonneg
        for size in soc:
            norm, scale = 0.0, 1e-300
            for i in range(at, at + size):
                scale = max(scale, largest[i])
                if i > at:
                    norm += s[i] * s[i]
            worst = max(worst, (np.sqrt(norm) - s[at]) / scale)
            at += size
        quadratic, linear, weighed, left, total = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(n):
            quadratic += Px[j] * x[p, j]
            linear += q[p, j] * x[p, j]
            total += abs(q[p, j] * x[p, j])
            left += abs(Px[j] + q[p, j] + Ay[j]) * (abs(x[p, j]) + widest)
        by, along, sizes = 0.0, 0.0, 0.0
        for i in range(m):
            by += b[p, i] * dual[i]
            sizes += abs(b[p, i] * dual[i])
        for j in range(n):
            along += abs(Ay[j])
        total += 0.5 * abs(quadratic)
        total = max(total, SMALLEST * (0.5 * curved * widest + steepest) * widest)
        weighed = abs(quadratic + linear + by) + left
        gap[p] = weighed / total if total > 0.0 else (0.0 if weighed == 0.0 else np.inf)
        violation[p] = worst
        if not (np.isfinite(weighed) and np.isfinite(worst) and np.isfinite(total)):
            gap[p], violation[p] = np.inf, np.inf
        # Farkas: 0 ≤ yᵀs = bᵀy − (Aᵀy)ᵀx cannot hold for any |x| ≤ LARGEST
        proved[p] = np.isfinite(by) and by + along * LARGEST < -1e-9 * sizes and sizes > 0.0


def verify(layout: Layout, data: Data, x: Float, y: Float) -> tuple[Float, Float, Bool]:
    """Gap (paths,), violation (paths,) and whether y *proves* that there is no feasible x.

    x (paths, n) and y (paths, m); where they are not finite, gap and violation are infinite.
    """
    paths = len(data.q)
    gap, violation = np.full(paths, np.inf), np.full(paths, np.inf)
    proved = np.zeros(paths, dtype=np.bool_)
    _verify(
        layout.zero, layout.nonneg, layout.soc, layout.P_row, layout.P_col, layout.A_row,
        layout.A_col, data.P, data.q, data.A, data.b, np.ascontiguousarray(x),
        np.ascontiguousarray(y), gap, violation, proved,
    )  # fmt: skip
    return gap, violation, proved
