"""Nearest correlation matrices."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.arrays import Float
from backtester.estimation.nearest import nearest_correlation
from backtester.verify.claim import Claim

TOPIC = "Matrix repair"
HIGHAM = (
    "Higham (2002), IMA J. Numerical Analysis 22, the example [[1, 1, 0], [1, 1, 1], [0, 1, 1]]"
)
NAG = "NAG library, example of g02aaf: tridiagonal (−1, 2, −1)"
WEIGHTS = "the same in the W-norm, weights 1, 2, 3; ports of the NAG routine"
QI_SUN = "Qi & Sun (2010), Comput. Optim. Appl. 45, on ρ₁₂ = ρ₁₃ = 0.9, ρ₂₃ = 0"
SQUARE = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
PAIR = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, 0.0], [0.9, 0.0, 1.0]])
claim = partial(Claim, TOPIC)


def entry(matrix: Float, i: int, j: int, weights: tuple[float, ...] | None = None) -> float:
    """Entry (i, j), counted from 1, of the nearest correlation matrix."""
    return float(nearest_correlation(matrix, weights=weights).matrix[i - 1, j - 1])


def nag(j: int) -> float:
    """Entry (1, j) of the tridiagonal example."""
    return entry(2.0 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1), 1, j)


def held(i: int, j: int) -> float:
    """Entry (i, j) of the pair's nearest matrix that keeps ρ₂₃ = 0."""
    mask = np.zeros((3, 3), dtype=np.bool_)
    mask[1, 2] = mask[2, 1] = True
    return float(nearest_correlation(PAIR, fixed=mask).matrix[i - 1, j - 1])


CLAIMS = (
    claim("ρ₁₂", "0.76068985", lambda: entry(SQUARE, 1, 2), HIGHAM),
    claim("ρ₁₃", "0.15729811", lambda: entry(SQUARE, 1, 3), HIGHAM),
    claim("Frobenius distance", "0.527790", lambda: nearest_correlation(SQUARE).distance, HIGHAM),
    claim("ρ₁₂", "-0.8084125", lambda: nag(2), NAG),
    claim("ρ₁₃", "0.1915875", lambda: nag(3), NAG),
    claim("ρ₁₄", "0.10677505", lambda: nag(4), NAG),
    claim("weighted ρ₁₂", "0.66774961", lambda: entry(SQUARE, 1, 2, (1.0, 2.0, 3.0)), WEIGHTS),
    claim("weighted ρ₁₃", "0.16723692", lambda: entry(SQUARE, 1, 3, (1.0, 2.0, 3.0)), WEIGHTS),
    claim("weighted ρ₂₃", "0.84557496", lambda: entry(SQUARE, 2, 3, (1.0, 2.0, 3.0)), WEIGHTS),
    claim("ρ₁₂ = √½ where ρ₂₃ is held at 0", "0.70710678", lambda: held(1, 2), QI_SUN),
    claim("ρ₂₃ where it is held", "0", lambda: held(2, 3), QI_SUN, 1e-10),
    claim(
        "ρ₁₂ where nothing is held",
        "0.743411",
        lambda: entry(PAIR, 1, 2),
        QI_SUN + ", published from a conic solver",
        1e-5,
    ),
    claim(
        "ρ₂₃ where nothing is held",
        "0.105320",
        lambda: entry(PAIR, 2, 3),
        QI_SUN + ", published from a conic solver",
        1e-4,
    ),
)
