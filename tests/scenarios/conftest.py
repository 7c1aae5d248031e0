"""A small scenario to draw from, with everything in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from backtester_scenarios.correlated_returns import CorrelatedReturns

Make = Callable[..., CorrelatedReturns]


def regime(rho: float, volatility: float, **more: Any) -> dict[str, Any]:
    """One regime of the small scenario."""
    return {
        "volatility": {"A": volatility, "B": volatility / 2, "C": volatility * 1.5},
        "correlation": {"default": rho, "pairs": {"A/C": rho - 0.2}},
        "half_spread_bp": 2.0,
        "depth": {"A": 1e8, "B": 2e8, "C": 3e8, "A-PERP": 4e8},
        "funding": {
            "A-PERP": {"level": 0.1, "volatility": 0.2, "half_life_days": 3.0, "clamp": 0.4}
        },
        "basis": {"A-PERP": {"volatility": 0.002, "half_life_days": 0.7}},
        **more,
    }


@pytest.fixture
def make() -> Make:
    """A factory: keyword arguments replace fields of the scenario."""

    def build(**changes: Any) -> CorrelatedReturns:
        fields: dict[str, Any] = {
            "name": "small",
            "prices": {"A": 100.0, "B": 50.0, "C": 10.0},
            "perpetuals": {"A-PERP": "A"},
            "regimes": {
                "normal": regime(0.5, 0.5, duration_days=40.0),
                "crisis": regime(0.9, 1.0, duration_days=10.0, half_spread_bp=8.0),
            },
        }
        return CorrelatedReturns(**(fields | changes))

    return build
