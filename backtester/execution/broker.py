"""From orders to fills: in units at the decision, at the price of the fill, cost on its money.

An order fills whole at the first event at which its instrument is tradable. Until then it waits; a
new decision on its path cancels it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backtester.accounting.book import Book, fill
from backtester.accounting.fills import Fills
from backtester.arrays import Bool, Float
from backtester.costs.model import CostModel
from backtester.costs.quote import Quote


@dataclass(frozen=True, slots=True)
class Orders:
    """Units to trade, decided at one event; zero on paths that send none."""

    units: Float  # (P, K)


def order(book: Book, h: Float, send: Bool) -> Orders | None:
    """Orders that take the hedges to `h` (P, K) money at today's marks, where `send` (P,)."""
    if not send.any():
        return None
    z = np.where(send[:, None], h - book.hedges, 0.0)
    return Orders(z / book.hedge_price)


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


def execute(
    orders: Orders, book: Book, quote: Quote, costs: CostModel
) -> tuple[Book, Fills, Orders | None]:
    """The book after what can fill at the quote's price, what was charged, and what still waits.

    Costs are charged on fills alone.
    """
    if quote.tradable is None or not ((orders.units != 0.0) & ~quote.tradable).any():
        return *_whole(orders.units, book, quote, costs), None
    wait = np.where(quote.tradable, 0.0, orders.units)
    book, fills = _whole(np.where(quote.tradable, orders.units, 0.0), book, quote, costs)
    unfilled = np.count_nonzero(wait, axis=-1)
    return book, replace(fills, unfilled=unfilled), Orders(wait)


def _whole(units: Float, book: Book, quote: Quote, costs: CostModel) -> tuple[Book, Fills]:
    """The book after `units` (P, K) have filled in full."""
    money = units * quote.price
    charged = costs.charge(money, quote)
    total = np.zeros(len(money))
    for amount in charged.values():
        total = total + amount
    return fill(book, units, total), Fills(units, np.abs(money).sum(axis=-1), charged)
