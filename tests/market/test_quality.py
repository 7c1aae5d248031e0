"""What looks wrong in a history is said with asset, date and figure; a crash is not wrong."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from backtester.market.loaders.builtin import indices
from backtester.market.panel import MarketPanel
from backtester.market.quality import LINES, WARNING, data_warnings, is_warning

DAYS = 500


def frame(days: int = DAYS, assets: int = 2, freq: str = "D", risk: float = 0.03) -> pd.DataFrame:
    moves = np.random.default_rng(0).standard_normal((days, assets)) * risk
    index = pd.date_range("2021-01-01", periods=days, freq=freq, tz="UTC")
    names = [f"A{n}" for n in range(assets)]
    return pd.DataFrame(100 * np.exp(np.cumsum(moves, axis=0)), index=index, columns=names)


def warned(prices: pd.DataFrame, calendar: str = "24/7", **options: str) -> tuple[str, ...]:
    panel = MarketPanel.from_frame(prices, calendar=calendar, name="mine", **options)
    return tuple(n.removeprefix(WARNING) for n in panel.notes if is_warning(n))


def test_clean_data_is_not_suspected() -> None:
    assert warned(frame()) == ()
    assert warned(frame(freq="B"), "sessions") == ()
    assert not any(map(is_warning, indices().notes))


def test_missing_bars() -> None:
    prices = frame()
    (line,) = warned(prices.drop(prices.index[100:160]).drop(prices.index[300]))
    assert line == (
        "61 bars missing in 2 gaps (usual step 1 day), the longest from 2021-04-10 to 2021-06-10"
    )
    hours = frame(freq="h")
    (line,) = warned(hours.drop(hours.index[[50]]))
    assert line.startswith(
        "1 bar missing in 1 gap (usual step 1 hour), the longest from 2021-01-03"
    )


def test_sessions_close_at_weekends_and_for_a_week() -> None:
    prices = frame(freq="B")
    assert warned(prices.drop(prices.index[100:104]), "sessions") == ()
    (line,) = warned(prices.drop(prices.index[100:120]), "sessions")
    assert line.startswith("20 weekdays without a bar in 1 gap (usual step 1 day), the longest")
    (line,) = warned(prices)
    assert line.startswith("200 bars missing in 100 gaps") and "Use calendar sessions" in line


def test_spike_that_comes_back() -> None:
    prices = frame()
    prices.iloc[100, 1] *= 10
    (line,) = warned(prices)
    assert line.startswith("'A1' rises by a factor of ") and line.endswith(
        " at 2021-04-11 and is back 1 bar later (a bad tick?)"
    )
    prices.iloc[101, 1] *= 10
    assert "is back 2 bars later" in warned(prices)[0]


def test_small_spike_of_a_quiet_asset() -> None:
    prices = frame(risk=0.005)
    prices.iloc[100, 0] /= 1.5
    assert "'A0' falls by a factor of 1.5" in warned(prices)[0]
    wild = frame(risk=0.05)
    wild.iloc[100, 0] /= 1.5  # eight deviations: a crash and its recovery
    assert warned(wild) == ()


def test_level_that_shifts_and_stays() -> None:
    prices = frame()
    prices.iloc[250:, 1] /= 1000
    (line,) = warned(prices)
    assert line.startswith("'A1' falls by a factor of 1,0") or "factor of 9" in line
    assert line.endswith(
        "at 2021-09-08 and stays there (a redenomination, a split or another unit?)"
    )


def test_crashes_are_no_fault_of_the_data() -> None:
    prices = frame()
    # LUNA of 2022-05-08 to 13, and a fall by 40 % of which a third comes back the next day
    crash = np.array([64.26, 30.29, 17.46, 1.077, 0.00032, 0.00005])
    prices.iloc[-6:, 0] = crash / 64.26 * prices.iloc[-7, 0]
    prices.iloc[100:, 1] *= 0.6
    prices.iloc[101:, 1] *= 1.2
    assert warned(prices) == ()


def test_price_that_stands_still() -> None:
    prices = frame()
    prices.iloc[100:140, 1] = prices.iloc[100, 1]
    (line,) = warned(prices)
    assert line.startswith("'A1' has the same price 40 times in a row, 2021-04-11 to 2021-05-20")
    assert "say so with tradable" in line
    prices = frame()
    prices.iloc[100:109, 1] = prices.iloc[100, 1]
    assert warned(prices) == ()


def test_peg_and_held_prices_may_stand_still() -> None:
    prices = frame()
    steps = np.random.default_rng(1).choice([-1, 0, 1], DAYS, p=[0.15, 0.7, 0.15])
    prices["A1"] = 1.0 + 1e-4 * steps
    assert warned(prices) == ()
    prices = frame()
    prices.iloc[100:140, 1] = np.nan
    assert warned(prices, missing="hold:40") == ()  # counted among the repairs, and nothing fills


def test_most_serious_first_and_few() -> None:
    prices = frame(assets=9)
    for n in range(8):
        prices.iloc[100 + 20 * n, n] *= 10
    prices.iloc[300:, 8] *= 50
    prices = prices.drop(prices.index[400:410])
    lines = warned(prices)
    assert len(lines) == LINES + 1
    assert "'A8' rises" in lines[0] and "stays there" in lines[0] and "is back" in lines[1]
    assert lines[-1] == "4 more of the kind in market 'mine'"


def test_ensembles_are_not_checked() -> None:
    prices = frame()
    prices.iloc[100, 1] *= 10
    one = MarketPanel.from_frame(prices, calendar="24/7")
    assert data_warnings(one) and not data_warnings(one.select(np.array([0, 0])))


@pytest.mark.parametrize("assets", [8])
def test_five_years_of_hours_take_milliseconds(assets: int) -> None:
    prices = frame(43_800, assets, freq="h", risk=0.01)
    prices.iloc[100, 0] *= 10
    panel = MarketPanel.from_frame(prices, calendar="24/7")
    start = time.perf_counter()
    assert len(data_warnings(panel)) == 1
    assert time.perf_counter() - start < 0.5  # about 0.01 s on an idle machine
