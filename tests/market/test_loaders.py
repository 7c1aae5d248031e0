"""Files of the user's own, and the history that ships with arch."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtester.errors import ConfigError, DataError
from backtester.market.loaders.builtin import BUILTIN, indices
from backtester.market.loaders.files import panel_from_files, read_book, read_funding, read_prices

WIDE = "time,BTC,ETH\n2021-01-01,1.0,2.0\n2021-01-02,1.5,2.5\n2021-01-03,1.2,2.2\n"


def save(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_index_history() -> None:
    panel = indices()
    assert panel.assets == ("SP500", "NASDAQ", "WTI") and panel.name == "index-history"
    assert panel.calendar.days_per_year == 252 and panel.half_spread is None
    assert panel.bars > 5000 and "stamps dropped" in panel.notes[0]
    frame = panel.to_frame()
    assert str(frame.index[0].date()) == "1999-01-04" and frame.index[-1].year == 2018
    # adjusted close of 2008-10-13, the largest gain of the sample
    assert frame["SP500"].pct_change().idxmax().date() == pd.Timestamp("2008-10-13").date()
    assert panel.digest == indices().digest and BUILTIN["index-history"] is indices


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_every_format_is_the_same_panel(tmp_path: Path, kind: str) -> None:
    frame = read_prices(save(tmp_path, WIDE))
    path = tmp_path / f"prices.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "csv.gz":
        path.write_bytes(gzip.compress(WIDE.encode()))
    else:
        path.write_text(WIDE)
    panel = panel_from_files(path, assume_tz="UTC")
    assert panel.assets == ("BTC", "ETH") and panel.name == "prices"
    assert panel.prices[:, 0].tolist() == [[1.0, 2.0], [1.5, 2.5], [1.2, 2.2]]
    assert panel.times[0] == 1_609_459_200_000_000_000


def test_symbols_stay_text(tmp_path: Path) -> None:
    text = "time,NA,TRUE,1e5,null\n2021-01-01,1,2,3,4\n2021-01-02,2,3,4,5\n"
    panel = panel_from_files(save(tmp_path, text), assume_tz="UTC")
    assert panel.assets == ("NA", "TRUE", "1e5", "null")
    long = "time,asset,close\n" + "".join(
        f"2021-01-0{d},{a},{d + i}\n" for d in (1, 2) for i, a in enumerate(("NA", "TRUE", "nan"))
    )
    with pytest.raises(DataError, match="has no column 'open'"):
        read_prices(save(tmp_path, long), values="open")
    book = read_book(save(tmp_path, "asset,units\nNA,1\nTRUE,-2\n1e5,3\n"))
    assert book.assets == ("NA", "TRUE", "1e5") and book.amounts.tolist() == [1.0, -2.0, 3.0]


def test_window_and_columns(tmp_path: Path) -> None:
    path = save(tmp_path, WIDE)
    panel = panel_from_files(
        path, assume_tz="UTC", columns=("ETH", "BTC"), start="2021-01-02", end="2021-01-03"
    )
    assert panel.assets == ("ETH", "BTC") and panel.bars == 2
    with pytest.raises(DataError, match=r"file 'mine.csv' has no column 'XRP'"):
        panel_from_files(path, assume_tz="UTC", columns=("XRP",))
    with pytest.raises(DataError, match="have no rows from 2022-01-01"):
        panel_from_files(path, assume_tz="UTC", start="2022-01-01")
    with pytest.raises(ConfigError, match="'never' is not a date"):
        panel_from_files(path, assume_tz="UTC", end="never")


def test_fields_from_files(tmp_path: Path) -> None:
    path = save(tmp_path, WIDE)
    rates = "time,asset,funding_rate\n2021-01-01 08:00,BTC,0.001\n2021-01-02 00:00,BTC,0.002\n"
    funding = save(tmp_path, rates, "funding.csv")
    depth = save(tmp_path, WIDE, "depth.csv")
    panel = panel_from_files(
        path, funding=funding, half_spread=0.001, depth=depth, assume_tz="UTC", columns=("BTC",)
    )
    assert panel.funding is not None and panel.depth is not None and panel.half_spread is not None
    assert panel.funding[:, 0, 0] == pytest.approx([0.0, 0.003, 0.0])
    assert panel.depth[:, 0, 0].tolist() == [1.0, 1.5, 1.2]
    assert (panel.half_spread == 0.001).all()
    assert list(read_funding(funding).columns) == ["BTC"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "file 'mine.csv' cannot be read"),
        ("time,BTC\n", "has no rows"),
        ("time\n2021-01-01\n", "has a time column only"),
        ("time,BTC\n2021-01-01,1\nsoon,2\n", "time column of file 'mine.csv' is not timestamps"),
        ("time,BTC\n1,1\n2,2\n", "holds numbers.*ISO 8601"),
        ("time,BTC\n2021-01-01,1\n,2\n", "row 3 has no time"),
        ("time,BTC\n2021-01-01,1\n2021-01-02,1e\n", "row 3: column 'BTC' is '1e', not a number"),
        ("time,BTC\n2021-01-01,1\n2021-01-02,NA\n", "row 3: column 'BTC' is 'NA', not a number"),
        ("time,BTC\n2021-01-01,TRUE\n2021-01-02,FALSE\n", "column 'BTC' is 'True', not a number"),
        ('time,BTC\n2021-01-01,"1\n', "cannot be read"),
        ("time,BTC\n2021-01-01,1,2,3\n2021-01-02,1\n", "cannot be read"),
        (
            "time,BTC\n2021-01-01T00:00Z,1\n2021-01-02T00:00,2\n",
            "without a time zone, row 3",
        ),
        ("time,BTC,BTC\n2021-01-01,1,2\n2021-01-02,2,3\n", "two columns called 'BTC'"),
        (
            "time,BTC,ETH,\n2021-01-01,1,2,\n2021-01-02,2,3,\n",
            "file 'mine.csv': the header of column 4 is empty.*comma at the end of a row",
        ),
        (
            "time,,BTC\n2021-01-01,1,2\n2021-01-02,2,3\n",
            "the header of column 2 is empty. Name the asset there, or drop the column",
        ),
        ("time,BTC\n2021-01-02,1\n2021-01-01,2\n", "file 'mine.csv': .*not sorted"),
        ("time,BTC\n2021-01-01,1\n2021-01-01,2\n", "duplicate timestamps"),
        ("time,BTC\n2021-01-01,1\n2021-01-02,\n", "'BTC'.*missing.*2021-01-02"),
        ("time,BTC\n2021-01-01,1\n2021-01-02,inf\n", "'BTC'.*infinite"),
        ("time,BTC\n2021-01-01,1\n2021-01-02,0\n", "'BTC'.*zero"),
    ],
)
def test_bad_price_file(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        panel_from_files(save(tmp_path, text), assume_tz="UTC")
    assert "mine.csv" in caught.value.what and caught.value.cure


def test_outages_from_a_file(tmp_path: Path) -> None:
    prices = save(tmp_path, WIDE)
    text = "time,ETH,BTC,SOL\n2021-01-01,1,1,1\n2021-01-02,0,true,1\n2021-01-03,1,False,1\n"
    for words in ("true", "1"), ("False", "0"):
        text = text.replace(*words)
    outages = save(tmp_path, text, "outages.csv")
    panel = panel_from_files(
        prices, tradable=outages, columns=["BTC", "ETH"], assume_tz="UTC", missing="error"
    )
    assert panel.tradable is not None
    assert panel.tradable[:, 0].tolist() == [[True, True], [True, False], [False, True]]
    booleans = save(tmp_path, "time,BTC,ETH\n2021-01-01,True,False\n", "flags.csv")
    same = panel_from_files(prices, tradable=booleans, assume_tz="UTC")
    assert same.tradable is not None and same.tradable[:, 0].tolist() == [[True, False]] * 3
    with pytest.raises(DataError, match="tradable of 'BTC' in market 'mine' is 2 at 2021-01-01"):
        panel_from_files(
            prices,
            tradable=save(tmp_path, "time,BTC,ETH\n2021-01-01,2,1\n", "two.csv"),
            assume_tz="UTC",
        )


def test_naive_stamps_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no time zone.*assume_tz"):
        panel_from_files(save(tmp_path, WIDE))
    zoned = WIDE.replace("-01,", "-01T00:00Z,").replace("-02,", "-02T00:00Z,")
    zoned = zoned.replace("-03,", "-03T00:00Z,")
    assert panel_from_files(save(tmp_path, zoned)).bars == 3


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'none.csv' cannot be read .*No such file"):
        read_prices(tmp_path / "none.csv")
    with pytest.raises(DataError, match="unknown kind"):
        read_prices(tmp_path / "prices.xlsx")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_prices(tmp_path / "folder.csv")
    whole = gzip.compress(WIDE.encode() * 1000)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"'cut.csv.gz' cannot be read"):
        read_prices(cut)
    parquet = tmp_path / "prices.parquet"
    read_prices(save(tmp_path, WIDE)).to_parquet(parquet)
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(parquet.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"'damaged.parquet' cannot be read"):
        read_prices(damaged)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"time,BTC\n2021-01-01,\xff\xfe\n")
    with pytest.raises(DataError, match="cannot be read"):
        read_prices(binary)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,units\nBTC,1\n", "no column 'asset'"),
        ("asset\nBTC\n", "neither 'units' nor 'notional'"),
        ("asset,units,notional\nBTC,1,2\n", "both 'units' and 'notional'"),
        ("asset,units\nBTC,1\nETH,many\n", "row 3: units of 'ETH' is 'many', not a number"),
        ("asset,units\nBTC,\n", "row 2: units of 'BTC' is '', not a number"),
        ("asset,units\nBTC,nan\n", "row 2: .*finite"),
        ("asset,units\n ,1\n", "row 2: asset '' cannot be used"),
        ("asset,units\nBTC,0\n", "holds nothing"),
        ("asset,units\nBTC,1\nBTC,-1\n", "holds nothing"),
        ("asset,units\n", "has no rows"),
        ("", "cannot be read"),
        ('asset,notional\nBTC,"1,000"\n', "no thousands separators"),
    ],
)
def test_bad_book(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        read_book(save(tmp_path, text, "book.csv"))
    assert "book.csv" in caught.value.what


def test_book(tmp_path: Path) -> None:
    book = read_book(save(tmp_path, "Asset, Notional\nETH,1e6\nBTC,-5\nETH,1\n", "book.csv"))
    assert book.assets == ("ETH", "BTC") and book.unit == "notional"
    assert book.amounts.tolist() == [1_000_001.0, -5.0]


def test_long_file(tmp_path: Path) -> None:
    rows: list[Any] = [(f"2021-01-0{d}", a, d * i) for d in (1, 2) for i, a in ((1, "A"), (2, "B"))]
    text = "date,symbol,close\n" + "".join(f"{d},{a},{p}\n" for d, a, p in rows)
    frame = read_prices(save(tmp_path, text), values="close")
    assert list(frame.columns) == ["A", "B"]
    assert np.array_equal(frame.to_numpy(), [[1, 2], [2, 4]])
    with pytest.raises(DataError, match=r"2021-01-02.* B twice"):
        read_prices(save(tmp_path, text + "2021-01-02,B,9\n"), values="close")
    with pytest.raises(DataError, match="has no column 'when'"):
        read_prices(save(tmp_path, text), time="when")


def test_bit_rot_is_found_where_pages_carry_checksums(tmp_path: Path) -> None:
    days = pd.date_range("2021-01-01", periods=400, tz="UTC")
    moves = np.random.default_rng(0).standard_normal((400, 2)) * 0.01
    frame = pd.DataFrame(np.exp(np.cumsum(moves, axis=0)), index=days, columns=["A", "B"])
    path = tmp_path / "mine.parquet"
    # flat, so that a flipped bit is a plausible price and nothing else would notice
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False}
    frame.to_parquet(path, write_page_checksum=True, **options)
    whole = path.read_bytes()
    assert np.array_equal(read_prices(path).to_numpy(), frame.to_numpy())
    values = whole.index(frame["A"].to_numpy().tobytes()), len(frame) * 8
    for place in np.random.default_rng(1).integers(0, 8 * values[1], 20):
        rotten = bytearray(whole)
        rotten[values[0] + int(place) // 8] ^= 1 << (int(place) % 8)
        path.write_bytes(rotten)
        with pytest.raises(DataError, match=r"file 'mine\.parquet' cannot be read .*CRC"):
            read_prices(path)
