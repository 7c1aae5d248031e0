"""Frozen events: what happens at one instant, on which paths."""

from __future__ import annotations

from dataclasses import dataclass

from backtester.arrays import Bool, Byte, Float
from backtester.records import record


@record
class Event:
    """One tick of the clock."""

    t: int  # index into the panel's times
    time: int  # UTC nanoseconds
    elapsed: float  # trading days since the previous event, 0 at the first
    scheduled: bool  # whether a rebalance is due on every path


@dataclass(frozen=True, slots=True)
class Signal:
    """Something a strategy or monitor saw, kept by the ledger: a named mask over paths."""

    t: int
    time: int
    name: str  # e.g. "correlation_break"
    mask: Bool  # (P,)
    strength: Float | None = None  # (P,), NaN where the mask is off
    direction: Float | None = None  # (P,), ±1, 0 where the mask is off


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorEvent:
    """What a monitor saw at one event. `mask` says where it happens now, on each path.

    A monitor may return one at every event: where nothing happens now the mask is off, and the
    other fields say where things stand. The ledger records it, and a decision is due, where the
    mask is on.
    """

    t: int
    time: int  # UTC nanoseconds
    name: str  # as the ledger's signals are called
    mask: Bool  # (P,) it happens now
    strength: Float  # (P,) how surely, in the monitor's own unit; NaN where there is nothing
    direction: Float  # (P,) +1, −1, or 0 where there is none
    triggers: bool = True  # a decision is due where the mask is on; False only informs


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationBreak(MonitorEvent):
    """The correlation of exposure and hedges has changed.

    Direction −1, weaker, is against the sign it had: from −.8 to −.4, or to +.3. +1 is stronger.
    """

    active: Bool  # (P,) a break is in force, begun now or earlier
    hedges: Byte | None = None  # (P, K) −1 weaker, +1 stronger, 0 no break; None: no single hedge
    before: Float | None = None  # (P, K) correlation of the exposure with each hedge before
    after: Float | None = None  # (P, K) and now


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeChange(MonitorEvent):
    """The market has moved from one regime to another; `after` is where it is on every path."""

    before: Byte  # (P,) regime before this event
    after: Byte  # (P,) regime now
    probability: Float  # (P,) of the regime now
    names: tuple[str, ...]  # the codes index it
    probabilities: Float | None = None  # (P, R) filtered, of every regime
    covariances: Float | None = None  # (P, R, N, N) of each, per day; None where not asked for
