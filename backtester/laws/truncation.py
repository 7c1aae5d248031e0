"""Law *causality by truncation*: data that end right after t decide the same up to t."""

from __future__ import annotations

from backtester.clock import iso
from backtester.laws.bench import Bench
from backtester.laws.difference import first_difference
from backtester.laws.record import record
from backtester.laws.report import CheckResult, failed, passed

NAME = "causality: cut"
MOST = 30  # cuts


def truncation(bench: Bench) -> CheckResult:
    """Cut after many decisions; every decision up to each cut must be bit-equal."""
    cuts = bench.spread(MOST)
    for t in cuts:
        cut = record(bench.fresh(), bench.panel().until(t + 1), bench.setup)
        found = first_difference(bench.baseline, cut, bench.layout, until=t)
        if found is not None:
            end = iso(bench.baseline.times[t])
            return failed(
                NAME,
                f"on data that end right after {end} it decides otherwise: {found.text}. It uses "
                "what comes later, or how much of it there is (len(view.past)): decide from "
                "view.prices, view.history(n) and the state alone.",
                found.when,
            )
    return passed(NAME, f"the same decisions on data cut after each of {len(cuts)} decisions")
