"""Stationary block bootstrap of a history, conditional on regime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from backtester.arrays import Byte, Float, Int
from backtester.clock import calendar_named
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.panel import FIELDS, MarketPanel
from backtester.regimes.labelled import Labels

from .chain import generator_matrix, stationary, transition_matrix, walk
from .history import Resolve, Source, history_panel, resolved
from .regime import Number, Parameters, Positive
from .regime_scenario import check_name, check_range
from .simulate import stamps, uniforms


@dataclass(frozen=True, eq=False)
class Rows:
    """The bars of a history (H) by regime (S): what is resampled."""

    panel: MarketPanel
    names: tuple[str, ...]  # S
    of: tuple[Int, ...]  # S arrays of rows, in the order of time
    steps: Float  # (H, N) log returns, or (S, H, N) by the regime they are drawn in
    start: Float  # (S,)
    transition: Float  # (S, S) over one bar
    durations: dict[str, float]  # days


class BlockBootstrap(Parameters):
    """Joint bars of a history in blocks of geometric length (Politis & Romano 1994), by regime.

    A Markov chain visits the regimes that the ex-post labels find in the history. Within one, each
    bar continues the block before it with probability 1 − 1/L, and otherwise begins a new one at a
    bar of that regime, all equally likely; a change of regime begins one too. Stretches of a regime
    are laid end to end in a circle, so that every bar of the regime is equally likely at every
    step: moments are those of the regime's bars, without bias. A row holds all assets, with the
    spread, depth, volume, funding and outages of its bar: cross-sectional dependence is the
    history's own, tails too; serial dependence lasts as long as a block.

    Attributes
    ----------
    history: built-in history, file beside the scenario's, or a mapping as `history` of a study.
    mean_block_days: L, trading days.
    conditional: False ignores regimes: one circle of all bars, and the panel has no labels.
    exposure, hedge_with: notional by asset and its hedges; with them the regimes are normal,
        convergence and decoupling of this book's hedge, without them normal and crisis by
        volatility (docs/regimes.md).
    durations: expected days of each regime; by default those of the history's labels.
    start: ``stationary`` or the name of a regime.
    prices: of each asset at the first stamp; by default the history's last.
    drift: ``history``, or ``none``: each regime's returns are scaled to a mean of exactly zero.
    pooled: bars of all regimes, scaled to the mean and volatility of the regime they are drawn in:
        what `constant_correlation` draws.

    Raises ScenarioError for a regime the history never visits, DataError for unusable data.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    history: Source
    mean_block_days: Positive = 20.0
    conditional: bool = True
    exposure: dict[str, Number] = Field(default_factory=dict)
    hedge_with: tuple[str, ...] = ()
    durations: dict[str, Positive] | None = None
    start: str = "stationary"
    prices: dict[str, Positive] | None = None
    drift: Literal["history", "none"] = "history"
    pooled: bool = False

    @classmethod
    def resolve_files(cls, parameters: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
        """`parameters` of a scenario file with the files they name resolved."""
        changed = dict(parameters)
        if "history" in changed:
            changed["history"] = resolved(changed["history"], resolve)
        return changed

    @model_validator(mode="after")
    def _consistent(self) -> BlockBootstrap:
        check_name(self.name)
        known = self.rows.panel.assets
        for asset in self.prices or {}:
            if asset not in known:
                raise ScenarioError(
                    f"prices of scenario {self.name!r} name unknown asset {asset!r}",
                    cure=did_you_mean(asset, known),
                )
        return self

    @property
    def assets(self) -> tuple[str, ...]:
        """Columns of the panel: those of the history."""
        return self.rows.panel.assets

    @property
    def regime_names(self) -> tuple[str, ...]:
        """Regimes of the panel; none where they are ignored."""
        return self.rows.names if self.conditional else ()

    @cached_property
    def rows(self) -> Rows:
        """The history cut into bars by regime."""
        panel = history_panel(self.history, self.name)
        if panel.paths != 1:
            raise ScenarioError(
                f"the history of scenario {self.name!r} has {panel.paths} paths", cure="Give one."
            )
        steps = np.log(panel.prices[1:, 0] / panel.prices[:-1, 0])
        names: tuple[str, ...] = ("all",)
        label: Byte = np.zeros(len(steps), dtype=np.int8)
        if self.conditional:
            labels = self._labels(panel)
            label = labels.label[1:, 0]
            visited = [s for s in range(len(labels.names)) if (label == s).any()]
            names = tuple(labels.names[s] for s in visited)
            label = np.searchsorted(visited, label).astype(np.int8)
        of = tuple(np.flatnonzero(label == s) for s in range(len(names)))
        durations, following = self._spells(label, names, panel)
        rates = generator_matrix(names, durations, following)
        begin = stationary(rates)
        if self.start != "stationary":
            if self.start not in names:
                raise self._unvisited("starts in", self.start, names)
            begin = np.eye(len(names))[names.index(self.start)]
        days = panel.days_per_bar
        if self.pooled:
            steps = _pooled(steps, label, len(names))
            of = (np.arange(len(label)),) * len(names)
        if self.drift == "none":
            steps = _without_drift(steps, of)
        return Rows(panel, names, of, steps, begin, transition_matrix(rates, days), dict(durations))

    def draw(self, *, first: int, paths: int, bars: int, seed: int) -> MarketPanel:
        """Paths [first, first + paths) of the ensemble, `bars` bars (bars + 1 stamps)."""
        from .block_kernel import block_rows

        check_range(self.name, first, paths, bars)
        rows, ids = self.rows, range(first, first + paths)
        source = rows.panel
        days = source.days_per_bar
        times = stamps(source.calendar.name, bars, days, self.name)  # before anything is drawn
        state: Byte = np.zeros((bars, paths), dtype=np.int8)
        if len(rows.names) > 1:
            state = walk(uniforms(seed, "regime", ids, bars), rows.start, rows.transition)
        begins = np.cumsum([0, *map(len, rows.of)])
        row = block_rows(
            state,
            uniforms(seed, "block", ids, bars),
            uniforms(seed, "block start", ids, bars),
            np.concatenate(rows.of),
            begins,
            min(1.0, days / self.mean_block_days),
        )
        steps = rows.steps[row] if rows.steps.ndim == 2 else rows.steps[state, row]
        prices = np.empty((bars + 1, paths, len(source.assets)))
        given = self.prices or {}
        prices[0] = [
            given.get(a, p) for a, p in zip(source.assets, source.prices[-1, 0], strict=True)
        ]
        np.cumsum(steps, axis=0, out=steps)
        prices[1:] = prices[0] * np.exp(steps)
        fields: dict[str, Any] = {}
        for item in (*FIELDS, "tradable"):
            values = getattr(source, item)
            if values is not None:
                fields[item] = np.concatenate([values[row[:1] + 1, 0], values[row + 1, 0]])
                if item == "funding":
                    fields[item][0] = 0.0
        return MarketPanel(
            times=times,
            assets=source.assets,
            prices=prices,
            calendar=calendar_named(source.calendar.name),
            regime=np.concatenate([state[:1], state]) if self.conditional else None,
            regime_names=self.regime_names,
            name=self.name,
            **fields,
        )

    def constant_correlation(self) -> BlockBootstrap:
        """The placebo twin: one dependence, that of all bars, at each regime's volatility."""
        changes = {"name": f"{self.name} (constant correlation)"[:80], "pooled": True}
        # Through the constructor, not model_copy: that would keep the cached rows of the old one.
        return type(self)(**{n: getattr(self, n) for n in type(self).model_fields} | changes)

    def _labels(self, panel: MarketPanel) -> Labels:
        from backtester.accounting.exposure import Exposure
        from backtester.regimes.labels import labels_of

        if bool(self.exposure) != bool(self.hedge_with):
            raise ScenarioError(
                f"scenario {self.name!r} has an exposure or hedges, but not both",
                cure="Give both for regimes of the hedge, or neither for regimes of volatility.",
            )
        if not self.exposure:
            return labels_of(panel, labeller="volatility")
        book = Exposure(tuple(self.exposure), np.array(list(self.exposure.values())))
        return labels_of(panel, book, self.hedge_with)

    def _unvisited(self, what: str, regime: str, names: tuple[str, ...]) -> ScenarioError:
        return ScenarioError(
            f"scenario {self.name!r} {what} regime {regime!r}, which its history never visits",
            cure=f"Visited: {', '.join(names)}. Give a longer history, or leave the regime out.",
        )

    def _spells(
        self, label: Byte, names: tuple[str, ...], panel: MarketPanel
    ) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """Expected days of each regime and what follows it, from the labels' own spells."""
        for name in self.durations or {}:
            if name not in names:
                raise self._unvisited("gives a duration to", name, names)
        elapsed = np.diff(panel.trading_days)
        change = np.flatnonzero(label[1:] != label[:-1])
        durations, following = {}, {}
        for s, name in enumerate(names):
            after = np.bincount(label[change[label[change] == s] + 1], minlength=len(names))
            exits = int(after.sum())
            durations[name] = float(elapsed[label == s].sum() / max(exits, 1))
            if exits:
                following[name] = {names[o]: k / exits for o, k in enumerate(after) if k}
        return durations | dict(self.durations or {}), following


def _pooled(steps: Float, label: Byte, regimes: int) -> Float:
    """(S, H, N): every row at the mean and volatility of each regime."""
    mean = np.array([steps[label == s].mean(axis=0) for s in range(regimes)])
    deviation = np.array([steps[label == s].std(axis=0) for s in range(regimes)])
    own = deviation[label]
    shocks = np.divide(steps - mean[label], own, out=np.zeros_like(steps), where=own > 0.0)
    return np.asarray(mean[:, None] + deviation[:, None] * shocks)


def _without_drift(steps: Float, of: tuple[Int, ...]) -> Float:
    """Log returns shifted so that the simple returns of each regime's rows have mean zero."""
    shifted = steps.copy()
    if steps.ndim == 3:
        return np.asarray(shifted - np.log(np.exp(steps).mean(axis=1, keepdims=True)))
    for rows in of:
        shifted[rows] -= np.log(np.exp(steps[rows]).mean(axis=0))
    return shifted
