"""Quotes of the hedge instruments: panel fields, or the study's figure where one is absent."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int, frozen_slice
from backtester.costs.model import CostConfig, CostModel, per_asset
from backtester.costs.quote import Quote
from backtester.errors import DataError
from backtester.market.panel import MarketPanel


class Quotes:
    """Slices of one panel, as copies: nothing later than the event asked for can be reached."""

    def __init__(
        self, panel: MarketPanel, index: Int, config: CostConfig, model: CostModel
    ) -> None:
        if model.has_impact and panel.depth is None:
            raise DataError(
                f"market {panel.name!r} has no depth, which market impact needs",
                cure="Give the panel a depth field, or set costs.impact to 0.",
            )
        constant = per_asset(config.half_spread_bps, panel.assets, "half_spread_bps")
        spread = constant if panel.half_spread is None else panel.half_spread
        volatility = panel.daily_volatility() if model.has_impact else None
        shape = panel.prices.shape
        # One path may stand for all: views without copies, made once a run.
        self._half_spread = np.broadcast_to(spread, shape)
        self._depth = None if panel.depth is None else np.broadcast_to(panel.depth, shape)
        self._funding = None if panel.funding is None else np.broadcast_to(panel.funding, shape)
        self._prices = np.take(panel.prices, index, axis=2)
        self._prices.flags.writeable = False
        self._spread_k = np.broadcast_to(spread[..., index], self._prices.shape)
        self._depth_k = (
            None
            if panel.depth is None
            else np.broadcast_to(panel.depth[..., index], self._prices.shape)
        )
        fills = panel.tradable
        self._tradable = None if fills is None else np.broadcast_to(fills, shape)
        self._tradable_k = (
            None if fills is None else np.broadcast_to(fills[..., index], self._prices.shape)
        )
        self._volatility_k = None if volatility is None else np.take(volatility, index, axis=2)

    def prices(self, t: int) -> Float:
        """Prices of the instruments at t, (P, K), read-only."""
        return frozen_slice(self._prices[t])

    def half_spread(self, t: int) -> Float:
        """Half-spread of every asset at t, (P, N) fraction of price."""
        return frozen_slice(self._half_spread[t])

    def depth(self, t: int) -> Float | None:
        """Depth of every asset at t, (P, N) money a day, where the market publishes it."""
        return None if self._depth is None else frozen_slice(self._depth[t])

    def funding(self, t: int) -> Float | None:
        """Funding paid at t, (P, N) fraction of notional, where the market has any."""
        return None if self._funding is None else frozen_slice(self._funding[t])

    def tradable(self, t: int) -> Bool | None:
        """Where orders fill at t, (P, N), where the market says so; else always."""
        return None if self._tradable is None else frozen_slice(self._tradable[t])

    def at(self, t: int) -> Quote:
        """What cost terms may look at."""
        return Quote(
            price=self._prices[t],
            half_spread=self._spread_k[t],
            depth=None if self._depth_k is None else self._depth_k[t],
            volatility=None if self._volatility_k is None else self._volatility_k[t],
            tradable=None if self._tradable_k is None else self._tradable_k[t],
        )
