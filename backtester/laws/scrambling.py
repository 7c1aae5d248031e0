"""Law *causality by scrambling*: whatever the future is, decisions up to t do not move.

The future is scaled by ten, shuffled, and replaced by another market's; where a decision moves,
each field is scrambled alone to say which one it came from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from backtester.clock import iso
from backtester.laws.bench import Bench
from backtester.laws.difference import Difference, first_difference
from backtester.laws.record import record
from backtester.laws.report import CheckResult, failed, passed
from backtester.market.panel import OPTIONAL, MarketPanel
from backtester.rng import stream

NAME = "causality: scramble"
MOST = 6  # times, each with every kind of scramble
ITEMS = ("prices", *OPTIONAL)

Values = np.ndarray[Any, Any]
Scramble = Callable[[str, Values, Values, int], Values]
"""(field, its values (T, P, ...), another market's, t) -> values whose rows after t are others."""


def _scaled(item: str, values: Values, other: Values, t: int) -> Values:
    changed = values.copy()
    after = values[t + 1 :]
    if item == "tradable":
        changed[t + 1 :] = ~after
    else:
        changed[t + 1 :] = 1 - after if item == "regime" else 10 * after
    return changed


def _shuffled(item: str, values: Values, other: Values, t: int) -> Values:
    changed = values.copy()
    changed[t + 1 :] = stream(t, "shuffle", 0).permutation(values[t + 1 :])
    return changed


def _replaced(item: str, values: Values, other: Values, t: int) -> Values:
    return np.concatenate([values[: t + 1], _turned(item, other)[t + 1 :]])


def _turned(item: str, other: Values) -> Values:
    """Another market's field; both follow one calendar of regimes, so that one is reversed."""
    return 1 - other if item == "regime" else other


KINDS: dict[str, Scramble] = {
    "multiplied by ten": _scaled,
    "shuffled": _shuffled,
    "replaced by another market's": _replaced,
}


def scrambling(bench: Bench) -> CheckResult:
    """Scramble after several decisions, all fields at once."""
    times = bench.spread(MOST)
    for t in times:
        for how, scramble in KINDS.items():
            found = _moved(bench, t, scramble, ITEMS)
            if found is not None:
                guilty = [item for item in ITEMS if _moved(bench, t, scramble, (item,))]
                blame = f" It comes from {', '.join(guilty)}." if guilty else ""
                return failed(
                    NAME,
                    f"with everything after {iso(bench.baseline.times[t])} {how}, it decides "
                    f"otherwise before: {found.text}.{blame} It reaches the data by a way of its "
                    "own, or uses a statistic of the whole sample: use view and state alone.",
                    found.when,
                )
    return passed(NAME, f"{len(times)} futures × {len(KINDS)} scrambles move nothing before them")


def scrambled(bench: Bench, t: int, scramble: Scramble, items: tuple[str, ...]) -> MarketPanel:
    """The bench's market with some fields of its future scrambled."""
    panel, other = bench.panel(), bench.other()
    changes: dict[str, Any] = {}
    for item in items:
        values = getattr(panel, item)
        if values is not None:
            changes[item] = scramble(item, values, getattr(other, item), t)
    return replace(panel, **changes)


def _moved(bench: Bench, t: int, scramble: Scramble, items: tuple[str, ...]) -> Difference | None:
    taken = record(bench.fresh(), scrambled(bench, t, scramble, items), bench.setup, stop=t)
    return first_difference(bench.baseline, taken, bench.layout, until=t)
