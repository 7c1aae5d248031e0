"""Correlation sweep: a re-hedging strategy against the correlation of exposure and hedges.

The exposure's returns are x = ρ F + √(1 − ρ²) ε with F the unit-variance hedge basket, so that ρ is
the correlation of the exposed assets with their best hedge, from −1 to 1, and every matrix is PSD.
All points share their shocks and are stacked on the path axis: one run per strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from backtester.arrays import Float
from backtester.comparison import BreakEven, Sweep
from backtester.engine import run as run_engine
from backtester.errors import ScenarioError
from backtester.market.panel import MarketPanel
from backtester.metrics.hedge import per_exposure
from backtester.metrics.pnl import volatility_percent
from backtester.metrics.series import PathSeries
from backtester.regimes.labels import labels_of
from backtester.results import RunResult
from backtester.scenario import Scenario
from backtester.score import Score, score
from backtester.setup import RunSetup
from backtester.strategy import Strategy
from backtester.stresses.held import frozen_volatility, held, sensitivities

ROUNDS, CUTS = 2, 4  # each round cuts every bracket of the grid into this many parts
SIDES = {"positive": 1.0, "negative": -1.0}
METRICS = ("effectiveness", "net_es")


class Sweepable(Scenario, Protocol):
    """A scenario whose correlations can be set path by path."""

    def with_exposure_correlation(
        self, rho: Float, exposed: tuple[str, ...], hedges: tuple[str, ...]
    ) -> Float: ...

    def draw(
        self,
        *,
        first: int,
        paths: int,
        bars: int,
        seed: int,
        correlation: Float | None = None,
    ) -> MarketPanel: ...


@dataclass(frozen=True)
class SweepSetup:
    """One sweep's market side."""

    scenario: Sweepable
    setup: RunSetup
    paths: int  # per point
    bars: int
    seed: int


@dataclass(frozen=True)
class Point:
    """One correlation's figures; triples are value, low, high."""

    effectiveness: tuple[float, float, float]
    net_es: tuple[float, float, float]
    unhedged_es: float
    cost_bps: float
    unhedged_volatility: float  # % of exposure a year

    @property
    def volatility(self) -> tuple[float, float, float]:
        """Of the hedged book after costs, % of exposure a year: σ √(1 − HE), value, low, high."""
        value, low, high = (
            self.unhedged_volatility * float(np.sqrt(max(1.0 - he, 0.0)))
            for he in self.effectiveness
        )
        return value, high, low  # the higher the effectiveness, the lower the volatility


def sweepable(scenario: Scenario) -> Sweepable:
    """`scenario` if its correlations can be swept; raises ScenarioError otherwise."""
    if not hasattr(scenario, "with_exposure_correlation"):
        raise ScenarioError(
            f"scenario {scenario.name!r} cannot be swept over correlation",
            cure="Use a scenario of generator CorrelatedReturns or CopulaGarch as stress.base.",
        )
    swept: Any = scenario
    return swept  # type: ignore[no-any-return]


def panel_at(sweep: SweepSetup, correlations: Float) -> MarketPanel:
    """All points side by side, `paths` paths each, on the same shocks."""
    exposed, hedges = sweep.setup.exposure.assets, sweep.setup.instruments
    panels = []
    for rho in correlations:
        matrix = sweep.scenario.with_exposure_correlation(
            np.full(sweep.paths, rho), exposed, hedges
        )
        panels.append(
            sweep.scenario.draw(
                first=0, paths=sweep.paths, bars=sweep.bars, seed=sweep.seed, correlation=matrix
            )
        )
    return MarketPanel.stacked(panels)


