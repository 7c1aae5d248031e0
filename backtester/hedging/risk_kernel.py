"""Risk root of the hedge problem: a semidefinite Cholesky factor per path; loaded lazily (numba).

With instruments that are panel assets (B selects columns), the risk of ``e + Bᵀh`` is that of the
joint covariance of the K instruments and the exposure,

    J = [[Q, q], [qᵀ, r]],   Q = B Σ Bᵀ,  q = B Σ e,  r = eᵀ Σ e,

and its Cholesky factor J = L Lᵀ gives F = (first K rows of L)ᵀ and f = (last row of L), so that
``‖F h + f‖² = (e + Bᵀh)ᵀ Σ (e + Bᵀh)``. A pivot that vanishes is a redundant instrument: its column
is zero. The frictionless target F h* = −f follows by back-substitution.

Paths are factored side by side, in *lanes*: the innermost loop runs over paths, so that one vector
instruction serves several of them. The numbers of a path meet in the same order in any lane.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.kernels import inlined, jit
from backtester.hedging.lanes import copy, put, take

REDUNDANT = 1e-13  # pivot relative to its own diagonal: below it the instrument is a combination
NEGATIVE = -1e-8  # a pivot further below zero than this means Σ is not PSD


@inlined
def lanes_of(k: int) -> int:
    """How many paths go side by side, from 4 to 128.

    Enough that entering a loop does not count, few enough for the second-level cache.
    """
    return max(4, min(128, 8192 // ((k + 1) * (k + 1))))


@inlined
def joint(s: Float, exposure: Float, index: Int, held: Int, lane: int, L: Float) -> None:
    """Lower triangle of J of one path into a lane of L (K + 1, K + 1, lanes); `held` is scratch.

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
            L[i, j, lane] = s[row, index[j]]
        total = 0.0
        for c in range(count):
            total += s[row, held[c]] * exposure[held[c]]
        L[k, i, lane] = total
    total = 0.0
    for c in range(count):
        value = 0.0
        for d in range(count):
            value += s[held[c], held[d]] * exposure[held[d]]
        total += value * exposure[held[c]]
    L[k, k, lane] = total


@inlined
def root_lanes(lanes: int, L: Float, level: Float, wrong: Float) -> None:
    """Replace J by its factor L, (K + 1, K + 1, lanes); `wrong` (lanes,) > 0 where J is not PSD.

    `level` (lanes,) is scratch.
    """
    rows = L.shape[0]
    put(lanes, wrong, 0.0)
    for j in range(rows):
        pivot = L[j, j]
        copy(lanes, level, pivot)
        for i in range(j, rows):
            for m in range(j):
                take(lanes, L[i, j], L[i, m], L[j, m])
        for p in range(lanes):
            good = (pivot[p] >= NEGATIVE * level[p]) & (level[p] >= 0.0) & (level[p] < np.inf)
            wrong[p] += 0.0 if good else 1.0
            # what is divided by infinity vanishes: the column of a redundant instrument
            pivot[p] = np.sqrt(pivot[p]) if pivot[p] > REDUNDANT * level[p] else np.inf
        for i in range(j + 1, rows):
            row = L[i, j]
            for p in range(lanes):
                row[p] /= pivot[p]
        for p in range(lanes):
            pivot[p] = pivot[p] if pivot[p] < np.inf else 0.0


@inlined
def target_lanes(lanes: int, L: Float, out: Float) -> None:
    """Least-squares h with F h = −f over all instruments, (K, lanes); redundant ones at zero."""
    k = out.shape[0]
    for i in range(k - 1, -1, -1):
        value, pivot, level = out[i], L[i, i], L[k, i]
        for p in range(lanes):
            value[p] = -level[p]
        for j in range(i + 1, k):
            take(lanes, value, L[j, i], out[j])
        for p in range(lanes):
            value[p] = value[p] / pivot[p] if pivot[p] > 0.0 else 0.0


