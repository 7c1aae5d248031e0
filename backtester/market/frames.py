"""From pandas frames to panel arrays: zones, order, duplicates, gaps, alignment; nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.clock import iso
from backtester.errors import ConfigError, DataError, did_you_mean
from backtester.market.funding import check_rates, check_settlements, settled
from backtester.market.quality import WARNING

if TYPE_CHECKING:
    import pandas as pd

WIDEST = 0.5  # half-spread, a fraction of the price: the bid would be half of it
EARLY = 0.05  # share of the prices' time by which a table may end before them without a note


def panel_arrays(
    prices: pd.DataFrame,
    fields: Mapping[str, pd.DataFrame | float | None],
    *,
    assume_tz: str | None,
    missing: str,
    name: str,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arrays for `MarketPanel` and notes on what was repaired; see `MarketPanel.from_frame`."""
    import pandas as pd

    notes: list[str] = []
    if not isinstance(prices, pd.DataFrame):
        raise DataError(
            f"prices of market {name!r} are a {type(prices).__name__}",
            cure="Give a wide pandas DataFrame: DatetimeIndex × asset.",
        )
    if prices.empty:
        raise DataError(f"prices of market {name!r} are empty", cure="Give at least two rows.")
    frame = prices.copy()
    frame.columns = [str(c) for c in frame.columns]
    times = utc_index(frame.index, f"market {name!r}", assume_tz)
    frame = numeric(frame, name)
    frame.index = times
    frame, held, note = _fill(frame, missing, name)
    notes += note
    stamps = nanoseconds(frame)
    arrays: dict[str, Any] = {
        "times": stamps,
        "assets": tuple(frame.columns),
        "prices": frame.to_numpy(dtype=np.float64, copy=True)[:, None, :],
    }
    for item, value in fields.items():
        if value is None:
            continue
        if item == "funding":
            arrays[item], late = _funding(value, frame, name, assume_tz)
            notes += late
        elif item == "tradable":
            arrays[item] = _tradable(value, frame, name, assume_tz)
        else:
            arrays[item], late = _field(item, value, frame, name, assume_tz)
            notes += late
    if held is not None:  # nobody trades at a price that nobody quoted
        arrays["tradable"] = ~held[:, None, :] & arrays.get("tradable", True)
    return arrays, tuple(notes)


def nanoseconds(frame: pd.DataFrame) -> Int:
    """The stamps of a frame with a DatetimeIndex, UTC nanoseconds whatever unit pandas keeps."""
    import pandas as pd

    return np.array(pd.DatetimeIndex(frame.index).as_unit("ns").asi8, dtype=np.int64)


def utc_index(index: Any, who: str, assume_tz: str | None) -> pd.DatetimeIndex:
    """`index` as a sorted, unique, UTC DatetimeIndex; raises DataError."""
    import pandas as pd

    if not isinstance(index, pd.DatetimeIndex):
        if pd.api.types.is_numeric_dtype(index):  # pandas would read numbers as ns since 1970
            raise DataError(
                f"the index of {who} holds numbers, not timestamps",
                cure='Give the unit: pd.to_datetime(index, unit="s", utc=True).',
            )
        try:
            index = pd.DatetimeIndex(index)
        except (ValueError, TypeError) as error:
            mixed = "mix" in str(error).lower() or "tz-aware" in str(error).lower()
            raise DataError(
                f"the index of {who} " + ("mixes time zones" if mixed else "is not timestamps"),
                cure="Convert every stamp to UTC: pd.to_datetime(index, utc=True).",
            ) from error
    if index.hasnans:
        raise DataError(f"the index of {who} has a missing timestamp", cure="Drop that row.")
    if index.tz is None:
        if assume_tz is None:
            raise DataError(
                f"timestamps of {who} have no time zone",
                when=str(index[0]),
                cure='Use frame.tz_localize("UTC") or assume_tz="UTC".',
            )
        try:
            index = index.tz_localize(assume_tz)
        except ValueError as error:  # ambiguous or non-existent local time
            raise DataError(
                f"timestamps of {who} are not all valid in zone {assume_tz!r} ({error})",
                cure="Convert to UTC before, where the clock change is known.",
            ) from error
        except KeyError as error:
            raise DataError(
                f"unknown time zone {assume_tz!r} for {who}", cure='Use e.g. "UTC".'
            ) from error
    index = pd.DatetimeIndex(index.tz_convert("UTC"))
    if index.has_duplicates:
        twice = index[index.duplicated()][:5]
        raise DataError(
            f"{who} has duplicate timestamps, first: {', '.join(str(t) for t in twice)}",
            when=str(twice[0]),
            cure='Keep one of each: frame[~frame.index.duplicated(keep="last")].',
        )
    if not index.is_monotonic_increasing:
        late = int(np.flatnonzero(np.diff(index.asi8) < 0)[0]) + 1
        raise DataError(
            f"timestamps of {who} are not sorted",
            when=str(index[late]),
            cure="Check where the rows come from, then frame.sort_index().",
        )
    low, high = pd.Timestamp("1900-01-01", tz="UTC"), pd.Timestamp("2200-01-01", tz="UTC")
    if index[0] < low or index[-1] > high:
        raise DataError(
            f"timestamps of {who} run from {index[0]} to {index[-1]}",
            cure="Epoch milliseconds read as seconds? Pass the right unit to pd.to_datetime.",
        )
    return pd.DatetimeIndex(index)


