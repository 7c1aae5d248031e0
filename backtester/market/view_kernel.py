"""Returns of the last bar on every path, loaded lazily (numba); see view.py."""

from __future__ import annotations

from backtester.arrays import Float
from backtester.compiled import jit


@jit
def simple_returns(past: Float, t: int, out: Float) -> None:
    """Fill (P, N): past[t] / past[t − 1] − 1, t ≥ 1."""
    now, before = past[t], past[t - 1]
    for p in range(out.shape[0]):
        for n in range(out.shape[1]):
            out[p, n] = now[p, n] / before[p, n] - 1.0
