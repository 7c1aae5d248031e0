"""Hidden Markov chains: Hamilton's filter, Kim's smoother and EM for Gaussian states (numba).

Source: Hamilton, Econometrica 57 (1989); Kim, Journal of Econometrics 60 (1994); Baum, Petrie,
Soules & Weiss, Annals of Mathematical Statistics 41 (1970).
"""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def hamilton_filter(
    density: Float, transition: Float, initial: Float
) -> tuple[Float, Float, float]:
    """Filtered (T, K) and predicted (T, K) probabilities and the log likelihood.

    density (T, K) log densities; transition (K, K) rows from; initial (K,) of the first bar.
    """
    bars, states = density.shape
    filtered, predicted = np.empty((bars, states)), np.empty((bars, states))
    loglik = 0.0
    for t in range(bars):
        top = -np.inf
        for k in range(states):
            if t == 0:
                predicted[t, k] = initial[k]
            else:
                total = 0.0
                for j in range(states):
                    total += filtered[t - 1, j] * transition[j, k]
                predicted[t, k] = total
            top = max(top, density[t, k])
        norm = 0.0
        for k in range(states):
            filtered[t, k] = predicted[t, k] * np.exp(density[t, k] - top)
            norm += filtered[t, k]
        for k in range(states):
            filtered[t, k] /= norm
        loglik += np.log(norm) + top
    return filtered, predicted, loglik


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def kim_smoother(filtered: Float, predicted: Float, transition: Float) -> tuple[Float, Float]:
    """Smoothed probabilities (T, K) and expected numbers of moves (K, K)."""
    bars, states = filtered.shape
    smooth = np.empty((bars, states))
    moves = np.zeros((states, states))
    smooth[bars - 1] = filtered[bars - 1]
    for t in range(bars - 2, -1, -1):
        for j in range(states):
            total = 0.0
            for k in range(states):
                if predicted[t + 1, k] > 0.0:
                    joint = (
                        filtered[t, j] * transition[j, k] * smooth[t + 1, k] / predicted[t + 1, k]
                    )
                    moves[j, k] += joint
                    total += joint
            smooth[t, j] = total
    return smooth, moves


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def log_densities(x: Float, means: Float, covariances: Float, freedom: float) -> Float:
    """Log densities (T, K) of x (T, d) under K Gaussians, or Student-t where `freedom` > 0.

    Constants that all states share are left out for Student-t. Covariances are its scatter.
    """
    bars, width = x.shape
    states = means.shape[0]
    out = np.empty((bars, states))
    for k in range(states):
        root = np.linalg.cholesky(covariances[k])
        half = 0.0
        for j in range(width):
            half += np.log(root[j, j])
        solved = np.empty(width)
        for t in range(bars):
            square = 0.0
            for j in range(width):
                gap = x[t, j] - means[k, j]
                for i in range(j):
                    gap -= root[j, i] * solved[i]
                solved[j] = gap / root[j, j]
                square += solved[j] * solved[j]
            if freedom > 0.0:
                out[t, k] = -half - 0.5 * (freedom + width) * np.log1p(square / freedom)
            else:
                out[t, k] = -half - 0.5 * square - 0.5 * width * np.log(2.0 * np.pi)
    return out


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def fit_markov(
    x: Float,
    means: Float,
    covariances: Float,
    transition: Float,
    initial: Float,
    stay: Float,
    anchor: Float,
    weight: float,
    fixed_means: bool,
    turns: int,
    tolerance: float,
) -> tuple[Float, Float, Float, Float, float, bool]:
    """Baum–Welch from a start: means, covariances, transition, smoothed (T, K), log lik, ended.

    stay (K, K): prior counts of moves. anchor (d, d): covariance that every state is drawn to with
    the weight of so many bars; it keeps a state of few bars proper. Both 0 give maximum likelihood.
    """
    bars, width = x.shape
    states = means.shape[0]
    means, covariances = means.copy(), covariances.copy()
    transition, initial = transition.copy(), initial.copy()
    before, ended = -np.inf, False
    smooth = np.empty((bars, states))
    loglik = -np.inf
    for _ in range(turns):
        density = log_densities(x, means, covariances, 0.0)
        filtered, predicted, loglik = hamilton_filter(density, transition, initial)
        smooth, moves = kim_smoother(filtered, predicted, transition)
        if np.abs(loglik - before) <= tolerance * (1.0 + np.abs(loglik)):
            ended = True
            break
        before = loglik
        for k in range(states):
            mass = 0.0
            for t in range(bars):
                mass += smooth[t, k]
            if mass > 1e-8 and not fixed_means:
                for j in range(width):
                    total = 0.0
                    for t in range(bars):
                        total += smooth[t, k] * x[t, j]
                    means[k, j] = total / mass
            for i in range(width):
                for j in range(i + 1):
                    total = 0.0
                    for t in range(bars):
                        total += smooth[t, k] * (x[t, i] - means[k, i]) * (x[t, j] - means[k, j])
                    if mass + weight > 1e-8:
                        value = (total + weight * anchor[i, j]) / (mass + weight)
                        covariances[k, i, j] = value
                        covariances[k, j, i] = value
            row = 0.0
            for j in range(states):
                row += moves[k, j] + stay[k, j]
            if row > 0.0:
                for j in range(states):
                    transition[k, j] = (moves[k, j] + stay[k, j]) / row
            initial[k] = smooth[0, k]
    return means, covariances, transition, smooth, loglik, ended


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def filtered_last(
    pair: Float, scatter: Float, transition: Float, initial: Float, freedom: float
) -> Float:
    """Filtered probabilities (S,) after the last of `pair` (T, 2); unreachable states stay at 0."""
    bars, states = pair.shape[0], scatter.shape[0]
    now, prior, density = initial.copy(), np.empty(states), np.empty(states)
    for t in range(bars):
        a, b = pair[t, 0], pair[t, 1]
        top = -np.inf
        for k in range(states):
            total = 0.0
            for j in range(states):
                total += now[j] * transition[j, k]
            prior[k] = total if t > 0 else initial[k]
            if prior[k] > 0.0:
                s = scatter[k]
                det = s[0, 0] * s[1, 1] - s[0, 1] * s[0, 1]
                square = (s[1, 1] * a * a - 2.0 * s[0, 1] * a * b + s[0, 0] * b * b) / det
                if freedom > 0.0:
                    fit = 0.5 * (freedom + 2.0) * np.log1p(square / freedom)
                else:
                    fit = 0.5 * square
                density[k] = -0.5 * np.log(det) - fit
                top = max(top, density[k])
        norm = 0.0
        for k in range(states):
            now[k] = prior[k] * np.exp(density[k] - top) if prior[k] > 0.0 else 0.0
            norm += now[k]
        for k in range(states):
            now[k] /= norm
    return now
