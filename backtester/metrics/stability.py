"""How steady a hedge's effectiveness is from episode to episode, beside its placebo.

One figure for a regime hides whether every episode was hedged half or every other one wholly. The
spread weighs each episode by the unhedged book's squared P&L in it, so that the mean of the
episodes is the pooled effectiveness and an episode in which nothing moved decides nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.clock import iso
from backtester.metrics.hedge import per_exposure, ratio
from backtester.metrics.inference import Estimate, Sample, leave_one_out
from backtester.metrics.regime import ALL, Regime, split, starts
from backtester.metrics.series import PathSeries

LEAST_BARS = 5
"""Bars below which an episode shows no effectiveness of its own."""
LEAST_UNITS = 5
SPANS_A_YEAR = 4.0
"""All bars have no episodes: they are cut into quarters."""


@dataclass(frozen=True)
class Stability:
    """Effectiveness after costs from one episode (or quarter) to the next."""

    strategy: str
    market: str
    regime: str
    units: int  # episodes of a regime, quarters of all bars; over all paths
    short: int  # units left out, of fewer than LEAST_BARS bars
    spread: Estimate  # weighted standard deviation, fraction
    lowest: float  # NaN where there is none
    lowest_at: str  # first day of that unit, of a history
    negative: float  # share of units below 0: there the hedge added risk
    placebo: Estimate | None = None  # the same spread under constant correlation

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; NaN as None."""
        names = ("strategy", "market", "regime", "units", "short", "lowest_at")
        out: dict[str, Any] = {n: getattr(self, n) for n in names}
        for name in ("lowest", "negative"):
            value: float = getattr(self, name)
            out[name] = value if math.isfinite(value) else None
        out["spread"] = self.spread.to_dict()
        return out | {"placebo": None if self.placebo is None else self.placebo.to_dict()}


@dataclass(frozen=True)
class Units:
    """Episodes of all paths: hedged and unhedged squares, in order of path, then time."""

    hedged: Float  # (U,)
    unhedged: Float  # (U,)
    path: Int  # (U,)
    first: Int  # (U,) first bar
    short: int

    @property
    def effectiveness(self) -> Float:
        """1 − Σ hedged² / Σ unhedged² of each, (U,)."""
        return 1.0 - self.hedged / self.unhedged


def stabilities(series: PathSeries, placebo: PathSeries | None = None) -> tuple[Stability, ...]:
    """One row for all bars and one for each regime, where there are several, in label order."""
    if series.unhedged.size == 0:
        return ()
    twins: dict[str, Estimate] = {}
    if placebo is not None and placebo.unhedged.size:
        twins = {r.name: _spread(u, p) for r, u, p in _split(placebo)}
    rows = []
    for regime, units, paths in _split(series):
        values = units.effectiveness
        worst = int(np.argmin(values)) if values.size else -1
        history = series.unhedged.shape[1] == 1
        at = iso(int(series.ends[units.first[worst]]))[:10] if history and worst >= 0 else ""
        rows.append(
            Stability(
                strategy=series.strategy,
                market=series.market,
                regime=regime.name,
                units=int(values.size),
                short=units.short,
                spread=_spread(units, paths),
                lowest=float(values[worst]) if worst >= 0 else math.nan,
                lowest_at=at,
                negative=float(np.mean(values < 0.0)) if values.size else math.nan,
                placebo=twins.get(regime.name),
            )
        )
    return tuple(rows)


def weighted_spread(sums: Float) -> Float:
    """√(Σ u (HE − HĒ)² / Σ u) from Σu, Σn, Σn²/u on the last axis; u, n squares of a unit."""
    total, hedged, cross = sums[..., 0], sums[..., 1], sums[..., 2]
    mean = ratio(hedged, total)
    return np.sqrt(np.maximum(ratio(cross, total) - mean * mean, 0.0))


def units_of(net: Float, bare: Float, begin: Bool, bars: Bool) -> Units:
    """Sums over each unit; `begin` marks the first bar of every one within `bars`, all (B, P)."""
    inside, opening = bars.T, (begin & bars).T
    path, bar = np.nonzero(inside)
    ids = np.cumsum(opening[inside]) - 1  # a unit never runs over the end of its path
    count = int(ids[-1]) + 1 if ids.size else 0
    hedged = np.asarray(np.bincount(ids, (net * net).T[inside], minlength=count), np.float64)
    unhedged = np.asarray(np.bincount(ids, (bare * bare).T[inside], minlength=count), np.float64)
    sizes = np.bincount(ids, minlength=count)
    where = opening[inside]
    keep = (sizes >= LEAST_BARS) & (unhedged > 0.0)
    return Units(
        hedged[keep], unhedged[keep], path[where][keep], bar[where][keep], int((~keep).sum())
    )


def _split(series: PathSeries) -> list[tuple[Regime, Units, int]]:
    """Units of all bars and of each regime, where there are several."""
    net = per_exposure(series.net, series.exposure)
    bare = per_exposure(series.unhedged, series.exposure)
    quarter = np.floor(np.cumsum(series.days) / series.days_per_year * SPANS_A_YEAR - 1e-9)
    fresh = np.diff(quarter, prepend=-1.0) > 0
    fresh[0] = True
    regimes = split(series.label, series.label_names)
    out = []
    for regime in regimes if len(regimes) > 2 else regimes[:1]:
        begin = starts(regime.bars)
        if regime.name == ALL:
            begin = np.broadcast_to(fresh[:, None], regime.bars.shape)
        out.append((regime, units_of(net, bare, begin, regime.bars), net.shape[1]))
    return out


def _spread(units: Units, paths: int) -> Estimate:
    """The weighted spread with a delete-one jackknife over paths, or units of a single path."""
    if units.path.size < 2:
        return Estimate(math.nan, note=f"{units.path.size} units: 2 needed for a spread")
    rows = np.stack([units.unhedged, units.hedged, units.hedged**2 / units.unhedged], axis=1)
    value = float(weighted_spread(np.einsum("uk->k", rows)))
    if paths > 1:
        by_path = np.zeros((paths, 3))
        np.add.at(by_path, units.path, rows)
        rows = by_path[np.bincount(units.path, minlength=paths) > 0]
    if len(rows) < LEAST_UNITS:
        what = "path" if paths > 1 else "unit"
        return Estimate(value, note=f"insufficient: {len(rows)} {what}s, {LEAST_UNITS} needed")
    low, high = Sample(value, weighted_spread(leave_one_out(rows))).interval()
    return Estimate(value, max(0.0, low), high)
