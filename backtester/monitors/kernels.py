"""Loops of the correlation monitors over paths and pairs, loaded lazily (numba)."""

from __future__ import annotations

import math

import numba

from backtester.arrays import Float


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def contrasts(
    z: Float, recent: int, shortest: int, power: float, radius: float, statistic: Float,
    before: Float, after: Float,
) -> None:  # fmt: skip
    """Fill (P, K): the largest weighted contrast of a recent part with the history before it.

    z: (P, 1 + K, W), oldest first. History: the first m = W − recent observations. For each recent
    part of k = shortest … recent observations, the last ones,

        (atanh ρ_k − atanh ρ_m) / (s √(1/(k−3) + 1/(m−3))) · (k(m+recent) / ((m+k) recent))^power

    in absolute size, < 0 where the correlation has moved against the sign it had. s ≥ 1 is the
    history's standard deviation of the influence of an observation over that of normal returns. A
    pair (x, y) is first cut to length `radius`, in root mean square, keeping its direction.
    Correlations are about zero.
    """
    paths, columns, window = z.shape
    m = window - recent
    cut = 2.0 * radius * radius
    for p in range(paths):
        for c in range(1, columns):
            xx, yy, xy = 0.0, 0.0, 0.0
            for t in range(m):
                x, y = z[p, 0, t], z[p, c, t]
                square = x * x + y * y
                share = 1.0 if square <= cut else cut / square
                xx += x * x * share
                yy += y * y * share
                xy += x * y * share
            i = c - 1
            statistic[p, i], before[p, i], after[p, i] = 0.0, 0.0, 0.0
            if not (xx > 1e-280 and yy > 1e-280):
                continue
            old = min(max(xy / math.sqrt(xx * yy), -1.0 + 1e-9), 1.0 - 1e-9)
            before[p, i] = old
            spread = 0.0
            for t in range(m):
                x, y = z[p, 0, t], z[p, c, t]
                square = x * x + y * y
                share = 1.0 if square <= cut else cut / square
                u, v = x * x * share * m / xx, y * y * share * m / yy
                influence = x * y * share * m / math.sqrt(xx * yy) - 0.5 * old * (u + v)
                spread += influence * influence
            inflation = max(math.sqrt(spread / m) / (1.0 - old * old), 1.0)
            level = math.atanh(old)
            xx, yy, xy, largest = 0.0, 0.0, 0.0, 0.0
            for k in range(1, recent + 1):
                x, y = z[p, 0, window - k], z[p, c, window - k]
                square = x * x + y * y
                share = 1.0 if square <= cut else cut / square
                xx += x * x * share
                yy += y * y * share
                xy += x * y * share
                if k < shortest or not (xx > 1e-280 and yy > 1e-280):
                    continue
                now = min(max(xy / math.sqrt(xx * yy), -1.0 + 1e-9), 1.0 - 1e-9)
                error = inflation * math.sqrt(1.0 / (k - 3.0) + 1.0 / (m - 3.0))
                weight = (k * (m + recent) / ((m + k) * recent)) ** power
                size = abs(math.atanh(now) - level) / error * weight
                if size > largest:
                    largest = size
                    after[p, i] = now
                    statistic[p, i] = size if (now > old) == (old >= 0.0) else -size


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def clipped_products(z: Float, radius: float, out: Float) -> None:
    """Fill (P, K, 4) with x², y², xy, x²y² of each pair cut to length `radius`; z: (P, 1 + K)."""
    paths, columns = z.shape
    cut = 2.0 * radius * radius
    for p in range(paths):
        for c in range(1, columns):
            x, y = z[p, 0], z[p, c]
            square = x * x + y * y
            share = 1.0 if square <= cut else cut / square
            out[p, c - 1, 0] = x * x * share
            out[p, c - 1, 1] = y * y * share
            out[p, c - 1, 2] = x * y * share
            out[p, c - 1, 3] = (x * y * share) ** 2


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def surprise_scores(z: Float, rho: Float, out: Float) -> None:
    """Fill (P, K) with the standardised log correlation surprise of each pair; see surprise.py."""
    paths, columns = z.shape
    for p in range(paths):
        for c in range(1, columns):
            x, y, r = z[p, 0], z[p, c], rho[p, c - 1]
            size = x * x + y * y
            out[p, c - 1] = 0.0
            if not size > 1e-200:
                continue
            along, across = math.sqrt(1.0 + r), math.sqrt(1.0 - r)
            mean = -2.0 * math.log(0.5 * (along + across))
            ratio = ((along - across) / (along + across)) ** 2
            variance, term = 0.0, 1.0
            for k in range(1, 40):
                term *= ratio
                variance += term / (k * k)
            surprise = (x * x + y * y - 2.0 * r * x * y) / ((1.0 - r * r) * size)
            score = math.log(max(surprise, 1e-12)) - mean
            out[p, c - 1] = score / math.sqrt(max(2.0 * variance, 0.02))
