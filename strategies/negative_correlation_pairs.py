"""Signed pairs: long what falls with the exposure's gains, short what rises with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from backtester.accounting.book import Book
from backtester.arrays import Bool, Float, Int
from backtester.estimation.change import critical, shrink_factor
from backtester.estimation.correlation import (
    DevolatilisedCorrelation,
    DevolatilisedState,
    fisher_error,
    fisher_z,
    portfolio_correlation,
)
from backtester.events import CorrelationBreak
from backtester.hedging.decision import HedgeDecision, Quadratic
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors import FisherMonitor, Monitor
from backtester.strategy import Days, Strategy


@dataclass(frozen=True, slots=True)
class State:
    """The correlations that select and size."""

    exposed: Int  # (E,) columns of the exposed assets
    slow: DevolatilisedState


class NegativeCorrelationPairs(Strategy[State]):
    """Hedge with the partner most surely correlated with the exposure, of either sign.

    1. ρ_k: EWMA correlation of devolatilised exposure P&L with each of K candidates.
    2. A candidate is accepted if |z_k| = |atanh ρ_k|·√(n − 3) exceeds c, the two-sided Šidák bound
       for K candidates at `significance`; n is the effective sample size, divided by 1 + κ for
       the fat tails returns share. The largest |z| wins; a challenger must beat a partner that is
       held by `switch_margin`.
    3. The hedge is the minimum-variance one, h = −s·e·ρσ_e/σ_k (long where ρ < 0, short where
       ρ > 0), shrunk by s = 1 − (c/z)², so that it starts from 0 at the bound.
    4. A `FisherMonitor` watches every candidate for a correlation that moves against its sign. A
       break asks for a decision at once, schedule or not; while it is in force the hedge is scaled
       to what the recent correlation supports, ρ_recent/ρ within [0, 1], and the signal
       ``partner_break`` says that the partner held is the one that broke.

    Source: Fisher (1921); Šidák (1967); Muirhead (1982) for κ; Breiman (1995), James & Stein
    (1961) for s; Engle (2002) with a + b = 1 for ρ.

    Parameters
    ----------
    halflife: of the correlation that selects and sizes, trading days.
    volatility_halflife: of the volatilities, trading days.
    recent: half-life of the recent correlation that is watched for breaks, trading days.
    significance: probability of accepting any of K candidates that are all uncorrelated.
    false_alarm_days: trading days between false alarms of a break on one candidate, on average.
    partners: most partners to hold at a time.
    switch_margin: fraction by which a challenger's |z| must exceed a held partner's.
    """

    halflife: Days = 60.0
    volatility_halflife: Days = 20.0
    recent: Days = 10.0
    significance: float = Field(default=0.05, gt=0.0, lt=1.0)
    false_alarm_days: Days = 730.0
    partners: int = Field(default=1, ge=1)
    switch_margin: float = Field(default=0.1, ge=0.0)

    @property
    def warmup(self) -> float:
        """One half-life of the selecting correlation, in trading days."""
        return self.halflife

    def _slow(self) -> DevolatilisedCorrelation:
        return DevolatilisedCorrelation(self.halflife, self.volatility_halflife)

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        """One for all candidates, and the side that hurts."""
        every = max(1.0, market.days_per_bar)
        recent = max(self.recent / every, 2.0)
        reference = max(self.halflife / every, 2.0 * recent)
        return (FisherMonitor(self.false_alarm_days, recent, reference, every, sides="weaker"),)

    def init(self, market: MarketInfo) -> State:
        """Empty estimators."""
        exposed = np.unique([market.index(a) for a in market.exposed])
        return State(exposed, self._slow().init(market.paths, len(market.assets)))

    def observe(self, view: MarketView, state: State) -> State:
        """The correlations one bar on."""
        return State(state.exposed, self._slow().step(state.slow, view.returns(), view.elapsed))

    def decide(self, view: MarketView, book: Book, state: State) -> HedgeDecision:
        """Select, shrink, scale where broken; the ratio itself is the engine's."""
        instruments, exposed = book.instrument_index, state.exposed
        volatility = np.sqrt(state.slow.variance.mean[:, exposed])
        weights = np.ascontiguousarray(book.exposure[:, exposed] * volatility)
        rows = self._slow().correlation(state.slow)[:, exposed]
        full = portfolio_correlation(rows, exposed, weights)
        level = np.ascontiguousarray(full[:, instruments])
        tails = self._slow().tail_inflation(state.slow)[:, None]
        size = state.slow.product.sample_size / tails
        strength = np.abs(fisher_z(level)) / fisher_error(size)
        bound = critical(self.significance, len(instruments))
        chosen = self._select(strength, bound, book)
        left, broken = _left(view, level)
        broken &= chosen
        factor = shrink_factor(strength, bound) * np.where(broken, left, 1.0)
        share = np.where(chosen, np.abs(level), 0.0)
        total = share.sum(axis=-1)
        scale = np.divide(
            (share * factor).sum(axis=-1), total, out=np.zeros_like(total), where=total > 0.0
        )
        return HedgeDecision(
            exposure=book.exposure,
            risk=Quadratic(self._slow().covariance(state.slow)),
            eligible=chosen,
            scale=scale,
            signals={"partner_break": np.asarray(broken.any(axis=-1))},
        )

    def _select(self, strength: Float, bound: float, book: Book) -> Bool:
        """Partners (P, K): accepted, and among the strongest."""
        held = book.hedges != 0.0
        score = strength * np.where(held, 1.0 + self.switch_margin, 1.0)
        order = np.argsort(-score, axis=-1, kind="stable")
        best = np.zeros(strength.shape, dtype=np.bool_)
        np.put_along_axis(best, order[:, : self.partners], True, axis=-1)
        return best & (strength > bound)


def _left(view: MarketView, level: Float) -> tuple[Float, Bool]:
    """Share of the hedge that the recent correlation supports, and where it has broken, (P, K)."""
    whole, nowhere = np.ones(level.shape), np.zeros(level.shape, dtype=np.bool_)
    for event in view.events:
        if isinstance(event, CorrelationBreak) and event.after is not None:
            ratio = np.divide(event.after, level, out=np.zeros_like(level), where=level != 0.0)
            return np.clip(ratio, 0.0, 1.0), np.asarray(event.hedges == -1)
    return whole, nowhere
