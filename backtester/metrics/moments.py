"""Sums a score is made of, by unit: the paths of an ensemble or the bars of a history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from backtester.arrays import Bool, Float, Int
from backtester.clock import iso
from backtester.errors import AccountingError
from backtester.metrics.hedge import per_exposure
from backtester.metrics.risk import HORIZON, windows
from backtester.metrics.series import PathSeries

COLUMNS = (
    "bars",
    "years",
    "at_risk_years",  # years of bars with an exposure
    "exposure_years",
    "unhedged_square",  # these four per unit of exposure
    "gross_square",
    "net_square",
    "gross_unhedged",
    "unhedged_money_square",
    "gross_money_square",
    "traded",
    "cost",
    "carry",
    "unhedged",
    "gross",
    "net",
    "net_utility",  # Σ exp(−λ net / capital − shift)
    "unhedged_utility",
)
COLUMN = {name: i for i, name in enumerate(COLUMNS)}


@dataclass(frozen=True)
class Moments:
    """Bar-wise quantities of one series, ready to be summed over any regime."""

    values: tuple[Float, ...]  # len(COLUMNS) arrays (B, P) or (B, 1)
    terms: Float  # (B, P, C) cost by term
    net: Float  # (B, P)
    unhedged: Float  # (B, P)
    net_windows: Float  # (W, P) money over HORIZON bars
    unhedged_windows: Float  # (W, P)
    net_shift: float  # largest exponent of the utility, taken out of the sums
    unhedged_shift: float

    def by_path(self, bars: Bool) -> Float:
        """Sums over the given bars of each path, (P, columns)."""
        mask = bars.astype(np.float64)
        out = np.empty((bars.shape[1], len(COLUMNS)))
        for i, value in enumerate(self.values):
            # einsum adds bar after bar for every path alike: no BLAS, no change with P.
            out[:, i] = np.einsum("bp,bp->p", np.broadcast_to(value, mask.shape), mask)
        return out

    def by_bar(self, bars: Bool) -> Float:
        """Rows of a one-path series, zero outside the given bars, (B, columns)."""
        return np.stack([np.where(bars[:, 0], v[:, 0], 0.0) for v in self.values], axis=-1)

    def cost_by_term(self, bars: Bool) -> Float:
        """Cost of each term over the given bars, (C,)."""
        return np.asarray(np.einsum("bpc,bp->c", self.terms, bars.astype(np.float64)))


def moments(series: PathSeries, risk_aversion: float) -> Moments:
    """All bar-wise quantities; raises AccountingError where the series is not well formed."""
    check(series)
    years = (series.days / series.days_per_year)[:, None]
    cost, gross = series.cost, series.gross
    net = gross - cost
    u, g, n = (per_exposure(x, series.exposure) for x in (series.unhedged, gross, net))
    net_utility, net_shift = _utility(net, series.capital, risk_aversion)
    unhedged_utility, unhedged_shift = _utility(series.unhedged, series.capital, risk_aversion)
    values = {
        "bars": np.ones_like(years),
        "years": years,
        "at_risk_years": (series.exposure > 0.0) * years,
        "exposure_years": series.exposure * years,
        "unhedged_square": u * u,
        "gross_square": g * g,
        "net_square": n * n,
        "gross_unhedged": g * u,
        "unhedged_money_square": series.unhedged**2,
        "gross_money_square": gross**2,
        "traded": series.traded,
        "cost": cost,
        "carry": series.hedge_carry,
        "unhedged": series.unhedged,
        "gross": gross,
        "net": net,
        "net_utility": net_utility,
        "unhedged_utility": unhedged_utility,
    }
    return Moments(
        values=tuple(values[c] for c in COLUMNS),
        terms=series.costs,
        net=net,
        unhedged=series.unhedged,
        net_windows=windows(net, HORIZON),
        unhedged_windows=windows(series.unhedged, HORIZON),
        net_shift=net_shift,
        unhedged_shift=unhedged_shift,
    )


def _utility(pnl: Float, capital: float, risk_aversion: float) -> tuple[Float, float]:
    exponents = pnl * (-risk_aversion / capital)
    shift = float(exponents.max(initial=-np.inf)) if exponents.size else 0.0
    exponents -= shift
    return np.exp(exponents, out=exponents), shift


def check(series: PathSeries) -> None:
    """Raise AccountingError: shapes disagree, a label has no name, a number is not finite."""
    who = f"series of {series.strategy!r} on {series.market!r}"
    bars, paths = shape = series.unhedged.shape
    arrays: dict[str, tuple[npt.NDArray[Any], tuple[int, ...]]] = {
        "hedge_pnl": (series.hedge_pnl, shape),
        "hedge_carry": (series.hedge_carry, shape),
        "costs": (series.costs, (*shape, len(series.terms))),
        "traded": (series.traded, shape),
        "exposure": (series.exposure, shape),
        "label": (series.label, shape),
        "days": (series.days, (bars,)),
        "ends": (series.ends, (bars,)),
    }
    for name, (array, expected) in arrays.items():
        if array.shape != expected:
            raise AccountingError(
                f"{who}: {name} has shape {array.shape}, not {expected} (bars, paths, ...)",
                cure="Report this with the study; a series is made by the package.",
            )
    if series.label.size and not -1 < series.label.min() <= series.label.max() < max(
        len(series.label_names), 1
    ):
        raise AccountingError(
            f"{who}: a regime label lies outside {series.label_names}",
            cure="Label every bar with an index into label_names.",
        )
    for name in ("unhedged", "hedge_pnl", "hedge_carry", "costs", "traded", "exposure"):
        array = getattr(series, name)
        with np.errstate(invalid="ignore", over="ignore"):
            total = np.sum(array)  # one pass, no temporary; finite only where every number is
        if not np.isfinite(total):
            bad: Int = np.argwhere(~np.isfinite(array))
            where = bad[0] if len(bad) else np.zeros(2, dtype=np.int64)
            raise AccountingError(
                f"{who}: {name} is not finite on path {int(where[1]) % max(paths, 1)}",
                when=iso(int(series.ends[where[0]])),
                cure="Report this with the study; P&L must be finite on every bar.",
            )
