"""Axis vocabulary, array aliases and units; imports nothing of ours.

Axes are written in upper case in every docstring:

    P  paths          every simulated future; a historical replay has P = 1
    T  times          market events, oldest first; market data is time-major, ``(T, P, N)``
    N  assets         columns of the market panel, which are also the risk factors here
    K  instruments    the assets a study allows as hedges
    M  rows           linear neutrality conditions

Units: prices in the numeraire; money in the numeraire; rates as decimals (per year for borrow and
interest, per interval for funding); covariance and diffusion per *day* of trading time; costs are
positive when paid; timestamps are UTC nanoseconds.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int = npt.NDArray[np.int64]
Byte = npt.NDArray[np.int8]

_FLOAT = np.dtype(np.float64)
G = TypeVar("G", bound=np.generic)

BLOCK = 256
"""Paths are drawn, run and stored in fixed blocks of this many, whatever the chunking."""

NANOSECONDS_PER_DAY = 86_400_000_000_000


def frozen(values: npt.ArrayLike, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[np.generic]:
    """A contiguous, read-only copy of `values`."""
    array: npt.NDArray[np.generic] = np.array(values, dtype=dtype, order="C")
    array.flags.writeable = False
    return array


def readonly(values: Float) -> Float:
    """A read-only view of `values`; no copy."""
    view = values.view()
    view.flags.writeable = False
    return view


def sealed(values: npt.NDArray[G]) -> npt.NDArray[G]:
    """`values` itself, read-only from now on; for an array nobody else writes to."""
    values.setflags(write=False)
    return values


def frozen_slice(values: npt.NDArray[G]) -> npt.NDArray[G]:
    """A read-only copy of `values`, whose `base` leads nowhere."""
    copy = values.copy()
    copy.setflags(write=False)
    return copy


def is_plain(values: Float) -> bool:
    """Whether `values` is as the kernels are compiled for: contiguous, writeable float64."""
    return values.flags.carray and values.dtype == _FLOAT


def plain(values: Float) -> Float:
    """`values` as the kernels are compiled for; a copy where it is read-only, strided or not float.

    Such an array would be compiled for anew.
    """
    return values if is_plain(values) else np.array(values, dtype=np.float64, order="C")
