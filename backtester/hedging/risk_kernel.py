"""Risk root of the hedge problem: a semidefinite Cholesky factor per path; loaded lazily (numba).

With instruments that are panel assets (B selects columns), the risk of ``e + Bᵀh`` is that of the
joint covariance of the K instruments and the exposure,

    J = [[Q, q], [qᵀ, r]],   Q = B Σ Bᵀ,  q = B Σ e,  r = eᵀ Σ e,

and its Cholesky factor J = L Lᵀ gives F = (first K rows of L)ᵀ and f = (last row of L), so that
``‖F h + f‖² = (e + Bᵀh)ᵀ Σ (e + Bᵀh)``. A pivot that vanishes is a redundant instrument: its column
is zero. The frictionless target F h* = −f follows by back-substitution.
"""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Bool, Float, Int

REDUNDANT = 1e-13  # pivot relative to its own diagonal: below it the instrument is a combination
NEGATIVE = -1e-8  # a pivot further below zero than this means Σ is not PSD


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def risk_root(
    covariance: Float, exposure: Float, index: Int, active: Bool
) -> tuple[Float, Float, Float, Bool]:
    """F (P, K+1, K), f (P, K+1), frictionless target (P, K), whether Σ is PSD on the path (P,).

    covariance (P or 1, N, N) per day, exposure (P, N) money, index (K,) columns, active (P, K)
    instruments that may be held; the target leaves the others at zero.
    """
    paths, assets = exposure.shape
    k = index.shape[0]
    F = np.zeros((paths, k + 1, k))
    f = np.zeros((paths, k + 1))
    target = np.zeros((paths, k))
    psd = np.ones(paths, dtype=np.bool_)
    J = np.empty((k + 1, k + 1))
    L = np.empty((k + 1, k + 1))
    for p in range(paths):
        s = covariance[p if covariance.shape[0] > 1 else 0]
        for i in range(k):
            for j in range(i + 1):
                J[i, j] = s[index[i], index[j]]
            total = 0.0
            for n in range(assets):
                total += s[index[i], n] * exposure[p, n]
            J[k, i] = total
        total = 0.0
        for n in range(assets):
            row = 0.0
            for m in range(assets):
                row += s[n, m] * exposure[p, m]
            total += row * exposure[p, n]
        J[k, k] = total
        L[:] = 0.0
        for j in range(k + 1):
            pivot = J[j, j]
            for i in range(j):
                pivot -= L[j, i] * L[j, i]
            if pivot < NEGATIVE * max(J[j, j], 0.0) or J[j, j] < 0.0 or not np.isfinite(pivot):
                psd[p] = False
            if pivot <= REDUNDANT * J[j, j]:
                continue
            L[j, j] = np.sqrt(pivot)
            for i in range(j + 1, k + 1):
                value = J[i, j]
                for m in range(j):
                    value -= L[i, m] * L[j, m]
                L[i, j] = value / L[j, j]
        for i in range(k):
            for j in range(i + 1):
                F[p, j, i] = L[i, j]
        for j in range(k + 1):
            f[p, j] = L[k, j]
        _target(F[p], f[p], active[p], target[p])
    return F, f, target, psd


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _target(F: Float, f: Float, active: Bool, out: Float) -> None:
    """Least-squares h with F h = −f over the active instruments, redundant ones at zero."""
    k = out.shape[0]
    if active.all():
        for i in range(k - 1, -1, -1):
            if F[i, i] > 0.0:
                value = -f[i]
                for j in range(i + 1, k):
                    value -= F[i, j] * out[j]
                out[i] = value / F[i, i]
        return
    count = 0
    pick = np.empty(k, dtype=np.int64)
    for i in range(k):
        if active[i]:
            pick[count] = i
            count += 1
    Q = np.zeros((count, count))
    q = np.zeros(count)
    for a in range(count):
        for r in range(k + 1):
            q[a] += F[r, pick[a]] * f[r]
            for b in range(a + 1):
                Q[a, b] += F[r, pick[a]] * F[r, pick[b]]
    L = np.zeros((count, count))
    y = np.zeros(count)
    for j in range(count):
        pivot = Q[j, j]
        for i in range(j):
            pivot -= L[j, i] * L[j, i]
        if pivot <= REDUNDANT * Q[j, j]:
            continue
        L[j, j] = np.sqrt(pivot)
        value = -q[j]
        for i in range(j):
            value -= L[j, i] * y[i]
        y[j] = value / L[j, j]
        for i in range(j + 1, count):
            value = Q[i, j]
            for m in range(j):
                value -= L[i, m] * L[j, m]
            L[i, j] = value / L[j, j]
    for i in range(count - 1, -1, -1):
        if L[i, i] > 0.0:
            value = y[i]
            for j in range(i + 1, count):
                value -= L[j, i] * out[pick[j]]
            out[pick[i]] = value / L[i, i]
