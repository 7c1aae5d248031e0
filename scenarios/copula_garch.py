"""Regime switching with a Student-t copula and GARCH(1,1)-t margins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from pydantic import Field

from backtester.arrays import Byte, Float
from backtester.market.panel import MarketPanel

from .correlation_scenario import CorrelationScenario
from .garch import fill_garch
from .margin import Limit, Margin, MarginTables, margin_tables
from .quantile_map import MapTables, map_tables
from .regime import CopulaRegime
from .regime_scenario import check_range
from .simulate import Shocks
from .tables import CorrelationTables, correlation_fields, market_fields


@dataclass(frozen=True, eq=False)
class CopulaTables(CorrelationTables):
    """With the copulas by regime (S), the margins, and the maps from one to the other."""

    margins: MarginTables
    freedom: tuple[float | None, ...]  # (S) of the copula
    maps: MapTables


class CopulaGarch(CorrelationScenario[CopulaRegime]):
    """Innovations with a t copula by regime and Student-t margins, volatility GARCH(1,1).

    In a bar of regime s, asset i returns μ − h/2 + √h z with h = σ²ₛᵢ gᵢ. Innovations z have unit
    variance and their margin's ν; their dependence is the copula of regime s: correlation and ν,
    so that joint extremes have λ = 2 t_{ν+1}(−√((ν+1)(1−ρ)/(1+ρ))) of a chance. The variance
    g' = (1−α−β) + g (α z² + β) is carried from regime to regime, E[g] = 1, so σₛᵢ is the volatility
    of regime s and clustering does not stop where the regime does.

    `correlation` is the copula's. Where margins have the copula's ν it is the correlation of the
    innovations too; else that is a little less (.797 for ρ = .8, ν = 4, margins of ν = 8). At ±1
    innovations are functions of each other.

    Attributes
    ----------
    margins: α, β and ν of each asset that is not a perpetual, per bar of `days_per_bar`.
    innovation_limit: largest innovation in standard deviations, with the variance kept: without it
        tails fitted to a few years draw days that no history of any length has shown.

    χ² is drawn once a bar. GARCH is not the same law in other bars (Drost & Nijman 1993), so the
    bar is part of the scenario.
    """

    margins: dict[str, Margin] = Field(min_length=1)
    innovation_limit: Limit | None = None

    @cached_property
    def tables(self) -> CopulaTables:
        """Parameters as arrays per regime and bar."""
        margins = margin_tables(self.margins, self.spots, self.innovation_limit, self.name)
        freedom = tuple(r.degrees_of_freedom for r in self.regimes.values())
        return CopulaTables(
            **market_fields(self),
            **correlation_fields(self),
            margins=margins,
            freedom=freedom,
            maps=map_tables(freedom, margins.freedom),
        )

    def draw(
        self, *, first: int, paths: int, bars: int, seed: int, correlation: Float | None = None
    ) -> MarketPanel:
        """Paths [first, first + paths) of the ensemble, `bars` bars (bars + 1 stamps).

        correlation: (F, F), or (paths, F, F) one per path, of the copula in every regime instead of
            the regimes' own; F are `spots`. Shocks do not change with it.

        Raises ScenarioError for a range or a correlation that cannot be drawn.
        """
        check_range(self.name, first, paths, bars)
        factor, tables = self._factor(correlation, paths), self.tables
        of_path = correlation is not None and np.ndim(correlation) == 3

        def fill(prices: Float, shocks: Shocks, state: Byte) -> None:
            fill_garch(
                prices, shocks.returns, state, factor, of_path, shocks.gamma, tables.freedom, tables
            )

        return self._panel(
            first=first,
            paths=paths,
            bars=bars,
            seed=seed,
            freedoms=[nu for nu in tables.freedom if nu is not None],
            mixing_days=max(self.days_per_bar, 1.0),
            fill=fill,
        )

    def _base_dependence(self) -> dict[str, Any]:
        """The whole copula of the base regime: tails are dependence too."""
        nu = self.tables.freedom[self._base_index()]
        return super()._base_dependence() | {"degrees_of_freedom": nu}
