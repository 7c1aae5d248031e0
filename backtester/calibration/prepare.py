"""Prices, funding and basis made ready for a calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from backtester.arrays import Bool, Float
from backtester.calibration.reversion import FEWEST, Reverting, fit_reverting, per_bar
from backtester.errors import ConfigError, DataError, did_you_mean
from backtester.market.panel import MarketPanel

if TYPE_CHECKING:
    import pandas as pd


_ALL = "all bars"


@dataclass(frozen=True)
class Prepared:
    """One path of prices and its log returns; what perpetuals need beside them."""

    panel: MarketPanel
    returns: Float  # (T, N) log returns, one row a bar
    perpetuals: dict[str, str]  # perpetual → spot
    funding: pd.DataFrame | None
    basis: pd.DataFrame | None
    assume_tz: str | None

    @property
    def bars_per_year(self) -> float:
        """Bars of a year of the market's calendar."""
        return self.panel.calendar.days_per_year / self.panel.days_per_bar

    def processes(
        self, what: str, masks: dict[str, Bool], notes: list[str] | None = None
    ) -> dict[str, Reverting]:
        """Ornstein–Uhlenbeck parameters of ``funding`` (a year) or ``basis`` by perpetual.

        A regime with too few values is an error; with `notes` it has those of all bars, and a note.
        """
        frame, total = (self.funding, True) if what == "funding" else (self.basis, False)
        scale, days = self.bars_per_year if total else 1.0, self.panel.days_per_bar
        result = {}
        for perpetual, spot in self.perpetuals.items():
            assert frame is not None
            who = f"{what} of {perpetual!r}"
            column = perpetual if perpetual in frame.columns else spot
            values = per_bar(frame, column, self.panel.times, self.assume_tz, total=total, who=who)
            values = values[1:] * scale
            known = np.isfinite(values)
            lacking = [n for n, m in masks.items() if int((m & known).sum()) < FEWEST]
            if notes is None or not lacking or int(known.sum()) < FEWEST:
                result[perpetual] = fit_reverting(values, masks, days, who)
                continue
            enough = {n: m for n, m in masks.items() if n not in lacking}
            # all bars first: those of a regime with enough of its own are then centred on these
            fit = fit_reverting(values, {_ALL: np.ones_like(known), **enough}, days, who)
            result[perpetual] = replace(
                fit,
                level={n: fit.level.get(n, fit.level[_ALL]) for n in masks},
                volatility={n: fit.volatility.get(n, fit.volatility[_ALL]) for n in masks},
                bars={n: int((m & known).sum()) for n, m in masks.items()},
            )
            notes.append(
                f"{what.capitalize()} of {perpetual} has fewer than {FEWEST} values in regime "
                f"{', '.join(lacking)}: those of all bars are used there."
            )
        return result


def prepared(
    prices: pd.DataFrame,
    assets: Sequence[str] | None,
    calendar: str,
    start: str | None,
    end: str | None,
    assume_tz: str | None,
    perpetuals: Mapping[str, str] | None,
    funding: pd.DataFrame | None,
    basis: pd.DataFrame | None,
) -> Prepared:
    """Columns and window of the prices, on the stamps at which every asset has one.

    See `backtester.calibration.calibrate` for the arguments. Raises DataError, ConfigError.
    """
    chosen = select(prices, assets, start, end, assume_tz)
    panel = MarketPanel.from_frame(
        chosen, calendar=calendar, missing="drop", assume_tz=assume_tz, name="calibration"
    )
    pairs = dict(perpetuals or {})
    for perpetual, spot in pairs.items():
        if spot not in panel.assets:
            raise ConfigError(
                f"perpetual {perpetual!r} follows {spot!r}, which is not calibrated",
                cure=did_you_mean(spot, panel.assets),
            )
    for what, frame in (("funding", funding), ("basis", basis)):
        if pairs and frame is None:
            raise ConfigError(
                f"perpetuals need {what} data", cure=f"Give {what}, or leave the perpetuals out."
            )
    returns = np.log(panel.prices[1:, 0] / panel.prices[:-1, 0])
    for n in np.flatnonzero(np.ptp(returns, axis=0) < 1e-12):
        raise DataError(
            f"{panel.assets[int(n)]!r} has the same return on every bar",
            cure="Such a series has no correlation with anything; drop the column.",
        )
    return Prepared(panel, returns, pairs, funding, basis, assume_tz)


def select(
    prices: pd.DataFrame,
    assets: Sequence[str] | None,
    start: str | None,
    end: str | None,
    assume_tz: str | None,
) -> pd.DataFrame:
    """Columns and window of a wide frame; raises DataError naming what is missing."""
    from backtester.market.frames import window

    if assets is not None:
        for asset in assets:
            if asset not in prices.columns:
                raise DataError(
                    f"the prices have no column {asset!r}",
                    cure=did_you_mean(asset, [str(c) for c in prices.columns]),
                )
        prices = prices[list(assets)]
    return window(prices, start, end, assume_tz, "the prices")
