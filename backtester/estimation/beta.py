"""Least-squares hedge betas over a window, for every path at once.

Source: Johnson (1960), Ederington (1979): the minimum-variance hedge ratio is the OLS slope of
exposure P&L on hedge returns. Out of sample it loses (1 − R²)·K/(W − K − 2) of effectiveness.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.estimation.window import WindowState

_COLLINEAR = 1e-10  # share of a regressor's variance the others leave unexplained


def solve_psd(matrix: Float, right: Float) -> Float:
    """x of smallest norm with `matrix` x = `right`, least squares where it is singular.

    matrix: (P, K, K) symmetric positive semidefinite; right: (P, K, R). A Cholesky factorisation
    written over paths, and a pseudo-inverse on those paths alone that are numerically singular.
    """
    size = matrix.shape[-1]
    scale = np.sqrt(np.diagonal(matrix, axis1=-2, axis2=-1))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 1e-150)
    scaled = matrix * (inverse[:, :, None] * inverse[:, None, :])
    solution = inverse[:, :, None] * right
    lower: list[list[Float]] = []
    singular: Bool = np.zeros(matrix.shape[0], dtype=np.bool_)
    for i in range(size):
        row: list[Float] = []
        for j in range(i):
            value = scaled[:, i, j]
            for k in range(j):
                value = value - row[k] * lower[j][k]
            row.append(value / lower[j][j])
        pivot = scaled[:, i, i]
        for value in row:
            pivot = pivot - value * value
        flat = pivot <= _COLLINEAR
        singular |= flat
        row.append(np.sqrt(np.where(flat, 1.0, pivot)))
        lower.append(row)
    for i in range(size):
        for k in range(i):
            solution[:, i] -= lower[i][k][:, None] * solution[:, k]
        solution[:, i] /= lower[i][i][:, None]
    for i in reversed(range(size)):
        for k in range(i + 1, size):
            solution[:, i] -= lower[k][i][:, None] * solution[:, k]
        solution[:, i] /= lower[i][i][:, None]
    solution *= inverse[:, :, None]
    if singular.any():
        bad = np.flatnonzero(singular)
        pseudo = np.linalg.pinv(matrix[bad], rcond=_COLLINEAR, hermitian=True)
        solution[bad] = np.matmul(pseudo, right[bad])
    return np.asarray(solution)


def hedge_ratios(covariance: Float, instruments: Int) -> Float:
    """Minimum-variance hedge notional per unit of each asset's notional, −Σ_kk⁺ Σ_kn: (P, K, N).

    covariance: (P, N, N); instruments: columns of the hedges, (K,).
    """
    right = np.ascontiguousarray(covariance[:, instruments, :])
    return -solve_psd(np.ascontiguousarray(right[:, :, instruments]), right)


def ols_beta(
    window: WindowState, exposure: Float, instruments: Int, intercept: bool = True
) -> Float:
    """OLS slopes (P, K), in money, of the exposure's P&L on the instruments' returns.

    exposure: (P, N) money held by asset; instruments: columns of the hedges, (K,). The intercept
    is a drift per unit of time. Zero where the window is empty or an instrument does not move;
    the slopes of smallest norm where instruments are collinear.
    """
    returns, root = window.scaled()
    moments = np.matmul(returns, returns.transpose(0, 2, 1))
    if intercept and len(root) > 0:
        moments = _without_drift(moments, returns, root)
    rows = np.ascontiguousarray(moments[:, instruments, :])
    right = (rows * exposure[:, None, :]).sum(axis=-1)
    return solve_psd(np.ascontiguousarray(rows[:, :, instruments]), right[:, :, None])[:, :, 0]


def _without_drift(moments: Float, returns: Float, root: Float) -> Float:
    """Moments (P, N, N) of the `returns` (P, N, W) less their drift per unit of time.

    Exactly 0 for an asset that does nothing but drift, whatever rounding leaves of it.
    """
    drift = (returns * (root / np.sqrt(np.sum(root * root)))).sum(axis=-1)
    centred = moments - drift[:, :, None] * drift[:, None, :]
    raw, left = (np.diagonal(m, axis1=1, axis2=2) for m in (moments, centred))
    moves = left > 1e-12 * raw
    return np.where(moves[:, :, None] & moves[:, None, :], centred, 0.0)
