"""A market while overlays are laid over it: shifts of log prices, factors of liquidity, labels.

Every operation is elementwise over paths, so that a path does not know its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from backtester.arrays import Bool, Byte, Float, Int
from backtester.clock import iso
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.moments import Moments, moments_of, perpetuals_of
from backtester.market.panel import MarketPanel
from backtester.rng import stream


class Frame:
    """The panel as it was, and what has been done to it so far.

    `shift` (T, P, F) is added to the log prices of the spots, F; a perpetual takes its spot's, and
    `premium` (T, P, K) on top of it.
    """

    def __init__(
        self,
        panel: MarketPanel,
        *,
        first: int,
        seed: int,
        moments: Moments | None,
        perpetuals: Mapping[str, str] | None,
        ids: Int | None = None,
    ) -> None:
        self.base, self.seed = panel, seed
        self.ids = first + np.arange(panel.paths) if ids is None else np.asarray(ids)
        if self.ids.shape != (panel.paths,):
            raise ScenarioError(
                f"{self.ids.size} path numbers were given for {panel.paths} paths",
                cure="Give one per path of the panel.",
            )
        self._moments = moments
        if perpetuals is None and moments is not None:
            perpetuals = moments.perpetuals
        self.perpetuals = perpetuals_of(panel, perpetuals)
        self.spots = tuple(a for a in panel.assets if a not in self.perpetuals)
        self._columns = panel.indices(self.spots, "an overlay")
        shape = (panel.bars, panel.paths)
        self._shift: Float | None = None
        self._premium: Float | None = None
        self._fields: dict[str, Float] = {}
        self._held: Bool | None = None  # (T, P, N) price as at the stamp before
        self._closed: Bool | None = None  # (T, P, N) no trading
        self._marks: list[tuple[Bool, str]] = []
        self._notes: list[str] = []
        self.length: Float | None = None  # (T − 1, P), filled by the overlay that needs it first
        self._size = (*shape, len(panel.assets))

    @property
    def days(self) -> Float:
        """Trading days of each stamp since the first, (T,)."""
        return self.base.trading_days

    @cached_property
    def elapsed(self) -> Float:
        """Trading days of each bar, (T − 1, 1)."""
        return np.asarray(np.diff(self.days)[:, None])

    @cached_property
    def moments(self) -> Moments:
        """What is usual in this market; measured path by path where nothing better was given."""
        found = self._moments
        if found is None:
            found = moments_of(self.base, perpetuals=self.perpetuals, by_path=True)
        if found.spots != self.spots:
            raise ScenarioError(
                f"moments of {found.spots} were given for a market of {self.spots}",
                cure="Measure them with moments_of on a panel of the same assets.",
            )
        return found

    @cached_property
    def rows(self) -> Int | None:
        """Row of `moments` of each bar, (T − 1, P), from the regimes the panel came with."""
        return self.moments.rows(self.base)

    def at(self, table: Float) -> Float:
        """A moment (S + 1, Q) at each bar: (T − 1, P), or something that broadcasts to it."""
        if self.rows is None:
            return np.asarray(table[-1][None, :])
        if table.shape[1] == 1:
            return np.asarray(table[:, 0][self.rows])
        return np.asarray(table[self.rows, np.arange(table.shape[1])])

    def spot(self, asset: str, who: str) -> int:
        """Index of a spot in F; ScenarioError for an unknown asset or a perpetual."""
        if asset in self.perpetuals:
            raise ScenarioError(
                f"{who}: {asset!r} is a perpetual and follows {self.perpetuals[asset]!r}",
                cure=f"Name {self.perpetuals[asset]!r}; the perpetual moves with it.",
            )
        return self._known(asset, self.spots, who)

    def perpetual(self, asset: str, who: str) -> int:
        """Index of a perpetual among the perpetuals; ScenarioError for any other asset."""
        if asset not in self.perpetuals and asset in self.base.assets:
            raise ScenarioError(
                f"{who}: {asset!r} is not a perpetual and has no funding",
                cure="Perpetuals here: " + (", ".join(self.perpetuals) or "none") + ".",
            )
        return self._known(asset, tuple(self.perpetuals), who)

    def column(self, asset: str, who: str) -> int:
        """Index of any asset of the panel."""
        return self._known(asset, self.base.assets, who)

    def _known(self, asset: str, known: Sequence[str], who: str) -> int:
        if asset not in known:
            raise ScenarioError(
                f"{who}: market {self.base.name!r} has no asset {asset!r}",
                cure=did_you_mean(asset, known),
            )
        return list(known).index(asset)

    @cached_property
    def base_returns(self) -> Float:
        """Log returns of the spots before any overlay, (F, T − 1, P)."""
        logs = np.log(self.base.prices[:, :, self._columns])
        return np.ascontiguousarray(np.diff(logs, axis=0).transpose(2, 0, 1))

    def returns(self) -> Float:
        """Log returns of the spots as they are now, (F, T − 1, P)."""
        if self._shift is None:
            return self.base_returns
        return self.base_returns + np.diff(self._shift, axis=0).transpose(2, 0, 1)

    def add(self, spot: int, shift: Float) -> None:
        """Add `shift` (T, P) to the log prices of a spot and of its perpetuals."""
        if self._shift is None:
            self._shift = np.zeros((*self._size[:2], len(self.spots)))
        self._shift[:, :, spot] += shift

    def add_steps(self, spot: int, steps: Float) -> None:
        """Add log returns (T − 1, P) to those of a spot and of its perpetuals."""
        shift = np.zeros(self._size[:2])
        np.cumsum(steps, axis=0, out=shift[1:])
        self.add(spot, shift)

    def add_premium(self, perpetual: int, shift: Float) -> None:
        """Add `shift` (T, P) to log(perpetual / spot)."""
        if self._premium is None:
            self._premium = np.zeros((*self._size[:2], len(self.perpetuals)))
        self._premium[:, :, perpetual] += shift

    def field(self, name: str, who: str) -> Float:
        """A writable copy (T, P, N) of an optional field; ScenarioError where it is lacking."""
        if name not in self._fields:
            values = getattr(self.base, name)
            if values is None:
                label = name.replace("_", " ")
                raise ScenarioError(
                    f"{who}: market {self.base.name!r} has no {label} to change",
                    cure=f"Give the market {label}, or leave that parameter neutral.",
                )
            self._fields[name] = np.array(np.broadcast_to(values, self._size))
        return self._fields[name]

    def close(self, closed: Bool, held: bool) -> None:
        """No trading at the stamps `closed` (T, P, N); `held`: nor does the price move."""
        self._closed = closed if self._closed is None else self._closed | closed
        if held:
            self._held = closed if self._held is None else self._held | closed

    def mark(self, bars: Bool, label: str) -> None:
        """Label the bars that end at the stamps `bars` (T, P); without known regimes, nothing."""
        self._marks.append((bars, label))

    def note(self, text: str) -> None:
        """Something the report must show."""
        self._notes.append(text)

    def normals(self, purpose: str) -> Float:
        """Standard normals of each bar and path, (T − 1, P), keyed by (seed, purpose, path)."""
        return self._drawn(purpose, lambda g, bars: g.standard_normal(bars))

    def vectors(self, purpose: str, size: int) -> Float:
        """Standard normal vectors of each bar and path, (size, T − 1, P)."""
        return self._drawn(purpose, lambda g, bars: g.standard_normal((bars, size)))

    def gammas(self, purpose: str, shape: float) -> Float:
        """Standard gamma variates (T − 1, P)."""
        return self._drawn(purpose, lambda g, bars: g.standard_gamma(shape, bars))

    def _drawn(self, purpose: str, draw: Any) -> Float:
        """(..., T − 1, P): paths of one number in the ensemble share what is drawn."""
        known, place = np.unique(self.ids, return_inverse=True)
        bars = self.base.bars - 1
        drawn = np.array([draw(stream(self.seed, purpose, int(p)), bars) for p in known])
        return np.ascontiguousarray(drawn.T[..., place])

    def panel(self) -> MarketPanel:
        """The panel with everything applied; the very one that came in where nothing was done."""
        changes: dict[str, Any] = dict(self._fields)
        if self._shift is not None or self._premium is not None or self._held is not None:
            changes["prices"] = self._prices()
        if "half_spread" in changes:
            self._refuse(changes["half_spread"] >= 1.0, "half-spread", "is the whole price or more")
        if self._closed is not None:
            before = self.base.tradable
            changes["tradable"] = ~self._closed if before is None else before & ~self._closed
        changes |= self._labels()
        for value in changes.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False  # handed over: the panel need not copy
        if self._notes:
            changes["notes"] = (*self.base.notes, *self._notes)
        return replace(self.base, **changes) if changes else self.base

    def _prices(self) -> Float:
        prices = np.array(self.base.prices)
        with np.errstate(over="ignore", under="ignore"):
            for n, asset in enumerate(self.base.assets):
                spot = self.spots.index(self.perpetuals.get(asset, asset))
                if self._shift is not None:
                    prices[:, :, n] *= np.exp(np.ascontiguousarray(self._shift[:, :, spot]))
                if self._premium is not None and asset in self.perpetuals:
                    k = list(self.perpetuals).index(asset)
                    prices[:, :, n] *= np.exp(np.ascontiguousarray(self._premium[:, :, k]))
        held = self._held
        if self.base.tradable is not None:  # closed and unmoved: what happens shows when it opens
            stale = np.zeros(self._size, dtype=bool)
            stale[1:] = ~self.base.tradable[1:] & (self.base.prices[1:] == self.base.prices[:-1])
            held = stale if held is None else held | stale
        if held is not None:
            for t in range(1, len(prices)):
                if held[t].any():
                    prices[t] = np.where(held[t], prices[t - 1], prices[t])
        self._refuse(~(prices > 0) | ~np.isfinite(prices), "price", "leaves what a number can hold")
        return prices

    def _refuse(self, bad: Bool, what: str, why: str) -> None:
        if bad.any():
            t, p, n = (int(i) for i in np.argwhere(bad)[0])
            raise ScenarioError(
                f"under its overlays the {what} of {self.base.assets[n]!r} in market "
                f"{self.base.name!r} {why} (path {p})",
                when=iso(int(self.base.times[t])),
                cure="Lay milder overlays over it, or fewer at once.",
            )

    def _labels(self) -> dict[str, Any]:
        if self.base.regime is None:
            return {}
        names = list(self.base.regime_names)
        regime: Byte = np.array(np.broadcast_to(self.base.regime, self._size[:2]))
        marked = np.zeros(self._size[:2], dtype=bool)
        for bars, label in self._marks:
            if bars.any() and label not in names:
                names.append(label)
            if bars.any():
                regime[bars] = names.index(label)
                marked |= bars
        if not marked.any():
            return {}
        regime[0] = np.where(marked[1], regime[1], regime[0])  # row 0 repeats the first bar
        return {"regime": regime, "regime_names": tuple(names)}
