"""Loops of the contract of a decision: is a covariance, an array as it must be? Loaded lazily."""

from __future__ import annotations

from backtester.arrays import Float
from backtester.hedging.kernels import inlined, jit


@jit
def finite(values: Float) -> bool:
    """Whether all of `values` (n,) are finite."""
    bad = False
    for i in range(values.shape[0]):
        bad |= values[i] - values[i] != 0.0  # NaN for infinities too
    return not bad


@inlined
def _faithful(covariance: Float) -> bool:
    bad = False
    for p in range(covariance.shape[0]):
        s = covariance[p]
        for i in range(s.shape[0]):
            for j in range(i):
                bad |= (s[i, j] != s[j, i]) | (s[i, j] - s[i, j] != 0.0)
            bad |= s[i, i] - s[i, i] != 0.0
    return not bad


@inlined
def _finite(values: Float) -> bool:
    bad = False
    for p in range(values.shape[0]):
        for n in range(values.shape[1]):
            bad |= values[p, n] - values[p, n] != 0.0  # NaN for infinities too
    return not bad


@jit
def faithful(covariance: Float) -> bool:
    """Whether all of `covariance` (P, N, N) is finite and symmetric to the last bit."""
    good: bool = _faithful(covariance)
    return good


@jit
def usable(covariance: Float, exposure: Float) -> bool:
    """`faithful` covariances (P, N, N), and an exposure (P, N) that is finite."""
    good: bool = _faithful(covariance) and _finite(exposure)
    return good
