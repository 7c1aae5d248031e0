"""Histories that come with the installed packages; nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable

from backtester.market.panel import MarketPanel


def indices() -> MarketPanel:
    """S&P 500, NASDAQ Composite and WTI crude, the sessions of 1999–2018 that price all three.

    From `arch.data`: adjusted close of the two indices (Yahoo Finance), spot price of WTI at
    Cushing, USD a barrel (FRED DCOILWTICO). An index cannot be traded: the half-spread is left to
    the study's costs.
    """
    import arch.data.nasdaq
    import arch.data.sp500
    import arch.data.wti
    import pandas as pd

    frame = pd.DataFrame(
        {
            "SP500": arch.data.sp500.load()["Adj Close"],
            "NASDAQ": arch.data.nasdaq.load()["Adj Close"],
            "WTI": arch.data.wti.load()["DCOILWTICO"],
        }
    )
    first, last = pd.Timestamp("1999-01-01"), pd.Timestamp("2018-12-31")
    return MarketPanel.from_frame(
        frame[(frame.index >= first) & (frame.index <= last)],
        calendar="sessions",
        assume_tz="UTC",
        missing="drop",
        name="index-history",
    )


BUILTIN: dict[str, Callable[[], MarketPanel]] = {"index-history": indices}
"""Name → loader, for `history:` in a study."""
