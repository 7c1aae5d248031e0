"""A window of real prices, replayed from one or several starts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from backtester.arrays import Int
from backtester.clock import calendar_named
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.panel import FIELDS, MarketPanel
from backtester.market.union import union_panel
from backtester.rng import stream

from .history import Resolve, Source, history_panel, resolved
from .regime import Parameters, Positive
from .regime_scenario import check_name, check_range

HELD = (*FIELDS, "tradable")


class HistoricalReplay(Parameters):
    """Prices as they were. Histories of several calendars are put side by side.

    With more than one history the panel has every stamp of any of them; between its own stamps an
    asset holds its last price and cannot be traded (`backtester.market.union`).

    Attributes
    ----------
    histories: built-in histories, files beside the scenario's, or mappings as `history` of a study.
    starts: ``first``: every path begins with the window, and all are alike; ``sequence``: path p
        begins p · `step_bars` later; ``random``: anywhere that leaves `longest` bars, by seed.
    step_bars: bars from the start of one path to the next.
    longest: bars a path of ``random`` may have.
    prices: at the first stamp of every path; an asset left out keeps the history's level.

    Stamps are those of the first start, whatever the path, so starts other than ``first`` need
    equal bars. Raises ScenarioError or DataError for a window too short, or with no time in common.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    histories: tuple[Source, ...] = Field(min_length=1, max_length=20)
    starts: Literal["first", "sequence", "random"] = "first"
    step_bars: Annotated[int, Field(ge=1)] = 1
    longest: Annotated[int, Field(ge=1)] | None = None
    prices: dict[str, Positive] = Field(default_factory=dict)

    @classmethod
    def resolve_files(cls, parameters: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
        """`parameters` of a scenario file with the files they name resolved."""
        changed = dict(parameters)
        if isinstance(changed.get("histories"), (list, tuple)):
            changed["histories"] = [resolved(source, resolve) for source in changed["histories"]]
        return changed

    @model_validator(mode="after")
    def _consistent(self) -> HistoricalReplay:
        check_name(self.name)
        window = self.window
        for asset in self.prices:
            if asset not in window.assets:
                raise ScenarioError(
                    f"prices of scenario {self.name!r} name unknown asset {asset!r}",
                    cure=did_you_mean(asset, window.assets),
                )
        if (self.starts == "random") != (self.longest is not None):
            raise ScenarioError(
                f"scenario {self.name!r}: `longest` goes with random starts, and only with them",
                cure="A start must leave room for the longest path that will be drawn.",
            )
        if self.longest is not None and self.longest >= window.bars:
            raise self._too_short(0, self.longest)
        if self.starts != "first":
            steps = np.diff(window.trading_days)
            uneven = np.flatnonzero(np.abs(steps / steps[0] - 1.0) > 1e-6)
            if uneven.size:
                raise ScenarioError(
                    f"the bars of scenario {self.name!r} are not equal: paths that begin at "
                    "different stamps would have different time",
                    when=str(window.times[uneven[0]].astype("datetime64[ns]"))[:19],
                    cure="Fill the gap, choose a window without one, or use starts: first.",
                )
        return self

    @property
    def assets(self) -> tuple[str, ...]:
        """Columns of the panel: those of the histories, in their order."""
        return self.window.assets

    @cached_property
    def window(self) -> MarketPanel:
        """The whole of the histories as one path."""
        return union_panel([history_panel(s, self.name) for s in self.histories], self.name)

    def draw(self, *, first: int, paths: int, bars: int, seed: int) -> MarketPanel:
        """Paths [first, first + paths), `bars` bars (bars + 1 stamps) each."""
        check_range(self.name, first, paths, bars)
        window = self.window
        begin = self._begin(first, paths, seed)
        allowed = window.bars - 1 if self.longest is None else self.longest
        for p in np.flatnonzero((begin + bars >= window.bars) | (bars > allowed)):
            raise self._too_short(int(begin[p]), bars, first + int(p))
        rows = begin + np.arange(bars + 1)[:, None]  # (T, P)
        prices = window.prices[rows, 0]
        for asset, price in self.prices.items():
            n = window.assets.index(asset)
            prices[:, :, n] *= price / window.prices[begin, 0, n]
        fields = {}
        for item in HELD:
            values = getattr(window, item)
            if values is not None:
                fields[item] = values[rows, 0]
        return MarketPanel(
            times=window.times[: bars + 1],
            assets=window.assets,
            prices=prices,
            calendar=calendar_named(window.calendar.name),
            name=self.name,
            notes=window.notes,
            **fields,
        )

    def _begin(self, first: int, paths: int, seed: int) -> Int:
        ids = np.arange(first, first + paths)
        if self.starts == "sequence":
            return np.asarray(ids * self.step_bars)
        if self.starts == "first":
            return np.zeros(paths, dtype=np.int64)
        assert self.longest is not None
        room = self.window.bars - self.longest
        return np.array([int(stream(seed, "replay", int(p)).integers(room)) for p in ids])

    def _too_short(self, begin: int, bars: int, path: int | None = None) -> ScenarioError:
        who = "a path" if path is None else f"path {path}"
        return ScenarioError(
            f"scenario {self.name!r} has {self.window.bars - 1} bars; {who} would begin at bar "
            f"{begin} and needs {bars}"
            + ("" if self.longest is None else f" (longest: {self.longest})"),
            cure="Draw fewer bars or paths, take smaller steps, or give a longer history.",
        )
