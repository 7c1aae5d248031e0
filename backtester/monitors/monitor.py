"""The protocol of a monitor: the past in, masks over paths out."""

from __future__ import annotations

from typing import Protocol, TypeVar

from backtester.accounting.book import Book
from backtester.events import MonitorEvent
from backtester.market.view import MarketInfo, MarketView

S = TypeVar("S")


class Monitor(Protocol[S]):
    """Watches every path by itself; all that evolves is the state the engine carries.

    A monitor knows the past only, draws no random numbers and treats each path as if it were
    alone: it obeys the laws of the strategy that subscribes to it (`Strategy.monitors`), and
    `backtester check` holds it to them.
    """

    def init(self, market: MarketInfo) -> S:
        """State before the first event."""
        ...

    def step(self, view: MarketView, book: Book, state: S) -> tuple[S, MonitorEvent | None]:
        """State after the event and what was seen; called after `observe` at every event.

        `book` is the book after the fills of this event.
        """
        ...
