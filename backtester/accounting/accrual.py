"""Carry of a whole book over one bar: funding at the stamp and borrow over the time held."""

from __future__ import annotations

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Float, Int
from backtester.costs.carry import borrow_cash, funding_cash


class Accrual:
    """Carry of the exposure and of the hedges, event by event."""

    def __init__(self, borrow: Float, index: Int) -> None:
        """borrow: (N,) fraction a year paid on shorts; index: (K,) columns of the instruments."""
        self._borrow = borrow if borrow.any() else None
        self._index = index

    def at(self, book: Book, before: Book, rate: Float | None, years: float) -> tuple[Float, Float]:
        """Cash received (P,) over (t−1, t]: by the exposure and by the hedges.

        book: marked at t; before: marked at t−1; rate: funding (P, N) stamped at t. A fill at t
        changes positions only afterwards: it neither pays nor receives the stamp at t.
        """
        exposure, hedges = np.zeros(len(book.cash)), np.zeros(len(book.cash))
        if rate is not None:
            funded = funding_cash(book.exposure_units, book.price, rate)
            exposure = exposure + funded.sum(axis=-1)
            funded = funding_cash(book.hedge_units, book.hedge_price, rate[:, self._index])
            hedges = hedges + funded.sum(axis=-1)
        if self._borrow is not None:
            lent = borrow_cash(book.exposure_units, before.price, self._borrow, years)
            exposure = exposure + lent.sum(axis=-1)
            lent = borrow_cash(
                book.hedge_units, before.hedge_price, self._borrow[self._index], years
            )
            hedges = hedges + lent.sum(axis=-1)
        return exposure, hedges