def window(
    frame: pd.DataFrame, start: str | None, end: str | None, assume_tz: str | None, who: str
) -> pd.DataFrame:
    """Rows of `frame` from `start` to `end`, both included; a date as `end` includes its day.

    Dates without a zone are UTC. Raises DataError where nothing is left, ConfigError for a date
    that cannot be read.
    """
    import pandas as pd

    if start is None and end is None:
        return frame
    index = utc_index(frame.index, who, assume_tz)
    keep = np.ones(len(frame), dtype=bool)
    for text, after in ((start, True), (end, False)):
        if text is None:
            continue
        try:
            stamp = pd.Timestamp(text)
        except ValueError as error:
            raise ConfigError(
                f"{'start' if after else 'end'} of {who} {text!r} is not a date ({error})",
                cure="Write it as 2021-01-31.",
            ) from error
        stamp = stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")
        if not after and len(str(text)) <= 10:
            stamp += pd.Timedelta(days=1) - pd.Timedelta(1, unit="ns")
        keep &= np.asarray(index >= stamp if after else index <= stamp)
    if not keep.any():
        raise DataError(
            f"{who} have no rows from {start or 'the first'} to {end or 'the last'}",
            cure=f"They run from {index[0]} to {index[-1]}.",
        )
    return frame[keep]


