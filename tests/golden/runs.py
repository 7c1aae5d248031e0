"""Small runs a person can follow with a calculator, and their ledgers as text.

Prices are written out, so nothing depends on a random number generator. One line an event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from backtester_strategies.baselines import StaticHedge
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge
from backtester_strategies.delta_neutral import DeltaNeutralOffset

from backtester.accounting.exposure import Exposure
from backtester.clock import CONTINUOUS, iso
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.errors import Status
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import Limits
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

DAY = 86_400_000_000_000
COLUMNS = ("exposure_pnl", "hedge_pnl", "carry", "costs", "traded", "equity")
Run = tuple[str, MarketPanel, Strategy[Any], RunSetup]

SPOT = [100.0, 104.0, 101.0, 98.0, 103.0, 97.0, 99.0, 95.0]
MAJOR = [50.0, 51.5, 50.5, 49.5, 51.0, 49.0, 49.5, 48.5]
METAL = [20.0, 20.5, 20.4, 19.5, 19.9, 20.1, 19.6, 19.8]
PERPETUAL = [100.1, 104.2, 101.1, 98.0, 103.3, 97.1, 99.0, 95.2]
RATE = [0.0, 3e-4, 2e-4, -1e-4, 4e-4, 1e-4, 0.0, -2e-4]


def panel(names: tuple[str, ...], *columns: list[float], **fields: Any) -> MarketPanel:
    """Daily events from 2 January 2023."""
    prices = np.array(columns).T[:, None, :]
    times = np.arange(len(prices), dtype=np.int64) * DAY + 19_359 * DAY
    return MarketPanel(times, names, prices, CONTINUOUS, **fields)


def static_hedge() -> Run:
    """Ratio -0.8, fixed units of exposure, fee and half-spread: every figure is by hand."""
    return (
        "StaticHedge: 1,000,000 of SPOT in fixed units, h = -0.8 e in MAJOR, decided daily, filled "
        "at the next event; fee 5 bp, half-spread 2 bp.",
        panel(("SPOT", "MAJOR"), SPOT, MAJOR),
        StaticHedge(ratio={"MAJOR": -0.8}),
        RunSetup(
            exposure=Exposure(("SPOT",), np.array([1e6])),
            instruments=("MAJOR",),
            costs=CostConfig(fee_bps=5, half_spread_bps=2),
            hedging=HedgeSettings(1e6),
        ),
    )


def cross_asset() -> Run:
    """The optimiser with costs: a no-trade band, two hedges, a gross limit."""
    return (
        "CrossAssetCorrelationHedge: 1,000,000 of SPOT at constant notional, hedged with MAJOR and "
        "METAL; EWMA half-life 2 days, lambda 5, horizon calibrated; fee 5 bp, half-spread 2 bp; "
        "gross limit 1,500,000.",
        panel(("SPOT", "MAJOR", "METAL"), SPOT, MAJOR, METAL),
        CrossAssetCorrelationHedge(halflife=2.0),
        RunSetup(
            exposure=Exposure(("SPOT",), np.array([1e6]), hold="notional"),
            instruments=("MAJOR", "METAL"),
            costs=CostConfig(fee_bps=5, half_spread_bps=2),
            hedging=HedgeSettings(1e6, limits=Limits(gross=1.5e6)),
        ),
    )


def delta_neutral() -> Run:
    """Spot and perpetual with everything charged: fee, spread, impact, borrow and funding."""
    shape = (len(SPOT), 1, 2)
    funding, spread = np.zeros(shape), np.empty(shape)
    funding[:, 0, 1] = RATE
    spread[:] = [3e-4, 1e-4]
    depth = np.full(shape, 5e8)
    names = ("BTC", "BTC-PERP")
    return (
        "DeltaNeutralOffset: 10,000 BTC against BTC-PERP, band 2 %, half-life 2 days; fee 4 bp, "
        "half-spread 1 bp, impact 1 on a depth of 500,000,000 a day, borrow 200 bp a year on "
        "shorts, funding as stamped.",
        panel(
            names, SPOT, PERPETUAL, funding=funding, half_spread=spread, depth=depth, name="carry"
        ),
        DeltaNeutralOffset(halflife=2.0),
        RunSetup(
            exposure=Exposure(("BTC",), np.array([10_000.0]), unit="units"),
            instruments=("BTC-PERP",),
            costs=CostConfig(fee_bps=4, impact=1.0, borrow_bps=200),
            hedging=HedgeSettings(1e6),
        ),
    )


RUNS: dict[str, Callable[[], Run]] = {
    "static_hedge": static_hedge,
    "cross_asset": cross_asset,
    "delta_neutral": delta_neutral,
}


def table(name: str) -> str:
    """The run called `name` as text: what it is, then one line an event."""
    what, market, strategy, setup = RUNS[name]()
    led = run(market, strategy, setup).ledger
    head = ["time", *(f"price:{a}" for a in market.assets), *COLUMNS]
    rows = [[*head, *(f"hedge:{k}" for k in setup.instruments), "status"]]
    for t, stamp in enumerate(market.times):
        carry = led.exposure_carry[t, 0] + led.hedge_carry[t, 0]
        money = [
            led.exposure_pnl[t, 0],
            led.hedge_pnl[t, 0],
            carry,
            led.costs[t, 0].sum(),
            led.traded[t, 0],
            led.equity[t, 0],
            *led.hedges[t, 0],
        ]
        prices = [f"{p:g}" for p in market.prices[t, 0]]
        status = Status(int(led.status[t, 0])).name
        rows.append([iso(int(stamp)), *prices, *(f"{x + 0.0:.12g}" for x in money), status])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([f"# {what}", *lines]) + "\n"
