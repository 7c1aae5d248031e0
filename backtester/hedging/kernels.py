"""Small dense linear algebra of the batched solver: serial numba, no BLAS, no fastmath.

Only the arguments of one path are read, so an answer cannot depend on its neighbours.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.compiled import inlined, jit, part

__all__ = ["backward", "factor", "forward", "inlined", "jit", "part", "solve_rows"]


@inlined
def factor(
    Q: Float, diagonal: Float, free: Int, n: int, start: int, floor: float, L: Float
) -> None:
    """Rows ``start … n−1`` of the Cholesky factor of ``(Q + diag)[free, free]``, into `L`.

    Earlier rows are kept, so appending one variable costs O(n²). The diagonal of `L` holds the
    *inverse* pivots. Pivots below `floor` (rounding on a singular matrix) are lifted to it.
    """
    for i in range(start, n):
        row = free[i]
        for j in range(i):
            value = Q[row, free[j]]
            for m in range(j):
                value -= L[i, m] * L[j, m]
            L[i, j] = value * L[j, j]
        value = Q[row, row] + diagonal[row]
        for m in range(i):
            value -= L[i, m] * L[i, m]
        L[i, i] = 1.0 / np.sqrt(max(value, floor))


@inlined
def forward(L: Float, n: int, y: Float) -> None:
    """Overwrite `y` with ``L⁻¹ y``."""
    for i in range(n):
        value = y[i]
        for m in range(i):
            value -= L[i, m] * y[m]
        y[i] = value * L[i, i]


@inlined
def backward(L: Float, n: int, y: Float) -> None:
    """Overwrite `y` with ``L⁻ᵀ y``."""
    for i in range(n - 1, -1, -1):
        value = y[i]
        for m in range(i + 1, n):
            value -= L[m, i] * y[m]
        y[i] = value * L[i, i]


@inlined
def solve_rows(S: Float, n: int, y: Float) -> None:
    """Overwrite `y` with ``S⁻¹ y`` for a small PSD `S` (destroyed).

    A row that depends on earlier ones (pivot lost to rounding) gets a zero: its multiplier is
    already carried by the others.
    """
    for i in range(n):
        whole = S[i, i]
        for j in range(i):
            value = S[i, j]
            for m in range(j):
                value -= S[i, m] * S[j, m]
            S[i, j] = value * S[j, j]
        value = whole
        for m in range(i):
            value -= S[i, m] * S[i, m]
        S[i, i] = 1.0 / np.sqrt(value) if value > 1e-13 * whole else 0.0
    forward(S, n, y)
    backward(S, n, y)
