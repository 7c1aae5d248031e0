"""Fewer points for a plot, with the extremes kept, and arrays packed for the page."""

from __future__ import annotations

import base64
from itertools import pairwise
from typing import Any

import numpy as np

from backtester.arrays import Float, Int

POINTS = 1500  # of one trace at the most
BUDGET = 24_000  # points of one figure; many strategies share it


def points_for(traces: int) -> int:
    """Points a trace may have in a figure with this many traces."""
    return max(200, min(POINTS, BUDGET // max(traces, 1)))


def keep_extremes(values: Float, points: int = POINTS) -> Int:
    """Indices of at most `points` of `values` that keep every bucket's smallest and largest.

    The first and last value are always kept; nothing is averaged or moved in time.
    """
    size = len(values)
    if size <= points:
        return np.arange(size, dtype=np.int64)
    buckets = max(1, (points - 2) // 2)
    edges = np.linspace(0, size, buckets + 1).astype(np.int64)
    low = np.where(np.isnan(values), np.inf, values)
    high = np.where(np.isnan(values), -np.inf, values)
    chosen = {0, size - 1}
    for start, stop in pairwise(edges):
        chosen.add(int(start + np.argmin(low[start:stop])))
        chosen.add(int(start + np.argmax(high[start:stop])))
    return np.array(sorted(chosen), dtype=np.int64)


def keep_shared(columns: Float, points: int = POINTS) -> Int:
    """`keep_extremes` of several columns (T, Q) drawn as one band: they share their stamps."""
    if len(columns) <= points:
        return np.arange(len(columns), dtype=np.int64)
    each = max(8, points // columns.shape[1])
    kept = [keep_extremes(columns[:, q], each) for q in range(columns.shape[1])]
    return np.unique(np.concatenate(kept))


def packed(values: Any, dtype: str = "f4") -> dict[str, str]:
    """A typed array as plotly.js reads it: little-endian bytes in base64; f4 has 7 digits."""
    array = np.ascontiguousarray(values, dtype="<" + dtype)
    return {"dtype": dtype, "bdata": base64.b64encode(array.tobytes()).decode("ascii")}


def stamps(times: Int, chosen: Int) -> dict[str, Any]:
    """UTC nanoseconds as whole steps since the first: ``{base, unit, offset}``, ms and steps.

    The page's script turns them back into milliseconds since 1970. Half the size of doubles, and
    report.js is the only reader.
    """
    ms = times // 1_000_000
    base = int(ms[0]) if len(ms) else 0
    unit = max(1, int(np.gcd.reduce(np.diff(ms)))) if len(ms) > 1 else 1
    offset = (ms[chosen] - base) // unit
    largest = int(offset.max(initial=0))
    if largest >= 2**32:
        return {"base": base, "unit": 1, "offset": packed(ms[chosen] - base, "f8")}
    return {"base": base, "unit": unit, "offset": packed(offset, "u2" if largest < 2**16 else "u4")}
