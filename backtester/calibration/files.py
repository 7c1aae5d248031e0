"""`calibrate` on files, as the command runs it; and two series derived from raw data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.calibration.calibrate import Calibration, calibrate
from backtester.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


INPUTS = ("values", "funding", "basis", "basis_spot", "perpetuals", "bar_label")


def calibrate_files(prices: str | Path, **options: Any) -> Calibration:
    """`calibrate` on a price file; options are those of `read_inputs` and of `calibrate`."""
    files = {key: options.pop(key) for key in INPUTS if key in options}
    return calibrate(**read_inputs(prices, **files), **options)


def read_inputs(
    prices: str | Path,
    *,
    values: str | None = None,
    funding: str | Path | None = None,
    basis: str | Path | None = None,
    basis_spot: Mapping[str, str] | None = None,
    perpetuals: Mapping[str, str] | None = None,
    bar_label: str = "close",
) -> dict[str, Any]:
    """What `calibrate` and `calibrate_copula` take, read from files.

    Parameters
    ----------
    values: for a long price file, the column of prices; see `read_prices`.
    funding: wide, or long with columns asset and funding_rate.
    basis: prices of the perpetuals and of their spots on the same venue (wide, or long with a
        column close).
    basis_spot: perpetual → its spot's name in that file (default: as in `perpetuals`).
    bar_label: ``close`` if a stamp is the end of its bar, ``open`` if it is the beginning (a daily
        crypto close dated D is known at the end of D).
    """
    from backtester.market.loaders.files import read_funding, read_prices

    if bar_label not in ("close", "open"):
        raise ConfigError(f"bar label {bar_label!r} is unknown", cure='Use "close" or "open".')
    label = at_bar_end if bar_label == "open" else _as_it_is
    pairs = dict(perpetuals or {})
    spreads = None
    if basis is not None:
        frame = read_prices(basis) if _wide(Path(basis)) else read_prices(basis, values="close")
        spreads = log_basis(frame, {**pairs, **(basis_spot or {})})
    return {
        "prices": label(read_prices(prices, values=values)),
        "funding": None if funding is None else read_funding(funding),
        "basis": None if spreads is None else label(spreads),
        "perpetuals": pairs,
    }


def log_basis(prices: pd.DataFrame, pairs: Mapping[str, str]) -> pd.DataFrame:
    """log(perpetual / spot), time × perpetual, where both have a price; raises DataError."""
    import pandas as pd

    for column in [name for pair in pairs.items() for name in pair]:
        if column not in prices.columns:
            raise DataError(
                f"the basis prices have no column {column!r}",
                cure=did_you_mean(column, [str(c) for c in prices.columns]),
            )
    return pd.DataFrame({p: np.log(prices[p] / prices[s]) for p, s in pairs.items()})


def at_bar_end(frame: pd.DataFrame) -> pd.DataFrame:
    """Stamps moved from the beginning of each bar to its end, by the median distance of stamps."""
    step = frame.index.to_series().diff().median()
    return frame.set_axis(frame.index + step, axis=0)


def _as_it_is(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def bond_index(yields: pd.Series[float], days_per_year: float = 252.0) -> pd.Series[float]:
    """Total-return index of a ten-year par bond from its yield in percent, starting at 100.

    log return = y Δt − D(y) Δy with D(y) = (1 − (1 + y/2)⁻²⁰)/y, the modified duration of a
    ten-year par bond paying twice a year. Missing yields are left out. [textbook]
    """
    known = yields.dropna() / 100.0
    before = known.shift(1)
    duration = (1.0 - (1.0 + before / 2.0) ** -20) / before
    steps = (before / days_per_year - duration * (known - before)).fillna(0.0)
    index: pd.Series[float] = 100.0 * steps.cumsum().map(math.exp)
    return index


def _wide(path: Path) -> bool:
    from backtester.market.loaders.files import columns_of
    from backtester.market.loaders.raw import SYMBOL_COLUMNS

    return not set(SYMBOL_COLUMNS) & set(columns_of(path))
