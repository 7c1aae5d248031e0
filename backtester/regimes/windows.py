"""Two-sided windows in trading time, for what is looked at with hindsight."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int


def window_edges(days: Float, window: float) -> tuple[Int, Int]:
    """First bar and one past the last within ±window/2 of each bar's middle, both (T−1,).

    days: (T,) trading days of the stamps; bar b lies between stamps b and b + 1 and belongs to a
    window that holds its middle. A window at either end of the history is cut off there.
    """
    middle = (days[1:] + days[:-1]) / 2.0
    slack = 1e-9  # equal steps must not fall in or out by rounding
    low = np.searchsorted(middle, middle - window / 2.0 - slack, side="left")
    high = np.searchsorted(middle, middle + window / 2.0 + slack, side="right")
    return low.astype(np.int64), high.astype(np.int64)


def window_sums(values: Float, low: Int, high: Int) -> Float:
    """Sums of bar-wise `values` (T−1, ...) over [low, high) of each bar; (T−1, ...)."""
    reach = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=reach[1:])
    return np.asarray(reach[high] - reach[low])


def centred_mean(sums: Float, days: Float, window: float) -> Float:
    """Sum of bar-wise quantities ≥ 0 per trading day within ±window/2 of each bar's middle.

    sums: (T−1, ...), of bars between the stamps `days` (T,); see `window_edges`.
    """
    low, high = window_edges(days, window)
    span = (days[high] - days[low]).reshape(-1, *(1,) * (sums.ndim - 1))
    return np.asarray(np.maximum(window_sums(sums, low, high), 0.0) / span)


def long_run(values: Float, days: Float, window: float, spacing: float) -> Float:
    """Centred median of `values` (T−1, P) over `window` trading days, (T−1, P).

    Found every `spacing` days and joined by straight lines: a median over years moves slowly.
    """
    low, high = window_edges(days, window)
    middle = (days[1:] + days[:-1]) / 2.0
    knots = knots_of(days, spacing)
    level = np.empty((len(knots), values.shape[1]))
    for i, b in enumerate(knots):
        level[i] = np.median(values[low[b] : high[b]], axis=0)
    return between_knots(level, middle[knots], middle)


def knots_of(days: Float, spacing: float) -> Int:
    """Bars about `spacing` trading days apart, the first and the last among them."""
    middle = (days[1:] + days[:-1]) / 2.0
    count = max(2, int(np.ceil((middle[-1] - middle[0]) / spacing)) + 1)
    at = np.searchsorted(middle, np.linspace(middle[0], middle[-1], count) - 1e-9)
    return np.unique(np.minimum(at, len(middle) - 1)).astype(np.int64)


def between_knots(level: Float, knots: Float, at: Float) -> Float:
    """Linear interpolation of `level` (knots, ...) at the times `at`, (len(at), ...)."""
    right = np.clip(np.searchsorted(knots, at, side="left"), 1, max(1, len(knots) - 1))
    left = right - 1
    right = np.minimum(right, len(knots) - 1)
    gap = np.where(knots[right] > knots[left], knots[right] - knots[left], 1.0)
    weight = np.clip((at - knots[left]) / gap, 0.0, 1.0).reshape(-1, *(1,) * (level.ndim - 1))
    return np.asarray(level[left] + weight * (level[right] - level[left]))
