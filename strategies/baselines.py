"""Baselines: no hedge, a stale hedge, one-to-one, and rolling least squares.

They state notionals (`Target`) and so do not weigh costs: what a desk does without an optimiser.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import FiniteFloat

from backtester.accounting.book import Book
from backtester.arrays import Float, Int
from backtester.errors import StrategyError, did_you_mean
from backtester.estimation.beta import hedge_ratios, ols_beta
from backtester.estimation.correlation import inverse_root
from backtester.estimation.covariance import SampleCovariance
from backtester.estimation.window import RollingWindow, WindowState
from backtester.hedging.decision import HedgeDecision, Target
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Days, Strategy


class Naked(Strategy[None]):
    """No hedge: the book every other strategy is measured against."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        """Hold nothing."""
        return HedgeDecision(exposure=book.exposure, risk=Target(np.zeros_like(book.hedges)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A covariance fixed at the end of a window; None while the window is filling."""

    window: WindowState
    days: float  # trading time seen
    covariance: Float | None  # (P, N, N) per day

    @classmethod
    def empty(cls, days: float, market: MarketInfo) -> Calibration:
        """Before the first event, for a window of `days`."""
        return cls(SampleCovariance(days).init(market.paths, len(market.assets)), 0.0, None)

    def step(self, days: float, view: MarketView) -> Calibration:
        """One bar on; fixed once `days` have been seen."""
        if self.covariance is not None:
            return self
        estimator, seen = SampleCovariance(days), self.days + view.elapsed
        window = estimator.step(self.window, view.returns(), view.elapsed)
        if seen < days - 1e-9:
            return Calibration(window, seen, None)
        kept = estimator.init(window.paths, window.assets)  # its rows are needed no more
        return Calibration(kept, seen, estimator.covariance(window))


@dataclass(frozen=True, slots=True)
class StaticState:
    """The ratio once it is fixed: hedge notional per unit of each asset's notional."""

    calibration: Calibration
    instruments: Int  # (K,) columns of the hedges
    ratio: Float | None  # (P or 1, K, N)


class StaticHedge(Strategy[StaticState]):
    """A ratio fixed once and never updated: the stale hedge.

    h = R·e with R = −Σ_kk⁺ Σ_ke estimated on the first `window` days, or h_k = ratio_k × the net
    exposure. With an exposure held at constant notional and volatilities unchanged, a pair hedged
    at correlation ρ₀ has effectiveness 2ρ₀ρ₁ − ρ₀² once the correlation is ρ₁: negative below
    ρ₀/2.

    Source: Ederington (1979); the identity is the variance of e + h written out.

    Parameters
    ----------
    window: trading days the ratio is estimated on.
    ratio: hedge notional per unit of net exposure notional by instrument, instead of an estimate;
        negative is short. Instruments not named are not used.
    """

    window: Days = 60.0
    ratio: dict[str, FiniteFloat] | None = None

    @property
    def warmup(self) -> float:
        """The window, or nothing where the ratio is given."""
        return 0.0 if self.ratio is not None else self.window

    def requires(self) -> tuple[str, ...]:
        """The instruments named, if any."""
        return tuple(self.ratio or ())

    def init(self, market: MarketInfo) -> StaticState:
        """An empty window, or the ratio that was given."""
        ratio = None
        if self.ratio is not None:
            ratio = np.zeros((1, len(market.instruments), len(market.assets)))
            for name, value in self.ratio.items():
                ratio[0, _position(name, market, "ratio")] = value
        return StaticState(Calibration.empty(self.window, market), market.instrument_index, ratio)

    def observe(self, view: MarketView, state: StaticState) -> StaticState:
        """Fill the window, then stand still."""
        if state.ratio is not None:
            return state
        calibration = state.calibration.step(self.window, view)
        if calibration.covariance is None:
            return StaticState(calibration, state.instruments, None)
        ratio = hedge_ratios(calibration.covariance, state.instruments)
        return StaticState(calibration, state.instruments, ratio)

    def decide(self, view: MarketView, book: Book, state: StaticState) -> HedgeDecision:
        """The fixed ratio on today's exposure."""
        notional = np.zeros_like(book.hedges)
        if state.ratio is not None:
            notional += (state.ratio * book.exposure[:, None, :]).sum(axis=-1)
        return HedgeDecision(exposure=book.exposure, risk=Target(notional))


