"""Advice: what happens to the hedge when the book, the prices or the calendar are changed.

An honest strategy may fail these – it may trade round lots, or know the day of the week – so they
never fail a check.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backtester.arrays import NANOSECONDS_PER_DAY
from backtester.laws.bench import Bench, setup_for
from backtester.laws.record import Record, apart, record
from backtester.laws.report import CheckResult, note
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup

_CLOSE = 1e-6  # of the largest hedge


def twice_the_book(bench: Bench) -> CheckResult:
    """Twice the exposure and the capital: twice the hedge."""
    return _compare(
        bench,
        "twice the book",
        bench.panel(),
        replace(setup_for(bench.layout, size=2.0), rebalance=bench.setup.rebalance),
        2.0,
        "doubling exposure and capital does not double the hedge: amounts of money are fixed "
        "somewhere, or shrink to nothing on a large book",
    )


def other_units(bench: Bench) -> CheckResult:
    """Prices quoted in other units: the same hedge in money."""
    panel = bench.panel()
    rescaled = replace(panel, prices=panel.prices * 128.0)
    return _compare(
        bench,
        "price units",
        rescaled,
        bench.setup,
        1.0,
        "quoting every price in other units moves the hedge: returns do not depend on the unit, "
        "price levels do",
    )


def another_year(bench: Bench) -> CheckResult:
    """The same prices 364 days later: the same hedge, unless the calendar matters."""
    panel = bench.panel()
    later = replace(panel, times=panel.times + 364 * NANOSECONDS_PER_DAY)
    return _compare(
        bench,
        "calendar date",
        later,
        bench.setup,
        1.0,
        "the same prices a year later are hedged otherwise: it depends on the date",
    )


def _compare(
    bench: Bench, name: str, panel: MarketPanel, setup: RunSetup, factor: float, what: str
) -> CheckResult:
    taken = record(bench.fresh(), panel, setup)
    if taken.error is not None:
        return note(name, False, f"{taken.error.what}", taken.error.when)
    size = _size(bench.baseline)
    for t, values in bench.baseline.decisions.items():
        now = taken.decisions.get(t)
        if now is None:
            return note(name, False, f"{what} (it decides at other times)")
        gap = float(apart(values["hedges"] * factor, now["hedges"]).max())
        if gap > _CLOSE * max(size * factor, 1.0):
            return note(name, False, f"{what} (by {gap:.3g} of money)", _when(bench.baseline, t))
    return note(name, True, "the hedge follows" if factor != 1.0 else "the hedge does not move")


def _size(taken: Record) -> float:
    return max((float(np.abs(v["hedges"]).max()) for v in taken.decisions.values()), default=0.0)


def _when(taken: Record, t: int) -> str:
    from backtester.clock import iso

    return iso(taken.times[t])
