"""Rows of a stationary block bootstrap, path by path."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Byte, Float, Int


@numba.njit(cache=True, error_model="numpy")
def block_rows(
    state: Byte,  # (T, P) regime of each bar
    cut: Float,  # (T, P) uniform: below `restart` a block ends
    place: Float,  # (T, P) uniform: where the next one begins
    rows: Int,  # rows of regime 0, then of regime 1, …
    begins: Int,  # (S + 1,) where each regime's rows begin
    restart: float,
) -> Int:
    """Row of the history of each bar, (T, P)."""
    bars, paths = state.shape
    out = np.empty((bars, paths), dtype=np.int64)
    at = np.zeros(paths, dtype=np.int64)
    for t in range(bars):
        for p in range(paths):
            s = state[t, p]
            size = begins[s + 1] - begins[s]
            if t == 0 or s != state[t - 1, p] or cut[t, p] < restart:
                at[p] = min(int(place[t, p] * size), size - 1)
            else:
                at[p] = (at[p] + 1) % size
            out[t, p] = rows[begins[s] + at[p]]
    return out