def points_at(
    strategy: Strategy[Any], label: str, sweep: SweepSetup, panel: MarketPanel
) -> list[Point]:
    """Figures of one strategy at each correlation of `panel`, from one run."""
    block = run_engine(panel, strategy, sweep.setup)
    labels = labels_of(panel, sweep.setup.exposure, sweep.setup.instruments)
    whole = RunResult(label, panel, sweep.setup, block, labels.label, labels.names).series()
    points = []
    for i in range(panel.paths // sweep.paths):
        part = whole.paths(slice(i * sweep.paths, (i + 1) * sweep.paths))
        row = _all(score(part, risk_aversion=_lambda(sweep), seed=sweep.seed))
        points.append(
            Point(
                (
                    row.effectiveness_net.value,
                    row.effectiveness_net.low,
                    row.effectiveness_net.high,
                ),
                (row.net_es.value, row.net_es.low, row.net_es.high),
                row.unhedged_es.value,
                row.cost_drag.value,
                _unhedged_volatility(part),
            )
        )
    return points


def sweep_strategy(
    strategy: Strategy[Any], label: str, sweep: SweepSetup, correlations: Float
) -> Sweep:
    """The sweep of one strategy over a grid, with break-even correlations by bisection."""
    panel = panel_at(sweep, correlations)
    points = points_at(strategy, label, sweep, panel)
    base = sweep.scenario.draw(first=0, paths=sweep.paths, bars=sweep.bars, seed=sweep.seed)
    book = held(base, strategy, sweep.setup)
    unhedged, hedged = sensitivities(book, base, sweep.setup)
    return Sweep(
        strategy=label,
        correlation=correlations,
        effectiveness=np.array([p.effectiveness for p in points]),
        net_es=np.array([p.net_es for p in points]),
        unhedged_es=np.array([p.unhedged_es for p in points]),
        cost_bps=np.array([p.cost_bps for p in points]),
        volatility=np.array([p.volatility for p in points]),
        unhedged_volatility=np.array([p.unhedged_volatility for p in points]),
        frozen_volatility=frozen_volatility(book, panel, sweep.setup, sweep.paths),
        unhedged_book=unhedged,
        book=hedged,
        break_even=break_evens(strategy, label, sweep, correlations, points),
    )


def benefit(point: Point, metric: str) -> float:
    """Positive where the hedge helps by this metric."""
    if metric == "effectiveness":
        return point.effectiveness[0]
    return point.unhedged_es - point.net_es[0]


def break_evens(
    strategy: Strategy[Any], label: str, sweep: SweepSetup, grid: Float, points: list[Point]
) -> tuple[BreakEven, ...]:
    """Coming from ±1 towards 0, where the hedge first stops helping; bisected on one seed."""
    found: list[BreakEven] = []
    brackets: dict[tuple[str, str], tuple[float, float]] = {}
    for side, sign in SIDES.items():
        order = np.argsort(-sign * grid)
        order = order[sign * grid[order] >= 0.0]
        for metric in METRICS:
            helps = [benefit(points[i], metric) > 0 for i in order]
            if not helps[0]:
                found.append(BreakEven(metric, side, None, "never helps on this side"))
            elif all(helps):
                found.append(BreakEven(metric, side, None, "helps down to correlation 0"))
            else:
                stop = helps.index(False)
                brackets[metric, side] = (grid[order[stop - 1]], grid[order[stop]])
    for _ in range(ROUNDS if brackets else 0):
        # Bisection with many points at once: all brackets' points are one run, side by side.
        inside = np.arange(1, CUTS) / CUTS
        tried = {key: a + (b - a) * inside for key, (a, b) in brackets.items()}
        inner_panel = panel_at(sweep, np.concatenate(list(tried.values())))
        values = points_at(strategy, label, sweep, inner_panel)
        for i, (key, rhos) in enumerate(tried.items()):
            outer, inner = brackets[key]
            edges = [outer, *rhos.tolist(), inner]
            helps = [benefit(p, key[0]) > 0 for p in values[i * len(rhos) : (i + 1) * len(rhos)]]
            first = helps.index(False) if False in helps else len(helps)
            brackets[key] = (edges[first], edges[first + 1])
    for (metric, side), (helping, failing) in brackets.items():
        found.append(
            BreakEven(
                metric,
                side,
                (helping + failing) / 2,
                f"between {min(helping, failing):.3f} and {max(helping, failing):.3f}",
            )
        )
    return tuple(sorted(found, key=lambda b: (b.metric, b.side)))


def _unhedged_volatility(series: PathSeries) -> float:
    """Root mean square P&L of the unhedged book, % of exposure a year."""
    bare = per_exposure(series.unhedged, series.exposure)
    years = float(np.sum((series.exposure > 0.0) * series.days[:, None])) / series.days_per_year
    return float(volatility_percent(np.array(np.sum(bare * bare)), np.array(years)))


def _all(rows: tuple[Score, ...]) -> Score:
    return next(row for row in rows if row.regime == "all")


def _lambda(sweep: SweepSetup) -> float:
    return sweep.setup.hedging.risk_aversion
