"""Tests of a fit's residuals: what a good volatility model leaves is independent and uniform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import DataError


@dataclass(frozen=True)
class Check:
    """A statistic and its p-value under the null of a good fit."""

    statistic: float
    p: float


def ljung_box(x: Float, lags: int) -> Check:
    """Q = n(n+2) Σ ρ̂²ₖ/(n−k) over `lags` lags, χ² with as many degrees (Ljung & Box 1978).

    Give squares for what a variance model left. Parameters were fitted, so p is a little too large.
    """
    _enough(x, lags)
    n, centred = len(x), x - x.mean()
    total = float((centred**2).sum())
    if total == 0.0:
        return Check(0.0, 1.0)
    rho = np.array([(centred[k:] * centred[: n - k]).sum() / total for k in range(1, lags + 1)])
    statistic = float(n * (n + 2) * (rho**2 / (n - np.arange(1, lags + 1))).sum())
    return Check(statistic, _chi_square(statistic, lags))


def arch_lm(x: Float, lags: int) -> Check:
    """n R² of the regression of x² on its own lags, χ² (Engle 1982)."""
    _enough(x, lags)
    squares = x**2
    n = len(squares) - lags
    past = np.column_stack([squares[lags - k : len(squares) - k] for k in range(1, lags + 1)])
    design = np.column_stack([np.ones(n), past])
    target = squares[lags:]
    spread = float(((target - target.mean()) ** 2).sum())
    if spread == 0.0:
        return Check(0.0, 1.0)
    fitted = design @ np.linalg.lstsq(design, target, rcond=None)[0]
    statistic = n * (1.0 - float(((target - fitted) ** 2).sum()) / spread)
    return Check(statistic, _chi_square(statistic, lags))


def uniform_ks(u: Float) -> Check:
    """Largest distance of the distribution of `u` from the uniform one (Kolmogorov–Smirnov)."""
    from scipy.stats import kstest

    found = kstest(u, "uniform")
    return Check(float(found.statistic), float(found.pvalue))


def _enough(x: Float, lags: int) -> None:
    if x.ndim != 1 or len(x) < 3 * lags:
        raise DataError(
            f"{x.size} values are too few for a test with {lags} lags",
            cure=f"Give at least {3 * lags}, or fewer lags.",
        )


def _chi_square(statistic: float, degrees: int) -> float:
    from scipy.special import gammaincc

    return float(gammaincc(degrees / 2.0, max(statistic, 0.0) / 2.0))
