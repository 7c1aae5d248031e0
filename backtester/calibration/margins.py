"""GARCH(1,1)-t margins at the volatility level of each regime."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Byte, Float
from backtester.calibration.estimate import GAUSSIAN, student_freedom
from backtester.calibration.residual_tests import Check, arch_lm, ljung_box, uniform_ks
from backtester.calibration.targeted import PERSISTENT, THICKEST, THINNEST, fit_targeted
from backtester.estimation.garch import fit_garch

LAGS = 10


@dataclass(frozen=True)
class MarginFit:
    """One asset's margin, its errors and what it leaves unexplained."""

    asset: str
    alpha: float
    beta: float
    nu: float | None  # None: Gaussian
    errors: dict[str, float]  # standard errors of alpha, beta, nu
    loglik: float  # of the log returns, levels included
    free_loglik: float  # of `fit_garch`, whose long-run variance is free
    converged: bool
    innovations: Float  # (T,) unit variance
    uniforms: Float  # (T,) probability integral transforms
    before: Check  # ARCH-LM of the returns at their regime's level
    after: Check  # ARCH-LM of the innovations
    squares: Check  # Ljung–Box of squared innovations
    uniform: Check  # Kolmogorov–Smirnov of the transforms
    notes: tuple[str, ...]


def fit_margin(returns: Float, levels: Float, label: Byte, asset: str) -> MarginFit:
    """The margin of `returns` (T,): r = σ_s √g z, g' = (1−α−β) + g (α z² + β), z Student-t.

    levels: (S,) volatility a bar of each regime, which the returns are divided by before the fit.
    A free GARCH is fitted first; from it the search for the one whose g has mean one begins, and
    its likelihood shows what that costs. A fit that does not converge falls back to constant
    variance, and its note says so. Raises DataError for too few bars.
    """
    scale = levels[label]
    x = returns / scale
    free = fit_garch(x, distribution="t", mean="zero", name=asset, fallback=True)
    notes = []
    if free.converged:
        fit = fit_targeted(x, free.alpha, free.beta, free.nu or THICKEST)
        alpha, beta, nu, errors, loglik = fit.alpha, fit.beta, fit.nu, fit.errors, fit.loglik
    else:
        notes.append(
            f"GARCH of {asset} did not converge ({free.message}): its variance is constant within "
            "a regime."
        )
        alpha, beta, errors, loglik = 0.0, 0.0, {}, free.loglik
        standard = (x / np.sqrt((x**2).mean()))[:, None]
        nu = max(student_freedom(standard, np.ones((1, 1))) or THICKEST, THINNEST)
    if alpha + beta > PERSISTENT - 1e-6:
        notes.append(
            f"Variance of {asset} shows no long-run level within its regimes: α + β is held at "
            f"{PERSISTENT}."
        )
    if nu < THINNEST + 1e-6:
        notes.append(f"Innovations of {asset} are heavier than ν = {THINNEST}, which is kept.")
    freedom = None if nu >= GAUSSIAN else nu
    z = _innovations(x, alpha, beta)
    uniforms = _transforms(z, freedom)
    return MarginFit(
        asset=asset,
        alpha=alpha,
        beta=beta,
        nu=freedom,
        errors=errors,
        loglik=loglik - float(np.log(scale).sum()),
        free_loglik=free.loglik - float(np.log(scale).sum()),
        converged=free.converged,
        innovations=z,
        uniforms=uniforms,
        before=arch_lm(x, LAGS),
        after=arch_lm(z, LAGS),
        squares=ljung_box(z**2, LAGS),
        uniform=uniform_ks(uniforms),
        notes=tuple(notes),
    )


def _innovations(x: Float, alpha: float, beta: float) -> Float:
    """z (T,) by the recursion the generator draws with, from g = 1."""
    z, g = np.empty_like(x), 1.0
    for t, value in enumerate(x):
        z[t] = value / np.sqrt(g)
        g = (1.0 - alpha - beta) + alpha * value * value + beta * g
    return z


def _transforms(z: Float, nu: float | None) -> Float:
    from scipy.special import ndtr, stdtr

    if nu is None:
        return np.asarray(ndtr(z))
    return np.asarray(stdtr(nu, z * np.sqrt(nu / (nu - 2.0))))
