"""Histories of different calendars side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtester.errors import DataError
from backtester.market.panel import MarketPanel
from backtester.market.union import union_panel

DAYS = pd.date_range("2021-01-01", "2021-03-31", tz="UTC")
SESSIONS = DAYS[DAYS.day_of_week < 5]


def panel(index: pd.DatetimeIndex, assets: str, calendar: str, **fields: Any) -> MarketPanel:
    rng = np.random.default_rng(len(assets) + len(index))
    prices = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((len(index), len(assets))), axis=0))
    frame = pd.DataFrame(prices, index, list(assets))
    made = {k: pd.DataFrame(v, index, list(assets)) for k, v in fields.items()}
    return MarketPanel.from_frame(frame, calendar=calendar, name=f"history {assets}", **made)


def test_sessions_hold_their_price_and_cannot_be_traded_at_the_weekend() -> None:
    crypto, stocks = panel(DAYS, "BE", "24/7"), panel(SESSIONS, "S", "sessions")
    both = union_panel([crypto, stocks], "mixed")
    assert both.assets == ("B", "E", "S") and both.calendar.name == "24/7"
    assert both.bars == len(DAYS) and np.array_equal(both.times, crypto.times)
    weekend = DAYS.day_of_week >= 5
    assert both.tradable is not None
    assert np.array_equal(both.tradable[:, 0, 2], ~weekend)
    assert both.tradable[:, 0, :2].all()
    frame, own = both.to_frame(), stocks.to_frame()
    assert np.array_equal(frame["S"], own["S"].reindex(DAYS).ffill())
    assert np.array_equal(frame[["B", "E"]], crypto.to_frame())
    assert (np.diff(both.trading_days) == 1.0).all()


def test_only_the_time_all_cover_is_kept() -> None:
    late = panel(DAYS[30:], "B", "24/7")
    both = union_panel([late, panel(SESSIONS[:-9], "S", "sessions")], "mixed")
    assert both.times[0] == late.times[0]
    assert both.times[-1] == panel(SESSIONS[:-9], "S", "sessions").times[-1]


def test_equal_stamps_need_no_mask() -> None:
    both = union_panel([panel(DAYS, "A", "24/7"), panel(DAYS, "BC", "24/7")], "same")
    assert both.tradable is None and both.assets == ("A", "B", "C")
    assert union_panel([panel(DAYS, "A", "24/7")], "alone").name == "alone"


def test_different_holidays_of_two_exchanges() -> None:
    here, there = SESSIONS.delete(10), SESSIONS.delete([3, 20])
    both = union_panel([panel(here, "A", "sessions"), panel(there, "B", "sessions")], "two")
    assert both.calendar.name == "sessions" and both.bars == len(SESSIONS)
    assert both.tradable is not None
    assert (~both.tradable[:, 0]).sum(axis=0).tolist() == [1, 2]


def test_fields_are_held_and_flows_are_not() -> None:
    size = len(SESSIONS)
    flat = {"half_spread": np.full((size, 1), 1e-4), "funding": np.full((size, 1), 2e-4)}
    spread = np.full((len(DAYS), 1), 3e-4)
    both = union_panel(
        [panel(DAYS, "B", "24/7", half_spread=spread), panel(SESSIONS, "S", "sessions", **flat)],
        "mixed",
    )
    weekend = DAYS.day_of_week >= 5
    assert both.half_spread is not None and both.funding is not None
    assert (both.half_spread[:, 0] == [3e-4, 1e-4]).all()
    assert (both.funding[:, 0, 0] == 0).all()
    assert np.array_equal(both.funding[1:, 0, 1] == 0, weekend[1:])


def test_disjoint_histories_and_repeated_assets() -> None:
    early, late = panel(DAYS[:20], "A", "24/7"), panel(DAYS[40:], "B", "24/7")
    with pytest.raises(DataError, match=r"'history B' \(from 2021-02-10\) and 'history A' \(to 20"):
        union_panel([early, late], "none")
    with pytest.raises(DataError, match="asset 'A' is in 'history A' and in 'history A'"):
        union_panel([early, early], "twice")
    rich = panel(DAYS[:20], "C", "24/7", depth=np.full((20, 1), 1e8))
    with pytest.raises(DataError, match="'history A' has no depth, but another has"):
        union_panel([early, rich], "half")


def test_a_history_s_own_outages_are_kept() -> None:
    shut = np.ones((len(SESSIONS), 1), dtype=bool)
    shut[4:6] = False
    stocks = panel(SESSIONS, "S", "sessions", tradable=shut)
    both = union_panel([panel(DAYS, "BE", "24/7"), stocks], "mixed")
    assert both.tradable is not None
    wanted = pd.Series(shut[:, 0], SESSIONS).reindex(DAYS, fill_value=False)
    np.testing.assert_array_equal(both.tradable[:, 0, 2], wanted)
    assert both.tradable[:, 0, :2].all()
