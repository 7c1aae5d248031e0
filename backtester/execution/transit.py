"""Orders on their way to the market, where more than one event lies between decision and fill."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.accounting.book import Book, fill
from backtester.execution.broker import Orders


@dataclass(frozen=True, slots=True)
class Transit:
    """What was sent and has not arrived, oldest first; `step` once an event.

    An order sent at event t can fill from event t + `delay` on. What is under way cannot be called
    back: the next decision starts from the book that it will make.
    """

    delay: int  # events, ≥ 1
    sent: tuple[Orders | None, ...] = ()

    def expected(self, book: Book) -> Book:
        """The book once all that is under way has filled at today's marks, free of cost."""
        if not self.sent:
            return book
        orders = [order for order in self.sent if order is not None]
        if not orders:
            return book
        units = orders[0].units
        for order in orders[1:]:
            units = units + order.units
        return fill(book, units, np.zeros(len(units)))

    def step(self, order: Orders | None) -> tuple[Transit, Orders | None]:
        """After `order` was sent: what is still under way, and what may fill at the next event."""
        if self.delay == 1:
            return self, order
        queue = (*self.sent, order)
        if len(queue) < self.delay:
            return Transit(self.delay, queue), None
        return Transit(self.delay, queue[1:]), queue[0]
