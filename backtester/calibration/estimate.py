"""Volatilities, correlations and tails of the bars of one regime."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError, DataError, did_you_mean

ESTIMATORS = ("sample", "ledoit_wolf")
FEWEST = 20
GAUSSIAN = 60.0
"""Degrees of freedom from which a Student-t is written as Gaussian."""


@dataclass(frozen=True)
class Estimate:
    """Moments of the bars of one regime."""

    bars: int
    volatility: Float  # (N,) a year
    correlation: Float  # (N, N)
    correlation_error: Float  # (N, N) standard error, Fisher: (1 − ρ²)/√(n − 3)
    degrees_of_freedom: float | None  # None: no heavier than Gaussian


def estimate_regime(
    returns: Float, bars_per_year: float, estimator: str, regime: str, names: tuple[str, ...]
) -> Estimate:
    """Moments of `returns` (n, N), log returns of the bars of one regime, about zero mean.

    ``ledoit_wolf`` shrinks the correlation of standardised returns towards the identity (Ledoit &
    Wolf 2004, scikit-learn); volatilities are the sample's. Raises DataError for too few bars or a
    series that never moves in the regime.
    """
    if estimator not in ESTIMATORS:
        raise ConfigError(
            f"unknown estimator {estimator!r}", cure=did_you_mean(estimator, ESTIMATORS)
        )
    size = returns.shape[1]
    fewest = max(FEWEST, size + 5)
    if len(returns) < fewest:
        raise DataError(
            f"regime {regime!r} has {len(returns)} bars, too few for {size} assets",
            cure=f"At least {fewest} are needed: a longer history, or a larger crisis share.",
        )
    scale = np.sqrt((returns**2).mean(axis=0))
    for n in np.flatnonzero(scale == 0.0):
        raise DataError(
            f"price of {names[int(n)]!r} never changes in regime {regime!r}",
            cure="A constant price has no correlation with anything; drop the asset.",
        )
    standard = returns / scale
    correlation = standard.T @ standard / len(standard)
    if estimator == "ledoit_wolf":
        from sklearn.covariance import ledoit_wolf

        shrunk = ledoit_wolf(standard, assume_centered=True)[0]
        root = np.sqrt(np.diag(shrunk))
        correlation = shrunk / np.outer(root, root)
    np.fill_diagonal(correlation, 1.0)
    return Estimate(
        bars=len(returns),
        volatility=scale * np.sqrt(bars_per_year),
        correlation=correlation,
        correlation_error=(1.0 - correlation**2) / np.sqrt(len(returns) - 3),
        degrees_of_freedom=student_freedom(standard, correlation),
    )


def student_freedom(standard: Float, correlation: Float) -> float | None:
    """Degrees of freedom of a multivariate Student-t of unit variance, by maximum likelihood.

    Profile likelihood in ν with the correlation held at its estimate: with d² the squared
    Mahalanobis length, log L = Σ lnΓ((ν+N)/2) − lnΓ(ν/2) − N/2 ln(ν−2) − (ν+N)/2 ln(1 + d²/(ν−2)).
    None where ν would be 60 or more.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    bars, size = standard.shape
    lengths = np.einsum("ti,ij,tj->t", standard, np.linalg.pinv(correlation), standard)

    def loss(log_excess: float) -> float:
        nu = 2.0 + np.exp(log_excess)
        constant = gammaln((nu + size) / 2) - gammaln(nu / 2) - size / 2 * np.log(nu - 2)
        return float((nu + size) / 2 * np.log1p(lengths / (nu - 2)).sum() - bars * constant)

    best = minimize_scalar(loss, bounds=(np.log(0.1), np.log(2 * GAUSSIAN)), method="bounded")
    nu = 2.0 + float(np.exp(best.x))
    return None if nu >= GAUSSIAN else nu


def volatility_adjusted(correlation: Float, crisis: Float, normal: Float) -> Float:
    """Crisis correlation with the mechanical effect of higher variance taken out, (N, N).

    Forbes & Rigobon (2002): ρ/√(1 + δ(1 − ρ²)), δ the relative rise in variance; here the
    geometric mean over the pair of crisis-to-normal variance ratios, less one.
    """
    ratio = crisis / normal
    delta = np.maximum(np.outer(ratio, ratio) - 1.0, 0.0)
    return np.asarray(correlation / np.sqrt(1.0 + delta * (1.0 - correlation**2)))
