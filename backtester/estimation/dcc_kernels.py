"""Loops over time of the DCC likelihood, loaded lazily (numba)."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def rescaled(z: Float, a: float, b: float) -> Float:
    """z*_t = diag(Q_t)^½ z_t, (T, N): what cDCC puts in the place of z (Aielli 2013).

    The diagonal needs no target: q_t = (1 − a − b) + (a z²_{t−1} + b) q_{t−1}, q_0 = 1.
    """
    bars, assets = z.shape
    result = np.empty((bars, assets))
    for i in range(assets):
        q = 1.0
        for t in range(bars):
            result[t, i] = np.sqrt(q) * z[t, i]
            q = 1.0 - a - b + a * result[t, i] * result[t, i] + b * q
    return result


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def advance(Q: Float, target: Float, news: Float, a: float, b: float) -> None:
    """Q ← (1 − a − b) S + a x xᵀ + b Q in place, both triangles."""
    assets = len(news)
    for i in range(assets):
        for j in range(i + 1):
            value = (1.0 - a - b) * target[i, j] + a * news[i] * news[j] + b * Q[i, j]
            Q[i, j] = value
            Q[j, i] = value


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def factor_into(Q: Float, lower: Float, inverse: Float) -> bool:
    """Cholesky factor of Q into `lower`, 1/diagonal into `inverse`; False where Q is not PD."""
    assets = Q.shape[0]
    for i in range(assets):
        for j in range(i + 1):
            value = Q[i, j]
            for k in range(j):
                value -= lower[i, k] * lower[j, k]
            if i == j:
                if not value > 0.0:
                    return False
                lower[i, i] = np.sqrt(value)
                inverse[i] = 1.0 / lower[i, i]
            else:
                lower[i, j] = value * inverse[j]
    return True


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def dcc_terms(z: Float, news: Float, target: Float, a: float, b: float) -> Float:
    """Correlation log-likelihood of every bar, −½(log|R| + zᵀR⁻¹z − zᵀz), (T,).

    z, news: (T, N), the residuals that are scored and those that move Q; target: (N, N), also Q_0.
    """
    bars, assets = z.shape
    terms = np.empty(bars)
    Q, lower = target.copy(), np.zeros((assets, assets))
    solved, pivot = np.empty(assets), np.empty(assets)
    for t in range(bars):
        if not factor_into(Q, lower, pivot):
            terms[:] = -np.inf
            return terms
        logdet = 0.0
        square = 0.0
        for i in range(assets):
            logdet += np.log(lower[i, i] * lower[i, i] / Q[i, i])
            value = np.sqrt(Q[i, i]) * z[t, i]
            for k in range(i):
                value -= lower[i, k] * solved[k]
            solved[i] = value * pivot[i]
            square += solved[i] * solved[i] - z[t, i] * z[t, i]
        terms[t] = -0.5 * (logdet + square)
        advance(Q, target, news[t], a, b)
    return terms


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def target_slope(z: Float, news: Float, target: Float, a: float, b: float) -> Float:
    """Derivative (N, N) of the mean of `dcc_terms` in each entry of the target off the diagonal.

    An entry counts with its mirror image, and the derivative stands in both.
    """
    bars, assets = z.shape
    slope = np.zeros((assets, assets))
    Q, lower = target.copy(), np.zeros((assets, assets))
    inverse, solved, pivot = np.zeros((assets, assets)), np.empty(assets), np.empty(assets)
    share = 1.0  # ∂Q_t/∂S
    for t in range(bars):
        factor_into(Q, lower, pivot)
        for i in range(assets):  # the inverse of the factor, below the diagonal
            inverse[i, i] = pivot[i]
            for j in range(i):
                value = 0.0
                for k in range(j, i):
                    value -= lower[i, k] * inverse[k, j]
                inverse[i, j] = value * pivot[i]
        for i in range(assets):
            solved[i] = 0.0
        for k in range(assets):
            half = 0.0
            for j in range(k + 1):
                half += inverse[k, j] * np.sqrt(Q[j, j]) * z[t, j]
            for j in range(k + 1):
                solved[j] += inverse[k, j] * half
        for i in range(assets):
            for j in range(i):
                value = solved[i] * solved[j]
                for k in range(i, assets):
                    value -= inverse[k, i] * inverse[k, j]
                slope[i, j] += share * value
        share = 1.0 - a - b + b * share
        advance(Q, target, news[t], a, b)
    for i in range(assets):
        for j in range(i):
            slope[i, j] /= bars
            slope[j, i] = slope[i, j]
    return slope


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def pair_terms(z: Float, news: Float, target: Float, a: float, b: float) -> Float:
    """Composite log-likelihood of every bar: the sum over neighbouring pairs (i, i + 1), (T,)."""
    bars, assets = z.shape
    terms = np.zeros(bars)
    for i in range(assets - 1):
        first, second, cross = 1.0, 1.0, target[i, i + 1]
        for t in range(bars):
            rho = cross / np.sqrt(first * second)
            rest = 1.0 - rho * rho
            if not rest > 0.0:
                terms[:] = -np.inf
                return terms
            x, y = z[t, i], z[t, i + 1]
            square = (x * x - 2.0 * rho * x * y + y * y) / rest - x * x - y * y
            terms[t] -= 0.5 * (np.log(rest) + square)
            u, v = news[t, i], news[t, i + 1]
            first = 1.0 - a - b + a * u * u + b * first
            second = 1.0 - a - b + a * v * v + b * second
            cross = (1.0 - a - b) * target[i, i + 1] + a * u * v + b * cross
    return terms


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def pair_target_slope(z: Float, news: Float, target: Float, a: float, b: float) -> Float:
    """`target_slope` of the composite likelihood: zero but for neighbouring pairs, (N, N)."""
    bars, assets = z.shape
    slope = np.zeros((assets, assets))
    for i in range(assets - 1):
        first, second, cross, share, total = 1.0, 1.0, target[i, i + 1], 1.0, 0.0
        for t in range(bars):
            size = np.sqrt(first * second)
            rho = cross / size
            rest = 1.0 - rho * rho
            x, y = z[t, i], z[t, i + 1]
            square = x * x - 2.0 * rho * x * y + y * y
            total += share / size * (rho / rest + x * y / rest - rho * square / (rest * rest))
            u, v = news[t, i], news[t, i + 1]
            first = 1.0 - a - b + a * u * u + b * first
            second = 1.0 - a - b + a * v * v + b * second
            cross = (1.0 - a - b) * target[i, i + 1] + a * u * v + b * cross
            share = 1.0 - a - b + b * share
        slope[i, i + 1] = slope[i + 1, i] = total / bars
    return slope


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def dcc_path(news: Float, target: Float, a: float, b: float) -> Float:
    """Q of every bar and of the one after, (T + 1, N, N); Q_0 is the target."""
    bars, assets = news.shape
    path = np.empty((bars + 1, assets, assets))
    Q = target.copy()
    for t in range(bars):
        path[t] = Q
        advance(Q, target, news[t], a, b)
    path[bars] = Q
    return path
