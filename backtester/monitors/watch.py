"""The monitors of one run: their states, their events checked and frozen, and who is due."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Protocol

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Bool, frozen_slice
from backtester.clock import iso
from backtester.errors import StrategyError
from backtester.events import MonitorEvent, Signal
from backtester.guard import guarded
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.monitor import Monitor


class Subscriber(Protocol):
    """What has monitors: a strategy."""

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        """What to watch."""
        ...


class Watch:
    """Steps a strategy's monitors; owned by the engine, one per run.

    Raises StrategyError where a monitor raises or what it returns is not an event of P paths.
    """

    def __init__(self, strategy: Subscriber, market: MarketInfo, who: str, time: int) -> None:
        """who: name of the strategy; time: UTC nanoseconds of the first event."""
        self._who, self._paths = who, market.paths
        found = guarded(who, "monitors", time, strategy.monitors, market)
        bad = [m for m in found if not (hasattr(m, "init") and hasattr(m, "step"))]
        if bad:
            raise StrategyError(
                f"strategy {who} has the monitor {bad[0]!r}, which lacks init or step",
                cure="Return a tuple of instances that implement backtester.monitors.Monitor.",
            )
        self._monitors = tuple(found)
        self._states = [
            guarded(who, _step(m, "init"), time, m.init, market) for m in self._monitors
        ]
        self._none, self._all = np.zeros(market.paths, np.bool_), np.ones(market.paths, np.bool_)

    def step(
        self, view: MarketView, book: Book, scheduled: bool, started: bool
    ) -> tuple[MarketView, Bool]:
        """The view with this event's findings, and the paths (P,) on which a decision is due.

        scheduled: all paths are due; started: decisions may be due at all.
        """
        due = self._all if scheduled else self._none
        if not self._monitors:
            return view, due
        events = []
        for i, monitor in enumerate(self._monitors):
            who, step = self._who, _step(monitor, "step")
            answer = guarded(who, step, view.time, monitor.step, view, book, self._states[i])
            if not (isinstance(answer, tuple) and len(answer) == 2):
                raise self._wrong(monitor, view, f"returned {type(answer).__name__}")
            self._states[i] = answer[0]
            if answer[1] is not None:
                events.append(self._checked(monitor, view, answer[1]))
        if started and not scheduled:
            for event in events:
                if event.triggers:
                    due = due | event.mask
        return replace(view, events=tuple(events), due=due), due

    def signals(self, view: MarketView) -> list[Signal]:
        """What the ledger keeps of this event: where something happened."""
        return [
            Signal(e.t, e.time, e.name, e.mask, e.strength, e.direction)
            for e in view.events
            if e.mask.any()
        ]

    def _checked(self, monitor: Monitor[Any], view: MarketView, event: Any) -> MonitorEvent:
        """The event with read-only arrays; what it says must be usable on every path."""
        if not isinstance(event, MonitorEvent):
            raise self._wrong(monitor, view, f"returned the event {event!r}")
        for name, kinds in (("mask", "b"), ("strength", "f"), ("direction", "fi")):
            value = getattr(event, name)
            if (
                not isinstance(value, np.ndarray)
                or value.shape != (self._paths,)
                or value.dtype.kind not in kinds
            ):
                shape = getattr(value, "shape", type(value).__name__)
                raise self._wrong(
                    monitor,
                    view,
                    f"returned {name} of shape {shape} and type "
                    f"{getattr(value, 'dtype', type(value).__name__)}, expected "
                    f"({self._paths},) {'bool' if kinds == 'b' else 'float'}",
                )
        if np.isnan(event.strength[event.mask]).any():
            raise self._wrong(monitor, view, "returned a strength that is NaN where the mask is on")
        changes: dict[str, Any] = {"t": view.t, "time": view.time}
        for item in fields(event):
            value = getattr(event, item.name)
            if isinstance(value, np.ndarray):
                if value.shape[:1] != (self._paths,):
                    raise self._wrong(
                        monitor, view, f"returned {item.name} of shape {value.shape}, paths first"
                    )
                changes[item.name] = frozen_slice(value)
        return replace(event, **changes)

    def _wrong(self, monitor: Monitor[Any], view: MarketView, what: str) -> StrategyError:
        return StrategyError(
            f"monitor {type(monitor).__name__} of strategy {self._who} {what}",
            when=iso(view.time),
            cure="step() returns (state, event or None); an event's mask is (paths,) bool, its "
            "strength and direction (paths,) numbers, the strength NaN only where the mask is off.",
        )


def _step(monitor: Monitor[Any], method: str) -> str:
    return f"{type(monitor).__name__}.{method}"