def numeric(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """`frame` as float64; raises DataError naming the first column that is not numeric."""
    for column in frame.columns[frame.columns.duplicated()]:
        raise DataError(
            f"market {name!r} has two columns called {column!r}", cure="Rename or drop one of them."
        )
    for column in frame.columns:
        try:
            frame[column] = frame[column].astype("float64")
        except (ValueError, TypeError) as error:
            raise DataError(
                f"column {column!r} of market {name!r} is not numeric ({error})",
                cure="Every column but the index is a price; drop the others.",
            ) from error
    return frame


def _fill(
    frame: pd.DataFrame, missing: str, name: str
) -> tuple[pd.DataFrame, Bool | None, list[str]]:
    """The frame repaired, which cells (T, N) hold an older price (None: none), and notes."""
    limit = int(missing[5:]) if missing.startswith("hold:") and missing[5:].isdigit() else 0
    if missing not in ("error", "drop") and limit < 1:
        raise ConfigError(
            f"missing={missing!r} is unknown", cure='Use "error", "drop" or "hold:N" with N ≥ 1.'
        )
    gaps = int(frame.isna().to_numpy().sum())
    if missing == "error" or not gaps:
        return frame, None, []
    if missing == "drop":
        kept = frame.dropna()
        if len(kept) < 2:
            raise DataError(
                f"the assets of market {name!r} share {len(kept)} stamps",
                cure="Their histories hardly overlap; choose other assets or a later start.",
            )
        return (
            kept,
            None,
            [f"{len(frame) - len(kept)} of {len(frame)} stamps dropped: not all priced"],
        )
    whole = frame.ffill(limit=limit)
    held: Bool = (frame.isna() & whole.notna()).to_numpy()
    if not held.any():
        return frame, None, []
    what = f"{int(held.sum())} missing prices held at the last one (at most {limit} bars)"
    return whole, held, [f"{what}; orders wait there"]


def _field(
    item: str, value: pd.DataFrame | float, frame: pd.DataFrame, name: str, assume_tz: str | None
) -> tuple[Float, list[str]]:
    """A field on the panel's stamps, known at or before them (last value held), and notes."""
    shape = (len(frame), 1, len(frame.columns))
    if isinstance(value, (int, float)):
        whole, notes = np.full(shape, float(value)), []
    else:
        other = _columns(item, value, frame, name, assume_tz)
        held = other.reindex(frame.index, method="ffill")
        whole, notes = held.to_numpy(np.float64).reshape(shape), _ends_early(item, other, frame)
    if item == "half_spread" and (whole >= WIDEST).any():
        t, _, n = (int(i) for i in np.argwhere(whole >= WIDEST)[0])
        raise DataError(
            f"half spread of {frame.columns[n]!r} in market {name!r} is {whole[t, 0, n]:g} of its "
            "price",
            when=str(frame.index[t]),
            cure="Basis points or per cent given as a fraction? 1 bp is 0.0001.",
        )
    return whole, notes


def _ends_early(item: str, other: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """A note where a table ends long before the prices, by its own steps and by theirs."""
    times, stamps = nanoseconds(frame), nanoseconds(other)
    if item == "volume" or len(stamps) < 2:  # a single row states a constant
        return []
    over = float(times[-1] - stamps[-1])
    step = float(max(np.median(np.diff(stamps)), np.median(np.diff(times))))
    if over <= max(2.5 * step, EARLY * float(times[-1] - times[0])):
        return []
    what = f"{item.replace('_', ' ')} ends at {iso(int(stamps[-1]))}"
    return [f"{WARNING}{what}; its last values are held to {iso(int(times[-1]))}"]


def _tradable(
    value: pd.DataFrame | float, frame: pd.DataFrame, name: str, assume_tz: str | None
) -> Bool:
    """Where orders fill, (T, 1, N): what was last stated at or before each stamp."""
    other = _columns("tradable", value, frame, name, assume_tz)
    try:
        numbers = other.astype("float64")
    except (ValueError, TypeError) as error:
        raise DataError(
            f"tradable of market {name!r} is not true or false ({error})",
            cure="Give True or False (1 or 0 in a file) for every asset.",
        ) from error
    wrong = np.argwhere(~numbers.isin([0.0, 1.0]).to_numpy())
    if wrong.size:
        t, n = (int(i) for i in wrong[0])
        raise DataError(
            f"tradable of {other.columns[n]!r} in market {name!r} is "
            f"{float(numbers.to_numpy()[t, n]):g}",
            when=str(other.index[t]),
            cure="Give True or False (1 or 0 in a file) for every asset.",
        )
    stated = numbers.reindex(frame.index, method="ffill")
    if stated.isna().to_numpy().any():
        raise DataError(
            f"tradable of market {name!r} begins after its prices",
            when=str(frame.index[0]),
            cure="State it at or before the first price; what is stated holds until the next row.",
        )
    return np.array(stated.to_numpy() == 1.0)[:, None, :]


def _columns(
    item: str, value: pd.DataFrame | float, frame: pd.DataFrame, name: str, assume_tz: str | None
) -> pd.DataFrame:
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        raise DataError(
            f"{item} of market {name!r} is a {type(value).__name__}",
            cure="Give a wide DataFrame: DatetimeIndex × asset.",
        )
    other = value.copy()
    other.columns = [str(c) for c in other.columns]
    other.index = utc_index(other.index, f"{item} of market {name!r}", assume_tz)
    for column in other.columns:
        if column not in frame.columns:
            raise DataError(
                f"{item} of market {name!r} has column {column!r}, which prices lack",
                cure=did_you_mean(column, [str(c) for c in frame.columns]),
            )
    if item == "funding":
        return other
    for column in frame.columns:
        if column not in other.columns:
            raise DataError(
                f"{item} of market {name!r} lacks asset {column!r}", cure="Add the column."
            )
    return other[list(frame.columns)]


def _funding(
    value: pd.DataFrame | float, frame: pd.DataFrame, name: str, assume_tz: str | None
) -> tuple[Float, list[str]]:
    """Funding of each bar (T, 1, N) and notes; assets without a column pay none."""
    other = _columns("funding", value, frame, name, assume_tz)
    times, stamps = nanoseconds(frame), nanoseconds(other)
    total = np.zeros((len(times), 1, len(frame.columns)))
    notes: list[str] = []
    columns = {c: other[c].to_numpy(np.float64) for c in other.columns}
    for column, rates in columns.items():
        notes += check_settlements(stamps, rates, times, column, name)
    for column, rates in columns.items():
        check_rates(stamps, rates, column, name)
        paid = ~np.isnan(rates)
        n = list(frame.columns).index(column)
        total[:, 0, n] = settled(stamps[paid], rates[paid], times)
    return total, notes
