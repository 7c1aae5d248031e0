"""GARCH(1,1)-t with a long-run variance of one: the law generator CopulaGarch draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float

PERSISTENT = 0.998
"""Largest α + β: beyond it variance has no level that a few years could show."""
THINNEST, THICKEST = 2.05, 200.0
"""Range of ν: at 2 the variance, which the regimes state, does not exist."""


@dataclass(frozen=True)
class Targeted:
    """A fit and its standard errors, NaN where a parameter is at an edge."""

    alpha: float
    beta: float
    nu: float
    errors: dict[str, float]
    loglik: float


def fit_targeted(x: Float, alpha: float, beta: float, nu: float) -> Targeted:
    """Maximum likelihood of `x` (T,) with g' = (1−α−β) + α x² + β g, g = 1 before the first bar.

    Variance targeting (Engle & Mezrich 1996): the level is known, here one, so the weights are all
    that is fitted. The search begins at the arguments and at two usual places; errors come from the
    Hessian.
    """
    from scipy.optimize import minimize

    def loss(theta: Float) -> float:
        persistence, share, tail = theta
        return -_loglik(x, persistence * share, persistence * (1.0 - share), 1.0 / tail)

    total = min(max(alpha + beta, 0.01), PERSISTENT)
    tail = 1.0 / min(max(nu, THINNEST), THICKEST)
    starts = [(total, alpha / max(alpha + beta, 0.01), tail), (0.95, 0.06, 0.2), (0.8, 0.15, 0.2)]
    bounds = [(0.0, PERSISTENT), (0.0, 1.0), (1.0 / THICKEST, 1.0 / THINNEST)]
    found = [minimize(loss, s, method="L-BFGS-B", bounds=bounds) for s in starts]
    best = min(found, key=lambda f: float(f.fun))
    persistence, share, tail = (float(v) for v in best.x)
    alpha, beta, nu = persistence * share, persistence * (1.0 - share), 1.0 / tail
    return Targeted(alpha, beta, nu, _errors(x, alpha, beta, nu), -float(best.fun))


def _loglik(x: Float, alpha: float, beta: float, nu: float) -> float:
    from scipy.special import gammaln

    from backtester.estimation.garch_kernels import garch_variance

    h = garch_variance(x, 1.0 - alpha - beta, alpha, beta, 1.0)
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(np.pi * (nu - 2))
    terms = 0.5 * np.log(h) + (nu + 1) / 2 * np.log1p(x * x / (h * (nu - 2)))
    return float(len(x) * constant - terms.sum())


def _errors(x: Float, alpha: float, beta: float, nu: float) -> dict[str, float]:
    """From the Hessian in (α + β, α, ν); persistence at its largest is held there."""
    total, size = alpha + beta, len(x)
    unknown = dict.fromkeys(("alpha", "beta", "nu"), float("nan"))
    if alpha < 2e-3 or beta < 2e-3 or not THINNEST < nu < THICKEST:
        return unknown
    held = total > PERSISTENT - 1e-6
    step = np.array([min(1e-3, (PERSISTENT - total) / 3.0), 5e-4, 0.02 * (nu - 2.0)])
    free = [1, 2] if held else [0, 1, 2]

    def value(move: Float) -> float:
        persistence, weight = total + move[0], alpha + move[1]
        return _loglik(x, weight, persistence - weight, nu + move[2]) / size

    hessian = np.zeros((3, 3))
    for i in free:
        for j in free:
            a, b = np.eye(3)[i] * step, np.eye(3)[j] * step
            corners = value(a + b) - value(a - b) - value(b - a) + value(-a - b)
            hessian[i, j] = corners / (4.0 * step[i] * step[j])
    curve = -hessian[np.ix_(free, free)]
    if not np.isfinite(curve).all() or (np.linalg.eigvalsh(curve) <= 0.0).any():
        return unknown
    covariance = np.zeros((3, 3))
    covariance[np.ix_(free, free)] = np.linalg.inv(curve) / size
    others = covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1]
    variances = {"alpha": covariance[1, 1], "beta": others, "nu": covariance[2, 2]}
    return {name: float(np.sqrt(v)) for name, v in variances.items()}
