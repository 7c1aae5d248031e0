"""A long path of a known scenario, calibrated once."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from backtester_scenarios.copula_garch import CopulaGarch

from backtester.calibration import CopulaCalibration, calibrate_copula
from backtester.calibration.files import log_basis

PERPETUALS = {"A-PERP": "A"}


def truth(bars_per_day: float = 1.0) -> CopulaGarch:
    """Three assets, a perpetual, two regimes far apart."""

    def regime(rho: float, volatility: float, nu: float, days: float) -> dict[str, Any]:
        return {
            "duration_days": days,
            "volatility": {"A": volatility, "B": 0.8 * volatility, "C": 0.5 * volatility},
            "correlation": {"default": rho},
            "degrees_of_freedom": nu,
            "funding": {"A-PERP": {"level": 0.1, "volatility": 0.2, "half_life_days": 4.0}},
            "basis": {"A-PERP": {"volatility": 0.001, "half_life_days": 2.0}},
        }

    margins = {
        "A": {"alpha": 0.06, "beta": 0.88, "degrees_of_freedom": 5.0},
        "B": {"alpha": 0.04, "beta": 0.90, "degrees_of_freedom": 6.0},
        "C": {"alpha": 0.08, "beta": 0.80, "degrees_of_freedom": 8.0},
    }
    return CopulaGarch(
        name="truth",
        prices={"A": 100.0, "B": 10.0, "C": 1.0},
        perpetuals=PERPETUALS,
        margins=margins,
        regimes={
            "normal": regime(0.4, 0.4, 6.0, 240.0),
            "crisis": regime(0.8, 1.6, 4.0, 60.0),
        },
    )


def inputs(bars: int, seed: int = 21) -> dict[str, Any]:
    """Arguments of `calibrate_copula` from one path, at the true share of crisis bars."""
    panel = truth().draw(first=0, paths=1, bars=bars, seed=seed)
    prices = panel.to_frame()
    assert panel.funding is not None and panel.regime is not None
    funding = pd.DataFrame({"A-PERP": panel.funding[:, 0, 3]}, index=prices.index)
    return {
        "prices": prices[["A", "B", "C"]],
        "funding": funding.iloc[1:],
        "basis": log_basis(prices, PERPETUALS),
        "perpetuals": PERPETUALS,
        "crisis_share": float((panel.regime == 1).mean()),
    }


@pytest.fixture(scope="session")
def fitted() -> CopulaCalibration:
    """3,000 bars of `truth`, calibrated."""
    return calibrate_copula(**inputs(3000))
