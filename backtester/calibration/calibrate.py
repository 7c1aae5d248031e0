"""`calibrate`: from prices to the parameters of a regime-switching scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtester.arrays import Float
from backtester.calibration.estimate import ESTIMATORS, Estimate, estimate_regime
from backtester.calibration.reversion import Reverting, fit_reverting, per_bar
from backtester.calibration.split import WINDOW_DAYS, Split, split_by_volatility
from backtester.clock import Calendar, iso
from backtester.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

REGIMES = ("normal", "crisis")


@dataclass(frozen=True)
class Calibration:
    """Everything estimated, and how; `yaml_text` and `text` in `calibration.write` show it."""

    assets: tuple[str, ...]  # N
    perpetuals: dict[str, str]  # perpetual -> spot
    calendar: Calendar
    days_per_bar: float
    start: str  # first and last price used, ISO 8601
    end: str
    last_prices: Float  # (N,)
    split: Split
    regimes: dict[str, Estimate]  # normal, crisis
    funding: dict[str, Reverting]  # by perpetual, rate a year
    basis: dict[str, Reverting]  # by perpetual, log(perpetual / spot)
    estimator: str
    notes: tuple[str, ...]

    def to_yaml(self, **options: object) -> str:
        """The scenario file; see `backtester.calibration.write.yaml_text`."""
        from backtester.calibration.write import yaml_text

        return yaml_text(self, **options)  # type: ignore[arg-type]

    def text(self) -> str:
        """Diagnostics as text: sample sizes, standard errors, adjusted correlations."""
        from backtester.calibration.write import diagnostics

        return diagnostics(self)


def calibrate(
    prices: pd.DataFrame,
    *,
    assets: Sequence[str] | None = None,
    calendar: str = "24/7",
    start: str | None = None,
    end: str | None = None,
    assume_tz: str | None = None,
    crisis_share: float = 0.10,
    window_days: float = WINDOW_DAYS,
    estimator: str = "sample",
    perpetuals: Mapping[str, str] | None = None,
    funding: pd.DataFrame | None = None,
    basis: pd.DataFrame | None = None,
) -> Calibration:
    """Estimate a two-regime scenario.

    Parameters
    ----------
    prices: wide frame, DatetimeIndex × asset; stamps at which an asset has no price are dropped.
    assets: columns to use, in this order (default: all).
    start, end: window, both included; anything `pd.Timestamp` reads.
    crisis_share: share of bars labelled crisis, ex post; see `split_by_volatility`.
    estimator: ``sample`` or ``ledoit_wolf``, for the correlations.
    perpetuals: perpetual → its spot among `assets`.
    funding: rate paid at each settlement, fraction of notional, one column per perpetual (called
        by its name, or by its spot's).
    basis: log(perpetual / spot), both from one venue at one time, one column per perpetual.

    Selecting bars by their volatility inflates the correlation measured within them even where
    dependence is constant (Forbes & Rigobon 2002): ρ = .5 reads .87 at nine times the variance.
    The diagnostics show the adjusted correlation beside the raw one.

    Raises DataError for data that cannot be used, ConfigError for an option that cannot.
    """
    from backtester.market.panel import MarketPanel

    if estimator not in ESTIMATORS:
        raise ConfigError(
            f"unknown estimator {estimator!r}", cure=did_you_mean(estimator, ESTIMATORS)
        )
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
    days = panel.days_per_bar
    returns = np.log(panel.prices[1:, 0] / panel.prices[:-1, 0])
    for n in np.flatnonzero(np.ptp(returns, axis=0) < 1e-12):
        raise DataError(
            f"{panel.assets[int(n)]!r} has the same return on every bar",
            cure="Such a series has no correlation with anything; drop the column.",
        )
    split = split_by_volatility(returns, days, crisis_share, window_days)
    masks = {"normal": ~split.crisis, "crisis": split.crisis}
    bars_per_year = panel.calendar.days_per_year / days
    regimes = {
        name: estimate_regime(returns[mask], bars_per_year, estimator, name, panel.assets)
        for name, mask in masks.items()
    }

    def fitted(frame: pd.DataFrame | None, what: str, scale: float) -> dict[str, Reverting]:
        result = {}
        for perpetual in pairs:
            assert frame is not None
            who = f"{what} of {perpetual!r}"
            total = what == "funding"
            column = perpetual if perpetual in frame.columns else pairs[perpetual]
            values = per_bar(frame, column, panel.times, assume_tz, total=total, who=who)
            result[perpetual] = fit_reverting(values[1:] * scale, masks, days, who)
        return result

    return Calibration(
        assets=panel.assets,
        perpetuals=pairs,
        calendar=panel.calendar,
        days_per_bar=days,
        start=iso(int(panel.times[0])),
        end=iso(int(panel.times[-1])),
        last_prices=panel.prices[-1, 0],
        split=split,
        regimes=regimes,
        funding=fitted(funding, "funding", bars_per_year),
        basis=fitted(basis, "basis", 1.0),
        estimator=estimator,
        notes=panel.notes,
    )


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
