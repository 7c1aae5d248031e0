"""`RegimeMonitor`: a regime detector that watches a strategy's own book."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Byte, Float, Int
from backtester.estimation.correlation import (
    DevolatilisedCorrelation,
    DevolatilisedState,
    correlation,
)
from backtester.estimation.ewma import outer, positive_days
from backtester.events import RegimeChange
from backtester.market.view import MarketInfo, MarketView
from backtester.regimes.detector import HedgeRegimeDetector, RegimeDetector

PRIOR = 20.0
"""Days of the current correlation in each regime's: a regime hardly seen looks like today."""


@dataclass(frozen=True, slots=True)
class RegimeMonitorState:
    """All that evolves."""

    detector: Any
    regime: Byte  # (P,)
    exposure: Float  # (P, N) at the last event, money
    hedges: Int  # (K,) columns of the instruments
    now: DevolatilisedState
    products: Float  # (P, R, N, N) sums of devolatilised products by regime
    days: Float  # (P, R) their weight in days


@dataclass(frozen=True)
class RegimeMonitor:
    """Emits a `RegimeChange` at every event; its mask is on where the decision has changed.

    Its direction is +1 out of normal, −1 back to it, 0 from one crisis to another.

    The detector sees the return of the unhedged exposure held over the bar, per unit of gross
    exposure, and the returns of the eligible instruments.

    With `covariances` the event carries one covariance a regime: today's volatilities and the
    correlation of devolatilised returns in that regime, each bar counted by its probability. They
    are uncentred, so what differs between the regimes' means is in them.

    Parameters
    ----------
    detector: any `RegimeDetector`.
    halflife: of today's correlation, trading days; memory: of the regimes' own.
    triggers: whether a change asks for a decision.
    """

    detector: RegimeDetector[Any] = field(default_factory=HedgeRegimeDetector)
    covariances: bool = False
    halflife: float = 60.0
    memory: float = 504.0
    triggers: bool = True

    def __post_init__(self) -> None:
        positive_days("halflife", self.halflife)
        positive_days("memory", self.memory)

    def init(self, market: MarketInfo) -> RegimeMonitorState:
        """State before the first event."""
        paths, assets = market.paths, len(market.assets)
        regimes = len(self.detector.names)
        size = (paths, regimes, assets, assets) if self.covariances else (paths, regimes, 0, 0)
        return RegimeMonitorState(
            self.detector.init(paths, len(market.instruments)),
            np.zeros(paths, dtype=np.int8),
            np.zeros((paths, assets)),
            market.instrument_index,
            self._now.init(paths, assets),
            np.zeros(size),
            np.zeros((paths, regimes)),
        )

    def step(
        self, view: MarketView, book: Book, state: RegimeMonitorState
    ) -> tuple[RegimeMonitorState, RegimeChange]:
        """State after the event, and where things stand."""
        detector, now = state.detector, state.now
        products, days = state.products, state.days
        if view.elapsed > 0.0:
            returns = view.returns()
            detector = self.detector.step(
                detector,
                _book_return(state.exposure, returns),
                np.ascontiguousarray(returns[:, state.hedges]),
                view.elapsed,
            )
        likely = self.detector.probability(detector)
        if view.elapsed > 0.0 and self.covariances:
            product = outer(self._now.standardise(now, returns, view.elapsed))
            now = self._now.advance(now, returns, product, view.elapsed)
            decay = 0.5 ** (view.elapsed / self.memory)
            weight = likely * view.elapsed
            days = decay * days + weight
            products = decay * products + weight[:, :, None, None] * product[:, None]
        regime = np.asarray(self.detector.regime(detector), dtype=np.int8)
        fresh = RegimeMonitorState(
            detector, regime, book.exposure, state.hedges, now, products, days
        )
        return fresh, self._event(view, state.regime, fresh, likely)

    def _event(
        self, view: MarketView, before: Byte, state: RegimeMonitorState, likely: Float
    ) -> RegimeChange:
        mask = state.regime != before
        own = np.take_along_axis(likely, state.regime[:, None].astype(np.int64), axis=1)[:, 0]
        way = np.where(before == 0, 1.0, np.where(state.regime == 0, -1.0, 0.0))
        return RegimeChange(
            t=view.t,
            time=view.time,
            name="regime_change",
            mask=mask,
            strength=np.where(mask, own, np.nan),
            direction=np.where(mask, way, 0.0),
            triggers=self.triggers,
            before=before,
            after=state.regime,
            probability=own,
            names=self.detector.names,
            probabilities=likely,
            covariances=self._by_regime(state) if self.covariances else None,
        )

    def _by_regime(self, state: RegimeMonitorState) -> Float:
        """Covariance per day in each regime, (P, R, N, N)."""
        today = correlation(state.now.product.mean)
        mixed = (state.products + PRIOR * today[:, None]) / (state.days + PRIOR)[..., None, None]
        paths, regimes, n, _ = mixed.shape
        matrix = correlation(mixed.reshape(paths * regimes, n, n)).reshape(mixed.shape)
        deviation = np.sqrt(state.now.variance.mean)
        scale = deviation[:, :, None] * deviation[:, None, :]
        return np.asarray(matrix * scale[:, None])

    @property
    def _now(self) -> DevolatilisedCorrelation:
        return DevolatilisedCorrelation(self.halflife)


def _book_return(exposure: Float, returns: Float) -> Float:
    """Return (P,) of the exposure held over the bar per unit of gross exposure; 0 for none."""
    gross = np.abs(exposure).sum(axis=-1)
    profit = (exposure * returns).sum(axis=-1)
    return np.asarray(np.divide(profit, gross, out=np.zeros_like(gross), where=gross > 0.0))
