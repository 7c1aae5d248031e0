"""Frozen events: what happens at one instant, on which paths."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto

from backtester.arrays import Bool, Float


class Kind(Flag):
    """What is due at an event; several may be due at once."""

    MARKET = auto()
    REBALANCE = auto()


@dataclass(frozen=True, slots=True)
class Event:
    """One tick of the clock."""

    t: int  # index into the panel's times
    time: int  # UTC nanoseconds
    elapsed: float  # trading days since the previous event, 0 at the first
    kind: Kind


@dataclass(frozen=True, slots=True)
class Signal:
    """Something a strategy or monitor saw, kept by the ledger: a named mask over paths."""

    t: int
    time: int
    name: str  # e.g. "correlation_break"
    mask: Bool  # (P,)
    strength: Float | None = None  # (P,), NaN where the mask is off
