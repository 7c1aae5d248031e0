"""What a strategy decided, event by event, taken down while the real engine runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Float
from backtester.engine import run
from backtester.errors import BacktesterError
from backtester.events import MonitorEvent
from backtester.laws.fingerprint import fingerprint
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo, MarketView
from backtester.setup import RunSetup
from backtester.strategy import Strategy

Values = dict[str, Any]
"""Item of a decision, such as ``risk.covariance`` -> array or plain value."""

# Axes of every item a decision may carry; the one called "paths" may be missing.
AXES = {
    "hedges": ("paths", "instruments"),
    "exposure": ("paths", "assets"),
    "risk.covariance": ("paths", "assets", "assets"),
    "risk.notional": ("paths", "instruments"),
    "trade": ("paths",),
    "eligible": ("paths", "instruments"),
    "scale": ("paths",),
    "carry": ("paths", "instruments"),
    "neutrality.rows": ("paths", "rows", "assets"),
    "neutrality.band": ("paths", "rows"),
    "neutrality.target": ("paths", "rows"),
    "limits.lower": ("paths", "instruments"),
    "limits.upper": ("paths", "instruments"),
    "limits.gross": ("paths",),
    "limits.turnover": ("paths",),
}


DUE = "due"  # the item that says on which paths a decision counts


class _Enough(BacktesterError):
    """Ends a run once everything of interest has been decided."""


@dataclass
class Record:
    """Decisions and what monitors saw, by event index; the error that ended the run, if any."""

    decisions: dict[int, Values] = field(default_factory=dict)
    events: dict[int, Values] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)  # event index -> UTC nanoseconds
    error: BacktesterError | None = None


def record(
    strategy: Strategy[Any], panel: MarketPanel, setup: RunSetup, *, stop: int | None = None
) -> Record:
    """Run `strategy` and keep what it decides, up to and including event `stop`.

    An error of the strategy ends the record; decisions before it are kept.
    """
    taken = Record()
    decide, monitors = strategy.decide, strategy.monitors

    def spy(view: MarketView, book: Book, state: Any) -> Any:
        if stop is not None and view.t > stop:
            raise _Enough("everything needed was seen", cure="None needed.")
        decision = decide(view, book, state)
        # By the engine's own account: hedges are what earlier decisions led to.
        due = {} if view.due is None else {DUE: view.due}
        taken.decisions[view.t] = {"hedges": book.hedges, **due, **flat(decision)}
        taken.times[view.t] = view.time
        return decision

    def spies(market: MarketInfo) -> tuple[Any, ...]:
        return tuple(_spy(m, i, taken) for i, m in enumerate(monitors(market)))

    with watched(strategy, decide=spy, monitors=spies):
        try:
            run(panel, strategy, setup)
        except _Enough:
            return taken
        except BacktesterError as error:
            taken.error = without_frames(error)
    return taken


def _spy(monitor: Any, place: int, taken: Record) -> Any:
    """`monitor`, its events taken down; under its own name, which messages show."""

    def step(self: Any, view: MarketView, book: Book, state: Any) -> Any:
        answer = monitor.step(view, book, state)
        after, event = answer if isinstance(answer, tuple) and len(answer) == 2 else (None, None)
        seen = taken.events.setdefault(view.t, {f"state of monitor {place}": fingerprint(after)})
        if isinstance(event, MonitorEvent):
            seen |= flat(event, f"events[{place}].")
        taken.times[view.t] = view.time
        return answer

    def init(self: Any, market: MarketInfo) -> Any:
        return monitor.init(market)

    return type(type(monitor).__name__, (), {"init": init, "step": step})()


def without_frames(error: BacktesterError) -> BacktesterError:
    """`error` without its tracebacks, whose frames would keep the market it ran on alive."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = None
        link = link.__cause__ or link.__context__
    return error


@contextmanager
def watched(strategy: Strategy[Any], **methods: Callable[..., Any]) -> Iterator[None]:
    """`strategy` with some methods replaced on this instance alone.

    A subclass would change what `type(self)` and class attributes are, and so what is tested.
    """
    strategy.__dict__.update(methods)
    try:
        yield
    finally:
        for name in methods:
            strategy.__dict__.pop(name, None)


def flat(decision: Any, prefix: str = "") -> Values:
    """Items of a decision by dotted name; arrays are copied."""
    found: Values = {}
    for item in fields(decision) if is_dataclass(decision) else ():
        name, value = prefix + item.name, getattr(decision, item.name)
        if value is None:
            continue
        if is_dataclass(value):
            found[name] = type(value).__name__
            found |= flat(value, f"{name}.")
        elif item.name == "signals":
            found |= {f"signals.{key}": np.array(mask) for key, mask in value.items()}
        elif isinstance(value, np.ndarray | list | float | int):
            found[name] = np.array(value)
        else:
            found[name] = value
    return found


def one_path(taken: Record, path: int) -> Record:
    """The record as path `path` alone would have it; shared items are kept as they are.

    A decision that is due on other paths only is none of its own; of an event, a path has what
    happens on it now. States of monitors hold every path and are left out.
    """
    decisions = {
        t: {name: _pick(name, value, path) for name, value in values.items()}
        for t, values in taken.decisions.items()
        if DUE not in values or values[DUE][path]
    }
    events = {}
    for t, values in taken.events.items():
        on = {name.removesuffix("mask") for name, v in values.items() if _hit(name, v, path)}
        own = {n: _pick(n, v, path) for n, v in values.items() if n[: n.find(".") + 1] in on}
        if own:
            events[t] = own
    return Record(decisions, events, taken.times, taken.error)


def _hit(name: str, value: Any, path: int) -> bool:
    return name.endswith(".mask") and bool(value[path])


def _pick(name: str, value: Any, path: int) -> Any:
    axes = AXES.get(name, ("paths",))
    if not isinstance(value, np.ndarray) or value.ndim < len(axes):
        return value
    return value[path]


def same(a: Any, b: Any) -> bool:
    """Bit for bit, NaN like NaN; +0 and −0 are one number."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape:
            return False
        if a.dtype.kind in "fc" and b.dtype.kind in "fc":
            return bool(np.array_equal(a, b, equal_nan=True))
        return bool(np.array_equal(a, b))
    return type(a) is type(b) and bool(np.all(a == b))


def apart(a: Any, b: Any) -> Float:
    """|a − b| where numbers can be compared; NaN against a number is infinite."""
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        gap = np.abs(x - y)
    return np.where(np.isnan(x) & np.isnan(y), 0.0, np.where(np.isnan(gap), np.inf, gap))
