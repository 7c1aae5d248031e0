"""Risk root of the hedge problem: a semidefinite Cholesky factor per path; loaded lazily (numba).

With instruments that are panel assets (B selects columns), the risk of ``e + Bᵀh`` is that of the
joint covariance of the K instruments and the exposure,

    J = [[Q, q], [qᵀ, r]],   Q = B Σ Bᵀ,  q = B Σ e,  r = eᵀ Σ e,

and its Cholesky factor J = L Lᵀ gives F = (first K rows of L)ᵀ and f = (last row of L), so that
``‖F h + f‖² = (e + Bᵀh)ᵀ Σ (e + Bᵀh)``. A pivot that vanishes is a redundant instrument: its column
is zero. The frictionless target F h* = −f follows by back-substitution.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.kernels import inlined, jit

REDUNDANT = 1e-13  # pivot relative to its own diagonal: below it the instrument is a combination
NEGATIVE = -1e-8  # a pivot further below zero than this means Σ is not PSD


@inlined
def joint(s: Float, exposure: Float, index: Int, J: Float, held: Int) -> None:
    """Lower triangle of J (K + 1, K + 1) of one path; `held` (N,) is scratch.

    Assets that are not held are left out of the sums: zeros would add nothing.
    """
    k = index.shape[0]
    count = 0
    for n in range(exposure.shape[0]):
        if exposure[n] != 0.0:
            held[count] = n
            count += 1
    for i in range(k):
        row = index[i]
        for j in range(i + 1):
            J[i, j] = s[row, index[j]]
        total = 0.0
        for c in range(count):
            total += s[row, held[c]] * exposure[held[c]]
        J[k, i] = total
    total = 0.0
    for c in range(count):
        value = 0.0
        for d in range(count):
            value += s[held[c], held[d]] * exposure[held[d]]
        total += value * exposure[held[c]]
    J[k, k] = total


@inlined
def root_path(J: Float, L: Float, F: Float, f: Float) -> bool:
    """F (K + 1, K) and f (K + 1,) of one path from J; whether J is PSD. L is scratch."""
    k = F.shape[1]
    psd = True
    for j in range(k + 1):
        pivot = J[j, j]
        for i in range(j):
            pivot -= L[j, i] * L[j, i]
        psd &= pivot >= NEGATIVE * J[j, j] and 0.0 <= J[j, j] < np.inf
        if pivot > REDUNDANT * J[j, j]:
            root = np.sqrt(pivot)
            L[j, j] = root
            for i in range(j + 1, k + 1):
                value = J[i, j]
                for m in range(j):
                    value -= L[i, m] * L[j, m]
                L[i, j] = value / root
        else:
            for i in range(j, k + 1):
                L[i, j] = 0.0
    for j in range(k + 1):
        f[j] = L[k, j]
        for i in range(k):
            F[j, i] = L[i, j] if j <= i else 0.0
    return psd


@inlined
def target_path(
    F: Float, f: Float, usable: Bool, whole: bool, pick: Int, Q: Float, L: Float, q: Float,
    y: Float, out: Float,
) -> None:  # fmt: skip
    """Least-squares h with F h = −f over the `usable` instruments, redundant ones at zero.

    whole: every instrument is usable. The five arrays before `out` (K,) are scratch.
    """
    k = out.shape[0]
    for i in range(k):
        out[i] = 0.0
    if whole:
        for i in range(k - 1, -1, -1):
            if F[i, i] > 0.0:
                value = -f[i]
                for j in range(i + 1, k):
                    value -= F[i, j] * out[j]
                out[i] = value / F[i, i]
        return
    count = 0
    for i in range(k):
        if usable[i]:
            pick[count] = i
            count += 1
    for a in range(count):
        q[a] = 0.0
        for b in range(a + 1):
            Q[a, b] = 0.0
        for r in range(k + 1):
            q[a] += F[r, pick[a]] * f[r]
            for b in range(a + 1):
                Q[a, b] += F[r, pick[a]] * F[r, pick[b]]
    for j in range(count):
        pivot = Q[j, j]
        for i in range(j):
            pivot -= L[j, i] * L[j, i]
        y[j] = 0.0
        if pivot <= REDUNDANT * Q[j, j]:
            for i in range(j, count):
                L[i, j] = 0.0
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


@inlined
def root_and_target(
    s: Float, exposure: Float, index: Int, usable: Bool, whole: bool, work: Float, order: Int,
    F: Float, f: Float, target: Float,
) -> bool:  # fmt: skip
    """`risk_root` of one path; `work` (2K + 4, K + 1) and `order` (max(N, K),) are scratch."""
    k = index.shape[0]
    J, L = work[: k + 1], work[k + 1 : 2 * k + 2]
    joint(s, exposure, index, J, order)
    psd: bool = root_path(J, L, F, f)
    target_path(F, f, usable, whole, order, J, L, work[2 * k + 2], work[2 * k + 3], target)
    return psd


@inlined
def _paths(
    covariance: Float, exposure: Float, index: Int, usable: Bool, work: Float, order: Int,
    F: Float, f: Float, target: Float, psd: Bool,
) -> None:  # fmt: skip
    one = covariance.shape[0] == 1
    for p in range(exposure.shape[0]):
        whole = True
        for i in range(index.shape[0]):
            whole &= usable[p, i]
        psd[p] = root_and_target(
            covariance[0 if one else p], exposure[p], index, usable[p], whole, work, order,
            F[p], f[p], target[p],
        )  # fmt: skip


@jit
def risk_root(
    covariance: Float, exposure: Float, index: Int, usable: Bool
) -> tuple[Float, Float, Float, Bool]:
    """F (P, K+1, K), f (P, K+1), frictionless target (P, K), whether Σ is PSD on the path (P,).

    covariance (P or 1, N, N) per day, exposure (P, N) money, index (K,) columns, usable (P, K)
    instruments that may be held; the target leaves the others at zero.
    """
    paths, k = exposure.shape[0], index.shape[0]
    F, f = np.empty((paths, k + 1, k)), np.empty((paths, k + 1))
    target, psd = np.empty((paths, k)), np.empty(paths, dtype=np.bool_)
    work = np.empty((2 * k + 4, k + 1))
    order = np.empty(max(exposure.shape[1], k), dtype=np.int64)
    _paths(covariance, exposure, index, usable, work, order, F, f, target, psd)
    return F, f, target, psd
