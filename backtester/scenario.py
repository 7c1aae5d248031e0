"""The protocol of a market an engine can run on, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from backtester.arrays import BLOCK
from backtester.errors import ScenarioError
from backtester.market.panel import MarketPanel


@runtime_checkable
class Scenario(Protocol):
    """Something that can draw market panels: a generator with its parameters.

    `draw` returns paths [first, first + paths) of the ensemble keyed by `seed`; a path must not
    depend on which others are drawn with it.
    """

    @property
    def name(self) -> str: ...

    @property
    def assets(self) -> tuple[str, ...]: ...

    def draw(self, *, first: int, paths: int, bars: int, seed: int) -> MarketPanel: ...


@dataclass(frozen=True)
class HistoryMarket:
    """A historical replay: one block of one path."""

    panel: MarketPanel

    @property
    def name(self) -> str:
        """Name of the panel."""
        return self.panel.name

    @property
    def paths(self) -> int:
        """Number of paths in all blocks."""
        return self.panel.paths

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return 1

    def block(self, i: int) -> MarketPanel:
        """The i-th block."""
        return self.panel


@dataclass(frozen=True)
class EnsembleMarket:
    """An ensemble drawn from a scenario, in fixed blocks of `BLOCK` paths."""

    scenario: Scenario
    paths: int
    bars: int  # steps; the panel has bars + 1 stamps
    seed: int

    def __post_init__(self) -> None:
        if self.paths < 1 or self.bars < 1:
            raise ScenarioError(
                f"market {self.scenario.name!r} asks for {self.paths} paths × {self.bars} bars",
                cure="Ask for at least one path and one bar.",
            )

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.scenario.name

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.paths // BLOCK)

    def block(self, i: int) -> MarketPanel:
        """The i-th block, the same whatever else is drawn."""
        first = i * BLOCK
        paths = min(BLOCK, self.paths - first)
        return self.scenario.draw(first=first, paths=paths, bars=self.bars, seed=self.seed)


Market = HistoryMarket | EnsembleMarket
