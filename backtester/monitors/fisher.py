"""Fisher's test of the recent correlation against the one before, repeated every day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from backtester.accounting.book import Book
from backtester.events import CorrelationBreak
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.calibration import FISHER
from backtester.monitors.contrast import Contrast, ContrastState
from backtester.monitors.shocks import PairShocks
from backtester.monitors.trigger import bound_for


@dataclass(frozen=True)
class FisherMonitor:
    """Compares the last `recent` observations with the `reference` ones before them.

    The statistic is (atanh ρ₁ − atanh ρ₂)/√(1/(n₁−3) + 1/(n₂−3)) of devolatilised returns (Fisher
    1921), its error widened for fat tails by the measured influence of the observations of the
    reference, and pairs cut to two standard deviations. Testing every day is not testing once: the
    bound is the measured one of docs/monitors.md, not a normal quantile.

    Parameters
    ----------
    false_alarm_days: trading days between false alarms on one pair, on average.
    recent, reference: observations in the two samples.
    every: trading days of one observation.
    triggers: whether a break asks for a decision at once, or only informs.
    """

    false_alarm_days: float = 730.0
    recent: int = 25
    reference: int = 120
    every: float = 1.0
    triggers: bool = True

    def __post_init__(self) -> None:
        self._contrast, self._bound  # noqa: B018 - what is wrong is said here

    @cached_property
    def _contrast(self) -> Contrast:
        shocks = PairShocks(self.every, 20.0 * self.every)
        return Contrast(shocks, self.recent, self.reference, self.recent, 0.0)

    @cached_property
    def _bound(self) -> float:
        return bound_for(self.false_alarm_days, self.every, FISHER)

    def init(self, market: MarketInfo) -> ContrastState:
        """State before the first event."""
        return self._contrast.init(market)

    def step(
        self, view: MarketView, book: Book, state: ContrastState
    ) -> tuple[ContrastState, CorrelationBreak | None]:
        """State after the event; the breaks in force, once the reference is half full."""
        return self._contrast.step(view, book, state, self._bound, self.triggers)
