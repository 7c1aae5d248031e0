"""The interface of online covariances, and the three that weight r rᵀ directly.

All are uncentred and count each bar as r rᵀ/elapsed, so that hourly and daily bars of the same
prices estimate the same matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from backtester.arrays import Float, plain
from backtester.estimation.ewma import Ewma, EwmaState, weights
from backtester.estimation.shrinkage import ShrinkTo, ledoit_wolf, sample_covariance
from backtester.estimation.window import RollingWindow, WindowState


class CovarianceEstimator(Protocol):
    """What every covariance estimator can do; the state is its own frozen value."""

    def init(self, paths: int, assets: int) -> Any:
        """State before the first event."""

    def step(self, state: Any, returns: Float, elapsed: float) -> Any:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""

    def covariance(self, state: Any) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""


@cache
def _kernels() -> Any:
    from backtester.estimation import ewma_kernel

    return ewma_kernel


@dataclass(frozen=True)
class EwmaCovariance:
    """Σ = Σ_t w_t r_t r_tᵀ/elapsed_t, weights halving every `halflife` days (RiskMetrics 1996)."""

    halflife: float = 30.0

    def __post_init__(self) -> None:
        Ewma(self.halflife)

    def init(self, paths: int, assets: int) -> EwmaState:
        """State before the first event."""
        return Ewma(self.halflife).init(paths, assets, assets)

    def step(self, state: EwmaState, returns: Float, elapsed: float) -> EwmaState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        if elapsed <= 0.0:
            return state
        weight, square, share = weights(state, self.halflife, elapsed)
        mean = np.empty(state.mean.shape)
        _kernels().step_covariance(plain(state.mean), plain(returns), elapsed, share, mean)
        return EwmaState(mean, weight, square)

    def covariance(self, state: EwmaState) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""
        return state.mean


@dataclass(frozen=True)
class SampleCovariance:
    """Equally weighted mean of r rᵀ/elapsed over the last `window` days."""

    window: float = 60.0

    def __post_init__(self) -> None:
        RollingWindow(self.window)

    def init(self, paths: int, assets: int) -> WindowState:
        """State before the first event."""
        return RollingWindow(self.window).init(paths, assets)

    def step(self, state: WindowState, returns: Float, elapsed: float) -> WindowState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        return RollingWindow(self.window).step(state, returns, elapsed)

    def covariance(self, state: WindowState) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""
        return sample_covariance(state.scaled()[0])


@dataclass(frozen=True)
class LedoitWolf(SampleCovariance):
    """The sample covariance of a rolling window, shrunk by `shrinkage.ledoit_wolf`."""

    target: ShrinkTo = ShrinkTo.IDENTITY

    def covariance(self, state: WindowState) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""
        return ledoit_wolf(state.scaled()[0], self.target)[0]
