"""`calibrate`: from prices to the parameters of a regime-switching scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtester.arrays import Float
from backtester.calibration.estimate import ESTIMATORS, Estimate, estimate_regime
from backtester.calibration.prepare import prepared
from backtester.calibration.reversion import Reverting
from backtester.calibration.split import WINDOW_DAYS, Split, split_by_volatility
from backtester.clock import Calendar, iso
from backtester.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

    from backtester.calibration.fit_check import FitCheck
    from backtester.market.panel import MarketPanel

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
    panel: MarketPanel  # one path

    def to_yaml(self, **options: object) -> str:
        """The scenario file; see `backtester.calibration.write.yaml_text`."""
        from backtester.calibration.write import yaml_text

        return yaml_text(self, **options)  # type: ignore[arg-type]

    def text(self) -> str:
        """Diagnostics as text: sample sizes, standard errors, adjusted correlations."""
        from backtester.calibration.write import diagnostics

        return diagnostics(self)

    def check(self, yaml: str, files: Mapping[str, str] | None = None) -> FitCheck:
        """The history against paths of the scenario in `yaml`, the text of a file.

        files: name → text of the files it names beside itself.
        """
        from backtester.calibration.fit_check import check_against

        return check_against(
            self.panel, yaml, self.split.crisis.astype("int8"), REGIMES, files or {}
        )


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
    if estimator not in ESTIMATORS:
        raise ConfigError(
            f"unknown estimator {estimator!r}", cure=did_you_mean(estimator, ESTIMATORS)
        )
    data = prepared(prices, assets, calendar, start, end, assume_tz, perpetuals, funding, basis)
    panel, returns = data.panel, data.returns
    split = split_by_volatility(returns, panel.days_per_bar, crisis_share, window_days)
    masks = {"normal": ~split.crisis, "crisis": split.crisis}
    regimes = {
        name: estimate_regime(returns[mask], data.bars_per_year, estimator, name, panel.assets)
        for name, mask in masks.items()
    }
    return Calibration(
        assets=panel.assets,
        perpetuals=data.perpetuals,
        calendar=panel.calendar,
        days_per_bar=panel.days_per_bar,
        start=iso(int(panel.times[0])),
        end=iso(int(panel.times[-1])),
        last_prices=panel.prices[-1, 0],
        split=split,
        regimes=regimes,
        funding=data.processes("funding", masks),
        basis=data.processes("basis", masks),
        estimator=estimator,
        notes=panel.notes,
        panel=panel,
    )
