"""Arithmetic on lanes: one number of each of many paths, side by side; loaded lazily (numba).

The innermost loop of a kernel in lanes runs over paths, so that one vector instruction serves
several of them. The numbers of a path meet in the order in which the kernels of one path let them
meet: both give the same answer to the bit.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.compiled import inlined


@inlined
def put(n: int, out: Float, value: float) -> None:
    """out = value."""
    for p in range(n):
        out[p] = value


@inlined
def copy(n: int, out: Float, one: Float) -> None:
    """out = one."""
    for p in range(n):
        out[p] = one[p]


@inlined
def add(n: int, out: Float, one: Float, other: Float) -> None:
    """out += one · other."""
    for p in range(n):
        out[p] += one[p] * other[p]


@inlined
def take(n: int, out: Float, one: Float, other: Float) -> None:
    """out −= one · other."""
    for p in range(n):
        out[p] -= one[p] * other[p]


@inlined
def less(n: int, out: Float, whole: Float, one: Float, other: Float) -> None:
    """out = whole − one · other."""
    for p in range(n):
        out[p] = whole[p] - one[p] * other[p]


@inlined
def times(n: int, out: Float, one: Float) -> None:
    """out *= one."""
    for p in range(n):
        out[p] *= one[p]


@inlined
def largest(n: int, out: Float, one: Float) -> None:
    """out = max(out, |one|)."""
    for p in range(n):
        value = abs(one[p])
        out[p] = value if value > out[p] else out[p]


@inlined
def clipped(value: float, low: float, high: float) -> float:
    """`value` within [low, high]."""
    return min(max(value, low), high)


@inlined
def finite(value: float) -> bool:
    """Whether `value` is a number."""
    return -np.inf < value < np.inf
