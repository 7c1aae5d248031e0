"""Carry of a whole book over one bar: funding at the stamp and borrow over the time held."""

from __future__ import annotations

from backtester.accounting.book import Book
from backtester.arrays import Float
from backtester.costs.carry import borrow_cash, funding_cash


def accrual(
    book: Book, before: Float, rate: Float | None, borrow: Float, years: float
) -> tuple[Float, Float]:
    """Carry of the exposure and of the hedges over (t−1, t], two (P,) of money.

    before: prices (P, N) at t−1; rate: funding (P, N) stamped at t; borrow: (N,) a year on shorts.
    A fill at t changes positions only afterwards: it neither pays nor receives the stamp at t.
    """
    index = book.instrument_index
    exposure = funding_cash(book.exposure_units, book.price, rate)
    exposure = exposure + borrow_cash(book.exposure_units, before, borrow, years)
    hedge_rate = None if rate is None else rate[:, index]
    hedges = funding_cash(book.hedge_units, book.price[:, index], hedge_rate)
    hedges = hedges + borrow_cash(book.hedge_units, before[:, index], borrow[index], years)
    return exposure.sum(axis=-1), hedges.sum(axis=-1)
