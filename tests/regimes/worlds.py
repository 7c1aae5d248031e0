"""Books and markets with known regimes: a two-state chain, a correlation and a volatility."""

from __future__ import annotations

import numpy as np

from backtester.accounting.exposure import Exposure
from backtester.arrays import Float, Int
from backtester.clock import CONTINUOUS
from backtester.market.panel import MarketPanel

DAY = 86_400_000_000_000
CHAIN = ((0.9979, 0.0021), (0.0120, 0.9880))  # Nystrup et al. (2020)
CALM, WILD = 0.007759, 0.02140
BOOK = Exposure(("S",), np.array([1e6]), hold="notional")


def chain(bars: int, paths: int, seed: int) -> Int:
    """States (bars, paths) of the two-state chain, from its calm state."""
    rng = np.random.default_rng(seed)
    draws = rng.random((bars, paths))
    state = np.zeros((bars, paths), dtype=np.int64)
    for t in range(1, bars):
        state[t] = draws[t] < np.where(state[t - 1] == 0, CHAIN[0][1], CHAIN[1][1])
    return state


def pair(rho: Float, volatility: Float, seed: int, hours: int = 24) -> MarketPanel:
    """Spot S and hedge F with normal log returns; rho and volatility (bars, paths)."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((*rho.shape, 2))
    spot = rho * z[..., 1] + np.sqrt(1.0 - rho**2) * z[..., 0]
    return market(np.stack([spot, z[..., 1]], axis=-1) * volatility[..., None], hours)


def market(returns: Float, hours: int = 24, names: tuple[str, ...] = ("S", "F")) -> MarketPanel:
    """A panel from log returns (bars, paths, assets)."""
    path = np.concatenate([np.zeros((1, *returns.shape[1:])), np.cumsum(returns, axis=0)])
    times = np.arange(len(path), dtype=np.int64) * hours * (DAY // 24) + 18_000 * DAY
    return MarketPanel(times, names, 100.0 * np.exp(path), CONTINUOUS)
