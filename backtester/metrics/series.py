"""`PathSeries`: the P&L of one strategy on one market, bar by bar; what every metric reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.errors import DataError

_BY_PATH = ("unhedged", "hedge_pnl", "hedge_carry", "costs", "traded", "exposure", "hedge_gross")


@dataclass(frozen=True)
class PathSeries:
    """Money per bar. B bars (t, t+1], P paths; the scored window only.

    ``unhedged`` is the exposure's own price P&L and carry: the same for every strategy on one
    market. The hedged book earns ``gross = unhedged + hedge_pnl + hedge_carry`` before and
    ``net = gross − cost`` after trading costs.
    """

    strategy: str
    market: str
    unhedged: Float  # (B, P)
    hedge_pnl: Float  # (B, P) price P&L of the hedges
    hedge_carry: Float  # (B, P) funding and borrow of the hedges
    costs: Float  # (B, P, C) trading costs by term, positive when paid
    terms: tuple[str, ...]  # C names of the cost terms
    traded: Float  # (B, P) money traded, sum of absolute trades
    exposure: Float  # (B, P) gross exposure at the start of the bar, money
    hedge_gross: Float  # (B, P) sum of absolute hedge notionals at the start of the bar
    label: Byte  # (B, P) ex-post regime of the bar, index into label_names
    label_names: tuple[str, ...]  # e.g. ("normal", "crisis")
    days: Float  # (B,) trading days each bar lasts
    ends: Int  # (B,) UTC nanoseconds of the bar's end
    days_per_year: float
    capital: float

    @property
    def cost(self) -> Float:
        """Total trading cost, (B, P)."""
        return np.asarray(self.costs.sum(axis=-1))

    @property
    def gross(self) -> Float:
        """Hedged P&L before trading costs, (B, P)."""
        return self.unhedged + self.hedge_pnl + self.hedge_carry

    @property
    def net(self) -> Float:
        """Hedged P&L after trading costs, (B, P)."""
        return self.gross - self.cost

    def paths(self, pick: slice) -> PathSeries:
        """The series of some of the paths."""
        fields: dict[str, Any] = {n: getattr(self, n)[:, pick] for n in (*_BY_PATH, "label")}
        return replace(self, **fields)

    def reordered(self, order: Int) -> PathSeries:
        """The series with its paths in another order, (P,)."""
        fields: dict[str, Any] = {
            n: np.ascontiguousarray(getattr(self, n)[:, order]) for n in (*_BY_PATH, "label")
        }
        return replace(self, **fields)

    @staticmethod
    def joined(parts: Sequence[PathSeries]) -> PathSeries:
        """Blocks of one ensemble as one series, paths in the order given; raises DataError."""
        first = parts[0]
        if len(parts) == 1:
            return first
        if any(not np.array_equal(p.ends, first.ends) for p in parts):
            raise DataError(
                f"blocks of market {first.market!r} differ in time",
                cure="Draw every block from one scenario with the same bars.",
            )
        fields: dict[str, Any] = {
            n: np.concatenate([getattr(p, n) for p in parts], axis=1) for n in (*_BY_PATH, "label")
        }
        return replace(first, **fields)
