"""`MarketPanel`: immutable, time-major, labelled market data; the only market the engine knows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Bool, Byte, Float, Int, frozen
from backtester.clock import Calendar, calendar_named, iso
from backtester.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

FIELDS = ("half_spread", "depth", "funding", "volume")
OPTIONAL = (*FIELDS, "regime", "tradable")


@dataclass(frozen=True, eq=False)
class MarketPanel:
    """Prices and what trading costs, on every path.

    Prices are known at their stamp. ``funding[t]`` is the fraction of notional that a long held
    over (t−1, t] pays at t. Optional fields may have one path where all paths share them.

    Raises DataError on construction where the data cannot be used as it is.
    """

    times: Int  # (T,) UTC nanoseconds, strictly increasing
    assets: tuple[str, ...]  # N
    prices: Float  # (T, P, N) numeraire, > 0
    calendar: Calendar
    half_spread: Float | None = None  # (T, P or 1, N) fraction of price
    depth: Float | None = None  # (T, P or 1, N) money that trades against the book in a day
    funding: Float | None = None  # (T, P or 1, N) fraction of notional per interval
    volume: Float | None = None  # (T, P or 1, N) money per bar
    regime: Byte | None = None  # (T, P) true regime of the bar (t−1, t], where it is known
    regime_names: tuple[str, ...] = ()
    tradable: Bool | None = None  # (T, P or 1, N) orders fill at the stamp; None for always
    name: str = "market"
    notes: tuple[str, ...] = field(default=())  # repairs and assumptions, shown in the report

    def __post_init__(self) -> None:
        from backtester.market.validate import validate_panel

        for item in ("times", "prices", *OPTIONAL):
            values = getattr(self, item)
            if values is not None and values.flags.writeable:
                object.__setattr__(self, item, frozen(values, values.dtype))
        object.__setattr__(self, "calendar", self.calendar.fixed(self.times))
        validate_panel(self)

    @property
    def bars(self) -> int:
        """Number of stamps T."""
        return len(self.times)

    @property
    def paths(self) -> int:
        """Number of paths P."""
        return int(self.prices.shape[1])

    @cached_property
    def trading_days(self) -> Float:
        """Trading time of each stamp in days since the first, (T,)."""
        return self.calendar.trading_days(self.times)

    @cached_property
    def days_per_bar(self) -> float:
        """Median trading time between stamps, in days."""
        return float(np.median(np.diff(self.trading_days)))

    @cached_property
    def returns(self) -> Float:
        """Simple returns of each bar, (T−1, P, N)."""
        return np.asarray(self.prices[1:] / self.prices[:-1] - 1.0)

    def index(self, asset: str, who: str = "the study") -> int:
        """Column of `asset`; raises DataError naming `who` asked for it."""
        if asset not in self.assets:
            raise DataError(
                f"{who} needs asset {asset!r}, which market {self.name!r} lacks",
                cure=did_you_mean(asset, self.assets),
            )
        return self.assets.index(asset)

    def indices(self, assets: Sequence[str], who: str = "the study") -> Int:
        """Columns of several assets, (len,)."""
        return np.array([self.index(a, who) for a in assets], dtype=np.int64)

    def path(self, p: int) -> MarketPanel:
        """The panel of one path alone."""
        return self.select(np.array([p]))

    def select(self, paths: Int) -> MarketPanel:
        """The panel of some paths, in the order given."""
        pick = {"prices": self.prices[:, paths]}
        for item in OPTIONAL:
            values = getattr(self, item)
            if values is not None:
                pick[item] = values if values.shape[1] == 1 < self.paths else values[:, paths]
        return self._with(**pick)

    def until(self, bars: int) -> MarketPanel:
        """The first `bars` stamps; used to show that decisions do not look ahead."""
        return self.between(0, bars)

    def between(self, start: int, stop: int) -> MarketPanel:
        """The stamps with index in [start, stop)."""
        pick: dict[str, Any] = {"times": self.times[start:stop], "prices": self.prices[start:stop]}
        for item in OPTIONAL:
            values = getattr(self, item)
            if values is not None:
                pick[item] = values[start:stop]
        return self._with(**pick)

    @staticmethod
    def stacked(panels: Sequence[MarketPanel]) -> MarketPanel:
        """Panels of the same times and assets side by side on the path axis."""
        first = panels[0]
        for other in panels[1:]:
            if other.assets != first.assets or not np.array_equal(other.times, first.times):
                raise DataError(
                    f"markets {first.name!r} and {other.name!r} differ in times or assets",
                    cure="Draw them from one scenario with the same bars.",
                )
        pick: dict[str, Any] = {"prices": np.concatenate([p.prices for p in panels], axis=1)}
        for item in OPTIONAL:
            parts = [getattr(p, item) for p in panels]
            if item == "tradable" and any(v is not None for v in parts):
                always = np.ones((first.bars, 1, len(first.assets)), dtype=np.bool_)
                parts = [always if v is None else v for v in parts]
            if parts[0] is not None:
                wide = [
                    np.broadcast_to(v, (v.shape[0], p.paths, *v.shape[2:]))
                    for v, p in zip(parts, panels, strict=True)
                ]
                pick[item] = np.concatenate(wide, axis=1)
        return first._with(**pick)

    def _with(self, **changes: Any) -> MarketPanel:
        from dataclasses import replace

        return replace(self, **changes)

    def daily_volatility(self, halflife: float = 20.0) -> Float:
        """Causal EWMA volatility per √day, (T, P, N): the σ of the square-root impact law.

        Half-life in trading days; the first bar's own squared return starts the recursion. At the
        first stamp, before any return, it is zero: nothing is known yet.
        """
        elapsed = np.diff(self.trading_days)
        variance = np.empty_like(self.prices)
        current = self.returns[0] ** 2 / elapsed[0]
        variance[0], variance[1] = 0.0, current
        for t in range(2, self.bars):
            weight = 1.0 - 0.5 ** (elapsed[t - 1] / halflife)
            current = current + weight * (self.returns[t - 1] ** 2 / elapsed[t - 1] - current)
            variance[t] = current
        return np.sqrt(variance)

    @cached_property
    def digest(self) -> str:
        """sha256 of everything that can change a result."""
        state = hashlib.sha256()
        state.update(repr((self.assets, self.calendar, self.regime_names)).encode())
        for item in ("times", "prices", "regime", *FIELDS, "tradable"):
            values = getattr(self, item)
            if values is not None:
                state.update(item.encode())
                state.update(np.ascontiguousarray(values).tobytes())
        return state.hexdigest()

    @classmethod
    def from_frame(
        cls,
        prices: pd.DataFrame,
        *,
        calendar: str | Calendar,
        half_spread: pd.DataFrame | float | None = None,
        depth: pd.DataFrame | float | None = None,
        funding: pd.DataFrame | None = None,
        volume: pd.DataFrame | None = None,
        tradable: pd.DataFrame | None = None,
        assume_tz: str | None = None,
        missing: str = "error",
        name: str = "market",
    ) -> MarketPanel:
        """A one-path panel from a wide frame: DatetimeIndex × asset.

        Parameters
        ----------
        calendar: ``"24/7"`` (365 days a year) or ``"sessions"`` (252).
        half_spread: fraction of price, a number or a frame like `prices`.
        depth: money tradable in a day at one daily volatility of impact, a number or a frame.
        funding: fraction of notional paid by a long at each stamp; stamps between two prices are
            added up at the later one; a column may be missing (no funding). A settlement may not:
            a gap, or an end before the prices, is an error; an empty cell is one unless only
            other assets settle at that stamp. A late beginning is noted.
        tradable: whether orders fill, a frame like `prices` of True and False (1 and 0); what is
            stated holds until the next row. None: always.
        assume_tz: zone of an index without one; such an index is otherwise an error.
        missing: ``"error"``; ``"drop"`` keeps stamps at which every asset has a price; ``"hold:N"``
            holds the last price for at most N stamps, at which nothing fills. What was repaired is
            counted in `notes`.

        What looks wrong but can be used (bars missing, a spike, a price that stands still, a level
        that shifts) is a warning in `notes`; see `market.quality`.
        """
        from backtester.market.frames import panel_arrays
        from backtester.market.quality import data_warnings

        days = calendar if isinstance(calendar, Calendar) else calendar_named(calendar)
        arrays, notes = panel_arrays(
            prices,
            {
                "half_spread": half_spread,
                "depth": depth,
                "funding": funding,
                "volume": volume,
                "tradable": tradable,
            },
            assume_tz=assume_tz,
            missing=missing,
            name=name,
        )
        panel = cls(calendar=days, name=name, notes=notes, **arrays)
        found = data_warnings(panel)
        return panel._with(notes=(*notes, *found)) if found else panel

    def to_frame(self, path: int = 0) -> pd.DataFrame:
        """Prices of one path as a wide frame."""
        import pandas as pd

        index = pd.DatetimeIndex(self.times.astype("datetime64[ns]"), tz="UTC", name="time")
        return pd.DataFrame(self.prices[:, path].copy(), index=index, columns=list(self.assets))

    def __repr__(self) -> str:
        return (
            f"MarketPanel({self.name!r}, {self.bars} bars × {self.paths} paths × "
            f"{len(self.assets)} assets, {iso(int(self.times[0]))} to {iso(int(self.times[-1]))}, "
            f"{self.calendar.name})"
        )
