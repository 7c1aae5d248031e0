"""From orders to fills: in units at the decision, at the price of the fill, cost on its money.

An order fills whole at the first event at which its instrument is tradable. Until then it waits; a
new decision on its path cancels it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backtester.accounting.book import Book
from backtester.accounting.fills import Fills
from backtester.arrays import Bool, Byte, Float, sealed
from backtester.costs.tariff import Tariff
from backtester.errors import Status
from backtester.execution.order_kernel import units_to

_OK = np.array([s.ok for s in sorted(Status)])


@dataclass(frozen=True, slots=True)
class Orders:
    """Units to trade, decided at one event; zero on paths that send none."""

    units: Float  # (P, K)


def order(book: Book, h: Float, trade: Bool, status: Byte) -> Orders | None:
    """Orders that take the hedges to `h` (P, K) money at today's marks; None where there are none.

    Sent where the path may `trade` (P,) and its `status` (P,) is ok.
    """
    units = np.empty(h.shape)
    sent = units_to(h, book.hedge_units, book.hedge_price, trade, status, _OK, units)
    return Orders(units) if sent else None


def cancelled(waiting: Orders | None, due: Bool) -> Orders | None:
    """What still waits after a decision on the paths `due` (P,)."""
    if waiting is None or due.all():
        return None
    return Orders(np.where(due[:, None], 0.0, waiting.units))


def joined(waiting: Orders | None, arrived: Orders | None) -> Orders | None:
    """What waits and what has arrived, together."""
    if waiting is None or arrived is None:
        return arrived if waiting is None else waiting
    return Orders(waiting.units + arrived.units)


def execute(orders: Orders, book: Book, tariff: Tariff) -> tuple[Book, Fills, Orders | None]:
    """The book after what can fill at its mark, what was charged, and what still waits.

    Costs are charged on fills alone.
    """
    if tariff.tradable is None or not ((orders.units != 0.0) & ~tariff.tradable).any():
        return *_whole(orders.units, book, tariff), None
    wait = np.where(tariff.tradable, 0.0, orders.units)
    book, fills = _whole(np.where(tariff.tradable, orders.units, 0.0), book, tariff)
    unfilled = np.count_nonzero(wait, axis=-1)
    return book, replace(fills, unfilled=unfilled), Orders(wait)


def _whole(units: Float, book: Book, tariff: Tariff) -> tuple[Book, Fills]:
    """The book after `units` (P, K) have filled in full."""
    held, cash, traded, charges = tariff.fill(units, book.hedge_price, book.hedge_units, book.cash)
    after = Book(
        book.price, book.hedge_price, book.exposure_units, sealed(held), sealed(cash),
        book.instrument_index, book.capital,
    )  # fmt: skip
    return after, Fills(units, traded, charges)
