"""Quantiles of χ², found once."""

from __future__ import annotations

from functools import cache


@cache
def chi_square(freedom: int, probability: float) -> float:
    """Quantile of χ² with `freedom` degrees; infinite at probability 1."""
    from scipy.special import chdtri

    return float(chdtri(freedom, 1.0 - probability)) if probability < 1.0 else float("inf")
