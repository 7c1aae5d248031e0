"""Loops over paths of the online DCC, loaded lazily (numba); no path sees another."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float

_TINY = 1e-300  # a variance below it is none


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def step_paths(
    returns: Float,
    level: Float,
    variance: Float,
    target: Float,
    news: Float,
    long_run: Float,
    known: bool,
    blend: float,
    corrected: bool,
    winsor: float,
    variance_gain: Float,
    level_gain: float,
    news_gain: float,
    target_gain: float,
) -> tuple[Float, Float, Float, Float]:
    """Level, variance, target and news after one bar; see `dcc.DynamicCorrelation`.

    returns, level, variance (P, N), returns on one day's scale; target, news (P, N, N); long_run
    (N,): weight of the level in the variance; known: whether a variance is known before this bar;
    blend: weight of the target in Q; corrected: cDCC, with a Q known before this bar; a gain of 0
    leaves its mean as it is.
    """
    paths, assets = returns.shape
    new_level, new_variance = np.empty((paths, assets)), np.empty((paths, assets))
    new_target = np.empty_like(target) if target_gain > 0.0 else target
    new_news = np.empty_like(news) if news_gain > 0.0 else news
    z = np.empty(assets)
    for p in range(paths):
        for i in range(assets):
            x = returns[p, i]
            square = x * x
            h = square
            if known:
                h = long_run[i] * level[p, i] + (1.0 - long_run[i]) * variance[p, i]
            # An asset that has not moved until now is measured by this very move.
            if not h > _TINY:
                h = square
            z[i] = 0.0
            if h > _TINY:
                z[i] = min(max(x / np.sqrt(h), -winsor), winsor)
            if corrected:
                q = blend + (1.0 - blend) * news[p, i, i]
                z[i] *= np.sqrt(q)
            new_level[p, i] = level[p, i] + level_gain * (square - level[p, i])
            new_variance[p, i] = variance[p, i] + variance_gain[i] * (square - variance[p, i])
        for i in range(assets):
            for j in range(i + 1):
                product = z[i] * z[j]
                if target_gain > 0.0:
                    value = target[p, i, j] + target_gain * (product - target[p, i, j])
                    new_target[p, i, j] = value
                    new_target[p, j, i] = value
                if news_gain > 0.0:
                    value = news[p, i, j] + news_gain * (product - news[p, i, j])
                    new_news[p, i, j] = value
                    new_news[p, j, i] = value
    return new_level, new_variance, new_target, new_news


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def blended_correlation(target: Float, news: Float, blend: float) -> Float:
    """Correlation (P, N, N) of Q = blend · corr(target) + (1 − blend) · news.

    Unit diagonal; 0 with everything for an asset that has never moved.
    """
    paths, assets = target.shape[0], target.shape[1]
    result = np.empty((paths, assets, assets))
    root, inverse = np.empty(assets), np.empty(assets)
    for p in range(paths):
        for i in range(assets):
            root[i] = 0.0
            if target[p, i, i] > _TINY:
                root[i] = 1.0 / np.sqrt(target[p, i, i])
            Q = blend + (1.0 - blend) * news[p, i, i]
            inverse[i] = 1.0 / np.sqrt(Q) if Q > _TINY else 0.0
        for i in range(assets):
            for j in range(i):
                value = 0.0
                if blend > 0.0:
                    value = blend * target[p, i, j] * (root[i] * root[j])
                if blend < 1.0:
                    value += (1.0 - blend) * news[p, i, j]
                value = min(max(value * (inverse[i] * inverse[j]), -1.0), 1.0)
                result[p, i, j] = value
                result[p, j, i] = value
            result[p, i, i] = 1.0
    return result
