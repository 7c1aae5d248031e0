"""Turbulence, correlation surprise and absorption ratio of every path.

Sources: Kritzman & Li, "Skulls, financial turbulence, and risk management", *Financial Analysts
Journal* 66 (2010); Kinlaw & Turkington, "Correlation surprise", *Journal of Asset Management* 14
(2014); Kritzman, Li, Page & Rigobon, "Principal components as a measure of systemic risk",
*Journal of Portfolio Management* 37 (2011).

    turbulence  d = (x − μ)ᵀ Σ⁻¹ (x − μ)      under normality χ² with N degrees of freedom
    magnitude   m = the same, Σ without its correlations
    surprise    d / m                          > 1: moves that the correlations do not expect
    absorption  share of the variance that lies along the k largest eigenvectors

Figures are raw sums, not divided by the number of assets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.beta import solve_psd
from backtester.estimation.covariance import EwmaCovariance
from backtester.estimation.ewma import EwmaState, per_root_day


def turbulence(x: Float, covariance: Float, mean: Float | None = None) -> Float:
    """Squared Mahalanobis distance of `x` (P, N) from `mean` (default 0), (P,).

    covariance: (P, N, N) of x. Directions in which it is singular are left out: what cannot move
    has no scale.
    """
    moved = x if mean is None else x - mean
    return np.asarray((solve_psd(covariance, moved[:, :, None])[:, :, 0] * moved).sum(axis=-1))


def magnitude(x: Float, covariance: Float, mean: Float | None = None) -> Float:
    """Turbulence with all correlations set to zero, (P,): the size of the moves alone."""
    moved = x if mean is None else x - mean
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    squared = np.divide(moved * moved, variance, out=np.zeros_like(moved), where=variance > 1e-300)
    return np.asarray(squared.sum(axis=-1))


def correlation_surprise(x: Float, covariance: Float, mean: Float | None = None) -> Float:
    """Turbulence over magnitude, (P,): 1 where the moves are as the correlations expect.

    It depends on the direction of x alone, not on its length: a rise of all volatilities is no
    surprise. 1 where nothing moved.
    """
    whole, alone = turbulence(x, covariance, mean), magnitude(x, covariance, mean)
    return np.divide(whole, alone, out=np.ones_like(whole), where=alone > 0.0)


def turbulence_quantile(probability: float, assets: int) -> float:
    """Turbulence that normal returns of `assets` stay below with `probability`: χ²'s quantile.

    Raises ConfigError unless 0 < probability < 1 and assets ≥ 1.
    """
    from scipy.special import gammaincinv

    if not (0.0 < probability < 1.0 and assets >= 1):
        raise ConfigError(
            f"no turbulence quantile at probability {probability!r} of {assets!r} assets",
            cure="Give a probability between 0 and 1 and at least one asset.",
        )
    return float(2.0 * gammaincinv(0.5 * assets, probability))


def absorption_ratio(covariance: Float, k: int) -> Float:
    """Share of the total variance along the `k` largest eigenvectors, (P,).

    covariance: (P, N, N), or correlation. The custom is k ≈ N/5. 0 where nothing moves. Raises
    ConfigError unless 1 ≤ k ≤ N.
    """
    assets = covariance.shape[-1]
    if not 1 <= k <= assets:
        raise ConfigError(
            f"absorption ratio of {k} eigenvectors of {assets} assets",
            cure=f"Give a number from 1 to {assets}; a fifth of the assets is the custom.",
        )
    values = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    total = values.sum(axis=-1)
    top = np.ascontiguousarray(values[..., assets - k :]).sum(axis=-1)
    return np.asarray(np.divide(top, total, out=np.zeros_like(total), where=total > 0.0))


@dataclass(frozen=True, slots=True)
class TurbulenceState:
    """Covariance so far, and the figures of the last bar against the covariance before it."""

    covariance: EwmaState  # (P, N, N)
    turbulence: Float  # (P,) N before there is a covariance: what is expected of it
    surprise: Float  # (P,) 1 before there is a covariance


@dataclass(frozen=True)
class Turbulence:
    """Online turbulence and correlation surprise against the EWMA covariance before the bar.

    The mean is taken as zero. The figures are neutral until `ready` days have been seen, since
    N returns cannot tell a covariance of N assets.

    Parameters
    ----------
    halflife: of the covariance, trading days.
    ready: trading days of returns before the figures are computed.
    """

    halflife: float = 120.0
    ready: float = 60.0

    def __post_init__(self) -> None:
        EwmaCovariance(self.halflife)

    def init(self, paths: int, assets: int) -> TurbulenceState:
        """State before the first event."""
        start = EwmaCovariance(self.halflife).init(paths, assets)
        return TurbulenceState(start, np.full(paths, float(assets)), np.ones(paths))

    def step(self, state: TurbulenceState, returns: Float, elapsed: float) -> TurbulenceState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        if elapsed <= 0.0:
            return state
        estimator = EwmaCovariance(self.halflife)
        after = estimator.step(state.covariance, returns, elapsed)
        # The weights sum to 1 − 2^(−days/halflife).
        if state.covariance.weight < 1.0 - 0.5 ** (self.ready / self.halflife) - 1e-12:
            return TurbulenceState(after, state.turbulence, state.surprise)
        scaled, before = per_root_day(returns, elapsed), estimator.covariance(state.covariance)
        return TurbulenceState(
            after, turbulence(scaled, before), correlation_surprise(scaled, before)
        )


@dataclass(frozen=True, slots=True)
class AbsorptionState:
    """The absorption ratios of the last `long` observations, oldest first."""

    ratios: tuple[Float, ...]  # each (P,)


@dataclass(frozen=True)
class AbsorptionShift:
    """Standardised shift of the absorption ratio, ΔAR = (mean₁₅ − mean₂₅₀)/σ₂₅₀, online.

    Observations are what `step` is given: one a day, with the covariance of that day. Raises
    ConfigError unless 1 ≤ short < long.
    """

    k: int
    short: int = 15
    long: int = 250

    def __post_init__(self) -> None:
        if not 1 <= self.short < self.long:
            raise ConfigError(
                f"absorption shift of {self.short} against {self.long} observations",
                cure="The short window must be shorter than the long one, and not empty.",
            )

    def init(self) -> AbsorptionState:
        """State before the first observation."""
        return AbsorptionState(())

    def step(self, state: AbsorptionState, covariance: Float) -> AbsorptionState:
        """State after a day with `covariance` (P, N, N)."""
        ratios = (*state.ratios, absorption_ratio(covariance, self.k))
        return AbsorptionState(ratios[-self.long :])

    def shift(self, state: AbsorptionState) -> Float:
        """ΔAR of the last observation, (P,); zero until the long window is full, or is flat."""
        if not state.ratios:
            raise ConfigError(
                "absorption shift of no observations", cure="Step it at least once before."
            )
        window = np.ascontiguousarray(np.array(state.ratios).T)
        if len(state.ratios) < self.long:
            return np.zeros(len(window))
        recent = np.ascontiguousarray(window[:, -self.short :]).mean(axis=-1)
        spread = window.std(axis=-1)
        gap = recent - window.mean(axis=-1)
        return np.asarray(np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 1e-12))
