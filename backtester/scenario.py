"""The protocol of a market an engine can run on, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from backtester.arrays import BLOCK
from backtester.errors import ScenarioError
from backtester.market.panel import MarketPanel

CHUNK = 4 * BLOCK
"""Paths run together by default: enough to drown the cost of a Python event, 100 MB of panel."""


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
    """A historical replay: one chunk of one path."""

    panel: MarketPanel

    @property
    def name(self) -> str:
        """Name of the panel."""
        return self.panel.name

    @property
    def paths(self) -> int:
        """Number of paths."""
        return self.panel.paths

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return 1

    def at(self, i: int) -> MarketPanel:
        """The only chunk."""
        return self.panel


@dataclass(frozen=True)
class EnsembleMarket:
    """An ensemble drawn from a scenario, in chunks of a few fixed blocks of `BLOCK` paths.

    A path is the same whatever the chunk, so the size only trades memory for speed.
    """

    scenario: Scenario
    paths: int
    bars: int  # steps; the panel has bars + 1 stamps
    seed: int
    chunk: int = CHUNK  # paths drawn and run together, a multiple of BLOCK

    def __post_init__(self) -> None:
        if self.paths < 1 or self.bars < 1:
            raise ScenarioError(
                f"market {self.scenario.name!r} asks for {self.paths} paths × {self.bars} bars",
                cure="Ask for at least one path and one bar.",
            )
        if self.chunk < BLOCK or self.chunk % BLOCK:
            raise ScenarioError(
                f"market {self.scenario.name!r} is to be drawn {self.chunk} paths at a time",
                cure=f"Use a multiple of {BLOCK}.",
            )

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.scenario.name

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.paths // self.chunk)

    def at(self, i: int) -> MarketPanel:
        """The i-th chunk, the same whatever else is drawn."""
        first = i * self.chunk
        paths = min(self.chunk, self.paths - first)
        return self.scenario.draw(first=first, paths=paths, bars=self.bars, seed=self.seed)


Market = HistoryMarket | EnsembleMarket
