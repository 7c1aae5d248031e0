"""Online constant and dynamic conditional correlation with GARCH(1,1) margins.

    h = (1 − α − β) v + α x² + β h          Q = (1 − a − b) S + a y yᵀ + b Q
    z = x/√h                                R = diag(Q)^−½ Q diag(Q)^−½,   Σ = √h R √h

with x the return on one day's scale and y = z (DCC, Engle 2002) or y = diag(Q)^½ z (cDCC, Aielli
2013). Both recursions are the same thing: a long-run mean and an exponential mean, blended,

    Q = w S + (1 − w) EWMA_b(y yᵀ),   w = (1 − a − b)/(1 − b)

and so they are kept: two means with weights in clock time. a = 0 is constant conditional
correlation (Bollerslev 1990), a + b = 1 is EWMA.

What it assumes about the bar: the parameters are those of *daily* bars. A GARCH or DCC of one bar
size is not one of another (Drost & Nijman, Econometrica 61, 1993). On bars of Δ days the mean
decays by b^Δ and the blend stays: a day of 24 hours then weighs what a daily bar weighs, with its
realised covariance in place of one squared return. On daily bars it is the textbook recursion.

v and S are given (by a fit), or learnt online as the means of x² and y yᵀ over all that was seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.ewma import per_root_day
from backtester.estimation.nearest import nearest_correlation

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class DccState:
    """Long-run and exponential means of x² and y yᵀ, and the weights seen so far."""

    level: Float  # (P, N) long-run variance v per day
    variance: Float  # (P, N) exponential mean of x²
    target: Float  # (P, N, N) whose correlation is S
    news: Float  # (P, N, N) exponential mean of y yᵀ
    days: float  # trading time seen
    variance_weight: Float  # (N,) weights of the exponential means, towards 1
    news_weight: float


@dataclass(frozen=True)
class DynamicCorrelation:
    """DCC(1,1), cDCC and CCC as an online covariance; a `CovarianceEstimator`.

    Parameters
    ----------
    a, b: of the correlations, per day: a ≥ 0, 0 ≤ b < 1, a + b ≤ 1. a = 0 is CCC.
    alpha, beta: of the variances, per day, one number or one an asset; the same bounds.
    corrected: cDCC.
    winsor: |z| is cut here; one return of ten deviations would otherwise rule R for weeks.
    target: correlation matrix S (N, N); None: learnt.
    level: long-run variances per day (N,); None: learnt.

    Raises ConfigError for parameters out of bounds, DataError for a target that is not square,
    finite and symmetric.
    """

    a: float = 0.025
    b: float = 0.965
    alpha: float | tuple[float, ...] = 0.09
    beta: float | tuple[float, ...] = 0.89
    corrected: bool = False
    winsor: float = 5.0
    target: Matrix | None = None
    level: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        _weights("a", "b", self.a, self.b)
        if np.ndim(self.alpha) and np.ndim(self.beta) and np.size(self.alpha) != np.size(self.beta):
            raise ConfigError(
                f"alpha has {np.size(self.alpha)} entries and beta {np.size(self.beta)}",
                cure="Give one number, or one an asset, of each.",
            )
        news, decay = np.broadcast_arrays(self.alpha, self.beta)
        for alpha, beta in zip(news.ravel().tolist(), decay.ravel().tolist(), strict=True):
            _weights("alpha", "beta", alpha, beta)
        if not self.winsor > 0.0:
            raise ConfigError(
                f"winsor must be > 0, got {self.winsor!r}",
                cure="Give it in standard deviations; inf cuts nothing.",
            )
        if self.target is not None:
            repair = nearest_correlation(self.target)  # raises where it is no such matrix at all
            if repair.smallest < -1e-8 or repair.distance > 1e-6:
                raise ConfigError(
                    "the correlation target is not a correlation matrix: smallest eigenvalue "
                    f"{repair.smallest:.3g}, diagonal {np.diagonal(self.target).tolist()}",
                    cure="Repair it with backtester.estimation.nearest.nearest_correlation.",
                )

    @property
    def blend(self) -> float:
        """Weight w of the target in Q."""
        return max(1.0 - self.a - self.b, 0.0) / (1.0 - self.b)

    def init(self, paths: int, assets: int) -> DccState:
        """State before the first event; raises ConfigError where parameters do not fit `assets`."""
        for name in ("alpha", "beta", "level", "target"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != assets:
                raise ConfigError(
                    f"{name} has {len(value)} entries for a market of {assets} assets",
                    cure="Fit it to the assets of the market, in their order.",
                )
        shape = (paths, assets)
        level, variance, weight = np.zeros(shape), np.zeros(shape), np.zeros(assets)
        if self.level is not None:
            level[:], variance[:], weight[:] = self.level, self.level, 1.0
        target, news, news_weight = np.zeros((*shape, assets)), np.zeros((*shape, assets)), 0.0
        if self.target is not None:
            target[:], news[:], news_weight = self.target, self.target, 1.0
        return DccState(level, variance, target, news, 0.0, weight, news_weight)

    def step(self, state: DccState, returns: Float, elapsed: float) -> DccState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        from backtester.estimation.dcc_online import step_paths

        if elapsed <= 0.0:
            return state
        days = state.days + elapsed
        beta = np.broadcast_to(np.asarray(self.beta, dtype=np.float64), returns.shape[1:])
        fade = np.array([value**elapsed for value in beta.tolist()])
        variance_weight = fade * state.variance_weight + (1.0 - fade)
        fade_news = self.b**elapsed
        news_weight = fade_news * state.news_weight + (1.0 - fade_news)
        level, variance, target, news = step_paths(
            per_root_day(returns, elapsed),
            state.level,
            state.variance,
            state.target,
            state.news,
            np.ascontiguousarray(self._long_run(returns.shape[1])),
            state.days > 0.0 or self.level is not None,
            self.blend,
            self.corrected and state.news_weight > 0.0,
            self.winsor,
            (1.0 - fade) / variance_weight,
            elapsed / days if self.level is None else 0.0,
            (1.0 - fade_news) / news_weight if self.blend < 1.0 else 0.0,
            elapsed / days if self.target is None and self.blend > 0.0 else 0.0,
        )
        return DccState(level, variance, target, news, days, variance_weight, news_weight)

    def correlation(self, state: DccState) -> Float:
        """Correlation (P, N, N) of the bar to come."""
        from backtester.estimation.dcc_online import blended_correlation

        return np.asarray(blended_correlation(state.target, state.news, self.blend))

    def variance(self, state: DccState) -> Float:
        """Variance per day (P, N) of the bar to come; zero before the first return."""
        share = self._long_run(state.level.shape[1])
        return share * state.level + (1.0 - share) * state.variance

    def covariance(self, state: DccState) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""
        matrix = self.correlation(state)
        deviation = np.sqrt(self.variance(state))
        matrix *= deviation[:, :, None] * deviation[:, None, :]
        return matrix

    def forecast(self, state: DccState, days: float) -> Float:
        """Correlation (P, N, N) expected `days` ≥ 1 days ahead; see `revert`."""
        from backtester.estimation.correlation import correlation

        return revert(self.correlation(state), correlation(state.target), self.a + self.b, days)

    def _long_run(self, assets: int) -> Float:
        alpha, beta = np.asarray(self.alpha), np.asarray(self.beta)
        share = np.maximum(1.0 - alpha - beta, 0.0) / (1.0 - beta)
        return np.broadcast_to(share, (assets,))


def revert(now: Float, mean: Float, persistence: float, steps: float) -> Float:
    """Forecast `steps` ahead of what is `now` one ahead: mean + p^(steps−1) (now − mean).

    Exact for the variance of a GARCH(1,1); for correlations the usual approximation of Engle &
    Sheppard (2001), E[R_{t+k}] ≈ R̄ + (a+b)^{k−1} (R_{t+1} − R̄). Any shape.
    """
    return np.asarray(mean + persistence ** (steps - 1.0) * (now - mean))


def half_life(persistence: float) -> float:
    """Steps after which half of a deviation is left, ln ½/ln p; infinite at persistence 1."""
    return float(np.log(0.5) / np.log(persistence)) if persistence < 1.0 else float("inf")


def per_day(news: float, decay: float, bar_days: float) -> tuple[float, float]:
    """Weights (a, b) per day of those of a bar of `bar_days`: the same blend, b^(1/bar)."""
    if bar_days == 1.0:
        return news, min(decay, 1.0 - news)
    daily = decay ** (1.0 / bar_days)
    return min(news * (1.0 - daily) / (1.0 - decay), 1.0 - daily), daily


def _weights(first: str, second: str, news: float, decay: float) -> None:
    if not (news >= 0.0 and 0.0 <= decay < 1.0 and news + decay <= 1.0 + 1e-12):
        raise ConfigError(
            f"{first} = {news!r} and {second} = {decay!r} are not weights of news and memory",
            cure=f"Give {first} ≥ 0, 0 ≤ {second} < 1 and {first} + {second} ≤ 1 per day.",
        )
