"""From the series of a market's runs to what reports show: curves and the market's summary."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Byte, Float
from backtester.clock import iso
from backtester.comparison import Curve, MarketSummary
from backtester.market.panel import MarketPanel
from backtester.markets import Arena
from backtester.metrics.series import PathSeries
from backtester.regimes.labelled import crisis_mask
from backtester.runner import TaskResult, added

WINDOW = 60  # bars of the rolling correlation shown in reports


def curve_of(series: PathSeries, parts: list[TaskResult]) -> Curve:
    """Plot data of one strategy on one market; `parts` are its chunks in order."""
    first = parts[0]
    bars = len(series.ends)
    unhedged = series.capital + np.cumsum(series.unhedged, axis=0)
    gross = series.capital + np.cumsum(series.gross, axis=0)
    net = series.capital + np.cumsum(series.net, axis=0)
    years = float(series.days.sum()) / series.days_per_year
    base = float(series.exposure.mean()) * years

    def bps(money: float) -> float:
        return 1e4 * money / base if base > 0 else float("nan")

    cost = {
        term: bps(float(series.costs[..., c].sum(axis=0).mean()))
        for c, term in enumerate(series.terms)
    }
    cost["carry"] = bps(float(series.hedge_carry.sum(axis=0).mean()))
    return Curve(
        strategy=series.strategy,
        market=series.market,
        times=series.ends,
        equity_net=_bands(net),
        equity_gross=_bands(gross),
        equity_unhedged=_bands(unhedged),
        drawdown_net=_bands(_drawdown(net, series.capital)),
        drawdown_unhedged=_bands(_drawdown(unhedged, series.capital)),
        hedges=first.hedges[-bars:],
        exposure=first.exposure[-bars:],
        instruments=first.instruments,
        cost_bps=cost,
        status=added([p.status for p in parts]),
        routes=added([p.routes for p in parts]),
        signals=added([p.signals for p in parts]),
        relaxed=tuple(np.max([p.relaxed for p in parts], axis=0).tolist()),
        limit_excess=max(p.excess for p in parts),
        unfilled=sum(p.unfilled for p in parts),
        horizon_days=_median([p.horizon for p in parts]),
    )


def market_summary(arena: Arena, placebo_paths: int) -> MarketSummary:
    """The market as the report shows it; path figures are those of the first path."""
    panel = arena.market.at(0)
    labels = arena.labels(panel)
    setup = arena.setup
    label = labels.label[:, 0]
    onset = _onsets(label, labels.names)
    return MarketSummary(
        name=arena.name,
        simulated=arena.simulated,
        paths=arena.market.paths,
        bars=panel.bars - 1,
        start=iso(int(panel.times[0])),
        end=iso(int(panel.times[-1])),
        calendar=panel.calendar.name,
        days_per_year=panel.calendar.days_per_year,
        assets=panel.assets,
        exposure=dict(zip(setup.exposure.assets, setup.exposure.amounts.tolist(), strict=True)),
        exposure_unit=setup.exposure.unit,
        exposure_hold=setup.exposure.hold,
        instruments=setup.instruments,
        execution=setup.execution,
        label_description=labels.description,
        episodes=len(onset),
        onsets=tuple(iso(int(panel.times[t])) for t in onset),
        crisis_share=float(crisis_mask(label[1:], labels.names).mean()),
        times=panel.times,
        correlation=rolling_correlation(panel, arena),
        label=label,
        label_names=labels.names,
        notes=panel.notes,
        data_hash=panel.digest,
        placebo_paths=placebo_paths,
    )


def rolling_correlation(panel: MarketPanel, arena: Arena) -> Float:
    """Correlation (T, K) of exposure and hedge returns, last 60 bars, path 0; NaN before."""
    setup = arena.setup
    units = setup.exposure.units(panel.prices[0, :1], panel.indices(setup.exposure.assets))
    prices = panel.prices[:, 0]
    value = (prices * units[0]).sum(axis=1)
    change = np.diff(value) / np.abs(prices[:-1] * units[0]).sum(axis=1)
    index = panel.indices(setup.instruments)
    hedge = prices[1:, index] / prices[:-1, index] - 1.0
    out = np.full((panel.bars, len(index)), np.nan)
    if panel.bars <= WINDOW:
        return out
    x = np.lib.stride_tricks.sliding_window_view(change, WINDOW)
    for k in range(len(index)):
        y = np.lib.stride_tricks.sliding_window_view(hedge[:, k], WINDOW)
        dx, dy = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
        spread = np.sqrt((dx**2).sum(axis=1) * (dy**2).sum(axis=1))
        rho = np.divide(
            (dx * dy).sum(axis=1), spread, out=np.full(len(dx), np.nan), where=spread > 0
        )
        out[WINDOW:, k] = rho
    return out


def _onsets(label: Byte, names: tuple[str, ...]) -> list[int]:
    """First bars of the spells of each regime but the normal one."""
    hit = crisis_mask(label[1:], names)
    before = np.concatenate([label[1:2], label[1:-1]])
    fresh = label[1:] != before
    fresh[0] = True
    return [int(t) + 1 for t in np.flatnonzero(hit & fresh)]


def _bands(values: Float) -> Float:
    """(T, P) as (T, 1) for one path, else the 5 %, 50 % and 95 % quantiles over paths."""
    if values.shape[1] == 1:
        return values.copy()
    return np.asarray(np.quantile(values, (0.05, 0.5, 0.95), axis=1).T)


def _drawdown(equity: Float, capital: float) -> Float:
    peak = np.maximum(np.maximum.accumulate(equity, axis=0), capital)
    return np.asarray(np.maximum(equity / peak, 0.0) - 1.0)


def _median(values: list[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.median(known)) if known else float("nan")


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on: package name -> version."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


_PACKAGES = (
    "hedge-backtester",
    "numpy",
    "pandas",
    "cvxpy",
    "clarabel",
    "numba",
    "daqp",
    "scipy",
    "vectorbt",
)
