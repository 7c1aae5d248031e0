"""Quotes of the hedge instruments: panel fields, or the study's figure where one is absent."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.costs.model import CostConfig, CostModel, per_asset
from backtester.costs.quote import Quote
from backtester.errors import DataError
from backtester.market.panel import MarketPanel


class Quotes:
    """Slices of one panel; nothing later than the event asked for is used."""

    def __init__(
        self, panel: MarketPanel, index: Int, config: CostConfig, model: CostModel
    ) -> None:
        self._panel, self._index = panel, index
        self._constant = per_asset(config.half_spread_bps, panel.assets, "half_spread_bps")
        if model.has_impact and panel.depth is None:
            raise DataError(
                f"market {panel.name!r} has no depth, which market impact needs",
                cure="Give the panel a depth field, or set costs.impact to 0.",
            )
        self._volatility = panel.daily_volatility() if model.has_impact else None

    def half_spread(self, t: int) -> Float:
        """Half-spread of every asset at t, (P, N) fraction of price."""
        if self._panel.half_spread is None:
            return np.broadcast_to(self._constant, self._panel.prices[t].shape)
        return self.wide(self._panel.half_spread[t])

    def depth(self, t: int) -> Float | None:
        """Depth of every asset at t, (P, N) money a day, where the market publishes it."""
        return None if self._panel.depth is None else self.wide(self._panel.depth[t])

    def funding(self, t: int) -> Float | None:
        """Funding paid at t, (P, N) fraction of notional, where the market has any."""
        return None if self._panel.funding is None else self.wide(self._panel.funding[t])

    def wide(self, values: Float) -> Float:
        """A slice shared by all paths, on every path; read-only."""
        return np.broadcast_to(values, self._panel.prices.shape[1:])

    def at(self, t: int) -> Quote:
        """What cost terms may look at."""
        depth = self.depth(t)
        return Quote(
            price=self._panel.prices[t][:, self._index],
            half_spread=self.half_spread(t)[:, self._index],
            depth=None if depth is None else depth[:, self._index],
            volatility=None if self._volatility is None else self._volatility[t][:, self._index],
        )
