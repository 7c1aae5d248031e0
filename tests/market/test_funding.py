"""A settlement that is missing is an error; what exchanges really do is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtester.errors import DataError
from backtester.market.loaders.files import panel_from_files
from backtester.market.panel import MarketPanel

DAYS = pd.date_range("2021-01-01", periods=200, tz="UTC")
LAST = DAYS[-1]


def prices(index: pd.DatetimeIndex = DAYS, calendar: str = "24/7") -> pd.DataFrame:
    moves = np.random.default_rng(0).standard_normal((len(index), 2)) * 0.01
    return pd.DataFrame(100 * np.exp(np.cumsum(moves, axis=0)), index=index, columns=["A", "B"])


def stamps(*pieces: tuple[str, str, str]) -> pd.DatetimeIndex:
    """Settlements: (from, to, step), the last stamp left out."""
    parts = [pd.date_range(a, b, freq=f, tz="UTC", inclusive="left") for a, b, f in pieces]
    return pd.DatetimeIndex(np.concatenate([p.as_unit("ns").asi8 for p in parts]), tz="UTC")


def rates(index: pd.DatetimeIndex, asset: str = "A", rate: float = 1e-4) -> pd.DataFrame:
    return pd.DataFrame({asset: np.full(len(index), rate)}, index=index)


def build(funding: pd.DataFrame, frame: pd.DataFrame | None = None, **options: str) -> MarketPanel:
    frame = prices() if frame is None else frame
    calendar = options.pop("calendar", "24/7")
    return MarketPanel.from_frame(frame, calendar=calendar, name="mine", funding=funding, **options)


WHOLE = ("2020-12-30", "2021-07-20", "8h")


def test_gap_is_an_error() -> None:
    table = rates(stamps(WHOLE)).drop(
        pd.date_range("2021-03-01", "2021-03-10", freq="8h", tz="UTC")
    )
    words = (
        "funding of 'A' in market 'mine' has no settlement until 2021-03-10T08:00:00Z "
        r"\(about 28 missing\) at 2021-02-28T16:00:00Z\. A missing settlement is not zero; find it "
        "or cut the history"
    )
    with pytest.raises(DataError, match=words):
        build(table)
    every_day = rates(DAYS).drop(DAYS[100:160])
    with pytest.raises(DataError, match=r"until 2021-06-10 \(about 60 missing\) at 2021-04-10"):
        build(every_day)


def test_early_end_is_an_error() -> None:
    words = "'A' in market 'mine' ends, but the prices go on to 2021-07-19 at 2021-06-30T16"
    with pytest.raises(DataError, match=words):
        build(rates(stamps(("2020-12-30", "2021-07-01", "8h"))))
    with pytest.raises(DataError, match="begins at 2022-01-01, after the last price at 2021-07-19"):
        build(rates(stamps(("2022-01-01", "2022-02-01", "8h"))))
    build(rates(stamps(("2020-12-30", "2021-07-19", "8h"))))  # the last one eight hours before


def test_late_beginning_is_noted() -> None:
    panel = build(rates(stamps(("2021-03-01", "2021-07-20", "8h"))))
    assert panel.notes == (
        "Check the data: funding of 'A' begins at 2021-03-01; none is paid before",
    )
    assert build(rates(stamps(WHOLE))).notes == ()


def test_exchange_may_change_its_interval() -> None:
    changes = stamps(
        ("2021-01-01", "2021-02-01", "24h"),
        ("2021-02-01", "2021-04-01", "8h"),
        ("2021-04-01", "2021-05-01", "4h"),
        ("2021-05-01", "2021-06-01", "1h"),
        ("2021-06-01", "2021-07-20", "8h"),
    )
    panel = build(rates(changes))
    assert panel.notes == () and panel.funding is not None
    inside = (changes > DAYS[0]) & (changes <= LAST)
    assert panel.funding.sum() == pytest.approx(1e-4 * inside.sum())


def test_assets_of_different_steps_share_a_table() -> None:
    hourly, slow = stamps(("2020-12-30", "2021-07-20", "1h")), stamps(WHOLE)
    table = pd.concat([rates(hourly, "A"), rates(slow, "B")], axis=1)
    assert table["B"].isna().any()
    panel = build(table)
    assert panel.funding is not None
    assert panel.funding[5, 0] == pytest.approx([24e-4, 3e-4])
    table.loc["2021-03-01 08:00", "B"] = np.nan  # one settlement of B, where A has rows
    with pytest.raises(DataError, match="funding of 'B' in market 'mine' is missing at 2021-03-01"):
        build(table)
    table["B"] = np.nan
    with pytest.raises(DataError, match="funding of 'B' in market 'mine' is missing"):
        build(table)


def test_long_file_of_different_steps(tmp_path: Path) -> None:
    fast, slow = (
        stamps(("2021-01-01", "2021-07-20", "4h")),
        stamps(("2021-01-01", "2021-07-20", "8h")),
    )
    parts = [
        pd.DataFrame({"time": t, "asset": a, "funding_rate": 1e-4})
        for a, t in (("A", fast), ("B", slow))
    ]
    long = pd.concat(parts).sort_values("time", kind="stable")
    files = tmp_path / "prices.csv", tmp_path / "funding.csv"
    prices().to_csv(files[0], index_label="time")
    long.to_csv(files[1], index=False)
    panel = panel_from_files(files[0], funding=files[1])
    assert panel.funding is not None
    assert panel.funding[3, 0] == pytest.approx([6e-4, 3e-4])
    long[long["time"] < "2021-05-01"].to_csv(files[1], index=False)
    with pytest.raises(
        DataError, match=r"file 'prices.csv': funding of 'A'.* ends, but the prices"
    ):
        panel_from_files(files[0], funding=files[1])


def test_weekends_and_outages_without_prices_are_no_gap() -> None:
    days = pd.bdate_range("2021-01-01", periods=140, tz="UTC")
    build(rates(days), prices(days), calendar="sessions")
    hours = pd.DatetimeIndex([d + pd.Timedelta(hours=h) for d in days for h in range(14, 21)])
    build(rates(days + pd.Timedelta(hours=20)), prices(hours), calendar="sessions")
    build(rates(stamps(WHOLE)), prices(hours), calendar="sessions")
    quiet = DAYS.delete(range(100, 110))
    build(rates(quiet), prices(quiet))
    with pytest.raises(DataError, match="has no settlement until"):
        build(rates(quiet))


def test_rates_in_per_cent_are_an_error() -> None:
    words = (
        "funding of 'A' in market 'mine' is 0.3, 30 % of notional at one settlement at 2020-12-30"
        r"\. Per cent given as a fraction\? 0.01 % is 0.0001"
    )
    with pytest.raises(DataError, match=words):
        build(rates(stamps(WHOLE), rate=0.3))
    build(rates(stamps(WHOLE), rate=-0.25))


def test_half_spread_of_half_the_price_is_an_error() -> None:
    wide = pd.DataFrame(1e-4, index=DAYS, columns=["A", "B"])
    wide.iloc[50, 1] = 0.5
    for value in (wide, 2.0):
        with pytest.raises(
            DataError, match=r"half spread of '[AB]' in market 'mine' is .* of its price"
        ):
            MarketPanel.from_frame(prices(), calendar="24/7", name="mine", half_spread=value)


def test_table_that_ends_early_is_noted() -> None:
    table = pd.DataFrame(1e-4, index=DAYS[:150], columns=["A", "B"])
    panel = MarketPanel.from_frame(prices(), calendar="24/7", half_spread=table, depth=table * 1e10)
    assert panel.notes == tuple(
        f"Check the data: {item} ends at 2021-05-30; its last values are held to 2021-07-19"
        for item in ("half spread", "depth")
    )
    for short in (DAYS[:195], DAYS[:1], DAYS[::60]):  # nearly whole, a constant, known seldom
        table = pd.DataFrame(1e-4, index=short, columns=["A", "B"])
        assert not MarketPanel.from_frame(prices(), calendar="24/7", half_spread=table).notes
