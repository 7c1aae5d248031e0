"""Law *determinism*: the same data decide the same, bit for bit, whatever the global generators."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backtester.laws.bench import Bench
from backtester.laws.difference import Difference, first_difference
from backtester.laws.fingerprint import (
    class_attributes,
    fingerprint,
    instance_fields,
    module_globals,
)
from backtester.laws.record import record
from backtester.laws.report import CheckResult, failed, passed

NAME = "determinism"


def determinism(bench: Bench) -> CheckResult:
    """One instance twice and another once, with the global generators seeded differently."""
    strategy = bench.fresh()
    before = _places(strategy)
    runs, drawn = [], ""
    for seed, instance in ((1, strategy), (2, strategy), (3, bench.fresh())):
        with _seeded(seed) as consumed:
            runs.append(record(instance, bench.panel(), bench.setup))
        drawn = drawn or consumed()
    changed = _changed(before, _places(strategy))
    once, twice, anew = runs
    for other, what in ((twice, "a second run"), (anew, "a run of a second instance")):
        found = first_difference(once, other, bench.layout)
        if found is not None:
            settled = first_difference(twice, anew, bench.layout) is None
            why = _why(drawn, changed, settled)
            return failed(NAME, f"{what} on the same data differs: {found.text}. {why}", found.when)
    if drawn:
        return failed(
            NAME,
            f"it draws from {drawn}, which other code moves too; make a generator in init() from "
            "a fixed seed and carry it in the state",
        )
    return passed(NAME, "three runs agree bit for bit; no global random generator is used")


def repeats(bench: Bench) -> Difference | None:
    """How two fresh runs differ, if they do; other laws cannot judge a strategy that does."""
    again = record(bench.fresh(), bench.panel(), bench.setup)
    return first_difference(bench.baseline, again, bench.layout)


def _why(drawn: str, changed: str, settled: bool) -> str:
    if drawn:
        return f"It draws from {drawn}: make a generator in init() from a fixed seed instead."
    if changed:
        return f"It keeps state between runs in {changed}: carry it in the state instead."
    if settled:
        return (
            "The first run left something behind (a cache, a mutable default) that later runs "
            "read, and with it the future of the data: carry it in the state instead."
        )
    return (
        "It draws unseeded random numbers, reads a clock, or keeps state out of sight: decide "
        "from view, book and state alone (view.time is the market's clock)."
    )


def _places(strategy: Any) -> dict[str, dict[str, str]]:
    """Fingerprints of everything a strategy could keep something in."""
    return {
        "the instance": instance_fields(strategy),
        "the class": class_attributes(type(strategy)),
        "its module": module_globals(type(strategy)),
    }


def _changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> str:
    """Where something changed, in words: "the class (count)"."""
    for place, was in before.items():
        now = after[place]
        names = [n for n in {**was, **now} if was.get(n) != now.get(n)]
        if names:
            return f"{place} ({', '.join(sorted(names)[:3])})"
    return ""


def _marks() -> tuple[str, str]:
    """Where the two global generators stand."""
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is what is meant
    return repr(random.getstate()), fingerprint(state)


@contextmanager
def _seeded(seed: int) -> Iterator[Callable[[], str]]:
    """Seed the global generators; the value tells, afterwards, which were drawn from.

    Both are put back as they were, so a check leaves no trace in the caller's process.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    before, moved = _marks(), [False, False]

    def consumed() -> str:
        names = ("Python's global generator `random`", "numpy's global generator `np.random`")
        return " and ".join(n for n, m in zip(names, moved, strict=True) if m)

    try:
        yield consumed
    finally:
        moved[:] = [was != now for was, now in zip(before, _marks(), strict=True)]
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
