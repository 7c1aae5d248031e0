"""Equalities taken out of a canonical quadratic program before DAQP sees it.

cvxpy gives every residual and every difference a variable of its own, tied by an equality. Where
one stands in its equality with a coefficient that no parameter changes, and in no other equality
chosen, it is replaced: x = T y + t with y the variables kept. That shortens the problem by half and
puts the curvature where the hedges are. Multipliers of the equalities follow from stationarity.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.hedging.generic_data import Layout
from backtester.hedging.kernels import jit


@jit
def _reduce(
    P_row: Int, P_col: Int, A_row: Int, A_col: Int, P: Float, q: Float, A: Float, b: Float,
    pivot: Int, keep: Int, place: Int, T: Float, t: Float, coefficient: Float, slope: Float,
    Pr: Float, qr: Float, Ar: Float, br: Float,
) -> float:  # fmt: skip
    n, r = T.shape
    T[:, :], t[:], Pr[:, :], qr[:], Ar[:, :] = 0.0, 0.0, 0.0, 0.0, 0.0
    for v in range(n):
        slope[v] = q[v]
        if keep[v] >= 0:
            T[v, keep[v]] = 1.0
    for e in range(A_row.size):
        if pivot[A_row[e]] == A_col[e]:
            coefficient[A_col[e]] = A[e]
    for i in range(b.size):
        if pivot[i] >= 0:
            t[pivot[i]] = b[i] / coefficient[pivot[i]]
        else:
            br[place[i]] = b[i]
    for e in range(A_row.size):
        v = pivot[A_row[e]]
        if v >= 0 and v != A_col[e]:
            T[v, keep[A_col[e]]] -= A[e] / coefficient[v]
    for e in range(A_row.size):
        i = place[A_row[e]]
        if i >= 0:
            j = A_col[e]
            br[i] -= A[e] * t[j]
            for c in range(r):
                Ar[i, c] += A[e] * T[j, c]
    for e in range(P_row.size):
        i, j = P_row[e], P_col[e]
        slope[i] += P[e] * t[j]
        if i != j:
            slope[j] += P[e] * t[i]
        for a in range(r):
            if T[i, a] != 0.0:
                for c in range(r):
                    Pr[a, c] += P[e] * T[i, a] * T[j, c]
            if i != j and T[j, a] != 0.0:
                for c in range(r):
                    Pr[a, c] += P[e] * T[j, a] * T[i, c]
    size = 0.0
    for v in range(n):
        for c in range(r):
            qr[c] += T[v, c] * slope[v]
    for a in range(r):
        size = max(size, abs(qr[a]), Pr[a, a])
    size = size if size > 0.0 else 1.0
    for a in range(r):
        qr[a] /= size
        for c in range(r):
            Pr[a, c] /= size
    return size


@jit
def _recover(
    P_row: Int, P_col: Int, A_row: Int, A_col: Int, P: Float, q: Float, A: Float, pivot: Int,
    place: Int, T: Float, t: Float, coefficient: Float, slope: Float, found: Float, dual: Float,
    size: float, x: Float, y: Float,
) -> None:  # fmt: skip
    n, r = T.shape
    for v in range(n):
        total = t[v]
        for c in range(r):
            total += T[v, c] * found[c]
        x[v] = total
        slope[v] = q[v]
    for e in range(P_row.size):
        slope[P_row[e]] += P[e] * x[P_col[e]]
        if P_row[e] != P_col[e]:
            slope[P_col[e]] += P[e] * x[P_row[e]]
    for i in range(y.size):
        if place[i] >= 0:
            y[i] = dual[place[i]] * size
    for e in range(A_row.size):
        if place[A_row[e]] >= 0:
            slope[A_col[e]] += A[e] * y[A_row[e]]
    for i in range(y.size):
        if pivot[i] >= 0:
            y[i] = -slope[pivot[i]] / coefficient[pivot[i]]


class Reduction:
    """The equalities of a layout that can be taken out, and buffers for one path."""

    def __init__(self, layout: Layout) -> None:
        n, m = layout.n, layout.m
        self.layout = layout
        self.pivot = self._choose()
        self.keep = np.full(n, -1, dtype=np.int64)
        left = np.setdiff1d(np.arange(n), self.pivot)
        self.keep[left] = np.arange(len(left))
        rows = np.flatnonzero(self.pivot < 0)
        self.place = np.full(m, -1, dtype=np.int64)
        self.place[rows] = np.arange(len(rows))
        self.zero = int((rows < layout.zero).sum())  # equalities that stay, first
        r = len(left)
        self.P, self.q = np.zeros((r, r)), np.zeros(r)
        self.A, self.b = np.zeros((len(rows), r)), np.zeros(len(rows))
        self._T, self._t = np.zeros((n, r)), np.zeros(n)
        self._coefficient, self._slope = np.zeros(n), np.zeros(n)

    def _choose(self) -> Int:
        """(m,) the variable each equality is solved for, −1 for none."""
        layout = self.layout
        pivot = np.full(layout.m, -1, dtype=np.int64)
        taken: set[int] = set()  # variables replaced
        used: set[int] = set()  # variables in equalities chosen
        for i in range(layout.zero):
            entries = np.flatnonzero(layout.A_row == i)
            columns = {int(j) for j in layout.A_col[entries]}
            free = [
                int(layout.A_col[e])
                for e in entries
                if layout.fixed[e] and int(layout.A_col[e]) not in used
            ]
            if free and not columns & taken:
                pivot[i] = free[-1]
                taken.add(free[-1])
                used |= columns
        return pivot

    def load(self, P: Float, q: Float, A: Float, b: Float) -> float:
        """One path's data into `P`, `q`, `A`, `b`, the objective divided by the size returned."""
        own = self.layout
        size: float = _reduce(
            own.P_row, own.P_col, own.A_row, own.A_col, P, q, A, b, self.pivot, self.keep,
            self.place, self._T, self._t, self._coefficient, self._slope, self.P, self.q, self.A,
            self.b,
        )  # fmt: skip
        return size

    def recover(
        self, P: Float, q: Float, A: Float, found: Float, dual: Float, size: float, x: Float,
        y: Float,
    ) -> None:  # fmt: skip
        """x (n,) and y (m,) of the whole problem from those of the last one loaded."""
        own = self.layout
        _recover(
            own.P_row, own.P_col, own.A_row, own.A_col, P, q, A, self.pivot, self.place, self._T,
            self._t, self._coefficient, self._slope, found, dual, size, x, y,
        )  # fmt: skip
