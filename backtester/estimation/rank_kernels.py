"""Loops over paths of the rank correlations, loaded lazily (numba); no path sees another."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from backtester.arrays import Bool, Float, Int


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def concordance(
    counts: Int, others: Float, other_scales: Float, signs: Int, rows: Float, scales: Float
) -> Int:
    """`counts` plus the concordance of `others` with `rows`, each other times its sign, (P, N, N).

    counts: (P, N, N), Σ sgn(x_i − y_i)·sgn(x_j − y_j) over pairs of bars; others: (K, P, N), their
    scales and signs (K,); rows: (W, P, N) and their scales (W,). The comparisons with 64 bars are
    the bits of two words an asset, and a pair of assets costs four bit counts: O(N²) words.
    """
    window, paths, assets = rows.shape
    result = counts.copy()
    above, below = np.empty(assets, dtype=np.uint64), np.empty(assets, dtype=np.uint64)
    near = np.empty((assets, 64))
    for p in range(paths):
        for first in range(0, window, 64):
            bars = min(64, window - first)
            for w in range(bars):  # gathered once: the rows of a path lie far apart
                for i in range(assets):
                    near[i, w] = scales[first + w] * rows[first + w, p, i]
            for k in range(len(others)):
                for i in range(assets):
                    x = other_scales[k] * others[k, p, i]
                    more, less = np.uint64(0), np.uint64(0)
                    for w in range(bars):  # without a branch: half would be mispredicted
                        more |= np.uint64(x > near[i, w]) << np.uint64(w)
                        less |= np.uint64(x < near[i, w]) << np.uint64(w)
                    above[i], below[i] = more, less
                for i in range(assets):
                    for j in range(i + 1):
                        same = _ones(above[i] & above[j]) + _ones(below[i] & below[j])
                        opposite = _ones(above[i] & below[j]) + _ones(below[i] & above[j])
                        value = signs[k] * (same - opposite)
                        result[p, i, j] += value
                        if i != j:
                            result[p, j, i] += value
    return result


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _ones(word: Any) -> Any:
    """Number of set bits of a 64-bit word (Hacker's Delight, figure 5-2)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def centred_ranks(values: Float) -> Float:
    """Ranks of `values` (P, N, W) along W less their mean; ties share their mean rank."""
    paths, assets, window = values.shape
    result = np.zeros((paths, assets, window))
    for p in range(paths):
        for i in range(assets):
            row, rank = values[p, i], result[p, i]
            for w in range(window):  # counting beats sorting up to a few hundred bars
                x = row[w]
                for v in range(window):
                    y = row[v]
                    rank[v] += (0.5 if y > x else 0.0) - (0.5 if y < x else 0.0)
    return result


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def surely_positive(matrices: Float) -> Bool:
    """Where a Cholesky factorisation finds every pivot > 1e-10, (P,)."""
    paths, size = matrices.shape[0], matrices.shape[1]
    result = np.ones(paths, dtype=np.bool_)
    lower = np.zeros((size, size))
    for p in range(paths):
        for i in range(size):
            for j in range(i + 1):
                value = matrices[p, i, j]
                for k in range(j):
                    value -= lower[i, k] * lower[j, k]
                if i == j:
                    if not value > 1e-10:
                        result[p] = False
                        break
                    lower[i, i] = np.sqrt(value)
                else:
                    lower[i, j] = value / lower[j, j]
            if not result[p]:
                break
    return result
