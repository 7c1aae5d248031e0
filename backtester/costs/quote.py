"""What a cost term may look at: the market slice of the hedge instruments."""

from __future__ import annotations

from dataclasses import dataclass

from backtester.arrays import Float


@dataclass(frozen=True, slots=True)
class Quote:
    """Slice of K instruments at one event, on P paths or in one row that all of them share."""

    price: Float  # (P, K)
    half_spread: Float  # (P or 1, K) fraction of price
    depth: Float | None  # (P or 1, K) money a day
    volatility: Float | None  # (P, K) per √day, causal
