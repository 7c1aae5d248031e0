"""The book: exposure, hedges and cash; settlement.py marks it; pure functions open and fill it."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int, readonly
from backtester.records import record


@record
class Book:
    """Positions of every path at one mark. Money in the numeraire; short is negative."""

    price: Float  # (P, N) mark
    hedge_price: Float  # (P, K) mark of the instruments
    exposure_units: Float  # (P, N) what is to be hedged
    hedge_units: Float  # (P, K) the hedges on top of it
    cash: Float  # (P,)
    instrument_index: Int  # (K,) columns of the instruments among the assets
    capital: float

    @property
    def exposure(self) -> Float:
        """Delta of the book without its hedges, by asset, (P, N) money."""
        return self.exposure_units * self.price

    @property
    def hedges(self) -> Float:
        """Notional of each hedge, (P, K) money."""
        return self.hedge_units * self.hedge_price

    @property
    def equity(self) -> Float:
        """Cash and everything marked, (P,) money."""
        held = self.exposure.sum(axis=-1)
        return np.asarray(self.cash + held + self.hedges.sum(axis=-1))

    @property
    def gross(self) -> Float:
        """Sum of absolute notionals, (P,) money: the scale of every tolerance."""
        return np.asarray(np.abs(self.exposure).sum(axis=-1) + np.abs(self.hedges).sum(axis=-1))


def open_book(price: Float, exposure_units: Float, instrument_index: Int, capital: float) -> Book:
    """The book at the first mark: the exposure bought with capital, no hedges, equity = capital."""
    return Book(
        price=price,
        hedge_price=readonly(np.take(price, instrument_index, axis=1)),
        exposure_units=readonly(exposure_units),
        hedge_units=readonly(np.zeros((price.shape[0], len(instrument_index)))),
        cash=readonly(capital - (exposure_units * price).sum(axis=-1)),
        instrument_index=instrument_index,
        capital=capital,
    )


def fill(book: Book, units: Float, cost: Float) -> Book:
    """Hedge units (P, K) bought at the mark and their cost (P,) paid from cash."""
    money = units * book.hedge_price
    return Book(
        book.price, book.hedge_price, book.exposure_units, readonly(book.hedge_units + units),
        readonly(book.cash - money.sum(axis=-1) - cost), book.instrument_index, book.capital,
    )  # fmt: skip
