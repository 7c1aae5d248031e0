"""Settlement of one event: mark what was held over (t−1, t], and accrue its carry.

    P&L     = Σ units · (price(t) − price(t−1))
    funding = −Σ units · price(t) · rate(t)              positions held over (t−1, t]
    borrow  =  Σ min(units · price(t−1), 0) · rate · years

A fill at t changes positions only afterwards: it neither pays nor receives the stamp at t. An
exposure at constant notional is then reset at the mark, free of cost: the owner's own trades.
"""

from __future__ import annotations

import numpy as np

from backtester.accounting.book import Book
from backtester.accounting.ledger import TOLERANCE, Ledger
from backtester.accounting.settlement_kernel import account, settle
from backtester.arrays import Float, Int, sealed
from backtester.costs.tariff import Tariff


class Settlement:
    """Marks and accrues a book, event by event, on every path."""

    def __init__(self, borrow: Float, index: Int, notional: Float | None) -> None:
        """borrow: (N,) fraction a year paid on shorts; index: (K,) columns of the instruments;
        notional: (P, N) money of an exposure held at constant notional, else None.
        """
        self._borrow, self._index, self._notional = borrow, index, notional
        self._unused = np.empty((0, 0))

    def account(
        self,
        book: Book,
        price: Float,
        funding: Float | None,
        years: float,
        units: Float | None,
        tariff: Tariff,
        ledger: Ledger,
    ) -> Book:
        """`at`, then a fill of all `units` (P, K; None for none), then the ledger's row, in one.

        The same to the bit as one after the other; all but the status is recorded.
        """
        t, paths, k = ledger.written, len(price), len(self._index)
        cash, hedge_price = np.empty(paths), np.empty((paths, k))
        fixed, filled = self._notional is None, units is not None
        exposure = book.exposure_units if fixed else np.empty(price.shape)
        hedges = np.empty((paths, k)) if filled else book.hedge_units
        broken = account(
            t, price, book.price, book.hedge_price, book.exposure_units, book.hedge_units,
            book.cash, price if funding is None else funding, funding is not None, self._borrow,
            years, self._index, price if fixed else self._notional, not fixed, filled,
            self._unused if units is None else units, tariff.coefficients, tariff.powers,
            TOLERANCE, book.capital, *ledger.columns, cash, hedge_price,
            self._unused if fixed else exposure, hedges if filled else self._unused,
        )  # fmt: skip
        ledger.close(t, broken, book.capital)
        return Book(
            price, sealed(hedge_price), sealed(exposure), sealed(hedges), sealed(cash),
            book.instrument_index, book.capital,
        )  # fmt: skip

    def at(
        self, book: Book, price: Float, funding: Float | None, years: float
    ) -> tuple[Book, Float]:
        """The book at t, and (4, P): P&L of exposure and hedges, carry of exposure and hedges.

        price (P, N) at t, kept in the book as it is; funding (P, N) stamped at t, None for none.
        """
        pnl, cash = np.empty((4, len(price))), np.empty(len(price))
        hedge_price = np.empty((len(price), len(self._index)))
        fixed = self._notional is None
        units = book.exposure_units if fixed else np.empty(price.shape)
        settle(
            price, book.price, book.hedge_price, book.exposure_units, book.hedge_units, book.cash,
            price if funding is None else funding, funding is not None, self._borrow, years,
            self._index, price if fixed else self._notional, not fixed, pnl, cash, hedge_price,
            self._unused if fixed else units,
        )  # fmt: skip
        settled = Book(
            price, sealed(hedge_price), sealed(units), book.hedge_units, sealed(cash),
            book.instrument_index, book.capital,
        )  # fmt: skip
        return settled, pnl
