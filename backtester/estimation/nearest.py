"""The correlation matrix nearest to a symmetric one, with weights, fixed entries and a floor.

    minimise ‖W^½ (X − C) W^½‖_F   over   X_ii = 1,  X_ij = C_ij where fixed,  X − floor·I ⪰ 0

Sources: N. J. Higham, "Computing the nearest correlation matrix", IMA J. Numerical Analysis 22
(2002) – the problem and its W-norm; H. Qi & D. Sun, "A quadratically convergent Newton method",
SIAM J. Matrix Analysis 28 (2006), and "Correlation stress testing for value-at-risk",
Computational Optimization and Applications 45 (2010) – the dual Newton method and fixed entries.
A whole stack of matrices is repaired one by one: no matrix depends on its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from backtester.arrays import Bool, Float
from backtester.errors import DataError
from backtester.estimation.nearest_newton import NoConvergence, project

_PSD = 1e-12  # eigenvalues this far below the floor are rounding
_SYMMETRIC = 1e-10


@dataclass(frozen=True, slots=True)
class Repair:
    """A correlation matrix and what had to be done to it."""

    matrix: Float  # (N, N): symmetric, unit diagonal, eigenvalues ≥ floor up to rounding
    distance: float  # ‖X − C‖_F, unweighted; 0 where nothing was changed
    repaired: bool  # whether anything was changed
    smallest: float  # smallest eigenvalue before

    def text(self) -> str:
        """One sentence for a report."""
        if not self.repaired:
            return f"a correlation matrix already (smallest eigenvalue {self.smallest:.3g})"
        return (
            f"moved by {self.distance:.3g} (Frobenius) to the nearest correlation matrix; "
            f"its smallest eigenvalue was {self.smallest:.3g}"
        )


@dataclass(frozen=True, slots=True)
class Repairs:
    """`Repair` of a stack of matrices, one a path."""

    matrix: Float  # (P, N, N)
    distance: Float  # (P,)
    repaired: Bool  # (P,)
    smallest: Float  # (P,)


def nearest_correlation(
    matrix: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    fixed: npt.ArrayLike | None = None,
    floor: float = 0.0,
) -> Repair:
    """The correlation matrix nearest to `matrix`, and how far away it was.

    Parameters
    ----------
    matrix: (N, N) symmetric, finite; need be neither PSD nor of unit diagonal.
    weights: (N,) > 0, how much each asset's entries count (Higham's W-norm); default: alike.
    fixed: (N, N) symmetric; True where an entry must stay what it is (to 1e-10; to 1e-6 where only
        singular matrices keep it, as a correlation of ±1). The diagonal is always 1.
    floor: smallest eigenvalue allowed, in [0, 1); 1e-8 makes the result safe to factorise.

    Returned as it is (``repaired`` False) where it is such a matrix already, up to 1e-12. Raises
    DataError for a matrix that is not square, finite and symmetric, for weights or a floor out of
    bounds, and where no correlation matrix has the fixed entries.
    """
    given = _symmetric(matrix)
    size = len(given)
    if not 0.0 <= floor < 1.0:
        raise DataError(
            f"the eigenvalue floor {floor!r} is not in [0, 1)",
            cure="The eigenvalues of a correlation matrix average 1; a usual floor is 1e-8.",
        )
    weight = np.ones(size) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (size,) or not (np.isfinite(weight).all() and (weight > 0.0).all()):
        raise DataError(
            f"weights {weight.tolist()} are not {size} finite numbers > 0",
            cure="Give one weight an asset; fix an entry instead of giving it an infinite weight.",
        )
    held = _fixed(fixed, given, floor)
    smallest = float(np.linalg.eigvalsh(given)[0])
    unit = bool(np.all(np.abs(np.diagonal(given) - 1.0) <= _PSD))
    if unit and smallest >= floor - _PSD:
        np.fill_diagonal(given, 1.0)
        return Repair(given, 0.0, False, smallest)
    try:
        nearest = project(given, weight, held, floor)
    except NoConvergence as error:
        raise DataError(
            f"no correlation matrix with smallest eigenvalue ≥ {floor:.3g} has the fixed "
            f"entries ({int(np.triu(held, 1).sum())} above the diagonal, missed by "
            f"{error.gap:.1e})",
            cure="Free some of the fixed entries, move them towards 0, or lower the floor.",
        ) from None
    return Repair(nearest, float(np.linalg.norm(nearest - given)), True, smallest)


def nearest_correlations(matrices: Float, *, floor: float = 0.0) -> Repairs:
    """`nearest_correlation` of every path of `matrices` (P, N, N) that needs it."""
    result, paths = np.array(matrices), len(matrices)
    distance, repaired = np.zeros(paths), np.zeros(paths, dtype=np.bool_)
    if not np.isfinite(result).all():
        path = int(np.flatnonzero(~np.isfinite(result).all(axis=(1, 2)))[0])
        _symmetric(result[path])  # raises
    smallest: Float = np.array(np.linalg.eigvalsh(result)[:, 0], dtype=np.float64)
    unit = np.all(np.abs(np.diagonal(result, axis1=1, axis2=2) - 1.0) <= _PSD, axis=1)
    for path in np.flatnonzero((smallest < floor - _PSD) | ~unit).tolist():
        one = nearest_correlation(result[path], floor=floor)
        result[path], distance[path], repaired[path] = one.matrix, one.distance, one.repaired
    return Repairs(result, distance, repaired, smallest)


def _symmetric(matrix: npt.ArrayLike) -> Float:
    given = np.array(matrix, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or given.size == 0:
        raise DataError(
            f"a correlation matrix must be square, got shape {given.shape}",
            cure="Give one row and one column an asset.",
        )
    if not np.isfinite(given).all():
        i, j = np.argwhere(~np.isfinite(given))[0]
        raise DataError(
            f"entry ({i}, {j}) of the correlation matrix is {given[i, j]}",
            cure="Estimate it on bars on which both assets have a price, or leave an asset out.",
        )
    skew = np.abs(given - given.T)
    if skew.max() > _SYMMETRIC * max(1.0, float(np.abs(given).max())):
        i, j = np.unravel_index(int(skew.argmax()), skew.shape)
        raise DataError(
            f"the correlation matrix is not symmetric: entry ({i}, {j}) is {given[i, j]:.6g}, "
            f"entry ({j}, {i}) is {given[j, i]:.6g}",
            cure="Give both the same value; the mean of the two is the nearest symmetric matrix.",
        )
    return np.asarray((given + given.T) / 2.0)


def _fixed(fixed: npt.ArrayLike | None, given: Float, floor: float) -> Bool:
    held: Bool = np.zeros(given.shape, dtype=np.bool_)
    if fixed is not None:
        held = np.array(fixed, dtype=np.bool_)
        if held.shape != given.shape or not np.array_equal(held, held.T):
            raise DataError(
                f"fixed entries of shape {held.shape} are not a symmetric mask of the matrix",
                cure=f"Give a boolean array of shape {given.shape}, the same above and below the "
                "diagonal.",
            )
    np.fill_diagonal(held, False)
    far = held & (np.abs(given) > 1.0 - floor + _PSD)
    if far.any():
        i, j = np.argwhere(far)[0]
        raise DataError(
            f"fixed entry ({i}, {j}) is {given[i, j]:.6g}; with smallest eigenvalue ≥ {floor:.3g} "
            f"a correlation lies within ±{1.0 - floor:.6g}",
            cure="Move it towards 0, free it, or lower the floor.",
        )
    return held
