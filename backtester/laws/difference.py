"""The first place at which two records differ, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.clock import iso
from backtester.laws.market import Layout
from backtester.laws.record import AXES, Record, Values, apart, same


@dataclass(frozen=True)
class Difference:
    """Where and by how much."""

    t: int
    time: int
    text: str
    rounding: bool = False  # so small that only the order of additions can be the cause

    @property
    def when(self) -> str:
        """ISO 8601."""
        return iso(self.time)


def first_difference(
    a: Record, b: Record, layout: Layout, *, until: int | None = None
) -> Difference | None:
    """The earliest event ≤ `until` at which `b`, or its monitors, did otherwise than `a`."""
    for t in sorted({*a.decisions, *a.events, *b.decisions, *b.events}):
        if until is not None and t > until:
            return None
        for one, two in (
            (a.events.get(t), b.events.get(t)),
            (a.decisions.get(t), b.decisions.get(t)),
        ):
            found = _apart(t, one, two, a, b, layout)
            if found is not None:
                return found
    return None


def _apart(
    t: int, one: Values | None, two: Values | None, a: Record, b: Record, layout: Layout
) -> Difference | None:
    """How the items of one event differ, if they do."""
    if one is None and two is None:
        return None
    if two is None:
        why = f" ({b.error.what})" if b.error is not None else ""
        return Difference(t, a.times[t], f"no decision was reached{why}")
    if one is None:
        return Difference(t, b.times[t], "a decision or event came that was not there before")
    name = contrast(one, two)
    if name is None:
        return None
    text = _words(name, one.get(name), two.get(name), layout)
    return Difference(t, a.times[t], text, _tiny(one.get(name), two.get(name)))


def contrast(a: Values, b: Values) -> str | None:
    """The first item of two decisions that differs."""
    for name in [*a, *(n for n in b if n not in a)]:
        if name not in a or name not in b or not same(a[name], b[name]):
            return name
    return None


def _tiny(a: Any, b: Any) -> bool:
    numbers = isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype.kind == "f"
    if not numbers or a.shape != b.shape:
        return False
    return bool(apart(a, b).max() <= 1e-9 * max(float(np.abs(a).max()), 1e-300))


def _words(name: str, a: Any, b: Any, layout: Layout) -> str:
    if a is None or b is None:
        return f"{name} is {'absent, then there' if a is None else 'there, then absent'}"
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return f"{name} is {a!r}, then {b!r}"
    if a.shape != b.shape:
        return f"{name} has shape {a.shape}, then {b.shape}"
    where = tuple(int(i) for i in np.argwhere(apart(a, b) > 0)[0])
    size = float(apart(a, b)[where])
    return f"{name}{_place(name, where, layout)} is {a[where]:.6g}, then {b[where]:.6g}" + (
        f" (apart by {size:.3g})" if np.isfinite(size) and a.dtype.kind == "f" else ""
    )


def _place(name: str, where: tuple[int, ...], layout: Layout) -> str:
    """An index in words: the path and the assets or instruments it points at."""
    axes = AXES.get(name, ("paths",))[-len(where) :] if where else ()
    parts, path = [], ""
    for axis, i in zip(axes, where, strict=False):
        if axis == "paths":
            path = f" on path {i}"
        elif axis == "assets":
            parts.append(layout.assets[i])
        elif axis == "instruments":
            parts.append(layout.instruments[i])
        else:
            parts.append(f"row {i}")
    return (f" of {' / '.join(parts)}" if parts else "") + path