@inlined
def unload_root(lane: int, L: Float, F: Float, f: Float) -> None:
    """F (K + 1, K) and f (K + 1,) of the path in a lane."""
    k = F.shape[1]
    for j in range(k + 1):
        f[j] = L[k, j, lane]
        for i in range(j):
            F[j, i] = 0.0
        for i in range(j, k):
            F[j, i] = L[i, j, lane]


@inlined
def target_path(
    F: Float, f: Float, usable: Bool, pick: Int, Q: Float, L: Float, q: Float, y: Float, out: Float
) -> None:  # fmt: skip
    """Least-squares h with F h = −f over the `usable` instruments, redundant ones at zero.

    The five arrays before `out` (K,) are scratch.
    """
    k = out.shape[0]
    for i in range(k):
        out[i] = 0.0
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
def root_block(
    covariance: Float, exposure: Float, index: Int, usable: Bool, every: bool, L: Float,
    target: Float, variance: Float, T: Float, work: Float, order: Int,
) -> None:  # fmt: skip
    """Factors, targets and variances of one block of paths, no more than L has lanes.

    every: all of `usable` is True. Fills L (K + 1, K + 1, lanes), target and variance (K, lanes);
    T[0] > 0 where J is not PSD, and there the target is zero. T (2, lanes), work (3K + 5, K + 1)
    and order (max(N, K),) are scratch.
    """
    k, lanes = index.shape[0], exposure.shape[0]
    one = covariance.shape[0] == 1
    for p in range(lanes):
        joint(covariance[0 if one else p], exposure[p], index, order, p, L)
    for i in range(k):
        copy(lanes, variance[i], L[i, i])
    root_lanes(lanes, L, T[1], T[0])
    target_lanes(lanes, L, target)
    wrong = T[0]
    for p in range(lanes):
        if wrong[p] > 0.0:
            for i in range(k):
                target[i, p] = 0.0
            continue
        whole = True
        for i in range(0 if every else k):
            whole &= usable[p, i]
        if not whole:
            subset(p, usable[p], L, order, work, target)


@inlined
def subset(lane: int, usable: Bool, L: Float, order: Int, work: Float, target: Float) -> None:
    """The target of a path on which not every instrument is usable."""
    k = target.shape[0]
    F, f, out = work[: k + 1, :k], work[k + 1], work[k + 2, :k]
    rest = work[k + 3 :]
    unload_root(lane, L, F, f)
    target_path(F, f, usable, order, rest[:k], rest[k : 2 * k], rest[2 * k], rest[2 * k + 1], out)
    for i in range(k):
        target[i, lane] = out[i]


@inlined
def _paths(
    covariance: Float, exposure: Float, index: Int, usable: Bool, L: Float, T: Float, work: Float,
    order: Int, F: Float, f: Float, target: Float, psd: Bool,
) -> None:  # fmt: skip
    k, paths = index.shape[0], exposure.shape[0]
    for first in range(0, paths, L.shape[2]):
        last = min(first + L.shape[2], paths)
        begin, end = (0, 1) if covariance.shape[0] == 1 else (first, last)
        root_block(
            covariance[begin:end], exposure[first:last], index, usable[first:last], False, L,
            T[2:][:k], T[k + 2 :], T, work, order,
        )  # fmt: skip
        for lane in range(last - first):
            p = first + lane
            unload_root(lane, L, F[p], f[p])
            psd[p] = T[0, lane] == 0.0
            for i in range(k):
                target[p, i] = T[2 + i, lane]


@jit
def scratch_of(paths: int, assets: int, k: int) -> tuple[Float, Float, Float, Int]:
    """L (K + 1, K + 1, lanes), T (3K + 12, lanes), work (3K + 5, K + 1) and order of a block."""
    lanes = min(lanes_of(k), paths)
    L, T = np.empty((k + 1, k + 1, lanes)), np.empty((3 * k + 12, lanes))
    return L, T, np.empty((3 * k + 5, k + 1)), np.empty(max(assets, k), dtype=np.int64)


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
    L, T, work, order = scratch_of(paths, exposure.shape[1], k)
    _paths(covariance, exposure, index, usable, L, T, work, order, F, f, target, psd)
    return F, f, target, psd
