"""One step of an exponentially weighted covariance on every path, loaded lazily (numba)."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def step_covariance(mean: Float, returns: Float, elapsed: float, share: float, out: Float) -> None:
    """Fill (P, N, N): mean + share · (r rᵀ/elapsed − mean), exactly symmetric.

    mean (P, N, N) before; returns (P, N) over `elapsed` days.
    """
    paths, assets = returns.shape
    root = np.sqrt(elapsed)
    x = np.empty(assets)
    for p in range(paths):
        for i in range(assets):
            x[i] = returns[p, i] / root
        for i in range(assets):
            for j in range(assets):
                out[p, i, j] = (x[i] * x[j] - mean[p, i, j]) * share + mean[p, i, j]
