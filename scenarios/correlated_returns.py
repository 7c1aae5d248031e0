"""Correlated returns under a Markov chain of regimes, with perpetuals, funding and liquidity."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from backtester.arrays import Byte, Float
from backtester.market.panel import MarketPanel

from .correlation_scenario import CorrelationScenario
from .regime import Regime
from .regime_scenario import check_range
from .simulate import Shocks, log_returns
from .tables import Tables, build_tables


class CorrelatedReturns(CorrelationScenario[Regime]):
    """Log returns N(μ_s, D_s R_s D_s) or Student-t with the same variance, s the bar's regime.

    *Tails*: multivariate t, L ε √((ν−2)/χ²_ν) with one χ² a day for all assets; unit variance.
    Regimes, perpetuals, funding and liquidity are those of every `RegimeScenario`.
    """

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
        check_range(self.name, first, paths, bars)
        factor, tables, days = self._factor(correlation, paths), self.tables, self.days_per_bar
        if correlation is not None and np.ndim(correlation) == 3:
            factor = np.ascontiguousarray(factor.transpose(1, 2, 0))[None]  # (1, F, F, P)

        def fill(prices: Float, shocks: Shocks, state: Byte) -> None:
            for i, steps in enumerate(log_returns(tables, factor, shocks, state, days)):
                np.cumsum(steps, axis=0, out=steps)
                prices[1:, :, i] = prices[0, :, i] * np.exp(steps)

        return self._panel(
            first=first,
            paths=paths,
            bars=bars,
            seed=seed,
            freedoms=[tail.freedom for tail in tables.tails if tail is not None],
            mixing_days=days,
            fill=fill,
        )

    def with_days_per_bar(self, days: float) -> CorrelatedReturns:
        """The same law in clock time, drawn in bars of `days` days."""
        changed: CorrelatedReturns = self._with(days_per_bar=float(days))
        return changed
