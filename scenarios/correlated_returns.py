"""Correlated returns under a Markov chain of regimes, with perpetuals, funding and liquidity."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, Strict, model_validator

from backtester.arrays import Float
from backtester.clock import calendar_named
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.panel import MarketPanel

from .correlation import (
    check_correlation,
    exposure_correlation,
    semidefinite_cholesky,
)
from .regime import Parameters, Positive, Regime
from .simulate import (
    draw_shocks,
    held,
    log_returns,
    regimes_of,
    reverting,
    stamps,
)
from .tables import Tables, build_tables

LARGEST = 2**31


class CorrelatedReturns(Parameters):
    """Log returns N(μ_s, D_s R_s D_s) or Student-t with the same variance, s the bar's regime.

    - *Regimes*: a continuous-time Markov chain with the given expected durations, seen at the ends
      of bars (transition matrix exp(Q Δt)), so that any bar size draws the same law in clock time.
    - *Tails*: multivariate t, L ε √((ν−2)/χ²_ν) with one χ² a day for all assets; unit variance.
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
    regimes: dict[str, Regime] = Field(min_length=1, max_length=100)
    start: str = "stationary"
    days_per_bar: Annotated[float, Strict(), Field(gt=0, le=365)] = 1.0

    @model_validator(mode="after")
    def _consistent(self) -> CorrelatedReturns:
        if not self.name.isprintable():
            raise ScenarioError(
                f"scenario name {self.name!r} cannot be used", cure="Use printable characters."
            )
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

    @cached_property
    def tables(self) -> Tables:
        """Parameters as arrays per regime and bar."""
        return build_tables(self)

    def draw(
        self, *, first: int, paths: int, bars: int, seed: int, correlation: Float | None = None
    ) -> MarketPanel:
        """Paths [first, first + paths) of the ensemble, `bars` bars (bars + 1 stamps).

        correlation: (F, F), or (paths, F, F) one per path, used in every regime instead of the
            regimes' own; F are `spots`. Shocks do not change with it.

        Raises ScenarioError for a range or a correlation that cannot be drawn.
        """
        _range(self.name, first, paths, bars)
        factor = self.tables.factor
        if correlation is not None:
            factor = self._override(np.asarray(correlation, dtype=np.float64), paths)
        return self._draw(first, paths, bars, seed, factor)

    def constant_correlation(self) -> CorrelatedReturns:
        """The placebo twin: the base regime's correlation in every regime, all else the same."""
        matrix = self.tables.correlation[list(self.regimes).index(self.base)]
        same = tuple(tuple(float(x) for x in row) for row in matrix)
        regimes = {n: r.model_copy(update={"correlation": same}) for n, r in self.regimes.items()}
        return self._with(name=f"{self.name} (constant correlation)"[:80], regimes=regimes)

    def with_days_per_bar(self, days: float) -> CorrelatedReturns:
        """The same law in clock time, drawn in bars of `days` days."""
        return self._with(days_per_bar=float(days))

    def with_exposure_correlation(
        self, rho: Float, exposed: tuple[str, ...], hedges: tuple[str, ...]
    ) -> Float:
        """Correlations, (P, F, F), in which exposure and hedge basket have correlation rho (P,).

        See `backtester_scenarios.correlation.exposure_correlation`; the base regime is the start.
        A perpetual stands for its spot. Raises ScenarioError where a hedge is the exposed asset
        or its perpetual: their correlation is not free.
        """
        rho = np.atleast_1d(np.asarray(rho, dtype=np.float64))
        if rho.ndim != 1 or not np.isfinite(rho).all() or (np.abs(rho) > 1).any():
            raise ScenarioError(
                f"correlations of a sweep must lie in [-1, 1], got {rho}", cure="Give rho as (P,)."
            )
        if not exposed or not hedges:
            raise ScenarioError("a sweep needs exposed assets and hedges", cure="Name both.")
        exposed_spot = {self._spot(a, "exposed asset"): a for a in exposed}
        hedge_spot = {self._spot(a, "hedge"): a for a in hedges}
        for spot, hedge in hedge_spot.items():
            if spot in exposed_spot:
                raise ScenarioError(
                    f"hedge {hedge!r} and exposed asset {exposed_spot[spot]!r} are both {spot!r}: "
                    "their correlation is not free",
                    cure="Sweep against hedges on other assets.",
                )
        base = self.tables.correlation[list(self.regimes).index(self.base)]
        return exposure_correlation(base, self.spots, tuple(exposed_spot), tuple(hedge_spot), rho)

    def _spot(self, asset: str, what: str) -> str:
        if asset not in self.assets:
            raise ScenarioError(
                f"{what} {asset!r} is not in scenario {self.name!r}",
                cure=did_you_mean(asset, self.assets),
            )
        return self.perpetuals.get(asset, asset)

    def _with(self, **changes: Any) -> CorrelatedReturns:
        # Through the constructor, not model_copy: that would keep the cached arrays of the old one.
        return type(self)(**{n: getattr(self, n) for n in type(self).model_fields} | changes)

    def _override(self, matrix: Float, paths: int) -> Float:
        who = f"correlation given to scenario {self.name!r}"
        check_correlation(matrix, self.spots, who)
        if matrix.ndim == 3 and len(matrix) != paths:
            raise ScenarioError(
                f"{who} has {len(matrix)} matrices for {paths} paths",
                cure="Give one for all paths, or one per path drawn.",
            )
        factor = semidefinite_cholesky(matrix)
        if matrix.ndim == 2:
            return factor[None]
        return np.ascontiguousarray(factor.transpose(1, 2, 0))[None]  # (1, F, F, P)

    def _draw(self, first: int, paths: int, bars: int, seed: int, factor: Float) -> MarketPanel:
        tables, days, names = self.tables, self.days_per_bar, self.assets
        shocks = draw_shocks(tables, first=first, paths=paths, bars=bars, days=days, seed=seed)
        state = regimes_of(tables, shocks)
        prices = np.empty((bars + 1, paths, len(names)))
        prices[0, :, : len(self.prices)] = list(self.prices.values())
        for i, steps in enumerate(log_returns(tables, factor, shocks, state, days)):
            np.cumsum(steps, axis=0, out=steps)
            prices[1:, :, i] = prices[0, :, i] * np.exp(steps)
        funding = None
        if self.perpetuals:
            funding = self._perpetuals(prices, shocks.funding, shocks.basis, state)
        regime = np.concatenate([state[:1], state])
        prices.flags.writeable = regime.flags.writeable = False  # handed over: no copy needed
        return MarketPanel(
            times=stamps(self.calendar, bars, days),
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
        self, prices: Float, funding_shocks: Float, basis_shocks: Float, state: np.ndarray
    ) -> Float:
        """Fill the perpetuals' prices in place; returns funding (T + 1, P, N)."""
        tables, spots = self.tables, len(self.prices)
        begin = list(self.regimes).index(self.base)
        rate_start = (
            tables.funding.level[state[0]].T
            + tables.funding.spread[state[0]].T * funding_shocks[:, 0]
        )
        rate = reverting(tables.funding, rate_start, funding_shocks[:, 1:], state)
        basis_start = np.repeat(tables.basis.level[begin][:, None], state.shape[1], axis=1)
        basis = reverting(tables.basis, basis_start, basis_shocks, state)
        funding = np.zeros_like(prices)
        for k, spot in enumerate(tables.spot_of):
            prices[0, :, spots + k] = prices[0, :, spot] * np.exp(basis_start[k])
            prices[1:, :, spots + k] = prices[1:, :, spot] * np.exp(basis[k])
            limit = tables.clamp[:, k][state]
            funding[1:, :, spots + k] = np.clip(rate[k], -limit, limit) * tables.years
        funding.flags.writeable = False
        return funding


def _range(name: str, first: int, paths: int, bars: int) -> None:
    if paths < 1 or bars < 1 or first < 0 or first + paths > LARGEST:
        raise ScenarioError(
            f"scenario {name!r} was asked for {paths} paths from path {first}, {bars} bars",
            cure="Ask for at least one path and one bar, counted from path 0.",
        )
