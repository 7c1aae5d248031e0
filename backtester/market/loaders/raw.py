"""Tables from CSV and Parquet files as they stand; whatever is wrong names file, row and cure."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SYMBOL_COLUMNS = ("asset", "symbol", "market")
MISSING = ("", "nan", "NaN")
"""Cells of a price file that mean "no price"; a text such as NA is not among them."""


def read_table(file: Path, *, text: bool = False) -> pd.DataFrame:
    """The file as it stands; DataError where it is missing, empty, truncated or of another kind."""
    import pandas as pd

    kind = file.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]
    if kind not in ("csv", "parquet"):
        raise DataError(
            f"file {file.name!r} is of an unknown kind", cure="Give a .csv, .csv.gz or .parquet."
        )
    try:
        frame = (
            pd.read_parquet(file, engine="pyarrow", page_checksum_verification=True)
            if kind == "parquet"
            else _read_csv(file, text)
        )
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
        if n and not column.strip():  # the first is that of the times, which need no name
            raise DataError(
                f"file {file.name!r}: the header of column {n + 1} is empty",
                cure="Name the asset there, or drop the column: a comma at the end of a row makes "
                "one.",
            )
        if column in header[:n]:
            raise DataError(
                f"file {file.name!r} has two columns called {column!r}",
                cure="Rename or drop one of them.",
            )
    with warnings.catch_warnings():
        # a row with more cells than the header would lose them with a warning only
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame: pd.DataFrame = pd.read_csv(
            file,
            dtype=str if text else None,
            na_values=None if text else list(MISSING),
            index_col=False,
            **options,
        )
    return frame


def _arrow_error() -> type[Exception]:
    from pyarrow import ArrowException

    return ArrowException  # type: ignore[no-any-return]


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(f"{type(error).__name__}: {text}".split())[:200]


def times_of(index: Any, file: Path) -> Any:
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


def spread(frame: pd.DataFrame, values: str, file: Path) -> pd.DataFrame:
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


def numbers(frame: pd.DataFrame, file: Path) -> pd.DataFrame:
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
