"""Rates a year and their units."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.metrics import pnl


def test_units() -> None:
    # 2 years of 1,000 exposed, 10 paid, 4 of carry, 500 traded; volatility 30 % → 10 %.
    exposure_years = np.array(2000.0)
    cost, carry = np.array(10.0), np.array(4.0)
    assert pnl.turnover(np.array(500.0), exposure_years) == pytest.approx(0.25)
    assert pnl.rate_on_exposure(cost, exposure_years) == pytest.approx(50.0)
    assert pnl.rate_on_capital(cost, np.array(2.0), 100.0) == pytest.approx(500.0)
    assert pnl.volatility_percent(np.array(2 * 0.09), np.array(2.0)) == pytest.approx(30.0)
    price = pnl.price_of_volatility(cost, carry, exposure_years, np.array(20.0))
    assert price == pytest.approx(30.0 / 20.0)


def test_no_price_where_nothing_was_removed() -> None:
    one = np.ones(())
    for removed in (0.0, -3.0):
        assert np.isnan(pnl.price_of_volatility(one, one, one, np.array(removed)))
    assert np.isnan(pnl.turnover(one, np.zeros(())))
