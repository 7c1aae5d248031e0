"""Mean-reverting processes (funding, basis) from their history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 20
WEAKEST = 0.05
"""An AR(1) coefficient below this is noise within the bar; the half-life is then at its floor."""


@dataclass(frozen=True)
class Reverting:
    """Level and stationary standard deviation by regime, one half-life for both."""

    level: dict[str, float]
    volatility: dict[str, float]
    half_life_days: float
    bars: dict[str, int]
    persistence: float  # AR(1) coefficient per bar


def fit_reverting(
    values: Float, regime_of: dict[str, Bool], days_per_bar: float, who: str
) -> Reverting:
    """Ornstein–Uhlenbeck parameters of `values` (T,), NaN where unknown.

    The half-life comes from the regression of each value on the one before, both as deviations
    from their regime's mean, over the whole window; level and stationary deviation are the mean
    and standard deviation of each regime's bars. Raises DataError for too few values, or a series
    that does not revert.
    """
    known = np.isfinite(values)
    level, volatility, bars = {}, {}, {}
    centred = np.full(len(values), np.nan)
    for name, mask in regime_of.items():
        inside = mask & known
        if int(inside.sum()) < FEWEST:
            raise DataError(
                f"{who} has {int(inside.sum())} values in regime {name!r}",
                cure=f"At least {FEWEST} are needed: a longer history that overlaps the prices.",
            )
        bars[name] = int(inside.sum())
        level[name] = float(values[inside].mean())
        volatility[name] = float(values[inside].std(ddof=1))
        centred[inside] = values[inside] - level[name]
    both = np.isfinite(centred[:-1]) & np.isfinite(centred[1:])
    before, after = centred[:-1][both], centred[1:][both]
    if not len(before) or np.abs(before).max() <= 1e-12 * np.abs(values[known]).max():
        raise DataError(f"{who} never changes", cure="Leave it out, or correct the data.")
    persistence = float((before * after).sum() / (before**2).sum())
    if persistence >= 1.0:
        raise DataError(
            f"{who} does not revert to a mean (AR(1) coefficient {persistence:.3f})",
            cure="Check its unit and its stamps; a longer history shows the reversion.",
        )
    half_life = -days_per_bar * np.log(2.0) / np.log(max(persistence, WEAKEST))
    return Reverting(level, volatility, float(half_life), bars, persistence)


def per_bar(
    frame: pd.DataFrame, column: str, times: Int, assume_tz: str | None, *, total: bool, who: str
) -> Float:
    """A column on the panel's stamps: summed over each bar (t−1, t], or its value at t; else NaN.

    Bars without a value, or with fewer settlements than usual, are NaN, and so is the first stamp.
    Raises DataError for a missing column.
    """
    from backtester.errors import did_you_mean
    from backtester.market.frames import utc_index

    if column not in frame.columns:
        raise DataError(
            f"{who} has no column {column!r}",
            cure=did_you_mean(column, [str(c) for c in frame.columns]),
        )
    index: Any = utc_index(frame.index, who, assume_tz)
    stamps = index.as_unit("ns").asi8
    given = frame[column].to_numpy(dtype=np.float64)
    result = np.full(len(times), np.nan)
    if total:
        slot = np.searchsorted(times, stamps, side="left")
        inside = (slot > 0) & (slot < len(times)) & np.isfinite(given)
        sums, counts = np.zeros(len(times)), np.zeros(len(times))
        np.add.at(sums, slot[inside], given[inside])
        np.add.at(counts, slot[inside], 1)
        whole = counts == np.median(counts[counts > 0]) if counts.any() else counts > 0
        result[whole] = sums[whole]
        return result
    _, left, right = np.intersect1d(times, stamps, return_indices=True)
    result[left] = given[right]
    return result


def processes_text(funding: Mapping[str, Reverting], basis: Mapping[str, Reverting]) -> list[str]:
    """A line on each process: level ± deviation by regime, half-life."""
    lines = []
    for what, fits in (("funding, a year", funding), ("log basis", basis)):
        for perpetual, fit in fits.items():
            values = "; ".join(
                f"{r} {fit.level[r]:.4f} ± {fit.volatility[r]:.4f} ({fit.bars[r]} bars)"
                for r in fit.level
            )
            lines.append(
                f"{perpetual} {what}: {values}; half-life {fit.half_life_days:.2f} days "
                f"(AR(1) {fit.persistence:.2f})"
            )
    return lines
