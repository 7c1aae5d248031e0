"""The bench a law works on: a strategy, a market that suits it, and its baseline record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np

from backtester.accounting.exposure import Exposure
from backtester.costs.model import CostConfig
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import Limits
from backtester.laws.market import Layout, bars_for, layouts, paths_for, synthetic
from backtester.laws.record import Record, record
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

CAPITAL = 1e6


def setup_for(layout: Layout, *, size: float = 1.0, costs: CostConfig | None = None) -> RunSetup:
    """A study's side of a run: 1.2 times capital held, fees of 5 bp, daily decisions.

    size: multiplies exposure, capital and limits alike.
    """
    share = np.array([0.8, 0.4])[: len(layout.exposed)]
    amounts = np.resize(share, len(layout.exposed)) * CAPITAL * size
    bound = 3.0 * CAPITAL * size
    limits = Limits(lower=-bound, upper=bound, gross=4.0 * CAPITAL * size)
    return RunSetup(
        exposure=Exposure(layout.exposed, amounts),
        instruments=layout.instruments,
        costs=costs or CostConfig(fee_bps=5.0, half_spread_bps=1.0, borrow_bps=50.0),
        hedging=HedgeSettings(capital=CAPITAL * size, limits=limits),
    )


@dataclass(frozen=True)
class Bench:
    """Everything laws share; made once for a strategy."""

    kind: type[Strategy[Any]]
    parameters: dict[str, Any]
    layout: Layout
    seed: int

    def fresh(self) -> Strategy[Any]:
        """A new instance of the strategy."""
        return self.kind.configured(self.parameters)

    @property
    def who(self) -> str:
        """Name of the strategy."""
        return self.kind.__name__

    def panel(self) -> MarketPanel:
        """The market of most laws, drawn anew each time.

        No law may keep one alive while the strategy runs on another: a strategy that searches
        memory for a panel must find the one it runs on.
        """
        return self.market(self.seed)

    def other(self) -> MarketPanel:
        """Another market of the same shape."""
        return self.market(self.seed + 1)

    @cached_property
    def setup(self) -> RunSetup:
        """The setup of most laws; where monitors may ask for a decision, few are on schedule."""
        watches = self.kind.monitors is not Strategy.monitors
        return replace(setup_for(self.layout), rebalance=3.0 if watches else 1.0)

    @cached_property
    def baseline(self) -> Record:
        """What a fresh instance decides on `panel`."""
        return record(self.fresh(), self.panel(), self.setup)

    def market(self, seed: int) -> MarketPanel:
        """A market of this bench's shape."""
        bars = bars_for(self.fresh())
        return synthetic(self.layout, bars=bars, paths=paths_for(self.layout), seed=seed)

    def decided(self) -> list[int]:
        """Events of the baseline's decisions."""
        return sorted(self.baseline.decisions)

    def spread(self, count: int) -> list[int]:
        """At most `count` decisions to cut after: the first two and the rest spread evenly.

        The engine needs a bar after the first decision, so nothing is cut right after that one.
        """
        events = self.decided()[1:-1]
        if len(events) <= count:
            return events
        picks = np.unique(np.linspace(0, len(events) - 1, count).round().astype(int))
        return [events[i] for i in sorted({0, 1, *picks.tolist()})]

    def describe(self) -> str:
        """The market in words."""
        paths, bars = paths_for(self.layout), bars_for(self.fresh())
        return (
            f"a synthetic market of {paths} paths × {bars} daily bars: "
            f"{', '.join(self.layout.exposed)} held, {', '.join(self.layout.instruments)} as hedges"
        )


def bench_for(kind: type[Strategy[Any]], parameters: dict[str, Any], seed: int) -> Bench:
    """A bench with the first layout the strategy accepts; the first of all where it takes none.

    Raises ConfigError for parameters that are not valid.
    """
    strategy = kind.configured(parameters)
    found = [Bench(kind, parameters, layout, seed) for layout in layouts(strategy)]
    for bench in found[:-1]:
        if _accepts(bench):
            return bench
    return found[-1] if len(found) > 1 and _accepts(found[-1]) else found[0]


def _accepts(bench: Bench) -> bool:
    """Whether a fresh instance gets as far as its first decision."""
    first = ceil(bench.fresh().warmup) + 1
    return record(bench.fresh(), bench.panel(), bench.setup, stop=first).error is None
