"""The ledger: append-only records of a run, and the identity every event must satisfy."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np

from backtester.accounting.book import Book
from backtester.accounting.fills import Fills
from backtester.arrays import Byte, Float, Int
from backtester.clock import iso
from backtester.errors import AccountingError
from backtester.events import Signal
from backtester.records import record

TOLERANCE = 1e-9  # of the gross book and capital


_NOTHING = (np.empty((0, 0)), np.empty(0), np.empty((0, 0)))


@cache
def _kernels() -> Any:
    from backtester.accounting import settlement_kernel

    return settlement_kernel


@record
class Entry:
    """What happened at one event, (P,) money unless stated; costs positive when paid."""

    pnl: Float  # (4, P) P&L of exposure and hedges, carry of exposure and hedges
    fills: Fills | None  # None where nothing traded
    status: Byte  # (P,)


@dataclass
class Ledger:
    """Records of T events on P paths; written once per event, in order."""

    times: Int
    terms: tuple[str, ...]
    equity: Float  # (T, P)
    exposure_pnl: Float  # (T, P) price P&L of (t−1, t]
    hedge_pnl: Float  # (T, P)
    exposure_carry: Float  # (T, P)
    hedge_carry: Float  # (T, P)
    costs: Float  # (T, P, C) by term
    traded: Float  # (T, P) sum of absolute trades
    gross_exposure: Float  # (T, P) sum of absolute exposure notionals after the event
    hedges: Float  # (T, P, K) notionals after the event
    fills: Float  # (T, P, K) units filled at the event
    status: Byte  # (T, P)
    unfilled: Int  # (T, P) instruments whose order could not fill at the event
    signals: list[Signal] = field(default_factory=list)
    written: int = 0

    @classmethod
    def open(cls, times: Int, paths: int, instruments: int, terms: tuple[str, ...]) -> Ledger:
        """An empty ledger."""
        bars = len(times)

        def blank(*more: int) -> Float:
            return np.zeros((bars, paths, *more))

        return cls(
            times=times,
            terms=terms,
            equity=blank(),
            exposure_pnl=blank(),
            hedge_pnl=blank(),
            exposure_carry=blank(),
            hedge_carry=blank(),
            costs=blank(len(terms)),
            traded=blank(),
            gross_exposure=blank(),
            hedges=blank(instruments),
            fills=blank(instruments),
            status=np.zeros((bars, paths), dtype=np.int8),
            unfilled=np.zeros((bars, paths), dtype=np.int64),
        )

    @cached_property
    def columns(self) -> tuple[Float, ...]:
        """What the kernel of `record` writes, in its order."""
        return (
            self.equity, self.exposure_pnl, self.hedge_pnl, self.exposure_carry, self.hedge_carry,
            self.costs, self.traded, self.gross_exposure, self.hedges, self.fills,
        )  # fmt: skip

    def record(self, entry: Entry, book: Book) -> None:
        """Append one event and hold Δequity = positions · Δvalue + carry − costs on every path.

        Raises AccountingError naming time and path.
        """
        t, fills, pnl = self.written, entry.fills, entry.pnl
        filled = fills is not None
        p = _kernels().record(
            t, book.price, book.hedge_price, book.exposure_units, book.hedge_units, book.cash,
            pnl, filled, *((fills.units, fills.traded, fills.costs) if fills else _NOTHING),
            TOLERANCE, book.capital, *self.columns,
        )  # fmt: skip
        self.status[t] = entry.status
        if fills is not None and fills.unfilled is not None:
            self.unfilled[t] = fills.unfilled
        self.close(t, p, book.capital)

    def close(self, t: int, broken: int, capital: float) -> None:
        """Row t is written; raises AccountingError where the identity is `broken` on a path ≥ 0."""
        self.written = t + 1
        if broken < 0:
            return
        p = broken
        moved = self.equity[t, p] - (self.equity[t - 1, p] if t else capital)
        explained = (
            self.exposure_pnl[t, p]
            + self.hedge_pnl[t, p]
            + self.exposure_carry[t, p]
            + self.hedge_carry[t, p]
            - self.costs[t, p].sum()
        )
        raise AccountingError(
            f"equity on path {p} moved by {moved:.6g}, but positions, "
            f"carry and costs explain {explained:.6g}",
            when=iso(int(self.times[t])),
            cure="Prices may be too extreme for double precision; else report this defect.",
        )
