"""A Student-t copula of the bars of one regime: correlation by Kendall's τ, ν by likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from backtester.arrays import Float
from backtester.calibration.estimate import FEWEST, GAUSSIAN
from backtester.errors import DataError
from backtester.estimation.nearest import nearest_correlation

TAIL = 0.05
"""Share of the bars that counts as a tail where data and model are compared."""
RUNS = 20
FLOOR = 1e-6
"""Smallest eigenvalue of a repaired correlation: the likelihood divides by it."""


@dataclass(frozen=True)
class CopulaFit:
    """The dependence of one regime, with its sampling error."""

    bars: int
    correlation: Float  # (N, N)
    correlation_error: Float  # (N, N) jackknife over runs, at least that of independent bars
    effective: Float  # (N, N) independent bars with the same error
    degrees_of_freedom: float | None  # None: Gaussian
    degrees_error: float
    loglik: float
    gaussian_loglik: float  # with the same correlation
    repair: str  # what made it a correlation matrix; empty where nothing did


def fit_copula(innovations: Float, regime: str) -> CopulaFit:
    """The copula of `innovations` (n, N), the bars of one regime in the order of time.

    ρ = sin(πτ/2) with Kendall's τ, whatever the margins (Lindskog, McNeil & Schmock 2003); where
    the matrix is not positive definite the nearest one that is. ν maximises the likelihood of the
    ranks with ρ held (McNeil, Frey & Embrechts 2005, section 5.5). Errors of ρ: jackknife over 20
    runs of consecutive bars, which episodes do not fool as Fisher's formula is fooled. The error
    of ν is from the curvature of the profile. Raises DataError for too few bars.
    """
    bars, size = innovations.shape
    fewest = max(FEWEST, size + 5)
    if bars < fewest:
        raise DataError(
            f"regime {regime!r} has {bars} bars, too few for the copula of {size} assets",
            cure=f"At least {fewest} are needed: a longer history, or a larger crisis share.",
        )
    raw = kendall_correlation(innovations)
    repair = nearest_correlation(raw, floor=FLOOR)
    matrix = repair.matrix if repair.repaired else raw
    # 20 runs know their own error to a sixth only; it is never less than that of independent bars
    error = np.maximum(_jackknife(innovations), _independent_error(matrix, bars))
    ranks = ranks_of(innovations)
    nu, spread = _degrees(ranks, matrix)
    with np.errstate(divide="ignore", invalid="ignore"):  # the diagonal has no error
        effective = (_independent_error(matrix, 1) / error) ** 2
    np.fill_diagonal(effective, bars)
    return CopulaFit(
        bars=bars,
        correlation=matrix,
        correlation_error=error,
        effective=effective,
        degrees_of_freedom=nu,
        degrees_error=spread,
        loglik=t_copula_loglik(ranks, matrix, nu),
        gaussian_loglik=t_copula_loglik(ranks, matrix, None),
        repair=f"Correlation of regime {regime}: {repair.text()}." if repair.repaired else "",
    )


def ranks_of(x: Float) -> Float:
    """Ranks of each column of `x` (n, N) over n + 1: uniforms, whatever the margins."""
    return np.asarray((np.argsort(np.argsort(x, axis=0), axis=0) + 1.0) / (len(x) + 1.0))


def kendall_correlation(x: Float) -> Float:
    """sin(πτ/2) of every pair of columns of `x` (n, N)."""
    from scipy.stats import kendalltau

    size = x.shape[1]
    matrix = np.eye(size)
    for i in range(size):
        for j in range(i):
            tau = float(kendalltau(x[:, i], x[:, j]).statistic)
            matrix[i, j] = matrix[j, i] = np.sin(np.pi / 2.0 * (tau if np.isfinite(tau) else 0.0))
    return matrix


def t_copula_loglik(u: Float, correlation: Float, nu: float | None) -> float:
    """Log-likelihood of a t copula (None: Gaussian) at uniforms `u` (n, N)."""
    from scipy.special import gammaln, ndtri, stdtrit

    bars, size = u.shape
    inverse = np.linalg.inv(correlation)
    half_log = 0.5 * float(np.linalg.slogdet(correlation)[1])
    if nu is None:
        x = ndtri(u)
        lengths = np.einsum("ti,ij,tj->t", x, inverse, x) - (x**2).sum(axis=1)
        return float(-0.5 * lengths.sum() - bars * half_log)
    x = stdtrit(nu, u)
    lengths = np.einsum("ti,ij,tj->t", x, inverse, x)
    constant = (
        gammaln((nu + size) / 2) + (size - 1) * gammaln(nu / 2) - size * gammaln((nu + 1) / 2)
    )
    joint = (nu + size) / 2 * np.log1p(lengths / nu)
    apart = (nu + 1) / 2 * np.log1p(x**2 / nu).sum(axis=1)
    return float((apart - joint).sum() + bars * (constant - half_log))


def _degrees(ranks: Float, correlation: Float) -> tuple[float | None, float]:
    from scipy.optimize import minimize_scalar

    def loss(log_excess: float) -> float:
        return -t_copula_loglik(ranks, correlation, 2.0 + float(np.exp(log_excess)))

    best = minimize_scalar(
        loss, bounds=(np.log(0.05), np.log(2 * GAUSSIAN)), method="bounded", options={"xatol": 1e-4}
    )
    at = float(best.x)
    nu = 2.0 + float(np.exp(at))
    if nu >= GAUSSIAN:
        return None, float("nan")
    step = 0.05
    curve = (loss(at + step) - 2.0 * loss(at) + loss(at - step)) / step**2
    return nu, float((nu - 2.0) / np.sqrt(curve)) if curve > 0.0 else float("nan")


def _jackknife(x: Float) -> Float:
    """Standard errors of `kendall_correlation`, leaving out one run of bars at a time."""
    edges = np.linspace(0, len(x), min(RUNS, len(x) // 2) + 1).astype(int)
    parts = np.array(
        [kendall_correlation(np.concatenate([x[:a], x[b:]])) for a, b in pairwise(edges)]
    )
    runs = len(parts)
    deviation = parts - parts.mean(axis=0)
    return np.asarray(np.sqrt((runs - 1) / runs * (deviation**2).sum(axis=0)))


def _independent_error(rho: Float, bars: int) -> Float:
    """Error of sin(πτ̂/2) from independent normal bars (Esscher 1924, delta method)."""
    tau = 2.0 * np.sqrt(np.maximum(1.0 / 9.0 - 4.0 / np.pi**2 * np.arcsin(rho / 2.0) ** 2, 0.0))
    return np.asarray(np.pi / 2.0 * np.sqrt(1.0 - rho**2) * tau / np.sqrt(bars))
