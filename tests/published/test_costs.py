"""Published: what trading, funding and borrowing cost (methods A3, A14)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from backtester_strategies.baselines import StaticHedge

import backtester as bt
from backtester.costs.carry import borrow_cash, funding_cash
from backtester.costs.impact import SquareRootImpact
from backtester.costs.model import CostConfig, CostModel
from backtester.costs.quote import Quote
from backtester.market.panel import MarketPanel

RATE = 1e-4  # an 8-hour interval
A_YEAR = 3 * 365


def test_boyd_ten_million_against_ten_billion() -> None:
    """a = 1 bp, b = 1, σ = 3 % a day: $1,000 of half-spread and $9,486.83 of impact."""
    quote = Quote(
        price=np.array([[100.0]]),
        half_spread=np.array([[1e-4]]),
        depth=np.array([[1e10]]),
        volatility=np.array([[0.03]]),
    )
    model = CostModel.of(CostConfig(fee_bps=0, half_spread_bps=1, impact=1.0), ("X",), ("X",))
    for side in (1e7, -1e7):
        charged = model.charge(np.array([[side]]), quote)
        assert charged["spread"][0] == pytest.approx(1_000.0, rel=1e-12)
        assert charged["impact"][0] == pytest.approx(9_486.83, abs=0.005)
        assert sum(float(c[0]) for c in charged.values()) == pytest.approx(10_486.83, abs=0.005)
    term = SquareRootImpact(1.0)
    assert term.value(np.array([[4e7]]), term.coefficient(quote))[0, 0] == pytest.approx(
        8.0 * 0.03 * 1e7 * np.sqrt(1e7 / 1e10), rel=1e-12
    )


def test_one_basis_point_every_eight_hours_is_ten_point_nine_five_percent() -> None:
    paid = sum(
        float(-funding_cash(np.array(1.0), np.array(1.0), np.array(RATE))) for _ in range(A_YEAR)
    )
    assert paid == pytest.approx(0.1095, rel=1e-12)
    assert pytest.approx(0.11571, abs=5e-6) == (1.0 + RATE) ** A_YEAR - 1.0


def test_stamps_between_two_prices_are_added_up_and_reach_the_short() -> None:
    """Daily prices with 8-hourly funding: a short perpetual earns 10.95 % of its notional."""
    days = pd.date_range("2023-01-01", periods=366, freq="D", tz="UTC")
    still = 100.0 + 1e-5 * (np.arange(len(days)) % 2)  # a price that never moves is refused
    prices = pd.DataFrame({"BTC": still, "BTC-PERP": still}, index=days)
    stamps = pd.date_range("2023-01-01 08:00", "2024-01-01", freq="8h", tz="UTC")
    assert len(stamps) == A_YEAR
    funding = pd.DataFrame({"BTC-PERP": np.full(len(stamps), RATE)}, index=stamps)
    panel = MarketPanel.from_frame(prices, calendar="24/7", funding=funding)
    assert panel.funding is not None
    assert np.allclose(panel.funding[1:, 0, 1], 3 * RATE, rtol=1e-12)
    result = bt.run(
        panel,
        StaticHedge(ratio={"BTC-PERP": -1.0}),
        exposure={"BTC": 1_000_000.0},
        hedge_with=["BTC-PERP"],
        costs={"fee_bps": 0, "half_spread_bps": 0},
    )
    # The first day's stamps come before the first fill: no position, no funding.
    earned = result.pnl()["hedge_carry"]
    assert not earned.iloc[:2].any()
    assert earned.sum() == pytest.approx(1e6 * 3 * RATE * 364, rel=1e-6)
    assert earned.iloc[2:].mean() * 365 == pytest.approx(1e6 * 0.1095, rel=1e-6)


def test_borrow_is_paid_on_shorts_for_the_time_held() -> None:
    units, price = np.array([-2.0, 3.0]), np.array([100.0, 100.0])
    year = sum(borrow_cash(units, price, np.array([0.02, 0.02]), 1 / 365) for _ in range(365))
    assert year[0] == pytest.approx(-2.0 * 100.0 * 0.02, rel=1e-12)
    assert year[1] == 0.0
