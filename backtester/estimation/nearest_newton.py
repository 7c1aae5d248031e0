"""Dual Newton method behind `nearest.nearest_correlation`.

With G = W^½(C − τI)W^½ and the linear map A that reads the diagonal and the fixed entries, the
projection is Y = (G + A*y)₊ at the minimum of the smooth convex

    θ(y) = ½‖(G + A*y)₊‖² − bᵀy,     ∇θ(y) = A(Y) − b

whose generalised Hessian h ↦ A(P(Ω ∘ (Pᵀ A*h P))Pᵀ) needs one eigendecomposition an iteration;
the Newton equation is solved by conjugate gradients (Qi & Sun 2006, 2010). The minimum exists
where some positive definite matrix keeps the fixed entries.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backtester.arrays import Bool, Float

_GAP = 1e-11  # largest error of an entry that must be met, relative to the size of the matrix
_LOOSE = 1e-6  # met where only singular matrices keep the fixed entries; beyond it none does
_STEPS = 200


class NoConvergence(Exception):
    """No matrix meets the fixed entries; `gap` is how far the best one is from them."""

    def __init__(self, gap: float) -> None:
        super().__init__(gap)
        self.gap = gap


def project(given: Float, weight: Float, held: Bool, floor: float) -> Float:
    """Nearest correlation matrix (N, N); see `nearest.nearest_correlation`.

    given: (N, N) symmetric; weight: (N,) > 0; held: (N, N) mask off the diagonal. Raises
    NoConvergence where the fixed entries belong to no correlation matrix.
    """
    size = len(given)
    root = np.sqrt(weight / weight.max())
    scale = root[:, None] * root[None, :]
    rows, columns = np.nonzero(np.triu(held, 1))
    rows = np.concatenate([np.arange(size), rows])
    columns = np.concatenate([np.arange(size), columns])
    # The map A is an isometry: an entry off the diagonal stands for two.
    unit = np.where(rows == columns, 1.0, np.sqrt(2.0))
    centred = given - floor * np.eye(size)
    wanted = np.where(rows == columns, 1.0 - floor, centred[rows, columns])
    wanted = unit * wanted * scale[rows, columns]

    def read(matrix: Float) -> Float:
        return np.asarray(unit * matrix[rows, columns])

    def write(values: Float) -> Float:
        matrix = np.zeros((size, size))
        matrix[rows, columns] = values / unit
        matrix[columns, rows] = values / unit
        return matrix

    found = _minimise(centred * scale, wanted, read, write) / scale
    # Rounding of the diagonal is taken out by a congruence, which keeps the matrix PSD.
    stretch = np.sqrt((1.0 - floor) / np.diagonal(found))
    found = found * (stretch[:, None] * stretch[None, :])
    np.fill_diagonal(found, 1.0)
    return np.asarray((found + found.T) / 2.0)


def _minimise(
    start: Float,
    wanted: Float,
    read: Callable[[Float], Float],
    write: Callable[[Float], Float],
) -> Float:
    """(G + A*y)₊ at the minimum of θ."""
    dual = wanted - read(start)
    goal = _GAP * max(1.0, float(np.abs(start).max()))
    value, positive, eigen = _theta(start + write(dual), wanted, dual)
    best, gap = positive, np.inf
    for _ in range(_STEPS):
        gradient = read(positive) - wanted
        now = float(np.abs(gradient).max())
        if now < gap:
            best, gap = positive, now
        if now <= goal:
            return positive
        size = float(np.linalg.norm(gradient))
        step = _newton(gradient, size, eigen, read, write)
        slope = float(gradient @ step)
        length, slack = 1.0, 1e-15 * abs(value)
        for _ in range(40):
            moved = dual + length * step
            trial, positive_at, eigen_at = _theta(start + write(moved), wanted, moved)
            if trial <= value + 1e-4 * length * slope + slack:
                break
            length *= 0.5
        else:
            break  # no progress is left in floating point
        dual, value, positive, eigen = moved, trial, positive_at, eigen_at
    if gap > _LOOSE * max(1.0, float(np.abs(start).max())):
        raise NoConvergence(gap)
    return best


def _theta(matrix: Float, wanted: Float, dual: Float) -> tuple[float, Float, tuple[Float, Float]]:
    values, vectors = np.linalg.eigh(matrix)
    kept = np.maximum(values, 0.0)
    positive = (vectors * kept) @ vectors.T
    return float(0.5 * kept @ kept - wanted @ dual), positive, (values, vectors)


def _newton(
    gradient: Float,
    size: float,
    eigen: tuple[Float, Float],
    read: Callable[[Float], Float],
    write: Callable[[Float], Float],
) -> Float:
    """Direction d of V d = −∇θ by conjugate gradients, to a tolerance that falls with ∇θ."""
    values, vectors = eigen
    above = np.maximum(values, 0.0)
    gap = np.abs(values)[:, None] + np.abs(values)[None, :]
    share = np.divide(above[:, None] + above[None, :], gap, out=np.ones_like(gap), where=gap > 0.0)
    ridge = min(1e-3, 0.1 * size)

    def curvature(direction: Float) -> Float:
        inner = share * (vectors.T @ write(direction) @ vectors)
        return read(vectors @ inner @ vectors.T) + ridge * direction

    solution = np.zeros_like(gradient)
    residual = -gradient
    search = residual.copy()
    square = float(residual @ residual)
    goal = (min(1e-2, size) * size) ** 2
    for _ in range(4 * len(gradient) + 20):
        image = curvature(search)
        step = square / float(search @ image)
        solution = solution + step * search
        residual = residual - step * image
        previous, square = square, float(residual @ residual)
        if square <= goal:
            break
        search = residual + (square / previous) * search
    return solution
