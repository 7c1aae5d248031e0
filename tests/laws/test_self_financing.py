"""Law 3: total P&L is Σ positions·Δvalue + carry − costs, recomputed from fills and prices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from backtester.engine import run
from backtester.laws.bench import CAPITAL, Bench
from backtester.setup import RunSetup

FullSetup = Callable[..., RunSetup]


@pytest.mark.parametrize("hold", ["units", "notional"])
@pytest.mark.parametrize("execution", ["next_event", "same_close"])
def test_equity_from_first_principles(
    bench: Bench, full_setup: FullSetup, hold: str, execution: str
) -> None:
    setup, panel = full_setup(bench, hold=hold, execution=execution), bench.panel()
    ledger = run(panel, bench.fresh(), setup).ledger
    prices, days = panel.prices, np.diff(panel.trading_days)
    hedges = panel.indices(setup.instruments)
    exposed = panel.indices(setup.exposure.assets)
    assert panel.funding is not None and panel.half_spread is not None and panel.depth is not None

    # Positions held over (t−1, t]: hedges from the fills; the exposure in units or in money.
    held = np.zeros_like(prices)
    held[:, :, hedges] = np.cumsum(ledger.fills, axis=0)
    amounts = setup.exposure.amounts
    if hold == "notional":
        held[:, :, exposed] = amounts / prices[:, :, exposed]
    else:
        held[:, :, exposed] = amounts / prices[0, :, exposed].T
    price_pnl = (held[:-1] * np.diff(prices, axis=0)).sum(axis=2)

    # Carry: funding on the mark at the stamp, borrow on the notional at the start of the bar.
    funding = -(held[:-1] * prices[1:] * panel.funding[1:]).sum(axis=2)
    short = np.minimum(held[:-1] * prices[:-1], 0.0).sum(axis=2)
    borrow = short * setup.costs.borrow_bps * 1e-4 * (days / 365.0)[:, None]

    # Costs: fee and half-spread on money traded, square-root impact on depth.
    money = np.abs(ledger.fills * prices[:, :, hedges])
    depth, volatility = panel.depth[:, :, hedges], panel.daily_volatility()[:, :, hedges]
    costs = (money * (5e-4 + panel.half_spread[:, :, hedges])).sum(axis=2)
    costs += (0.5 * volatility * money * np.sqrt(money / depth)).sum(axis=2)

    change = price_pnl + funding + borrow - costs[1:]
    equity = (
        CAPITAL - costs[0] + np.concatenate([np.zeros((1, panel.paths)), change.cumsum(axis=0)])
    )
    np.testing.assert_allclose(ledger.equity, equity, rtol=0, atol=1e-9 * CAPITAL)
    np.testing.assert_allclose(ledger.costs.sum(axis=2), costs, rtol=1e-12, atol=1e-9)
    total = ledger.exposure_pnl + ledger.hedge_pnl + ledger.exposure_carry + ledger.hedge_carry
    explained = (total - ledger.costs.sum(axis=2)).sum(axis=0)
    np.testing.assert_allclose(ledger.equity[-1] - CAPITAL, explained, atol=1e-9 * CAPITAL)


def test_a_hedge_held_at_the_end_equals_its_fills(bench: Bench, full_setup: FullSetup) -> None:
    panel, setup = bench.panel(), full_setup(bench)
    ledger = run(panel, bench.fresh(), setup).ledger
    units = ledger.fills.sum(axis=0) * panel.prices[-1][:, panel.indices(setup.instruments)]
    np.testing.assert_allclose(ledger.hedges[-1], units, rtol=1e-12, atol=1e-9)
