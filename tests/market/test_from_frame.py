"""Frames that cannot be a market, and those that can: asset, time and cure are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ConfigError, DataError
from backtester.market.funding import settled
from backtester.market.panel import MarketPanel

DAYS = pd.date_range("2021-01-01", periods=6, tz="UTC")


def frame(**changes: Any) -> pd.DataFrame:
    values = {"A": [1.0, 2, 3, 4, 5, 6], "B": [6.0, 5, 4, 3, 2, 1]}
    return pd.DataFrame({k: changes.get(k, v) for k, v in values.items()}, index=DAYS)


def with_cell(value: float) -> pd.DataFrame:
    prices = frame()
    prices.iloc[2, 1] = value
    return prices


def build(prices: Any, **options: Any) -> MarketPanel:
    return MarketPanel.from_frame(prices, calendar="24/7", name="mine", **options)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, r"price of 'B' in market 'mine' is missing \(NaN\) at 2021-01-03.*hold:N"),
        (np.inf, "price of 'B' in market 'mine' is infinite at 2021-01-03"),
        (-np.inf, "price of 'B' in market 'mine' is infinite at 2021-01-03"),
        (0.0, "price of 'B' in market 'mine' is zero at 2021-01-03.*positive prices"),
        (-1.0, "price of 'B' in market 'mine' is negative at 2021-01-03"),
    ],
)
def test_bad_price(value: float, words: str) -> None:
    with pytest.raises(DataError, match=words):
        build(with_cell(value))


def test_constant_price() -> None:
    with pytest.raises(DataError, match=r"price of 'B' in market 'mine' never changes"):
        build(frame(B=[3.0] * 6))


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (DAYS[[0, 1, 1, 3, 4, 5]], r"duplicate timestamps, first: 2021-01-02.*duplicated"),
        (DAYS[[0, 1, 3, 2, 4, 5]], r"not sorted at 2021-01-03.*sort_index"),
        (DAYS[::-1], r"not sorted at 2021-01-05"),
        (DAYS.tz_localize(None), r"no time zone at 2021-01-01.*tz_localize"),
        ([*DAYS[:5], pd.Timestamp("2021-01-06")], "mixes time zones.*utc=True"),
        ([*DAYS[:5], pd.Timestamp("2021-01-06", tz="Asia/Tokyo")], "mixes time zones"),
        ([*DAYS[:5], pd.NaT], "missing timestamp"),
        (range(6), "holds numbers, not timestamps"),
        (["a", "b", "c", "d", "e", "f"], "is not timestamps"),
        (pd.date_range("2300-01-01", periods=6, tz="UTC"), "Epoch milliseconds"),
        (pd.date_range("1850-01-01", periods=6, tz="UTC"), "Epoch milliseconds"),
    ],
)
def test_bad_index(index: Any, words: str) -> None:
    prices = frame()
    prices.index = pd.Index(index)
    with pytest.raises(DataError, match=words):
        build(prices)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
def test_every_unit_and_zone_is_one_instant(unit: str, zone: str) -> None:
    prices = frame()
    prices.index = DAYS.as_unit(unit).tz_convert(zone)
    panel = build(prices)
    assert panel.times.dtype == np.int64
    assert np.array_equal(panel.times, build(frame()).times)
    assert panel.times[0] == 1_609_459_200_000_000_000
    assert panel.to_frame().equals(build(frame()).to_frame())


def test_clock_changes() -> None:
    local = pd.date_range("2021-10-31 00:30", periods=6, freq="h")
    prices = frame()
    prices.index = local
    with pytest.raises(DataError, match="not all valid in zone 'Europe/Berlin'"):
        build(prices, assume_tz="Europe/Berlin")
    with pytest.raises(DataError, match="unknown time zone 'Mars/Olympus'"):
        build(prices, assume_tz="Mars/Olympus")
    assert build(prices, assume_tz="UTC").bars == 6


@pytest.mark.parametrize(
    ("prices", "words"),
    [
        (pd.DataFrame(), "empty"),
        (frame()["A"], "prices of market 'mine' are a Series"),
        (frame().iloc[:1], "1 stamp.*at least two prices"),
        (frame(A=["x"] * 6), "column 'A' of market 'mine' is not numeric"),
        (frame().rename(columns={"B": "A"}), "two columns called 'A'"),
        (frame().rename(columns={"B": "B\n"}), "cannot be used"),
        (frame().rename(columns={"B": ""}), "cannot be used"),
    ],
)
def test_bad_frame(prices: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        build(prices)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"half_spread": -0.001}, "half spread of 'A' in market 'mine' is negative"),
        ({"half_spread": np.nan}, "half spread of 'A'.*missing"),
        ({"depth": 0.0}, "depth of 'A' in market 'mine' is zero"),
        ({"depth": frame()[["A"]]}, "depth of market 'mine' lacks asset 'B'"),
        ({"depth": frame().rename(columns={"B": "b"})}, "'b', which prices lack. Did you mean 'B'"),
        ({"volume": frame().iloc[3:]}, "volume of 'A'.*missing.*2021-01-01"),
        (
            {"funding": with_cell(np.nan)},
            "funding of 'B'.* is missing at 2021-01-03",
        ),
        ({"funding": 0.01}, "funding of market 'mine' is a float"),
        ({"depth": [1.0, 2.0]}, "depth of market 'mine' is a list"),
        ({"tradable": True}, "tradable of market 'mine' is a bool"),
        ({"tradable": frame()}, "tradable of 'B' in market 'mine' is 6 at 2021-01-01"),
        ({"tradable": frame(A=["yes"] * 6)}, "tradable of market 'mine' is not true or false"),
        (
            {"tradable": (frame() > 0).astype(float).where(frame() != frame().iloc[2, 1])},
            "tradable of 'B' in market 'mine' is nan at 2021-01-03",
        ),
        ({"tradable": (frame() > 0).iloc[2:]}, "tradable of market 'mine' begins after its prices"),
        ({"tradable": (frame() > 0)[["A"]]}, "tradable of market 'mine' lacks asset 'B'"),
    ],
)
def test_bad_field(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        build(frame(), **options)


@pytest.mark.parametrize("missing", ["ffill", "hold:", "hold:0", "hold:-1", "hold:x", ""])
def test_unknown_repair(missing: str) -> None:
    with pytest.raises(ConfigError, match='Use "error", "drop" or "hold:N"'):
        build(with_cell(np.nan), missing=missing)
    with pytest.raises(ConfigError, match='Use "error", "drop" or "hold:N"'):
        build(frame(), missing=missing)


def test_unknown_calendar() -> None:
    with pytest.raises(ConfigError, match="unknown calendar '365'"):
        MarketPanel.from_frame(frame(), calendar="365")


def test_what_is_stated_to_be_tradable_holds_until_the_next_row() -> None:
    prices = frame()
    rows = prices.index[[0, 2, 4]] - pd.Timedelta(1, unit="h")
    stated = pd.DataFrame({"A": [1, 0, 1], "B": [True, True, False]}, index=rows)
    panel = build(prices, tradable=stated)
    assert panel.tradable is not None and panel.tradable.shape == (6, 1, 2)
    assert panel.tradable[:, 0, 0].tolist() == [True, True, False, False, True, True]
    assert panel.tradable[:, 0, 1].tolist() == [True, True, True, True, False, False]
    assert build(prices).tradable is None


def test_nothing_fills_at_a_price_that_was_held() -> None:
    holed = with_cell(np.nan)
    panel = build(holed, missing="hold:1")
    assert panel.tradable is not None
    np.testing.assert_array_equal(panel.tradable[:, 0], holed.notna())
    shut = build(holed, missing="hold:1", tradable=(frame() > 0).assign(A=False))
    assert shut.tradable is not None
    assert not shut.tradable[:, 0, 0].any() and shut.tradable[:, 0, 1].sum() == 5
    assert build(frame(), missing="hold:1").tradable is None
    assert build(holed, missing="drop").tradable is None


def test_repairs_are_counted() -> None:
    dropped = build(with_cell(np.nan), missing="drop")
    assert dropped.bars == 5 and "1 of 6 stamps dropped" in dropped.notes[0]
    held = build(with_cell(np.nan), missing="hold:1")
    assert held.prices[2, 0, 1] == 5.0 and "1 missing prices held" in held.notes[0]
    gap = frame(B=[6.0, np.nan, np.nan, 3, 2, 1])
    with pytest.raises(DataError, match="missing"):
        build(gap, missing="hold:1")
    with pytest.raises(DataError, match="missing"):  # nothing to hold before the first price
        build(frame(B=[np.nan, 5.0, 4, 3, 2, 1]), missing="hold:3")
    apart = frame(A=[1.0, 2, 3, np.nan, np.nan, np.nan], B=[np.nan, np.nan, np.nan, 4, 5, 6.0])
    with pytest.raises(DataError, match="hardly overlap"):
        build(apart, missing="drop")


@given(st.lists(st.integers(1, 47), min_size=1, max_size=20, unique=True), st.integers(0, 10))
def test_no_settlement_is_lost_or_paid_twice(hours: list[int], seed: int) -> None:
    stamps = pd.DatetimeIndex([DAYS[0] + pd.Timedelta(hours=h) for h in sorted(hours)])
    rates = np.random.default_rng(seed).standard_normal(len(hours)) / 1e4
    times = np.asarray(DAYS.as_unit("ns").asi8)
    total = settled(np.asarray(stamps.as_unit("ns").asi8), rates, times)
    assert total.sum() == pytest.approx(rates.sum())
    first_day = rates[np.array(sorted(hours)) <= 24].sum()  # paid in (t−1, t], added up at t
    assert total[1] == pytest.approx(first_day)
    assert total[0] == 0.0


@given(st.integers(1, 24), st.integers(0, 23), st.integers(0, 10))
def test_settlements_at_any_step(step: int, lag: int, seed: int) -> None:
    hours = np.arange(lag, 121, step)
    stamps = pd.DatetimeIndex([DAYS[0] + pd.Timedelta(hours=int(h)) for h in hours])
    rates = np.random.default_rng(seed).standard_normal(len(hours)) / 1e4
    panel = build(frame(), funding=pd.DataFrame({"B": rates}, index=stamps))
    assert panel.funding is not None
    assert panel.funding[:, 0, 0].sum() == 0.0
    assert panel.funding[:, 0, 1].sum() == pytest.approx(rates[hours > 0].sum())
    first_day = rates[(hours > 0) & (hours <= 24)].sum()
    assert panel.funding[1, 0, 1] == pytest.approx(first_day)
    assert panel.funding[0, 0, 1] == 0.0
