"""Standard errors of (a, b) that know that margins and target were estimated first.

With IF_φ the influence of each bar on the margins' parameters, m_t that on the target S and s_t the
score of (a, b), the estimate's error is −A⁻¹ · mean(g_t) with

    g_t = s_t + (∂s/∂S) m_t + (ds/dφ) IF_φ,t

A the Hessian in (a, b); its variance is A⁻¹ Ω A⁻¹/T, Ω the long-run variance of g_t (Newey & West
1987, Bartlett weights), since m_t is correlated over time where correlations move. Source: Newey
& McFadden, Handbook of Econometrics IV (1994), section 6; Engle & Sheppard, NBER 8554 (2001).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from backtester.arrays import Bool, Float
from backtester.estimation.dcc_likelihood import DccLikelihood
from backtester.estimation.differences import scores
from backtester.estimation.garch import GarchFit
from backtester.estimation.garch_kernels import garch_variance
from backtester.estimation.garch_problem import PARAMETERS, Problem

_STEP = 1e-4  # of a margin's parameter, relative to its size


def two_step_covariance(
    likelihood: DccLikelihood,
    point: Float,
    step: Float,
    curve: Float,
    margins: tuple[GarchFit, ...],
    returns: Float,
) -> Float:
    """Covariance (2, 2) of the estimate `point` (a, b).

    step: (2,) of differences in (a, b); curve: Hessian (2, 2) of the mean term; returns: (T, N).
    """
    influence = scores(likelihood.terms, point, step)
    influence += likelihood.target_influence(point) @ _target_slopes(likelihood, point, step).T
    for i, fit in enumerate(margins):
        influence += _margin(likelihood, point, step, fit, returns[:, i], i)
    inverse = np.linalg.inv(curve)
    return np.asarray(inverse @ long_run_variance(influence) @ inverse / len(returns))


def long_run_variance(values: Float, lags: int | None = None) -> Float:
    """Newey–West variance (K, K) of `values` (T, K); lags default to T^⅖ (33 of 5,000 bars)."""
    bars = len(values)
    count = round(bars**0.4) if lags is None else lags
    centred = values - values.mean(axis=0)
    total = centred.T @ centred / bars
    for k in range(1, min(count, bars - 1) + 1):
        cross = centred[k:].T @ centred[:-k] / bars
        total = total + (1.0 - k / (count + 1.0)) * (cross + cross.T)
    return np.asarray(total)


def _target_slopes(likelihood: DccLikelihood, point: Float, step: Float) -> Float:
    """∂(score)/∂S, (2, pairs), the target moving with (a, b) where it does."""
    rows, columns = np.triu_indices(likelihood.z.shape[1], 1)
    slopes = []
    for k in range(2):
        shift = np.zeros(2)
        shift[k] = step[k]
        change = likelihood.target_slope(point + shift) - likelihood.target_slope(point - shift)
        slopes.append(change[rows, columns] / (2.0 * step[k]))
    return np.array(slopes)


def _margin(
    likelihood: DccLikelihood, point: Float, step: Float, fit: GarchFit, series: Float, asset: int
) -> Float:
    """(ds/dφ) IF_φ of one margin, (T, 2); zero where it has no free parameter."""
    scale = float(series.std())
    data, tail = series / scale, 0.0 if fit.nu is None else 1.0 / fit.nu
    at = np.array([fit.mean / scale, fit.omega / scale**2, fit.alpha, fit.beta, tail])
    free: Bool = np.array([name in fit.errors for name in PARAMETERS])
    problem = Problem(data, free, "arch")
    inner = problem.inside(at) if fit.converged else np.zeros(5, dtype=np.bool_)
    if not inner.any():
        return np.zeros((len(data), 2))
    slopes, curve = problem.derivatives(at, inner)
    influence = -np.linalg.solve(curve, slopes.T).T
    start, sizes = problem.start(0.0), _STEP * problem.steps(at)
    columns: list[Float] = []
    for k in np.flatnonzero(inner).tolist():
        if PARAMETERS[k] == "nu":  # moves no residual
            columns.append(np.zeros(2))
            continue
        moved = []
        for sign in (1.0, -1.0):
            values = at.copy()
            values[k] += sign * sizes[k]
            residuals = data - values[0]
            z = likelihood.z.copy()
            variance = garch_variance(residuals, values[1], values[2], values[3], start)
            z[:, asset] = residuals / np.sqrt(variance)
            moved.append(_gradient(replace(likelihood, z=z), point, step))
        columns.append((moved[0] - moved[1]) / (2.0 * sizes[k]))
    return np.asarray(influence @ np.array(columns))


def _gradient(likelihood: DccLikelihood, point: Float, step: Float) -> npt.NDArray[np.float64]:
    """Gradient (2,) of the mean term in (a, b)."""
    return np.asarray(scores(likelihood.terms, point, step).mean(axis=0))
