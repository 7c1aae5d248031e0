"""What every regime-switching generator shares: chain, perpetuals, funding, liquidity, stamps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

import numpy as np
from pydantic import Field, Strict, model_validator

from backtester.arrays import Byte, Float
from backtester.clock import calendar_named
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.panel import MarketPanel

from .regime import MarketState, Parameters, Positive
from .simulate import Shocks, draw_shocks, held, regimes_of, reverting, stamps
from .tables import MarketTables

LARGEST = 2**31
R = TypeVar("R", bound=MarketState)
Fill = Callable[[Float, Shocks, Byte], None]
"""Writes the prices (T, P, F) of the assets that are not perpetuals after the first stamp."""


class RegimeScenario(Parameters, Generic[R]):
    """A market whose regimes follow a Markov chain; a generator adds the law of its returns.

    - *Regimes*: a continuous-time Markov chain with the given expected durations, seen at the ends
      of bars (transition matrix exp(Q Δt)), so that any bar size draws the same law in clock time.
    - *Perpetuals*: log(perpetual / spot) is an Ornstein–Uhlenbeck process, so the two never drift
      apart; the funding rate is another, clamped, and accrues rate × Δt on every bar.
    - *Liquidity*: half-spread and depth are constant within a regime.

    Attributes
    ----------
    prices: price of each asset that is not a perpetual at the first stamp; fixes the column order.
    perpetuals: perpetual → its spot; their columns follow.
    regimes: name → parameters. The base regime is ``normal``, or the first.
    start: ``stationary`` (long-run shares) or the name of a regime.
    days_per_bar: trading time of a bar.

    Funding, basis and return shocks are independent of one another. Every path is a pure function
    of (seed, path): no parameter enters a stream's key, so scenarios share their shocks.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    calendar: Literal["24/7", "sessions"] = "24/7"
    prices: dict[str, Positive] = Field(min_length=1)
    perpetuals: dict[str, str] = Field(default_factory=dict)
    regimes: dict[str, R] = Field(min_length=1, max_length=100)
    start: str = "stationary"
    days_per_bar: Annotated[float, Strict(), Field(gt=0, le=365)] = 1.0

    @model_validator(mode="after")
    def _consistent(self) -> RegimeScenario[R]:
        check_name(self.name)
        for perpetual, spot in self.perpetuals.items():
            if spot not in self.prices:
                raise ScenarioError(
                    f"perpetual {perpetual!r} follows {spot!r}, which scenario {self.name!r} lacks",
                    cure=did_you_mean(spot, self.prices),
                )
            if perpetual in self.prices:
                raise ScenarioError(
                    f"{perpetual!r} is both a perpetual and an asset with a price of its own",
                    cure="Remove it from prices: a perpetual follows its spot.",
                )
        _ = self.tables
        return self

    @property
    def assets(self) -> tuple[str, ...]:
        """Columns of the panel, N: `spots`, then perpetuals."""
        return (*self.prices, *self.perpetuals)

    @property
    def spots(self) -> tuple[str, ...]:
        """Assets that are not perpetuals, F: the axis of every correlation matrix."""
        return tuple(self.prices)

    @property
    def regime_names(self) -> tuple[str, ...]:
        """Names of the regimes, S, as in the panel."""
        return tuple(self.regimes)

    @property
    def base(self) -> str:
        """The regime others are measured against: ``normal``, or the first."""
        return "normal" if "normal" in self.regimes else next(iter(self.regimes))

    @property
    @abstractmethod
    def tables(self) -> MarketTables:
        """Parameters as arrays per regime and bar."""

    def _base_index(self) -> int:
        return list(self.regimes).index(self.base)

    def _with(self, **changes: Any) -> Any:
        # Through the constructor, not model_copy: that would keep the cached arrays of the old one.
        return type(self)(**{n: getattr(self, n) for n in type(self).model_fields} | changes)

    def _panel(
        self,
        *,
        first: int,
        paths: int,
        bars: int,
        seed: int,
        freedoms: list[float],
        mixing_days: float,
        fill: Fill,
    ) -> MarketPanel:
        """Paths [first, first + paths) with the returns that `fill` makes of the shocks.

        freedoms, mixing_days: what `draw_shocks` draws χ² for, and how often.
        """
        tables, days, names = self.tables, self.days_per_bar, self.assets
        times = stamps(self.calendar, bars, days, self.name)  # before anything is drawn
        shocks = draw_shocks(
            tables, freedoms, first=first, paths=paths, bars=bars, days=mixing_days, seed=seed
        )
        state = regimes_of(tables, shocks.uniform)
        prices = np.empty((bars + 1, paths, len(names)))
        prices[0, :, : len(self.prices)] = list(self.prices.values())
        fill(prices, shocks, state)
        funding = None
        if self.perpetuals:
            funding = self._perpetuals(prices, shocks.funding, shocks.basis, state)
        regime = np.concatenate([state[:1], state])
        prices.flags.writeable = regime.flags.writeable = False  # handed over: no copy needed
        return MarketPanel(
            times=times,
            assets=names,
            prices=prices,
            calendar=calendar_named(self.calendar),
            half_spread=None if tables.half_spread is None else held(tables.half_spread, state),
            depth=None if tables.depth is None else held(tables.depth, state),
            funding=funding,
            regime=regime,
            regime_names=tuple(self.regimes),
            name=self.name,
        )

    def _perpetuals(
        self, prices: Float, funding_shocks: Float, basis_shocks: Float, state: Byte
    ) -> Float:
        """Fill the perpetuals' prices in place; returns funding (T + 1, P, N)."""
        tables, spots = self.tables, len(self.prices)
        rate_start = (
            tables.funding.level[state[0]].T
            + tables.funding.spread[state[0]].T * funding_shocks[:, 0]
        )
        rate = reverting(tables.funding, rate_start, funding_shocks[:, 1:], state)
        level = tables.basis.level[self._base_index()]
        basis_start = np.repeat(level[:, None], state.shape[1], axis=1)
        basis = reverting(tables.basis, basis_start, basis_shocks, state)
        funding = np.zeros_like(prices)
        for k, spot in enumerate(tables.spot_of):
            prices[0, :, spots + k] = prices[0, :, spot] * np.exp(basis_start[k])
            prices[1:, :, spots + k] = prices[1:, :, spot] * np.exp(basis[k])
            limit = tables.clamp[:, k][state]
            funding[1:, :, spots + k] = np.clip(rate[k], -limit, limit) * tables.years
        funding.flags.writeable = False
        return funding


def check_name(name: str) -> None:
    """Raise ScenarioError for a name that a report could not show on one line."""
    if not name.isprintable():
        raise ScenarioError(
            f"scenario name {name!r} cannot be used", cure="Use printable characters."
        )


def check_range(name: str, first: int, paths: int, bars: int) -> None:
    """Raise ScenarioError for a range of paths or a number of bars that cannot be drawn."""
    if paths < 1 or bars < 1 or first < 0 or first + paths > LARGEST:
        raise ScenarioError(
            f"scenario {name!r} was asked for {paths} paths from path {first}, {bars} bars",
            cure="Ask for at least one path and one bar, counted from path 0.",
        )
