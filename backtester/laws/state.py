"""Law *state*: nothing carries over from one run to the next."""

from __future__ import annotations

from backtester.laws.bench import Bench
from backtester.laws.difference import first_difference
from backtester.laws.fingerprint import class_attributes, instance_fields
from backtester.laws.record import record
from backtester.laws.report import CheckResult, failed, passed

NAME = "state"


def state(bench: Bench) -> CheckResult:
    """A, then B, then A again with one instance: both A equal, instance and class untouched."""
    strategy = bench.fresh()
    fields, attributes = instance_fields(strategy), class_attributes(bench.kind)
    before = record(strategy, bench.panel(), bench.setup)
    record(strategy, bench.other(), bench.setup)
    after = record(strategy, bench.panel(), bench.setup)
    found = first_difference(before, after, bench.layout)
    if found is not None:
        return failed(
            NAME,
            f"after a run on another market the same data decide otherwise: {found.text}. "
            "Something of a run is kept outside the state (an attribute, a global, a cache, a "
            "mutable default): return it from init() and observe() instead.",
            found.when,
        )
    for what, was, now in (
        ("the instance", fields, instance_fields(strategy)),
        ("the class", attributes, class_attributes(bench.kind)),
    ):
        names = sorted(n for n in {**was, **now} if was.get(n) != now.get(n))
        if names:
            return failed(
                NAME,
                f"a run changed {', '.join(names[:3])} of {what}; parameters stay as they are, "
                "and what evolves belongs into the state",
            )
    return passed(NAME, "a run on another market in between changes nothing")
