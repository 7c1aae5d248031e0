"""Law *ensemble*: a path decides the same alone, among others, and in any order."""

from __future__ import annotations

import numpy as np

from backtester.laws.bench import Bench
from backtester.laws.difference import Difference, first_difference
from backtester.laws.record import one_path, record
from backtester.laws.report import CheckResult, failed, passed

NAME = "ensemble"


def ensemble(bench: Bench) -> CheckResult:
    """Each path alone, two together, and all of them in another order."""
    paths = bench.panel().paths
    for p in range(paths):
        found = _against(bench, [p])
        if found is not None:
            return _failed(found, f"path {p} decides otherwise alone than among {paths}")
    found = _against(bench, list(range(paths))[::-1])
    if found is not None:
        return _failed(found, "paths in another order decide otherwise")
    found = _against(bench, [0, paths - 1])
    if found is not None:
        return _failed(found, f"two paths together decide otherwise than among {paths}")
    return passed(NAME, f"{paths} paths together, alone and in another order agree bit for bit")


def _against(bench: Bench, order: list[int]) -> Difference | None:
    """The first difference of a run on the paths of `order` from the baseline."""
    panel = bench.panel().select(np.array(order))
    taken = record(bench.fresh(), panel, bench.setup)
    for place, p in enumerate(order):
        found = first_difference(one_path(bench.baseline, p), one_path(taken, place), bench.layout)
        if found is not None:
            return found
    return None


def _failed(found: Difference, what: str) -> CheckResult:
    why = (
        "Only the last bits differ: a matrix product or a sum across paths rounds differently "
        "with their number; reduce over the last axis alone."
        if found.rounding
        else "It mixes paths (a mean, maximum or rank over the first axis), or depends on their "
        "number (market.paths, len()): treat every path by itself."
    )
    return failed(NAME, f"{what}: {found.text}. {why}", found.when)
