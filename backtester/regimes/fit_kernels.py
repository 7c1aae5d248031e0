"""What a fit of one path needs: two-sided means of its past, starts, scatters (numba)."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float, Int


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def two_sided(values: Float, halflife: float) -> Float:
    """Mean of `values` (T, d) with weights that halve every `halflife` bars to either side."""
    bars, width = values.shape
    decay = 0.5 ** (1.0 / halflife)
    total, weight = np.zeros((bars, width)), np.zeros(bars)
    for way in range(2):
        carried, mass = np.zeros(width), 0.0
        for i in range(bars):
            t = i if way == 0 else bars - 1 - i
            for j in range(width):
                # The bar itself is counted once, on the way forward.
                here = values[t, j] if way == 0 else 0.0
                total[t, j] += decay * carried[j] + here
                carried[j] = decay * carried[j] + values[t, j]
            weight[t] += decay * mass + (1.0 if way == 0 else 0.0)
            mass = decay * mass + 1.0
    for t in range(bars):
        for j in range(width):
            total[t, j] /= weight[t]
    return total


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def history_features(clean: Float, pair: Float, surprise: Float, halflife: float) -> Float:
    """(T, 3): Fisher's z of book and basket, log variance, log surprise, smoothed both ways.

    clean (T, 2) devolatilised, pair (T, 2) in usual volatility, surprise (T,). All of it is past by
    the time of a fit, so that looking to both sides within it looks at no future.
    """
    bars = clean.shape[0]
    raw = np.empty((bars, 6))
    for t in range(bars):
        raw[t, 0] = clean[t, 0] * clean[t, 0]
        raw[t, 1] = clean[t, 1] * clean[t, 1]
        raw[t, 2] = clean[t, 0] * clean[t, 1]
        raw[t, 3] = pair[t, 0] * pair[t, 0]
        raw[t, 4] = pair[t, 1] * pair[t, 1]
        raw[t, 5] = surprise[t]
    mean = two_sided(raw, halflife)
    out = np.empty((bars, 3))
    for t in range(bars):
        size = np.sqrt(mean[t, 0] * mean[t, 1])
        rho = mean[t, 2] / size if size > 1e-12 else 0.0
        out[t, 0] = np.arctanh(min(max(rho, -0.99), 0.99))
        out[t, 1] = 0.5 * (np.log(max(mean[t, 3], 1e-6)) + np.log(max(mean[t, 4], 1e-6)))
        out[t, 2] = mean[t, 5]
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def split_starts(x: Float, low: Float, high: Float) -> Float:
    """Starts (S, 3, d) for three states: means of x (T, d) below, between and above two quantiles.

    One start for each feature and each pair of quantiles: no random number is drawn.
    """
    bars, width = x.shape
    out = np.zeros((width * len(low), 3, width))
    at = 0
    for j in range(width):
        ranked = np.sort(x[:, j])
        for q in range(len(low)):
            under = ranked[int(low[q] * (bars - 1))]
            over = ranked[int(high[q] * (bars - 1))]
            counts = np.zeros(3)
            for t in range(bars):
                group = 0 if x[t, j] <= under else (1 if x[t, j] <= over else 2)
                counts[group] += 1.0
                for i in range(width):
                    out[at, group, i] += x[t, i]
            for group in range(3):
                for i in range(width):
                    if counts[group] > 0.0:
                        out[at, group, i] /= counts[group]
            at += 1
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def scatter_of(
    pair: Float, path: Int, states: int, freedom: float, weight: float, turns: int
) -> Float:
    """Scatter (K, 2, 2) of a centred bivariate Student-t in each state; Gaussian for freedom 0.

    Fixed-point iteration (Kent & Tyler 1991), drawn to the pooled covariance with the weight of
    `weight` bars, so that a state of few bars stays proper.
    """
    bars = pair.shape[0]
    pooled = np.zeros((2, 2))
    for t in range(bars):
        for i in range(2):
            for j in range(2):
                pooled[i, j] += pair[t, i] * pair[t, j] / bars
    for i in range(2):
        pooled[i, i] += 1e-9 + 1e-6 * pooled[i, i]
    out = np.empty((states, 2, 2))
    for k in range(states):
        now = pooled.copy()
        for _ in range(turns):
            det = now[0, 0] * now[1, 1] - now[0, 1] * now[1, 0]
            total = weight * pooled
            count = weight
            for t in range(bars):
                if path[t] != k:
                    continue
                a, b = pair[t, 0], pair[t, 1]
                square = (now[1, 1] * a * a - 2.0 * now[0, 1] * a * b + now[0, 0] * b * b) / det
                w = (freedom + 2.0) / (freedom + square) if freedom > 0.0 else 1.0
                total[0, 0] += w * a * a
                total[0, 1] += w * a * b
                total[1, 1] += w * b * b
                count += 1.0
            total[1, 0] = total[0, 1]
            now = total / count
            if freedom <= 0.0:
                break
        out[k] = now
    return out
