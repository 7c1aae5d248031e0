"""The one simulation loop: every strategy, market and path goes through `run`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.accounting.book import open_book
from backtester.accounting.fills import Fills
from backtester.accounting.ledger import Entry, Ledger
from backtester.accounting.settlement import Settlement
from backtester.arrays import Byte, Float, frozen_slice
from backtester.costs.model import CostModel
from backtester.costs.tariff import Tariff
from backtester.events import Signal
from backtester.execution.broker import Orders, cancelled, execute, joined, order
from backtester.execution.quotes import Quotes
from backtester.execution.transit import Transit
from backtester.guard import guarded
from backtester.hedging.answer import Desk, hedged
from backtester.hedging.contract import checked
from backtester.hedging.horizon import start_diffusion
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketView, PastBuffer
from backtester.monitors.watch import Watch
from backtester.setup import RunSetup, clock_of, market_info
from backtester.strategy import Strategy


@dataclass(frozen=True)
class BlockRun:
    """Everything one block of paths did under one strategy."""

    ledger: Ledger
    horizon: Float  # (T, P) holding horizon in days used at each decision, NaN elsewhere
    routes: dict[str, int]  # solver route -> number of path-decisions
    relaxed: Float  # (3,) largest relaxation of turnover, gross, neutrality, in money
    excess: float  # largest hedge gross beyond its limit after a fill, as a fraction of it
    first: int  # event of the first decision


def run(panel: MarketPanel, strategy: Strategy[Any], setup: RunSetup) -> BlockRun:
    """Run one strategy over one panel, all paths at once.

    Life of an event: mark and accrue what was held, fill orders sent earlier at prices now known,
    observe, monitor, decide where due, send orders, record and reconcile. Where nothing can fill
    after the decision or wait, the accounts are closed before it, in one pass.

    Raises DataError (market and strategy do not fit), StrategyError (the strategy raised or broke
    its contract), AccountingError (a defect).
    """
    who, names, paths = type(strategy).__name__, setup.instruments, panel.paths
    info = market_info(panel, setup)
    for asset in guarded(who, "requires", int(panel.times[0]), strategy.requires):
        panel.index(asset, f"strategy {who}")
    costs = CostModel.of(setup.costs, panel.assets, names)
    desk = Desk.of(names, setup.hedging, paths, costs.gas)
    quotes = Quotes(panel, info.instrument_index, setup.costs, costs)
    warmup = guarded(who, "warmup", int(panel.times[0]), lambda: strategy.warmup)
    clock = clock_of(panel, setup.rebalance, max(setup.start, warmup), who)
    past = PastBuffer(panel)
    units = setup.exposure.units(panel.prices[0], panel.indices(setup.exposure.assets))
    notional = units * panel.prices[0] if setup.exposure.hold == "notional" else None
    settlement = Settlement(costs.borrow, info.instrument_index, notional)
    capital = setup.hedging.capital
    book = open_book(frozen_slice(panel.prices[0]), units, info.instrument_index, capital)
    ledger = Ledger.open(panel.times, paths, len(names), tuple(t.name for t in costs.terms))
    state = guarded(who, "init", int(panel.times[0]), strategy.init, info)
    watch = Watch(strategy, info, who, int(panel.times[0]))
    diffusion = start_diffusion(paths, len(names))
    pending: Orders | None = None
    known: Tariff | None = None
    transit = Transit(setup.delay)
    same_close = setup.execution == "same_close"
    at_once = not same_close and panel.tradable is None  # no order waits, none fills later
    horizons = np.full((panel.bars, paths), np.nan)
    idle: Byte = np.zeros(paths, dtype=np.int8)
    routes: dict[str, int] = {}
    relaxed = np.zeros(3)

    for event in clock:
        t = event.t
        years, funding = event.elapsed / info.days_per_year, quotes.funding(t)
        # A copy: through a slice's base a strategy could reach every later price.
        price = frozen_slice(panel.prices[t])
        tariff = quotes.at(t, price)
        if at_once:
            trades = None if pending is None else pending.units
            book = settlement.account(book, price, funding, years, trades, tariff, ledger)
            pending = None
        else:
            fills: Fills | None = None
            book, pnl = settlement.at(book, price, funding, years)
            if pending is not None and not same_close:
                book, fills, pending = execute(pending, book, tariff)
        past.push(t)
        if tariff is not known:
            known, rates = tariff, tariff.rates(paths)
            cost_rate = frozen_slice(rates[0])
        view = MarketView(
            t=t,
            time=event.time,
            elapsed=event.elapsed,
            now=float(panel.trading_days[t]),
            past=past.prices,
            half_spread=quotes.half_spread(t),
            funding=funding,
            cost_rate=cost_rate,
            depth=quotes.depth(t),
            tradable=quotes.tradable(t),
        )
        state = guarded(who, "observe", event.time, strategy.observe, view, state)
        view, due = watch.step(view, book, event.scheduled, t >= clock.start)
        if view.events:
            ledger.signals += watch.signals(view)
        status, sent = idle, None
        if event.scheduled or np.count_nonzero(due):
            seen = transit.expected(book)
            raw = guarded(who, "decide", event.time, strategy.decide, view, seen, state)
            decision = checked(raw, who, event.time, paths, panel.assets, names)
            trade = due if decision.trade is None else decision.trade & due
            found = hedged(decision, seen, trade, rates, desk, diffusion, view.now)
            # Between scheduled decisions the measured diffusion stands still: it is shared in time,
            # and what happens on one path must not move another.
            diffusion = found.diffusion if event.scheduled else diffusion
            status, horizons[t] = found.status, found.days
            for route, count in found.counts.items():
                routes[route] = routes.get(route, 0) + count
            if found.slack is not None:
                relaxed = np.maximum(relaxed, found.slack)
            sent = order(seen, found.h, trade, status)
            pending = cancelled(pending, due)
            ledger.signals += [
                Signal(t, event.time, name, mask & due)
                for name, mask in decision.signals.items()
                if (mask & due).any()
            ]
        transit, arrived = transit.step(sent)
        pending = joined(pending, arrived)
        if at_once:
            ledger.status[t] = status
            continue
        if pending is not None and same_close:
            book, fills, pending = execute(pending, book, tariff)
        ledger.record(Entry(pnl, fills, status), book)
    return BlockRun(ledger, horizons, routes, relaxed, _excess(ledger, setup), clock.start)


def _excess(ledger: Ledger, setup: RunSetup) -> float:
    """How far fills took the hedges beyond the gross limit that held at the decision, fraction."""
    limit = setup.hedging.limits.gross
    if limit is None:
        return 0.0
    gross = np.abs(ledger.hedges).sum(axis=-1)
    return float(
        np.max(gross / np.maximum(limit, 1e-300) - 1.0, where=ledger.traded > 0, initial=0)
    )
