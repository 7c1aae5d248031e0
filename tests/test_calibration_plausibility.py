"""Scales of one's own market: what was put in comes out, and what is missing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from backtester_scenarios.correlated_returns import CorrelatedReturns

from backtester.calibration.plausibility import (
    plausibility_scales,
    rolling_correlation,
    windows_of,
)
from backtester.errors import DataError
from backtester.market.panel import MarketPanel
from backtester.overlay_files import OVERLAYS, overlay_named
from backtester.plausibility import Scale

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
BARS = 2000


def market(**changes: Any) -> MarketPanel:
    """One path with two regimes, a perpetual, a spread and a depth that move with the regime."""

    def regime(volatility: float, rho: float, spread: float, depth: float) -> dict[str, Any]:
        return {
            "duration_days": 60.0,
            "volatility": volatility,
            "correlation": {"default": rho},
            "degrees_of_freedom": 4.0,
            "half_spread_bp": spread,
            "depth": depth,
            "funding": {"A-PERP": {"level": 0.1, "volatility": 0.4, "half_life_days": 5.0}},
            "basis": {"A-PERP": {"volatility": 0.002, "half_life_days": 2.0}},
        }

    scenario = CorrelatedReturns(
        name="truth",
        prices={"A": 100.0, "B": 50.0, "C": 10.0},
        perpetuals={"A-PERP": "A"},
        regimes={"normal": regime(0.5, 0.3, 2.0, 1e8), "crisis": regime(1.5, 0.8, 8.0, 2e7)},
    )
    drawn = scenario.draw(first=0, paths=1, bars=BARS, seed=4)
    fields = {
        name: getattr(drawn, name)
        for name in ("times", "assets", "prices", "calendar", "half_spread", "depth", "funding")
    }
    return MarketPanel(**(fields | {"name": "mine"} | changes))


def test_every_parameter_of_a_full_market_is_scaled() -> None:
    found = plausibility_scales(market(), leader="B", source="a simulation")
    assert set(found.missing) == {"Depeg.depth", "Outage.duration_days"}
    for overlay, scales in found.scales.items():
        for name, scale in scales.items():
            assert scale.source == "a simulation" and scale.window_days == 30.0
            kind = overlay_named(overlay)
            assert name in {p.name for p in kind.parameters()}
            assert Scale.model_validate(scale.model_dump(mode="json")) == scale
    z = found.scales
    # regimes three times as volatile: a threefold rise is usual, a tenfold one is not
    volatility = z["Volatility"]["multiplier"]
    assert 0.02 < volatility.probability(3.0) < 0.3
    assert volatility.probability(10.0) < 0.01
    assert 0.02 < z["Liquidity"]["depth_loss"].probability(0.78) < 0.5
    assert z["Liquidity"]["depth_loss"].probability(0.95) < 0.03
    assert z["Liquidity"]["spread_factor"].probability(16.0) < 0.03
    assert 0.02 < z["CorrelationPath"]["theta"].probability(0.5) < 0.3
    assert z["Decoupling"]["kept"].probability(-0.9) < z["Decoupling"]["kept"].probability(0.5)
    # stationary deviation .4, monthly extremes about twice that
    assert z["FundingShock"]["level"].value(0.3) == pytest.approx(0.5, abs=0.35)
    assert z["FundingShock"]["basis"].probability(0.02) < 0.01


def test_jumps_are_the_extremes_of_a_month() -> None:
    panel = market()
    steps = np.diff(np.log(panel.prices[:, 0, 1]))
    lows = [steps[i : i + 30].min() for i in range(len(steps) - 29)]
    wanted = np.expm1(np.quantile(lows, 0.1))
    scale = plausibility_scales(panel, leader="B").scales["Jump"]["size"]
    assert scale.probability(wanted) == pytest.approx(0.1, abs=0.01)
    assert scale.source.startswith("mine, 2000-01-01 to 2005-")


def test_a_pegged_coin_and_gaps() -> None:
    panel = market()
    price = np.array(panel.prices)
    price[:, 0, 2] = 1.0 - 0.001 * np.abs(np.sin(np.arange(BARS + 1)))
    price[900:905, 0, 2] = 0.88
    coin = MarketPanel(panel.times, panel.assets, price, panel.calendar, name="coin")
    scale = plausibility_scales(coin, pegged=("C",)).scales["Depeg"]["depth"]
    assert scale.probability(0.1) == pytest.approx(30 / BARS, rel=0.3)  # one month of 66
    keep = np.ones(BARS + 1, dtype=bool)
    keep[[500, 501, 800, 1200, 1201, 1202]] = False
    gaps = MarketPanel(
        panel.times[keep], panel.assets, panel.prices[keep], panel.calendar, name="gaps"
    )
    found = plausibility_scales(gaps).scales["Outage"]["duration_days"]
    assert found.probability(1.0) > found.probability(3.0) > 0.0


def test_rolling_correlation_is_that_of_each_window() -> None:
    shocks = np.random.default_rng(1).standard_normal((40, 3))
    rolled = rolling_correlation(shocks, 10)
    part = shocks[7:17]
    cross = part.T @ part
    root = np.sqrt(np.diagonal(cross))
    assert rolled.shape == (31, 3, 3)
    assert rolled[7] == pytest.approx(cross / np.outer(root, root))


def test_what_cannot_be_measured_says_so() -> None:
    plain = market(half_spread=None, depth=None, funding=None)
    found = plausibility_scales(plain)
    assert "no depth" in found.missing["Liquidity.depth_loss"]
    assert "no funding" in found.missing["FundingShock.level"]
    with pytest.raises(DataError, match=r"windows of 300 days \(300 bars\) need 5 bars each"):
        windows_of(plain, 300.0)
    with pytest.raises(DataError, match="need 5 bars each"):
        windows_of(plain, 2.0)
    with pytest.raises(DataError, match="has 2 paths"):
        plausibility_scales(MarketPanel.stacked([plain, plain]))
    with pytest.raises(DataError, match="needs asset 'D'"):
        plausibility_scales(plain, leader="D")
    with pytest.raises(DataError, match="needs asset 'USDC'"):
        plausibility_scales(plain, pegged=("USDC",))


def test_the_file_of_defaults_names_every_overlay() -> None:
    data = yaml.safe_load((ROOT / "scenarios/overlays/scales.yaml").read_text(encoding="utf-8"))
    assert set(data["scales"]) == set(OVERLAYS) - {"Label"}


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not at hand")
def test_the_defaults_are_what_the_data_says() -> None:
    from backtester.calibration.scales import text

    kept = (ROOT / "scenarios/overlays/scales.yaml").read_text(encoding="utf-8")
    assert text(DATA) == kept


def test_a_history_of_sessions() -> None:
    dates = pd.bdate_range("2015-01-01", periods=800)
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        100 * np.exp(np.cumsum(rng.standard_normal((800, 2)) * 0.01, axis=0)),
        index=dates,
        columns=["SPY", "TLT"],
    )
    panel = MarketPanel.from_frame(frame, calendar="sessions", assume_tz="UTC")
    found = plausibility_scales(panel)
    assert {"CorrelationPath", "Decoupling", "Volatility", "Jump"} >= set(found.scales)
    assert "Outage.duration_days" in found.missing
