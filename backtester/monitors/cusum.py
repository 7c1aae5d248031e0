"""The correlation CUSUM as a monitor: every recent part against the history before it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from backtester.accounting.book import Book
from backtester.events import CorrelationBreak
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.calibration import CUSUM
from backtester.monitors.contrast import Contrast, ContrastState
from backtester.monitors.shocks import PairShocks
from backtester.monitors.trigger import Sides, bound_for


@dataclass(frozen=True)
class CusumMonitor:
    """Scans the last `recent` observations for the start of a change.

    Source: Wied & Galeano, "Monitoring correlation change in a sequence of random variables",
    *J. Statistical Planning and Inference* 143 (2013): the sequential form of the fluctuation test
    of `backtester.estimation.cusum`, after Chu, Stinchcombe & White (1996). With ρ_m of a history
    of m observations and ρ_k of k later ones the detector is

        D̂ (k/√m) |ρ_k − ρ_m|   against   c (1 + k/m) (k/(m+k))^γ,   γ = ¼,

    with D̂ from the history alone: the retrospective test run day by day over a rolling window
    misses a break at the window's end, since D̂ then contains it. Here the history rolls along, the
    detector is the maximum over every k = 8 … `recent`, correlations are compared as atanh ρ, which
    makes falls and rises alike, and pairs are cut to two standard deviations. The rolling maximum
    has no closed distribution: the bound is the measured one of docs/monitors.md.

    Parameters
    ----------
    false_alarm_days: trading days between false alarms on one pair, on average.
    recent: observations that may belong to the change.
    reference: observations of the history before them.
    every: trading days of one observation.
    sides: ``"both"``, or only breaks by which the pair becomes ``"weaker"`` or ``"stronger"``.
    triggers: whether a break asks for a decision at once, or only informs.
    """

    false_alarm_days: float = 730.0
    recent: int = 40
    reference: int = 120
    every: float = 1.0
    sides: Sides = "both"
    triggers: bool = True

    def __post_init__(self) -> None:
        self._contrast, self._bound  # noqa: B018 - what is wrong is said here

    @cached_property
    def _contrast(self) -> Contrast:
        shocks = PairShocks(self.every, 20.0 * self.every)
        return Contrast(shocks, self.recent, self.reference, 8, 0.25)

    @cached_property
    def _bound(self) -> float:
        days = self.false_alarm_days * 40.0 / self.recent  # measured with 40 recent ones
        return bound_for(days, self.every, CUSUM, self.sides)

    def init(self, market: MarketInfo) -> ContrastState:
        """State before the first event."""
        return self._contrast.init(market)

    def step(
        self, view: MarketView, book: Book, state: ContrastState
    ) -> tuple[ContrastState, CorrelationBreak | None]:
        """State after the event; the breaks in force, once the history is half full."""
        return self._contrast.step(view, book, state, self._bound, self.sides, self.triggers)
