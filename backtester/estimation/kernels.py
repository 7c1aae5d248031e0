"""Loops over paths of the estimators, loaded lazily (numba)."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float, Int


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def portfolio_correlations(
    rows: Float, columns: Int, weights: Float, rounding: float, tiny: float
) -> Float:
    """Correlation of a portfolio with every asset, (L, P, N); see `portfolio_correlation`.

    rows (L, P, E, N), columns (E,), weights (P, E). Sums over a short last axis are slow in numpy.
    """
    layers, paths, held, assets = rows.shape
    out = np.zeros((layers, paths, assets))
    for layer in range(layers):
        for p in range(paths):
            square = 0.0
            for e in range(held):
                square += weights[p, e] * weights[p, e]
                for n in range(assets):
                    out[layer, p, n] += weights[p, e] * rows[layer, p, e, n]
            variance = 0.0
            for e in range(held):
                variance += out[layer, p, columns[e]] * weights[p, e]
            inverse = 0.0
            if variance > rounding * square:
                deviation = np.sqrt(variance)
                if deviation > tiny:
                    inverse = 1.0 / deviation
            for n in range(assets):
                out[layer, p, n] = min(max(out[layer, p, n] * inverse, -1.0), 1.0)
    return out
