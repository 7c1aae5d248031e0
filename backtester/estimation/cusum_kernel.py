"""Loops of the correlation CUSUM over pairs, loaded lazily (numba); see cusum.py."""

from __future__ import annotations

import math

import numba

from backtester.arrays import Float, Int


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def fluctuation(
    x: Float, y: Float, bandwidth: int, first: int, statistic: Float, at: Int, before: Float,
    after: Float,
) -> None:  # fmt: skip
    """Fill (L,): statistic, observations before the largest gap, correlations of both parts.

    x, y: (L, n). A pair in which one side does not move keeps zeros.
    """
    pairs, n = x.shape
    for row in range(pairs):
        mean_x, mean_y = 0.0, 0.0
        for t in range(n):
            mean_x += x[row, t]
            mean_y += y[row, t]
        mean_x /= n
        mean_y /= n
        sxx, syy, sxy = 0.0, 0.0, 0.0
        for t in range(n):
            u, v = x[row, t] - mean_x, y[row, t] - mean_y
            sxx += u * u
            syy += v * v
            sxy += u * v
        statistic[row], at[row], before[row], after[row] = 0.0, 0, 0.0, 0.0
        if not (sxx > 1e-280 and syy > 1e-280):
            continue
        rho = sxy / math.sqrt(sxx * syy)
        # Long-run variance of the influence of each observation on the correlation (Bartlett).
        scale_x, scale_y = math.sqrt(n / sxx), math.sqrt(n / syy)
        spread = 0.0
        for lag in range(bandwidth):
            total = 0.0
            for t in range(lag, n):
                u, v = (x[row, t] - mean_x) * scale_x, (y[row, t] - mean_y) * scale_y
                a, b = (x[row, t - lag] - mean_x) * scale_x, (y[row, t - lag] - mean_y) * scale_y
                total += (u * v - 0.5 * rho * (u * u + v * v)) * (
                    a * b - 0.5 * rho * (a * a + b * b)
                )
            share = 1.0 - lag / bandwidth
            spread += share * total / n if lag == 0 else 2.0 * share * total / n
        if not spread > 1e-14:
            continue
        px, py, pxx, pyy, pxy = 0.0, 0.0, 0.0, 0.0, 0.0
        largest, where, level = 0.0, 0, 0.0
        for t in range(n - first):
            u, v = x[row, t] - mean_x, y[row, t] - mean_y
            px += u
            py += v
            pxx += u * u
            pyy += v * v
            pxy += u * v
            j = t + 1
            if j < first:
                continue
            vx, vy = pxx - px * px / j, pyy - py * py / j
            if not (vx > 1e-12 * sxx / n and vy > 1e-12 * syy / n):
                continue
            part = (pxy - px * py / j) / math.sqrt(vx * vy)
            gap = j * abs(part - rho)
            if gap > largest:
                largest, where, level = gap, j, part
        if where == 0:
            continue
        statistic[row] = largest / math.sqrt(n * spread)
        at[row], before[row] = where, level
        px, py, pxx, pyy, pxy = 0.0, 0.0, 0.0, 0.0, 0.0
        for t in range(where, n):
            u, v = x[row, t] - mean_x, y[row, t] - mean_y
            px += u
            py += v
            pxx += u * u
            pyy += v * v
            pxy += u * v
        j = n - where
        vx, vy = pxx - px * px / j, pyy - py * py / j
        if vx > 1e-12 * sxx / n and vy > 1e-12 * syy / n:
            after[row] = (pxy - px * py / j) / math.sqrt(vx * vy)
