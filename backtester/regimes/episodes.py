"""Episodes: spells of a crisis with short gaps closed and brief touches dropped."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int


def spells(inside: Bool) -> tuple[Int, Int]:
    """First bar and one past the last of every unbroken run of `inside` (B,)."""
    edge = np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8))
    return np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)


def episodes(above: Bool, days: Float, gap: float, shortest: float) -> Bool:
    """Spells of one path (B,) with gaps shorter than `gap` closed and spells < `shortest` dropped.

    days: (B + 1,) trading days of the stamps; bar b spans the stamps b and b + 1.
    """
    first, stop = spells(above)
    out = np.zeros(above.size, dtype=bool)
    if first.size == 0:
        return out
    apart = days[first[1:]] - days[stop[:-1]] >= gap
    begin = first[np.concatenate([[True], apart])]
    end = stop[np.concatenate([apart, [True]])]
    for b, e in zip(begin, end, strict=True):
        if days[e] - days[b] >= shortest - 1e-9:
            out[b:e] = True
    return out


def grown(core: Bool, reach: Bool) -> Bool:
    """Spells of `reach` (B,) that hold at least one bar of `core` (B,)."""
    out = np.zeros(core.size, dtype=bool)
    for b, e in zip(*spells(core | reach), strict=True):
        if core[b:e].any():
            out[b:e] = True
    return out
