"""The book a regime is judged for: returns of a declared exposure and of its hedges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from backtester.arrays import Float, Int
from backtester.market.panel import MarketPanel


class Exposed(Protocol):
    """What is to be hedged; `backtester.accounting.exposure.Exposure` is one."""

    @property
    def assets(self) -> tuple[str, ...]: ...

    @property
    def hold(self) -> str: ...

    def units(self, price: Float, columns: Int) -> Float: ...


def book_returns(
    panel: MarketPanel, exposure: Exposed, instruments: Sequence[str]
) -> tuple[Float, Float]:
    """Simple returns of the unhedged book (T−1, P) and of its instruments (T−1, P, K).

    The book's return is its price P&L per unit of gross exposure at the start of the bar: no hedge,
    no cost and no carry is in it. Raises DataError naming an asset the market lacks.
    """
    columns = panel.indices(exposure.assets, "the exposure")
    hedges = panel.indices(instruments, "hedge_with")
    change = np.diff(panel.prices, axis=0)
    base = panel.prices[:-1]
    if exposure.hold == "units":
        units = np.broadcast_to(exposure.units(panel.prices[0], columns), base.shape)
    else:
        units = np.stack([exposure.units(price, columns) for price in base])
    profit, gross = np.zeros(base.shape[:2]), np.zeros(base.shape[:2])
    for column in dict.fromkeys(columns.tolist()):  # column by column: no path sees another
        profit += units[..., column] * change[..., column]
        gross += np.abs(units[..., column]) * base[..., column]
    book = np.divide(profit, gross, out=np.zeros_like(profit), where=gross > 0.0)
    return book, np.asarray(panel.returns[..., hedges])
