"""Prices, funding and books from the user's own CSV or Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from backtester.arrays import Float
from backtester.errors import DataError, did_you_mean
from backtester.market.frames import window
from backtester.market.loaders.raw import numbers, read_table, spread, times_of
from backtester.market.panel import MarketPanel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Positions:
    """A book as read from a file: the fields of an `Exposure`, which stands above this layer."""

    assets: tuple[str, ...]
    amounts: Float  # (len(assets),) in `unit`
    unit: str  # "units" or "notional"


def read_prices(
    path: str | Path,
    *,
    time: str | None = None,
    values: str | None = None,
    switches: bool = False,
) -> pd.DataFrame:
    """A wide frame, time × asset, from a CSV (also .gz) or Parquet file.

    Parameters
    ----------
    time: name of the time column (default: the first column, or a Parquet file's time index).
    values: for a long file (one row per time and asset): the column to spread, e.g. ``"close"``.
        The asset is then the column called asset, symbol or market.
    switches: True and False are read as 1 and 0; in a file of prices they are an error.

    Symbols stay text, whatever they spell (NA, TRUE, 1e5). Raises DataError naming the file.
    """
    import pandas as pd

    file = Path(path)
    frame = read_table(file)
    if frame.index.name is None and time is None and isinstance(frame.index, pd.RangeIndex):
        time = str(frame.columns[0])
    if time is not None:
        if time not in frame.columns:
            raise DataError(
                f"file {file.name!r} has no column {time!r}",
                cure=did_you_mean(time, [str(c) for c in frame.columns]),
            )
        frame = frame.set_index(time)
    frame.index = times_of(frame.index, file)
    if values is not None:
        frame = spread(frame, values, file)
    if not len(frame.columns):
        raise DataError(
            f"file {file.name!r} has a time column only", cure="Add a column per asset."
        )
    if switches:
        frame = frame.astype({c: float for c in frame.columns if frame[c].dtype == np.bool_})
    return numbers(frame, file)


def panel_from_files(
    prices: str | Path,
    *,
    funding: str | Path | None = None,
    half_spread: str | Path | float | None = None,
    depth: str | Path | float | None = None,
    tradable: str | Path | None = None,
    calendar: str = "24/7",
    assume_tz: str | None = None,
    missing: str = "error",
    columns: Sequence[str] | None = None,
    start: str | None = None,
    end: str | None = None,
    name: str | None = None,
) -> MarketPanel:
    """A one-path panel from files; see `MarketPanel.from_frame` for units and options.

    columns: assets to use, in this order (default: all). start, end: window, both included.
    """
    file = Path(prices)
    frame = read_prices(file)
    if columns is not None:
        for column in columns:
            if column not in frame.columns:
                raise DataError(
                    f"file {file.name!r} has no column {column!r}",
                    cure=did_you_mean(column, [str(c) for c in frame.columns]),
                )
        frame = frame[list(columns)]
    frame = window(frame, start, end, assume_tz, f"prices in file {file.name!r}")

    def table(file: str | Path, switches: bool = False) -> pd.DataFrame:
        other = read_prices(file, switches=switches)
        return other if columns is None else other[[c for c in columns if c in other.columns]]

    def field(value: str | Path | float | None) -> pd.DataFrame | float | None:
        return value if value is None or isinstance(value, (int, float)) else table(value)

    try:
        return MarketPanel.from_frame(
            frame,
            calendar=calendar,
            half_spread=field(half_spread),
            depth=field(depth),
            funding=None if funding is None else _funding(Path(funding), columns),
            tradable=None if tradable is None else table(tradable, switches=True),
            assume_tz=assume_tz,
            missing=missing,
            name=name or file.name.removesuffix(".gz").rsplit(".", 1)[0],
        )
    except DataError as error:
        raise DataError(
            f"file {file.name!r}: {error.what}", cure=error.cure, when=error.when
        ) from error


def read_book(path: str | Path) -> Positions:
    """A book of one's own: a CSV with columns `asset` and one of `units` or `notional`.

    Rows of one asset are added up. Raises DataError naming file, row and cure.
    """
    file = Path(path)
    frame = read_table(file, text=True)
    frame.columns = [str(c).strip().lower() for c in frame.columns]
    if "asset" not in frame.columns:
        raise DataError(
            f"book {file.name!r} has no column 'asset' (columns: {', '.join(frame.columns)})",
            cure="The first line must read asset,units or asset,notional.",
        )
    given = [c for c in ("units", "notional") if c in frame.columns]
    if len(given) != 1:
        what = "both 'units' and 'notional'" if given else "neither 'units' nor 'notional'"
        raise DataError(
            f"book {file.name!r} has {what}", cure="Give exactly one of the two columns."
        )
    amounts: dict[str, float] = {}
    for row, (asset, text) in enumerate(zip(frame["asset"], frame[given[0]], strict=True), start=2):
        where = f"book {file.name!r}, row {row}"
        asset = str(asset).strip()
        if not asset or not asset.isprintable() or len(asset) > 80:
            raise DataError(
                f"{where}: asset {asset[:80]!r} cannot be used",
                cure="Use 1 to 80 printable characters.",
            )
        try:
            amount = float(text)
        except ValueError as error:
            raise DataError(
                f"{where}: {given[0]} of {asset!r} is {text!r}, not a number",
                cure="Write a plain number such as -12.5; no thousands separators.",
            ) from error
        if not np.isfinite(amount):
            raise DataError(
                f"{where}: {given[0]} of {asset!r} is {text}", cure="Write a finite number."
            )
        amounts[asset] = amounts.get(asset, 0.0) + amount
    if not any(amounts.values()):
        raise DataError(
            f"book {file.name!r} holds nothing", cure="Give at least one position other than zero."
        )
    return Positions(tuple(amounts), np.array(list(amounts.values())), given[0])


def read_funding(path: str | Path) -> pd.DataFrame:
    """Funding rates, time × perpetual: wide, or long with columns asset and funding_rate."""
    long = "funding_rate" in columns_of(path)
    return read_prices(path, values="funding_rate" if long else None)


def columns_of(path: str | Path) -> list[str]:
    """Names of the columns of a file."""
    return [str(c) for c in read_table(Path(path)).columns]


def _funding(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    frame = read_funding(path)
    return frame if columns is None else frame[[c for c in columns if c in frame.columns]]
