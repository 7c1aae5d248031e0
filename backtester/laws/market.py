"""Small synthetic markets made to measure: they hold the assets a strategy asks for.

Correlated Student-t returns, daily bars around the clock, one perpetual that follows its spot and
pays funding; spreads, depth and volume vary. Only numpy: no plugin can be at fault here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, get_args, get_origin

import numpy as np

from backtester.arrays import NANOSECONDS_PER_DAY, Bool, Byte, Float
from backtester.clock import CONTINUOUS
from backtester.market.panel import MarketPanel
from backtester.rng import stream
from backtester.strategy import Strategy

START = int(np.datetime64("2021-01-01", "ns").astype(np.int64))
SPOT = ("BTC", "ETH")
HEDGES = ("BTC-PERP", "STOCK", "GOLD")
AFTER_WARMUP = 70  # bars in which decisions fall
SHORTEST = 100


@dataclass(frozen=True)
class Layout:
    """Names of a synthetic market: what is held and what may hedge it."""

    exposed: tuple[str, ...]
    instruments: tuple[str, ...]

    @property
    def assets(self) -> tuple[str, ...]:
        """Every column, exposed ones first."""
        return (*self.exposed, *self.instruments)


def layouts(strategy: Strategy[Any]) -> tuple[Layout, ...]:
    """Markets that may suit `strategy`, most likely first.

    The assets it requires, and the names its parameters hold, are hedges if they can be, else
    part of what is held. A perpetual's spot is held.
    """
    asked = tuple(dict.fromkeys([*strategy.requires(), *_names(strategy)]))
    spots = [a.removesuffix("-PERP") for a in asked if a.endswith("-PERP")]
    held = tuple(dict.fromkeys([*(s for s in spots if s not in asked), *SPOT]))
    exposed = tuple(a for a in held if a not in asked)[:2]
    spare = ("COIN-A", "COIN-B")
    exposed = (*exposed, *spare[: 2 - len(exposed)])
    hedges = tuple(dict.fromkeys([*asked, *HEDGES]))
    found = [Layout(exposed, tuple(h for h in hedges if h not in exposed))]
    if asked:
        rest = tuple(h for h in HEDGES if h not in asked)
        found.append(Layout(asked, rest))
        if len(asked) > 1:
            found.append(Layout(asked[:1], (*asked[1:], *rest)))
    return tuple(found)


def bars_for(strategy: Strategy[Any]) -> int:
    """Daily bars enough for the warm-up and some decisions after it."""
    return max(SHORTEST, ceil(strategy.warmup) + AFTER_WARMUP)


def paths_for(layout: Layout) -> int:
    """A number of paths that no other axis has, so that a mistaken axis cannot fit by chance."""
    taken = (len(layout.assets), len(layout.instruments), len(layout.exposed))
    return next(p for p in (3, 4, 5, 6, 7) if p not in taken)


def synthetic(layout: Layout, *, bars: int, paths: int, seed: int) -> MarketPanel:
    """A panel of `layout`; path p is the same whatever the number of paths."""
    draws = [_path(layout, bars, stream(seed, "laws", p)) for p in range(paths)]
    fields: dict[str, Any] = {
        name: np.stack([d[name] for d in draws], axis=1)
        for name in ("prices", "half_spread", "depth", "funding", "volume")
    }
    regime: Byte = np.stack([d["regime"] for d in draws], axis=1).astype(np.int8)
    tradable: Bool = np.stack([d["tradable"] for d in draws], axis=1) > 0.02
    return MarketPanel(
        times=START + NANOSECONDS_PER_DAY * np.arange(bars, dtype=np.int64),
        assets=layout.assets,
        calendar=CONTINUOUS,
        regime=regime,
        regime_names=("normal", "crisis"),
        tradable=tradable,
        name="synthetic",
        **fields,
    )


def bare(panel: MarketPanel) -> MarketPanel:
    """The same prices without any optional field."""
    return replace(
        panel,
        half_spread=None,
        depth=None,
        funding=None,
        volume=None,
        regime=None,
        regime_names=(),
        tradable=None,
    )


def nearly_constant(panel: MarketPanel, asset: str) -> MarketPanel:
    """The panel with one asset that hardly moves: a peg, or a market that sleeps."""
    prices = panel.prices.copy()
    column = panel.assets.index(asset)
    prices[:, :, column] = 1.0
    prices[::25, :, column] = 1.0 + 1e-9
    return replace(panel, prices=prices)


def _path(layout: Layout, bars: int, rng: np.random.Generator) -> dict[str, Float]:
    """One path, field by field, each (T, N)."""
    names, n = layout.assets, len(layout.assets)
    hedge = np.array([a in layout.instruments for a in names])
    loading = np.where(hedge, np.where(np.arange(n) % 3 == 2, -0.5, 0.6), 0.85)
    common = rng.standard_normal((bars, 1))
    own = rng.standard_normal((bars, n))
    fat = np.sqrt(4.0 / rng.chisquare(6.0, size=(bars, 1)))
    regime = (np.arange(bars) // 40 % 2).astype(np.float64)
    daily = np.where(hedge, 0.02, 0.03) * (1.0 + 0.8 * regime[:, None])
    returns = daily * fat * (loading * common + np.sqrt(1.0 - loading**2) * own)
    for i, name in enumerate(names):
        spot = name.removesuffix("-PERP")
        if spot != name and spot in names:
            basis = 0.002 * rng.standard_normal(bars)
            returns[:, i] = returns[:, names.index(spot)] + basis
    returns[0] = 0.0
    start = 10.0 ** (1 + np.arange(n) % 4)
    perpetual = np.array([a.endswith("-PERP") for a in names])
    noise = rng.standard_normal((bars, n))
    return {
        "prices": start * np.exp(np.cumsum(np.clip(returns, -0.4, 0.4), axis=0)),
        "half_spread": 1e-4 * np.exp(0.3 * noise),
        "depth": 1e8 * np.exp(0.5 * rng.standard_normal((bars, n))),
        "funding": np.where(perpetual, 3e-4 + 2e-4 * noise, 0.0),
        "volume": 1e7 * np.exp(0.5 * rng.standard_normal((bars, n))),
        "regime": regime,
        "tradable": rng.random((bars, n)),
    }


def _names(strategy: Strategy[Any]) -> list[str]:
    """Names among the parameters that were given: free text, not one of a list of choices."""
    found: list[str] = []
    for field in strategy.model_fields_set:
        info = type(strategy).model_fields[field]
        if _free(info.annotation):
            found += _strings(getattr(strategy, field))
    return [name for name in found if 0 < len(name) <= 80 and name.isprintable()]


def _free(annotation: Any) -> bool:
    """Whether `annotation` can hold arbitrary names: str itself, or a container or union of it."""
    if annotation is str:
        return True
    return get_origin(annotation) is not None and any(_free(a) for a in get_args(annotation))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [s for pair in value.items() for part in pair for s in _strings(part)]
    if isinstance(value, Iterable) and not isinstance(value, np.ndarray):
        return [s for item in value for s in _strings(item)]
    return []
