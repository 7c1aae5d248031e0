"""The ledger: append-only records of a run, and the identity every event must satisfy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from backtester.accounting.book import Book
from backtester.accounting.fills import Fills
from backtester.arrays import Byte, Float, Int
from backtester.clock import iso
from backtester.errors import AccountingError
from backtester.events import Signal

TOLERANCE = 1e-9  # of the gross book and capital


@dataclass(frozen=True)
class Entry:
    """What happened at one event, (P,) money unless stated; costs positive when paid."""

    exposure_pnl: Float
    hedge_pnl: Float
    exposure_carry: Float
    hedge_carry: Float
    traded: Float
    costs: dict[str, Float]
    fills: Float  # (P, K) units
    status: Byte  # (P,)

    @classmethod
    def of(
        cls,
        exposure_pnl: Float,
        hedge_pnl: Float,
        carry: tuple[Float, Float],
        fills: Fills | None,
        status: Byte,
        ledger: Ledger,
    ) -> Entry:
        """An entry from an event's parts; `fills` None where nothing traded."""
        nothing = np.zeros_like(exposure_pnl)
        return cls(
            exposure_pnl=exposure_pnl,
            hedge_pnl=hedge_pnl,
            exposure_carry=carry[0],
            hedge_carry=carry[1],
            traded=nothing if fills is None else fills.traded,
            costs=dict.fromkeys(ledger.terms, nothing) if fills is None else fills.costs,
            fills=np.zeros_like(ledger.fills[0]) if fills is None else fills.units,
            status=status,
        )


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
        )

    def record(self, entry: Entry, book: Book) -> None:
        """Append one event and reconcile it; raises AccountingError naming time and path."""
        t = self.written
        exposure, hedges = book.exposure, book.hedges
        self.equity[t] = book.cash + exposure.sum(axis=-1) + hedges.sum(axis=-1)
        self.exposure_pnl[t], self.hedge_pnl[t] = entry.exposure_pnl, entry.hedge_pnl
        self.exposure_carry[t], self.hedge_carry[t] = entry.exposure_carry, entry.hedge_carry
        for c, term in enumerate(self.terms):
            self.costs[t, :, c] = entry.costs[term]
        self.traded[t] = entry.traded
        self.gross_exposure[t] = np.abs(exposure).sum(axis=-1)
        self.hedges[t] = hedges
        self.fills[t] = entry.fills
        self.status[t] = entry.status
        self.reconcile(t, book.capital)
        self.written = t + 1

    def reconcile(self, t: int, capital: float) -> None:
        """Δequity = positions · Δvalue + carry − costs, on every path, at event t."""
        before = self.equity[t - 1] if t else np.full_like(self.equity[t], capital)
        explained = (
            self.exposure_pnl[t]
            + self.hedge_pnl[t]
            + self.exposure_carry[t]
            + self.hedge_carry[t]
            - self.costs[t].sum(axis=-1)
        )
        apart = np.abs(self.equity[t] - before - explained)
        gross = self.gross_exposure[t] + np.abs(self.hedges[t]).sum(axis=-1)
        allowed = TOLERANCE * (gross + np.abs(self.equity[t]) + capital)
        wrong = ~(apart <= allowed)
        if wrong.any():
            p = int(np.argmax(wrong))
            raise AccountingError(
                f"equity on path {p} moved by {self.equity[t, p] - before[p]:.6g}, but positions, "
                f"carry and costs explain {explained[p]:.6g}",
                when=iso(int(self.times[t])),
                cure="Prices may be too extreme for double precision; else report this defect.",
            )
