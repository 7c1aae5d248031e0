"""`calibrate_copula`: from prices to the parameters of generator CopulaGarch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from backtester.arrays import Float
from backtester.calibration.copula import TAIL, CopulaFit, fit_copula
from backtester.calibration.margins import MarginFit, fit_margin
from backtester.calibration.own_scales import own_scales
from backtester.calibration.plausibility import Plausibility
from backtester.calibration.prepare import prepared
from backtester.calibration.regimes import Spells, by_hedge, by_volatility
from backtester.calibration.reversion import Reverting
from backtester.calibration.split import WINDOW_DAYS
from backtester.clock import iso
from backtester.errors import DataError
from backtester.estimation.joint_tail import joint_tail, sample_joint_tail
from backtester.market.panel import MarketPanel

if TYPE_CHECKING:
    import pandas as pd

    from backtester.calibration.fit_check import FitCheck

HEADROOM = 1.25
"""Largest innovation the scenario may draw, over the largest of the sample."""


@dataclass(frozen=True)
class TailPair:
    """Joint extremes of two assets: P(both in their tail) / P(one in its tail)."""

    assets: tuple[str, str]
    lower: float
    upper: float
    error: float  # of lower and upper, independent bars
    model: float  # lower and upper alike


@dataclass(frozen=True)
class CopulaCalibration:
    """Everything estimated, and how; `to_yaml` and `text` show it."""

    panel: MarketPanel  # one path
    returns: Float  # (T, N)
    perpetuals: dict[str, str]
    spells: Spells
    volatility: Float  # (S, N) a year
    volatility_error: Float  # (S, N) by runs of consecutive bars
    margins: tuple[MarginFit, ...]  # N
    copulas: dict[str, CopulaFit]  # by regime
    tails: tuple[TailPair, ...]
    innovation_limit: float
    funding: dict[str, Reverting]
    basis: dict[str, Reverting]
    plausibility: Plausibility
    notes: tuple[str, ...]

    @property
    def assets(self) -> tuple[str, ...]:
        """Assets that are not perpetuals, N."""
        return self.panel.assets

    @property
    def loglik(self) -> float:
        """Log-likelihood of the log returns: margins and copulas."""
        return sum(m.loglik for m in self.margins) + sum(c.loglik for c in self.copulas.values())

    @property
    def window(self) -> tuple[str, str]:
        """First and last price used, ISO 8601."""
        return iso(int(self.panel.times[0])), iso(int(self.panel.times[-1]))

    def to_yaml(self, **options: object) -> str:
        """The scenario file; see `backtester.calibration.copula_write.yaml_text`."""
        from backtester.calibration.copula_write import yaml_text

        return yaml_text(self, **options)  # type: ignore[arg-type]

    def text(self) -> str:
        """Diagnostics as text: sizes, errors, likelihoods, residual tests, tails, plausibility."""
        from backtester.calibration.copula_text import diagnostics

        return diagnostics(self)

    def vines(self) -> dict[str, str]:
        """A vine copula of each regime's innovations as JSON, for generator VineCopula.

        Fitted to ranks within the regime. Raises ConfigError where the extra is not installed.
        """
        from backtester.calibration.copula import ranks_of
        from backtester.calibration.vine import fit_vine

        z = np.column_stack([m.innovations for m in self.margins])
        inside = {name: self.spells.label == s for s, name in enumerate(self.spells.names)}
        return {name: fit_vine(ranks_of(z[mask])) for name, mask in inside.items()}

    def check(self, yaml: str, files: Mapping[str, str] | None = None) -> FitCheck:
        """The history against paths of the scenario in `yaml`, the text of a file.

        files: name → text of the files it names beside itself.
        """
        from backtester.calibration.fit_check import check_against

        return check_against(self.panel, yaml, self.spells.label, self.spells.names, files or {})


def calibrate_copula(
    prices: pd.DataFrame,
    *,
    assets: Sequence[str] | None = None,
    calendar: str = "24/7",
    start: str | None = None,
    end: str | None = None,
    assume_tz: str | None = None,
    crisis_share: float = 0.10,
    window_days: float = WINDOW_DAYS,
    exposure: Mapping[str, float] | None = None,
    hedge_with: Sequence[str] = (),
    perpetuals: Mapping[str, str] | None = None,
    funding: pd.DataFrame | None = None,
    basis: pd.DataFrame | None = None,
) -> CopulaCalibration:
    """Estimate regimes, GARCH-t margins and a t copula by regime.

    1. *Regimes*: two by volatility (`crisis_share`, `window_days`), or with `exposure` and
       `hedge_with` up to three by what happened to that book's hedge.
    2. *Levels*: root mean square of each regime's returns, about zero.
    3. *Margins*: GARCH(1,1)-t of the returns over their regime's level (`fit_margin`).
    4. *Copulas*: of each regime's innovations (`fit_copula`).
    5. *Plausibility*: how unusual each overlay's parameters are in this history.

    Other arguments are those of `backtester.calibration.calibrate`. Raises DataError for data that
    cannot be used, ConfigError for an option that cannot.
    """
    data = prepared(prices, assets, calendar, start, end, assume_tz, perpetuals, funding, basis)
    panel, returns, days = data.panel, data.returns, data.panel.days_per_bar
    if len(panel.assets) < 2:
        raise DataError(
            f"only {panel.assets[0]!r} is to be calibrated", cure="A copula needs two assets."
        )
    if exposure or hedge_with:
        hedges = [data.perpetuals.get(a, a) for a in hedge_with]
        book = {data.perpetuals.get(a, a): amount for a, amount in (exposure or {}).items()}
        spells = by_hedge(panel, book, hedges)
    else:
        spells = by_volatility(returns, days, crisis_share, window_days)
    masks = {name: spells.label == s for s, name in enumerate(spells.names)}
    levels, errors = zip(
        *(_level(returns[m], n, panel.assets) for n, m in masks.items()), strict=True
    )
    level = np.array(levels)
    margins = tuple(
        fit_margin(returns[:, i], level[:, i], spells.label, asset)
        for i, asset in enumerate(panel.assets)
    )
    innovations = np.column_stack([m.innovations for m in margins])
    copulas = {name: fit_copula(innovations[mask], name) for name, mask in masks.items()}
    largest = float(np.abs(innovations).max())
    notes = [*panel.notes, *spells.notes]
    notes += [note for m in margins for note in m.notes]
    notes += [c.repair for c in copulas.values() if c.repair]
    per_year = np.sqrt(data.bars_per_year)
    processes = [data.processes(what, masks, notes) for what in ("funding", "basis")]
    return CopulaCalibration(
        panel=panel,
        returns=returns,
        perpetuals=data.perpetuals,
        spells=spells,
        volatility=level * per_year,
        volatility_error=np.array(errors) * per_year,
        margins=margins,
        copulas=copulas,
        tails=_tails(innovations, spells, copulas, panel.assets),
        innovation_limit=float(np.ceil(max(HEADROOM * largest, 4.0))),
        funding=processes[0],
        basis=processes[1],
        plausibility=own_scales(data),
        notes=tuple(notes),
    )


def _level(returns: Float, regime: str, assets: Sequence[str]) -> tuple[Float, Float]:
    """Root mean square (N,) of a regime's bars, and its error from 20 runs of them."""
    if len(returns) < 20:
        raise DataError(
            f"regime {regime!r} has {len(returns)} bars, too few for a volatility",
            cure="At least 20 are needed: a longer history, or a larger crisis share.",
        )
    level = np.sqrt((returns**2).mean(axis=0))
    for n in np.flatnonzero(level == 0.0):
        raise DataError(
            f"price of {assets[int(n)]!r} never changes in regime {regime!r}",
            cure="A constant price has no correlation with anything; drop the asset.",
        )
    edges = np.linspace(0, len(returns), min(20, len(returns) // 2) + 1).astype(int)
    total, bars = (returns**2).sum(axis=0), len(returns)
    parts = np.array(
        [
            np.sqrt((total - (returns[a:b] ** 2).sum(axis=0)) / (bars - (b - a)))
            for a, b in pairwise(edges)
        ]
    )
    runs = len(parts)
    error = np.sqrt((runs - 1) / runs * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))
    return level, np.asarray(error)


def _tails(
    z: Float, spells: Spells, copulas: Mapping[str, CopulaFit], assets: Sequence[str]
) -> tuple[TailPair, ...]:
    share = {name: float((spells.label == s).mean()) for s, name in enumerate(spells.names)}
    found = []
    for i in range(len(assets)):
        for j in range(i + 1, len(assets)):
            model = sum(
                share[n] * joint_tail(float(c.correlation[i, j]), c.degrees_of_freedom, TAIL)
                for n, c in copulas.items()
            )
            found.append(
                TailPair(
                    assets=(assets[i], assets[j]),
                    lower=sample_joint_tail(z[:, i], z[:, j], TAIL),
                    upper=sample_joint_tail(z[:, i], z[:, j], TAIL, upper=True),
                    error=float(np.sqrt(model * (1.0 - model) / (TAIL * len(z)))),
                    model=model,
                )
            )
    return tuple(found)