class OneToOne(Strategy[tuple[Calibration, int | None]]):
    """The naive hedge: equal and opposite notional in one instrument.

    h = −Σ e in the instrument whose correlation with the exposure's P&L over the first `window`
    days is highest, whatever its size. Its effectiveness on a pair is 2ρk − k² with k = σ_h/σ_e,
    so it loses wherever ρ < k/2.

    Source: the 1:1 benchmark of the futures-hedging literature (Ederington 1979).

    Parameters
    ----------
    instrument: hedge with this one, instead of choosing.
    window: trading days the choice is made on.
    """

    instrument: str | None = None
    window: Days = 60.0

    @property
    def warmup(self) -> float:
        """The window, or nothing where the instrument is given."""
        return 0.0 if self.instrument is not None else self.window

    def requires(self) -> tuple[str, ...]:
        """The instrument named, if any."""
        return (self.instrument,) if self.instrument is not None else ()

    def init(self, market: MarketInfo) -> tuple[Calibration, int | None]:
        """Empty calibration, and the position of the instrument where it is given."""
        place = None
        if self.instrument is not None:
            place = _position(self.instrument, market, "instrument")
        return Calibration.empty(self.window, market), place

    def observe(
        self, view: MarketView, state: tuple[Calibration, int | None]
    ) -> tuple[Calibration, int | None]:
        """Fill the window, then stand still."""
        if state[1] is not None:
            return state
        return state[0].step(self.window, view), None

    def decide(
        self, view: MarketView, book: Book, state: tuple[Calibration, int | None]
    ) -> HedgeDecision:
        """Minus the net exposure in the one instrument."""
        calibration, place = state
        notional = np.zeros_like(book.hedges)
        rows = np.arange(len(notional))
        if place is not None:
            notional[:, place] = -book.exposure.sum(axis=-1)
        elif calibration.covariance is not None:
            covariance = np.take(calibration.covariance, book.instrument_index, axis=1)
            with_exposure = (covariance * book.exposure[:, None, :]).sum(axis=-1)
            scale = inverse_root(
                calibration.covariance[:, book.instrument_index, book.instrument_index]
            )
            # The sign of a correlation is that of the portfolio's P&L, a short book included:
            # the instrument must move with what is held, per unit of net notional.
            net = book.exposure.sum(axis=-1)
            score = with_exposure * scale * np.sign(net)[:, None]
            notional[rows, np.argmax(score, axis=-1)] = -net
        return HedgeDecision(exposure=book.exposure, risk=Target(notional))


class RollingOLS(Strategy[WindowState]):
    """Beta by ordinary least squares over a rolling window, fully traded every time.

    h = −β, the slopes of exposure P&L on the instruments' returns with an intercept. Out of sample
    its expected effectiveness is R² − (1 − R²)·K/(W − K − 2) for W normal observations.

    Source: Ederington (1979); the loss is the textbook prediction error of a regression.

    Parameters
    ----------
    window: trading days.
    """

    window: Days = 60.0

    @property
    def warmup(self) -> float:
        """The window."""
        return self.window

    def init(self, market: MarketInfo) -> WindowState:
        """An empty window."""
        return RollingWindow(self.window).init(market.paths, len(market.assets))

    def observe(self, view: MarketView, state: WindowState) -> WindowState:
        """The window one bar on."""
        return RollingWindow(self.window).step(state, view.returns(), view.elapsed)

    def decide(self, view: MarketView, book: Book, state: WindowState) -> HedgeDecision:
        """Minus the betas of today's exposure."""
        beta = ols_beta(state, book.exposure, book.instrument_index)
        return HedgeDecision(exposure=book.exposure, risk=Target(-beta))


def _position(name: str, market: MarketInfo, parameter: str) -> int:
    """Where instrument `name` stands among the K; raises StrategyError naming the parameter."""
    if name not in market.instruments:
        raise StrategyError(
            f"{parameter} names {name!r}, which is not an eligible instrument",
            cure=did_you_mean(name, market.instruments),
        )
    return market.instruments.index(name)
