"""Small markets to lay overlays over: simulated with two regimes and a perpetual, and a history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from backtester_scenarios.correlated_returns import CorrelatedReturns
from backtester_scenarios.overlaid import Overlaid

from backtester.market.panel import MarketPanel
from backtester.overlay import Overlay
from backtester.overlay_files import overlay_of

FIELDS = ("prices", "half_spread", "depth", "funding", "regime", "tradable")


def regime(rho: float, volatility: float, **more: Any) -> dict[str, Any]:
    """One regime of the small scenario."""
    return {
        "volatility": {"A": volatility, "B": volatility / 2, "C": volatility * 1.5},
        "correlation": {"default": rho, "pairs": {"A/C": rho - 0.2}},
        "half_spread_bp": 2.0,
        "depth": {"A": 1e8, "B": 2e8, "C": 3e8, "A-PERP": 4e8},
        "funding": {"A-PERP": {"level": 0.1, "volatility": 0.2, "half_life_days": 3.0}},
        "basis": {"A-PERP": {"volatility": 0.002, "half_life_days": 0.7}},
        **more,
    }


def small(**changes: Any) -> CorrelatedReturns:
    """A, B, C and A-PERP in one normal regime of Student-t returns, or what `changes` says."""
    fields: dict[str, Any] = {
        "name": "small",
        "prices": {"A": 100.0, "B": 50.0, "C": 10.0},
        "perpetuals": {"A-PERP": "A"},
        "regimes": {"normal": regime(0.5, 0.5, degrees_of_freedom=4.0, scale_limit=6.0)},
    }
    return CorrelatedReturns(**(fields | changes))


TWO_REGIMES = {
    "normal": regime(0.5, 0.5, duration_days=40.0, degrees_of_freedom=4.0),
    "crisis": regime(0.9, 1.0, duration_days=10.0, degrees_of_freedom=3.0),
}
SMALL = small()
SWITCHING = small(regimes=TWO_REGIMES)
PANEL = SWITCHING.draw(first=0, paths=8, bars=60, seed=5)

# One of each kind, doing something, with a window inside 60 bars.
TIME = {"start_days": 10.0, "ramp_days": 4.0, "duration_days": 20.0, "recovery_days": 5.0}
KINDS: dict[str, dict[str, Any]] = {
    "CorrelationPath": {"theta": 0.6, "opposed": ["B"], **TIME},
    "Decoupling": {"kept": 0.2, "assets": ["A", "C"], **TIME},
    "Volatility": {"multiplier": 2.5, **TIME},
    "Jump": {"sizes": {"A": -0.4, "B": -0.1}, **TIME},
    "Depeg": {"depth": 0.12, "asset": "B", **TIME},
    "Liquidity": {"depth_loss": 0.7, "spread_factor": 4.0, **TIME},
    "FundingShock": {"level": -1.0, "basis": -0.01, **TIME},
    "Outage": {"start_days": 10.0, "duration_days": 3.0},
    "Label": TIME,
}


def one(kind: str, **changes: Any) -> Overlay:
    """The overlay `kind` of `KINDS`, some of its fields changed."""
    return overlay_of({"overlay": kind, **KINDS[kind], **changes})


def overlaid(*overlays: dict[str, Any], base: Any = SMALL) -> Overlaid:
    """A scenario of the small market under `overlays`."""
    return Overlaid(name="shocked", base=base, overlays=overlays)


def same_bits(a: MarketPanel, b: MarketPanel, *fields: str) -> bool:
    """Whether two panels agree in every bit of `fields` (all of them by default)."""
    for name in fields or FIELDS:
        x, y = getattr(a, name), getattr(b, name)
        if name == "tradable":  # none is always open
            x, y = (np.ones((1, 1, 1), dtype=bool) if v is None else v for v in (x, y))
        if (x is None) != (y is None):
            return False
        if x is not None:
            wide = np.broadcast_shapes(x.shape, y.shape)
            left, right = (np.ascontiguousarray(np.broadcast_to(v, wide)) for v in (x, y))
            if left.tobytes() != right.tobytes():
                return False
    return True


@pytest.fixture
def history() -> MarketPanel:
    """One path without known regimes, spread, depth or funding."""
    drawn = SMALL.draw(first=0, paths=1, bars=200, seed=3)
    return MarketPanel(drawn.times, drawn.assets, drawn.prices, drawn.calendar, name="history")


Steps = Callable[[MarketPanel], np.ndarray]


def steps_of(panel: MarketPanel) -> np.ndarray:
    """Log returns of the three spots, (bars · paths, 3)."""
    return np.diff(np.log(panel.prices[:, :, :3]), axis=0).reshape(-1, 3)
