"""What a cost term may look at: the market slice of the hedge instruments."""

from __future__ import annotations

from dataclasses import dataclass

from backtester.arrays import Bool, Float


@dataclass(frozen=True, slots=True)
class Quote:
    """Instruments' slice at one event; P paths, K instruments."""

    price: Float  # (P, K)
    half_spread: Float  # (P, K) fraction of price
    depth: Float | None  # (P, K) money a day
    volatility: Float | None  # (P, K) per √day, causal
    tradable: Bool | None = None  # (P, K) orders fill; None where they always do
