"""Covariance of K principal factors and idiosyncratic rest.

The correlation matrix keeps its K largest principal components, less the noise s² that the mean of
the others shows; what they leave of each variance is idiosyncratic and uncorrelated,

    R = B Bᵀ + diag(1 − B Bᵀ),   B = V_K (Λ_K − s²)^½

so N(N − 1)/2 correlations rest on N·K loadings. Without the s² every correlation would be
overstated, by (1 − ρ)/N where all are ρ. PCA is done on the *correlation* matrix: on the
covariance the most volatile asset would be the first factor. Source: Tipping & Bishop,
"Probabilistic principal component analysis", J. Royal Statistical Society B 61 (1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.correlation import correlation
from backtester.estimation.covariance_base import EwmaCovariance
from backtester.estimation.ewma import EwmaState


def factor_correlation(matrix: Float, factors: int) -> Float:
    """Correlation (P, N, N) of the `factors` largest components of `matrix` (P, N, N) and rest.

    O(N³) a path. The matrix itself where `factors` ≥ N.
    """
    assets = matrix.shape[-1]
    if factors >= assets:
        return matrix
    values, vectors = np.linalg.eigh(matrix)
    result = np.zeros_like(matrix)
    noise = np.ascontiguousarray(values[:, : assets - factors]).sum(axis=-1) / (assets - factors)
    for k in range(assets - factors, assets):
        loading = vectors[:, :, k] * np.sqrt(np.maximum(values[:, k] - noise, 0.0))[:, None]
        result += loading[:, :, None] * loading[:, None, :]
    diagonal = np.arange(assets)
    result[:, diagonal, diagonal] = 1.0
    np.clip(result, -1.0, 1.0, out=result)
    return np.asarray(result)


@dataclass(frozen=True)
class FactorCovariance(EwmaCovariance):
    """EWMA covariance whose correlations come from `factors` principal components.

    A step is O(N²); the components are found when the covariance is asked for, O(N³).
    Raises ConfigError unless factors ≥ 1 and halflife > 0.
    """

    factors: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.factors < 1:
            raise ConfigError(
                f"factors must be at least 1, got {self.factors!r}",
                cure="One factor is the market; a fifth of the number of assets is usual.",
            )

    def covariance(self, state: EwmaState) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""
        matrix = factor_correlation(correlation(state.mean), self.factors)
        deviation = np.sqrt(np.diagonal(state.mean, axis1=1, axis2=2))
        return np.asarray(matrix * (deviation[:, :, None] * deviation[:, None, :]))
