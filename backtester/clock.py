"""Trading time: calendars, schedules, and the clock as one iterable of events.

Trading time is measured in *days* of the market's calendar: a calendar day for a 24/7 market, a
session for an exchange. Every rate, half-life and horizon in the package uses it, so that nothing
depends on the size of a bar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from backtester.arrays import NANOSECONDS_PER_DAY, Float, Int
from backtester.errors import ConfigError, did_you_mean
from backtester.events import Event


@dataclass(frozen=True)
class Calendar:
    """How trading time runs and how many days a year has."""

    name: str
    days_per_year: float
    bars_per_session: int | None = None  # of a session calendar; None before a panel fixes it

    def fixed(self, times: Int) -> Calendar:
        """The calendar with its bars per session taken from `times`, once and for all.

        A panel cut short keeps the figure of the whole one, so that past trading time stays put.
        """
        if self.name == CONTINUOUS.name or self.bars_per_session is not None:
            return self
        _, counts = np.unique(times // NANOSECONDS_PER_DAY, return_counts=True)
        return replace(self, bars_per_session=int(counts.max()))

    def trading_days(self, times: Int) -> Float:
        """Trading time of each stamp in days since the first, shape (T,).

        On a 24/7 calendar it is elapsed time. On a session calendar each distinct UTC date is one
        session of `bars_per_session` equal bars, so nights and weekends take no time.
        """
        if self.name == CONTINUOUS.name:
            return np.asarray((times - times[0]) / NANOSECONDS_PER_DAY, dtype=np.float64)
        dates = times // NANOSECONDS_PER_DAY
        _, session = np.unique(dates, return_inverse=True)
        first = np.searchsorted(dates, dates, side="left")
        within = np.arange(len(times)) - first
        bars = self.fixed(times).bars_per_session or 1
        clock = session + (within + 1) / bars
        # A history may start inside a session: its first one is counted back from the close.
        opening = session == 0
        clock[opening] += 1.0 - opening.sum() / bars
        return np.asarray(clock - clock[0], dtype=np.float64)


CONTINUOUS = Calendar("24/7", 365.0)
SESSIONS = Calendar("sessions", 252.0)
CALENDARS = {c.name: c for c in (CONTINUOUS, SESSIONS)}


def calendar_named(name: str) -> Calendar:
    """The calendar called `name` (``"24/7"`` or ``"sessions"``); raises ConfigError."""
    if name not in CALENDARS:
        raise ConfigError(f"unknown calendar {name!r}", cure=did_you_mean(name, CALENDARS))
    return CALENDARS[name]


@dataclass(frozen=True)
class Clock:
    """Yields one event per market stamp, marking those at which a rebalance is due.

    `every` is in trading days; a rebalance is due at the first stamp at which at least that much
    trading time has passed since the last one (0: at every stamp). `start` is the first stamp at
    which one may be due.
    """

    times: Int
    trading_days: Float
    every: float
    start: int = 0

    def __iter__(self) -> Iterator[Event]:
        last, previous = -np.inf, float(self.trading_days[0])
        stamps = self.times.tolist()
        for t, now in enumerate(self.trading_days.tolist()):
            # Half a nano-day of slack: 24 hourly steps must add up to one day in floating point.
            scheduled = t >= self.start and now - last >= self.every - 1e-9
            if scheduled:
                last = now
            yield Event(t, stamps[t], now - previous, scheduled)
            previous = now


def iso(time: int) -> str:
    """A UTC stamp in nanoseconds as ISO 8601, for messages."""
    stamp = str(np.datetime64(int(time), "ns").astype("datetime64[s]"))
    return stamp.removesuffix("T00:00:00") + ("" if stamp.endswith("T00:00:00") else "Z")
