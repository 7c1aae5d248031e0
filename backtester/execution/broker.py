"""From orders to fills: in units at the decision, at the price of the fill, cost on its money."""

from __future__ import annotations

from dataclasses import dataclass

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


def order(book: Book, h: Float, send: Bool) -> Orders:
    """Orders that take the hedges to `h` (P, K) money at today's marks, where `send` (P,)."""
    z = np.where(send[:, None], h - book.hedges, 0.0)
    return Orders(z / book.hedge_price)


def execute(orders: Orders, book: Book, quote: Quote, costs: CostModel) -> tuple[Book, Fills]:
    """The book after the orders fill in full at the quote's price, and what was charged."""
    money = orders.units * quote.price
    charged = costs.charge(money, quote)
    total = np.zeros(len(money))
    for amount in charged.values():
        total = total + amount
    book = fill(book, orders.units, total)
    return book, Fills(orders.units, np.abs(money).sum(axis=-1), charged)
