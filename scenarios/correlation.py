"""Correlation matrices: checking, factoring, and the construction behind a correlation sweep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backtester.arrays import Float
from backtester.errors import ScenarioError

SYMMETRY = 1e-9
SEMIDEFINITE = 1e-10
"""Smallest eigenvalue a correlation matrix may have below zero, and the pivot taken as zero."""


def check_correlation(matrix: Float, names: Sequence[str], who: str) -> None:
    """Raise ScenarioError unless `matrix` (..., F, F) holds correlation matrices of `names`.

    `who` names the matrix in the message, e.g. ``"correlation of regime 'crisis'"``.
    """
    size = len(names)
    if matrix.shape[-2:] != (size, size) or matrix.ndim not in (2, 3):
        raise ScenarioError(
            f"{who} has shape {matrix.shape}, expected ({size}, {size})",
            cure=f"One row and one column per asset that is not a perpetual: {', '.join(names)}.",
        )
    _entries(matrix, ~np.isfinite(matrix), names, who, "is not finite", "Give a number.")
    apart = np.abs(matrix - np.swapaxes(matrix, -1, -2)) > SYMMETRY
    _entries(
        matrix, apart, names, who, "differs from its mirror image", "Make the matrix symmetric."
    )
    diagonal = np.eye(size, dtype=bool) & (np.abs(matrix - 1.0) > SYMMETRY)
    _entries(matrix, diagonal, names, who, "is on the diagonal and not 1", "Set it to 1.")
    outside = np.abs(matrix) > 1.0 + SYMMETRY
    _entries(matrix, outside, names, who, "is outside [-1, 1]", "Give a correlation, not a %.")
    smallest = np.linalg.eigvalsh(matrix)[..., 0]
    if (smallest < -SEMIDEFINITE).any():
        worst = int(np.argmin(smallest))
        where = f" on path {worst}" if matrix.ndim == 3 else ""
        raise ScenarioError(
            f"{who} is not positive semi-definite{where} "
            f"(smallest eigenvalue {float(np.min(smallest)):.2g})",
            cure="No returns have these correlations together: move the entries that were set by "
            "hand towards the estimated ones, or shrink all of them towards 0.",
        )


def _entries(
    matrix: Float, bad: np.ndarray, names: Sequence[str], who: str, what: str, cure: str
) -> None:
    if not bad.any():
        return
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    path = f" on path {where[0]}" if matrix.ndim == 3 else ""
    raise ScenarioError(
        f"{who}{path}: entry {names[where[-2]]}/{names[where[-1]]} = {matrix[where]:g} {what}",
        cure=cure,
    )


def semidefinite_cholesky(matrix: Float) -> Float:
    """Lower-triangular L with L Lᵀ = `matrix` (..., F, F), also where it is singular.

    Entry by entry, without LAPACK: the bits of one path's factor do not depend on how many paths
    are factored together. A pivot of at most 1e-10 is taken as zero, and its column with it.
    """
    size = matrix.shape[-1]
    lower = np.zeros_like(matrix)
    for j in range(size):
        pivot = matrix[..., j, j].copy()
        for k in range(j):
            pivot -= lower[..., j, k] * lower[..., j, k]
        positive = pivot > SEMIDEFINITE
        root = np.sqrt(np.where(positive, pivot, 1.0))
        lower[..., j, j] = np.where(positive, root, 0.0)
        for i in range(j + 1, size):
            entry = matrix[..., i, j].copy()
            for k in range(j):
                entry -= lower[..., i, k] * lower[..., j, k]
            lower[..., i, j] = np.where(positive, entry / root, 0.0)
    return lower


def exposure_correlation(
    base: Float, names: Sequence[str], exposed: Sequence[str], hedges: Sequence[str], rho: Float
) -> Float:
    """Correlation matrices in which the exposed assets have correlation `rho` with their hedge.

    Each exposed asset becomes x_i = ρ F_i + √(1−ρ²) ε_i, where F_i is the unit-variance
    combination of the hedges with the largest correlation to i under `base` (one hedge: the hedge
    itself, so that ρ is the ordinary correlation), and ε_i its standardised residual under `base`.
    The multiple correlation of i with the hedges is then exactly |ρ|. Hedges keep their
    correlations, residuals keep theirs, other assets do not move; the result is the correlation of
    a linear map of (hedges, residuals), hence PSD for every ρ in [−1, 1]. [derived]

    Parameters
    ----------
    base: (F, F) correlation of `names`.
    exposed, hedges: disjoint, from `names`.
    rho: (P,).

    Returns (P, F, F). Raises ScenarioError where an exposed asset has correlation 0 with every
    one of several hedges, so that no combination is best.
    """
    column = {name: i for i, name in enumerate(names)}
    basket = [column[h] for h in hedges]
    size, moved = len(names), {column[e] for e in exposed}
    # x = loading · hedges + residual, for every asset; pinv: two hedges may be one and the same
    loading = base[:, basket] @ np.linalg.pinv(base[np.ix_(basket, basket)], rtol=1e-10)
    loading[basket] = np.eye(len(basket))
    residual = base - loading @ base[np.ix_(basket, basket)] @ loading.T
    direction, noise_scale = loading.copy(), np.ones(size)
    extra = np.zeros((size, size))  # residuals of an asset the hedges replicate under `base`
    for i in sorted(moved):
        explained = float(loading[i] @ base[np.ix_(basket, basket)] @ loading[i])
        if len(basket) == 1:
            direction[i] = 1.0
        elif explained < 1e-12:
            raise ScenarioError(
                f"exposed asset {names[i]!r} has correlation 0 with every hedge in the base regime",
                cure="No combination of these hedges is best; sweep against one hedge at a time.",
            )
        else:
            direction[i] = loading[i] / np.sqrt(explained)
        if residual[i, i] > SEMIDEFINITE:
            noise_scale[i] = 1.0 / np.sqrt(residual[i, i])
        else:
            residual[i, :] = residual[:, i] = 0.0
            extra[i, i] = 1.0
    shared = direction @ base[np.ix_(basket, basket)] @ direction.T
    noise = noise_scale[:, None] * residual * noise_scale[None, :] + extra
    is_moved = np.isin(np.arange(size), sorted(moved))
    on_factor = np.where(is_moved, rho[:, None], 1.0)  # (P, F)
    on_noise = np.where(is_moved, np.sqrt(1.0 - rho * rho)[:, None], 1.0)
    matrix = (
        on_factor[:, :, None] * on_factor[:, None, :] * shared
        + on_noise[:, :, None] * on_noise[:, None, :] * noise
    )
    matrix = np.clip((matrix + np.swapaxes(matrix, 1, 2)) / 2.0, -1.0, 1.0)
    matrix[:, np.arange(size), np.arange(size)] = 1.0
    return np.asarray(matrix)
