"""Quotes of the hedge instruments: panel fields, or the study's figure where one is absent."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic

import numpy as np
import numpy.typing as npt

from backtester.arrays import Bool, Float, G, Int, frozen_slice
from backtester.costs.model import CostConfig, CostModel, per_asset
from backtester.costs.quote import Quote
from backtester.costs.tariff import Tariff
from backtester.errors import DataError
from backtester.market.panel import MarketPanel


class _Field(Generic[G]):
    """A field on every stamp and path, as copies; one path may stand for all."""

    def __init__(self, values: npt.NDArray[G], shape: tuple[int, ...]) -> None:
        self._full = np.broadcast_to(values, shape)
        shared = values.ndim == 1 or values.shape[1] == 1
        same = shared and (values.ndim == 1 or bool((values == values[0]).all()))
        self._always = frozen_slice(self._full[0]) if same else None

    def at(self, t: int) -> npt.NDArray[G]:
        """The slice (P, N) at t; the very same object at every t where the field never changes."""
        return frozen_slice(self._full[t]) if self._always is None else self._always


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
        shape = panel.prices.shape
        self._half_spread = _Field(spread, shape)
        self._depth = None if panel.depth is None else _Field(panel.depth, shape)
        self._funding = None if panel.funding is None else _Field(panel.funding, shape)
        open_ = panel.tradable
        self._tradable = None if open_ is None else _Field(open_, shape)
        self._tradable_k = None if open_ is None else open_[..., index]
        width = 1 if spread.ndim == 1 else spread.shape[1]
        self._spread_k = np.broadcast_to(spread[..., index], (panel.bars, width, len(index)))
        self._depth_k = None if panel.depth is None else panel.depth[..., index]
        self._volatility_k = None
        if model.has_impact:
            self._volatility_k = np.take(panel.daily_volatility(), index, axis=2)
        self._model, self._index = model, index
        self._same = self._shared(panel.prices[..., index[:1]])
        self._tariff: Tariff | None = None
        same = self._same
        if same is not None and self._tradable_k is None and (same == same[0]).all():
            self._tariff = Tariff(same[0], model.powers)

    def _shared(self, price: Float) -> Float | None:
        """Coefficients (T, C, 1, K) of every stamp where all paths share them, else None."""
        fields = (self._spread_k, self._depth_k, self._volatility_k)
        if any(f is not None and f.shape[1] > 1 for f in fields):
            return None
        one = [None if f is None else f[:, 0] for f in fields]  # time in place of paths
        spread, depth, volatility = one
        assert spread is not None
        quote = Quote(np.broadcast_to(price[:, 0], spread.shape), spread, depth, volatility)
        found = self._model.at(quote).coefficients
        terms, _, k = found.shape
        every = np.broadcast_to(found, (terms, len(price), k)).transpose(1, 0, 2)
        return np.ascontiguousarray(every[:, :, None, :])

    def half_spread(self, t: int) -> Float:
        """Half-spread of every asset at t, (P, N) fraction of price."""
        return self._half_spread.at(t)

    def depth(self, t: int) -> Float | None:
        """Depth of every asset at t, (P, N) money a day, where the market publishes it."""
        return None if self._depth is None else self._depth.at(t)

    def funding(self, t: int) -> Float | None:
        """Funding paid at t, (P, N) fraction of notional, where the market has any."""
        return None if self._funding is None else self._funding.at(t)

    def tradable(self, t: int) -> Bool | None:
        """Where orders fill at t, (P, N), where the market says so; else always."""
        return None if self._tradable is None else self._tradable.at(t)

    def at(self, t: int, price: Float) -> Tariff:
        """What an order meets at t; price (P, N) of all assets.

        The very same object at every event where nothing about it changes.
        """
        if self._tariff is not None:
            return self._tariff
        tradable = None if self._tradable_k is None else self._tradable_k[t]
        if self._same is not None:
            return Tariff(self._same[t], self._model.powers, tradable)
        quote = Quote(
            price=price[:, self._index],
            half_spread=self._spread_k[t],
            depth=None if self._depth_k is None else self._depth_k[t],
            volatility=None if self._volatility_k is None else self._volatility_k[t],
        )
        return replace(self._model.at(quote), tradable=tradable)
