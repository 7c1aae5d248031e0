"""Small markets and studies the tests of the Python surface share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from backtester.market.panel import MarketPanel
from backtester.study import Study

ASSETS = ("A", "B", "C", "D")


def frame(bars: int = 200, seed: int = 3, start: str = "2022-01-01") -> pd.DataFrame:
    """Daily prices of four assets that share a factor."""
    rng = np.random.default_rng(seed)
    common = 0.02 * rng.standard_normal((bars, 1))
    steps = common * [1.2, 1.0, 0.8, -0.6] + 0.01 * rng.standard_normal((bars, len(ASSETS)))
    prices = 100.0 * np.exp(np.vstack([np.zeros((1, len(ASSETS))), np.cumsum(steps, axis=0)]))
    index = pd.date_range(start, periods=bars + 1, freq="D", tz="UTC")
    return pd.DataFrame(prices, index=index, columns=list(ASSETS))


def panel(bars: int = 200, **fields: Any) -> MarketPanel:
    """The same as a panel, with optional fields."""
    return MarketPanel.from_frame(frame(bars), calendar="24/7", name="factor", **fields)


def funding(bars: int = 200, rate: float = 3e-4) -> pd.DataFrame:
    """Funding of asset B, alternating about `rate` a day."""
    wide = frame(bars)
    swing = rate * (1.0 + np.where(np.arange(len(wide)) % 3 == 0, -1.5, 0.5))
    return pd.DataFrame({"B": swing}, index=wide.index)


def study(**changes: Any) -> Study:
    """A comparison that runs in a second: two simulated assets, three strategies, one placebo."""
    plan: dict[str, Any] = {
        "name": "small",
        "exposure": {"positions": {"SOL": 1_000_000}},
        "capital": 1_000_000,
        "hedge_with": ["BTC-PERP", "ETH-PERP"],
        "markets": [{"scenario": "regime_switching", "paths": 12, "bars": 90}],
        "strategies": [
            "Naked",
            {"RollingOLS": {"window": 30}},
            {"CrossAssetCorrelationHedge": {"halflife": 20}},
        ],
        "costs": {"fee_bps": 5, "half_spread_bps": 2, "impact": 1.0},
        "placebo_paths": 8,
        "seed": 11,
    }
    return Study.of(plan | changes)
