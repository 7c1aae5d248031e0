"""Numerical derivatives of log-likelihoods given bar by bar, for standard errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backtester.arrays import Float

Terms = Callable[[Float], Float]  # parameters (K,) -> log-likelihood of every bar (T,)


def scores(terms: Terms, at: Float, step: Float) -> Float:
    """Derivative of every bar's term, (T, K), by central differences of `step` (K,)."""
    columns = []
    for k in range(len(at)):
        shift = np.zeros_like(at)
        shift[k] = step[k]
        columns.append((terms(at + shift) - terms(at - shift)) / (2.0 * step[k]))
    return np.stack(columns, axis=-1)


def hessian(terms: Terms, at: Float, step: Float) -> Float:
    """Second derivatives (K, K) of the mean term, by central differences."""
    size = len(at)
    result = np.empty((size, size))
    centre = terms(at)
    for i in range(size):
        for j in range(i + 1):
            first, second = np.zeros(size), np.zeros(size)
            first[i], second[j] = step[i], step[j]
            if i == j:
                bent = terms(at + first) - 2.0 * centre + terms(at - first)
                result[i, i] = np.mean(bent) / step[i] ** 2
                continue
            bent = terms(at + first + second) - terms(at + first - second)
            bent = bent - terms(at - first + second) + terms(at - first - second)
            result[i, j] = result[j, i] = np.mean(bent) / (4.0 * step[i] * step[j])
    return result
