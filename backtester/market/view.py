"""`MarketView`: the past and the published cost of trading, and nothing else.

The engine copies each event's slice into buffers of its own as time passes; the rows after `t`
hold NaN. A view therefore cannot reach the future, not even through an array's base.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float, Int, readonly
from backtester.clock import iso
from backtester.errors import DataError
from backtester.events import MonitorEvent
from backtester.market.panel import MarketPanel
from backtester.records import record


@dataclass(frozen=True)
class MarketInfo:
    """What a strategy may know before the first event; no prices."""

    assets: tuple[str, ...]  # N
    instruments: tuple[str, ...]  # K, the eligible hedges
    instrument_index: Int  # (K,) columns of the instruments among the assets
    exposed: tuple[str, ...]  # assets of the exposure
    paths: int
    days_per_bar: float  # trading days
    days_per_year: float
    capital: float  # money

    def index(self, asset: str, who: str = "the strategy") -> int:
        """Column of `asset`; raises DataError naming `who`."""
        if asset not in self.assets:
            from backtester.errors import did_you_mean

            raise DataError(
                f"{who} needs asset {asset!r}, which the market lacks",
                cure=did_you_mean(asset, self.assets),
            )
        return self.assets.index(asset)


class PastBuffer:
    """Grows with the clock; owned by the engine, one per run."""

    def __init__(self, panel: MarketPanel) -> None:
        self._panel = panel
        self._prices = np.full(panel.prices.shape, np.nan)
        self._prices_out = readonly(self._prices)

    def push(self, t: int) -> None:
        """Make the slice at `t` part of the past."""
        self._prices[t] = self._panel.prices[t]

    @property
    def prices(self) -> Float:
        """(T, P, N), NaN beyond the last pushed event."""
        return self._prices_out


@cache
def _kernels() -> Any:
    from backtester.market import view_kernel

    return view_kernel


@record
class MarketView:
    """The market as known at event `t`."""

    t: int
    time: int  # UTC nanoseconds
    elapsed: float  # trading days since the previous event; 0 at the first
    now: float  # trading days since the first event
    past: Float  # (T, P, N) prices, NaN after t
    half_spread: Float  # (P, N) fraction of price
    funding: Float | None  # (P, N) paid at this stamp, fraction of notional per interval
    cost_rate: Float  # (P, K) published proportional cost of trading each hedge
    depth: Float | None = None  # (P, N) money a day
    tradable: Bool | None = None  # (P, N) orders fill at t; None where they always do
    events: tuple[MonitorEvent, ...] = ()  # what the strategy's monitors saw, when it decides
    due: Bool | None = None  # (P,) paths on which this decision counts; None for all

    @property
    def prices(self) -> Float:
        """Prices at t, (P, N)."""
        now: Float = self.past[self.t]
        return now

    def returns(self) -> Float:
        """Simple returns of the last bar, (P, N); zeros at the first event (`elapsed` 0)."""
        if self.t == 0:
            return np.zeros_like(self.past[0])
        simple = np.empty(self.past.shape[1:])
        _kernels().simple_returns(self.past, self.t, simple)
        return simple

    def history(self, bars: int) -> Float:
        """Prices of the last `bars` events up to and including t, (≤ bars, P, N), read-only."""
        window: Float = self.past[max(0, self.t + 1 - bars) : self.t + 1]
        return window

    def __repr__(self) -> str:
        return f"MarketView(t={self.t}, time={iso(self.time)})"
