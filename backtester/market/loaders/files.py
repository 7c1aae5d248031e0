"""Prices, funding and books from the user's own CSV or Parquet files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Float
from backtester.errors import DataError, did_you_mean
from backtester.market.frames import window
from backtester.market.panel import MarketPanel

if TYPE_CHECKING:
    import pandas as pd

SYMBOL_COLUMNS = ("asset", "symbol", "market")
MISSING = ("", "nan", "NaN")
"""Cells of a price file that mean "no price"; a text such as NA is not among them."""


@dataclass(frozen=True)
class Positions:
    """A book as read from a file: the fields of an `Exposure`, which stands above this layer."""

    assets: tuple[str, ...]
    amounts: Float  # (len(assets),) in `unit`
    unit: str  # "units" or "notional"


def read_prices(
    path: str | Path, *, time: str | None = None, values: str | None = None
) -> pd.DataFrame:
    """A wide frame, time × asset, from a CSV (also .gz) or Parquet file.

    Parameters
    ----------
    time: name of the time column (default: the first column, or a Parquet file's time index).
    values: for a long file (one row per time and asset): the column to spread, e.g. ``"close"``.
        The asset is then the column called asset, symbol or market.

    Symbols stay text, whatever they spell (NA, TRUE, 1e5). Raises DataError naming the file.
    """
    file = Path(path)
    frame = _read(file)
    if frame.index.name is None and time is None and isinstance(frame.index, _range_index()):
        time = str(frame.columns[0])
    if time is not None:
        if time not in frame.columns:
            raise DataError(
                f"file {file.name!r} has no column {time!r}",
                cure=did_you_mean(time, [str(c) for c in frame.columns]),
            )
        frame = frame.set_index(time)
    frame.index = _times(frame.index, file)
    if values is not None:
        frame = _spread(frame, values, file)
    if not len(frame.columns):
        raise DataError(
            f"file {file.name!r} has a time column only", cure="Add a column per asset."
        )
    return _numbers(frame, file)


def panel_from_files(
    prices: str | Path,
    *,
    funding: str | Path | None = None,
    half_spread: str | Path | float | None = None,
    depth: str | Path | float | None = None,
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

    def field(value: str | Path | float | None) -> pd.DataFrame | float | None:
        if value is None or isinstance(value, (int, float)):
            return value
        other = read_prices(value)
        return other if columns is None else other[[c for c in columns if c in other.columns]]

    try:
        return MarketPanel.from_frame(
            frame,
            calendar=calendar,
            half_spread=field(half_spread),
            depth=field(depth),
            funding=None if funding is None else _funding(Path(funding), columns),
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
    frame = _read(file, text=True)
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
    return [str(c) for c in _read(Path(path)).columns]


def _funding(path: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    frame = read_funding(path)
    return frame if columns is None else frame[[c for c in columns if c in frame.columns]]


def _read(file: Path, *, text: bool = False) -> pd.DataFrame:
    """The file as it stands; DataError where it is missing, empty, truncated or of another kind."""
    import pandas as pd

    kind = file.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]
    if kind not in ("csv", "parquet"):
        raise DataError(
            f"file {file.name!r} is of an unknown kind", cure="Give a .csv, .csv.gz or .parquet."
        )
    try:
        frame = pd.read_parquet(file) if kind == "parquet" else _read_csv(file, text)
    except (OSError, EOFError, ValueError, pd.errors.ParserWarning, _arrow_error()) as error:
        raise DataError(
            f"file {file.name!r} cannot be read ({_reason(error)})",
            cure="Check the path, and that the file is whole: a header, then one row per time.",
        ) from error
    if frame.empty:
        raise DataError(
            f"file {file.name!r} has no rows", cure="Give a header and at least one row."
        )
    return frame


def _read_csv(file: Path, text: bool) -> pd.DataFrame:
    import pandas as pd

    options: dict[str, Any] = {"keep_default_na": False, "encoding_errors": "strict"}
    # pandas would rename the second of two equal columns
    header = [str(c) for c in pd.read_csv(file, header=None, nrows=1, dtype=str, **options).iloc[0]]
    for n, column in enumerate(header):
        if column in header[:n]:
            raise DataError(
                f"file {file.name!r} has two columns called {column!r}",
                cure="Rename or drop one of them.",
            )
    with warnings.catch_warnings():
        # a row with more cells than the header would lose them with a warning only
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            file,
            dtype=str if text else None,
            na_values=None if text else list(MISSING),
            index_col=False,
            **options,
        )


def _arrow_error() -> type[Exception]:
    from pyarrow import ArrowException

    return ArrowException  # type: ignore[no-any-return]


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())[:200]


def _range_index() -> type:
    from pandas import RangeIndex

    return RangeIndex


def _times(index: Any, file: Path) -> Any:
    """Text stamps as timestamps; the zone, if any, is kept for `utc_index` to judge."""
    import pandas as pd

    if isinstance(index, pd.DatetimeIndex):
        return index
    if pd.api.types.is_numeric_dtype(index.dtype):
        raise DataError(
            f"the time column of file {file.name!r} holds numbers",
            cure="Write ISO 8601 stamps such as 2021-01-31 or 2021-01-31T08:00Z.",
        )
    texts = [str(t).strip() for t in index]
    for row, stamp in enumerate(texts, start=2):
        if not stamp or stamp in MISSING:
            raise DataError(f"file {file.name!r}, row {row} has no time", cure="Drop that row.")
    zoned = [t.endswith(("Z", "z")) or "+" in t or t[10:].count("-") > 0 for t in texts]
    if any(zoned) and not all(zoned):
        row = zoned.index(not zoned[0]) + 2
        raise DataError(
            f"timestamps of file {file.name!r} mix stamps with and without a time zone, row {row}",
            cure="Write every stamp in UTC, ending in Z.",
        )
    try:
        return pd.DatetimeIndex(pd.to_datetime(texts, utc=any(zoned), format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise DataError(
            f"the time column of file {file.name!r} is not timestamps ({_reason(error)})",
            cure="Write ISO 8601 stamps such as 2021-01-31 or 2021-01-31T08:00Z.",
        ) from error


def _spread(frame: pd.DataFrame, values: str, file: Path) -> pd.DataFrame:
    """A long frame as a wide one."""
    symbol = next((c for c in SYMBOL_COLUMNS if c in frame.columns), None)
    for column in (values, symbol):
        if column is None or column not in frame.columns:
            raise DataError(
                f"file {file.name!r} has no column {column or 'asset'!r}",
                cure=f"A long file needs {' or '.join(SYMBOL_COLUMNS)}, and the values' column.",
            )
    keys = frame.index.to_series().astype(str) + " " + frame[symbol].astype(str)
    if keys.duplicated().any():
        raise DataError(
            f"file {file.name!r} gives {keys[keys.duplicated()].iloc[0]} twice",
            cure="Keep one row per time and asset.",
        )
    wide = frame.pivot(columns=symbol, values=values)
    wide.columns = [str(c) for c in wide.columns]
    return wide


def _numbers(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Every column as float64; the first cell that is not a number is named by row and column."""
    import pandas as pd

    columns = [str(c) for c in frame.columns]
    frame.columns = columns
    for n, column in enumerate(columns):
        series = frame.iloc[:, n]
        if pd.api.types.is_bool_dtype(series.dtype) or not pd.api.types.is_numeric_dtype(
            series.dtype
        ):
            numbers = pd.to_numeric(series.astype(str).where(series.notna()), errors="coerce")
            bad = np.flatnonzero((numbers.isna() & series.notna()).to_numpy())
            if bad.size:
                row = int(bad[0])
                raise DataError(
                    f"file {file.name!r}, row {row + 2}: column {column!r} is "
                    f"{str(series.iloc[row])[:80]!r}, not a number",
                    when=str(frame.index[row]),
                    cure="Leave a missing price empty; every column but time is an asset.",
                )
    return frame.astype("float64")
