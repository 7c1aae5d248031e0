"""Loops over time of GARCH(1,1), loaded lazily (numba)."""

from __future__ import annotations

from math import lgamma

import numba
import numpy as np

from backtester.arrays import Float


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def garch_variance(
    residuals: Float, omega: float, alpha: float, beta: float, start: float
) -> Float:
    """h_t = ω + α e²_{t−1} + β h_{t−1}, (T,), with e² = h = `start` before the first bar."""
    variance = np.empty(len(residuals))
    square = start
    last = start
    for t in range(len(residuals)):
        last = omega + alpha * square + beta * last
        variance[t] = last
        square = residuals[t] * residuals[t]
    return variance


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def garch_terms(
    returns: Float, mean: float, omega: float, alpha: float, beta: float, nu: float, start: float
) -> Float:
    """Log-likelihood of every bar, (T,): normal where ν ≤ 0, else Student t of unit variance.

    `start` ≤ 0 stands for the mean squared residual at `mean`.
    """
    bars = len(returns)
    terms = np.empty(bars)
    if start <= 0.0:
        total = 0.0
        for t in range(bars):
            total += (returns[t] - mean) * (returns[t] - mean)
        start = total / bars
    constant = -0.5 * np.log(2.0 * np.pi)
    if nu > 0.0:
        constant = lgamma(0.5 * (nu + 1.0)) - lgamma(0.5 * nu) - 0.5 * np.log(np.pi * (nu - 2.0))
    square = start
    variance = start
    for t in range(bars):
        variance = omega + alpha * square + beta * variance
        if not variance > 0.0:
            terms[:] = -np.inf
            return terms
        square = (returns[t] - mean) * (returns[t] - mean)
        if nu > 0.0:
            tail = 0.5 * (nu + 1.0) * np.log1p(square / (variance * (nu - 2.0)))
            terms[t] = constant - 0.5 * np.log(variance) - tail
        else:
            terms[t] = constant - 0.5 * np.log(variance) - 0.5 * square / variance
    return terms
