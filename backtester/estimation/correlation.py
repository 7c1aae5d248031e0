"""Correlation of every path: from a covariance, of a portfolio, and free of changing volatility.

A constant column has correlation 0 with everything, never NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float, Int
from backtester.estimation.ewma import Ewma, EwmaState, outer, per_root_day, positive_days

_TINY = 1e-150  # below this a deviation's square is not a normal number
_NEAR_ONE = 1.0 - 1e-12  # Fisher's z of ±1 is infinite


def correlation(covariance: Float) -> Float:
    """Correlation (P, N, N) of `covariance` (P, N, N); unit diagonal, 0 where a variance is 0."""
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    inverse = inverse_root(variance)
    matrix = covariance * (inverse[..., :, None] * inverse[..., None, :])
    np.clip(matrix, -1.0, 1.0, out=matrix)
    diagonal = np.arange(matrix.shape[-1])
    matrix[..., diagonal, diagonal] = 1.0
    return np.asarray(matrix)


def inverse_root(variance: Float) -> Float:
    """1/√variance, 0 where the variance is 0; any shape."""
    deviation = np.sqrt(variance)
    return np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > _TINY)


def portfolio_correlation(rows: Float, columns: Int, weights: Float) -> Float:
    """Correlation of a portfolio with every asset, (..., P, N).

    rows: correlations of the E assets held with all N, (..., P, E, N).
    columns: where the E assets stand among the N, (E,).
    weights: volatility-weighted positions e·σ of the E assets, (P, E).

    0 where the legs cancel exactly: such a book has no direction left to hedge.
    """
    from backtester.estimation.kernels import portfolio_correlations

    layers = np.ascontiguousarray(rows).reshape(-1, *rows.shape[-3:])
    flat = portfolio_correlations(layers, columns, weights, 1e-12, _TINY)
    return np.asarray(flat.reshape(*rows.shape[:-2], rows.shape[-1]))


def fisher_z(rho: Float) -> Float:
    """Fisher's variance-stabilising z = atanh ρ, finite also at ±1; any shape."""
    return np.asarray(np.arctanh(np.clip(rho, -_NEAR_ONE, _NEAR_ONE)))


def fisher_error(sample_size: Float | float) -> Float:
    """Standard error of Fisher's z, 1/√(n − 3); infinite for n ≤ 3. Any shape."""
    excess = np.asarray(sample_size, dtype=np.float64) - 3.0
    infinite = np.full_like(excess, np.inf)
    return np.divide(1.0, np.sqrt(np.maximum(excess, 0.0)), out=infinite, where=excess > 0.0)


@dataclass(frozen=True, slots=True)
class DevolatilisedState:
    """Variance per day of each asset, and moments of the devolatilised returns z."""

    variance: EwmaState  # (P, N)
    product: EwmaState  # (P, N, N) mean of z zᵀ
    fourth: EwmaState  # (P,) mean of z_i² z_j² over the pairs i ≠ j


@dataclass(frozen=True)
class DevolatilisedCorrelation:
    """EWMA correlation of z = r/σ, σ the EWMA volatility known *before* the bar.

    Raw rolling correlation rises with variance though dependence is unchanged (Forbes & Rigobon,
    J. Finance 57, 2002); dividing by the volatility first takes that away, and winsorising keeps
    one bar from being the whole estimate. With weights 1−λ and λ on z zᵀ this is DCC (Engle 2002)
    with a + b = 1.

    Parameters
    ----------
    halflife: of the correlation, trading days.
    volatility_halflife: of the variances, trading days.
    winsor: |z| is cut here, in standard deviations.
    """

    halflife: float = 60.0
    volatility_halflife: float = 20.0
    winsor: float = 5.0

    def __post_init__(self) -> None:
        Ewma(self.halflife)
        positive_days("volatility_halflife", self.volatility_halflife)

    def init(self, paths: int, assets: int) -> DevolatilisedState:
        """State before the first event."""
        return DevolatilisedState(
            Ewma(self.volatility_halflife).init(paths, assets),
            Ewma(self.halflife).init(paths, assets, assets),
            Ewma(self.halflife).init(paths),
        )

    def standardise(self, state: DevolatilisedState, returns: Float, elapsed: float) -> Float:
        """Devolatilised, winsorised returns z (P, N); elapsed > 0."""
        scaled = per_root_day(returns, elapsed)
        # The first return has no volatility before it: it counts as one deviation of its own.
        known = state.variance.mean if state.variance.weight > 0.0 else scaled * scaled
        # An asset that has not moved until now is measured by this very move.
        known = np.where(known > _TINY * _TINY, known, scaled * scaled)
        return np.asarray(np.clip(scaled * inverse_root(known), -self.winsor, self.winsor))

    def step(self, state: DevolatilisedState, returns: Float, elapsed: float) -> DevolatilisedState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        if elapsed <= 0.0:
            return state
        product = outer(self.standardise(state, returns, elapsed))
        return self.advance(state, returns, product, elapsed)

    def advance(
        self, state: DevolatilisedState, returns: Float, product: Float, elapsed: float
    ) -> DevolatilisedState:
        """`step` where z zᵀ (P, N, N) is at hand already."""
        squared = returns * returns / elapsed
        diagonal = np.diagonal(product, axis1=1, axis2=2).copy()
        pairs = diagonal.sum(axis=-1) ** 2 - (diagonal * diagonal).sum(axis=-1)
        count = max(diagonal.shape[1] * (diagonal.shape[1] - 1), 1)
        return DevolatilisedState(
            Ewma(self.volatility_halflife).step(state.variance, squared, elapsed),
            Ewma(self.halflife).step(state.product, product, elapsed),
            Ewma(self.halflife).step(state.fourth, pairs / count, elapsed),
        )

    def correlation(self, state: DevolatilisedState) -> Float:
        """Correlation (P, N, N)."""
        return correlation(state.product.mean)

    def covariance(self, state: DevolatilisedState) -> Float:
        """Covariance per day (P, N, N): today's volatilities and this correlation."""
        matrix = correlation(state.product.mean)
        deviation = np.sqrt(state.variance.mean)
        matrix *= deviation[:, :, None] * deviation[:, None, :]
        return matrix

    def tail_inflation(self, state: DevolatilisedState) -> Float:
        """1 + κ ≥ 1, (P,): how much wider a correlation's sampling error is than a normal's.

        For elliptical returns the variance of atanh r is (1 + κ)/n, κ the kurtosis parameter
        (Muirhead, Aspects of Multivariate Statistical Theory, 1982, section 5.1): common jumps and
        volatility make independent assets look correlated more often than Fisher's test allows.
        Estimated by pooling E[z_i² z_j²] = (1 + κ)(v_i v_j + 2 c_ij²) over all pairs.
        """
        moments = state.product.mean
        assets = moments.shape[1]
        variance = np.diagonal(moments, axis1=1, axis2=2).copy()
        squared = (moments * moments).reshape(len(moments), -1).sum(axis=-1)
        normal = variance.sum(axis=-1) ** 2 + 2.0 * squared
        normal -= 3.0 * (variance * variance).sum(axis=-1)
        normal /= max(assets * (assets - 1), 1)
        ratio = np.divide(state.fourth.mean, normal, out=np.ones_like(normal), where=normal > _TINY)
        return np.asarray(np.maximum(ratio, 1.0))
