"""From a signed statistic of each pair to a `CorrelationBreak`: bounds and hysteresis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from backtester.arrays import Byte, Float
from backtester.errors import ConfigError
from backtester.events import CorrelationBreak
from backtester.market.view import MarketView

Sides = Literal["both", "weaker", "stronger"]
"""Which breaks a monitor looks for."""

NAME = "correlation_break"
RELEASE = 0.5  # a break ends where the statistic has come back to this share of the bound


def latch(code: Byte, statistic: Float, bound: float, sides: Sides = "both") -> Byte:
    """Breaks in force after `statistic` (P, K), signed: −1 weaker, +1 stronger, 0 none.

    A break begins beyond the bound and ends within half of it; a turn to the other side is a new
    one.
    """
    if sides != "both":
        one = np.minimum if sides == "weaker" else np.maximum
        statistic = one(statistic, 0.0)
    held = code * statistic > RELEASE * bound
    fresh = np.where(np.abs(statistic) > bound, np.sign(statistic), 0.0)
    return np.where(held, code, fresh).astype(np.int8)


def broken(
    view: MarketView,
    was: Byte,
    now: Byte,
    statistic: Float,
    before: Float,
    after: Float,
    bound: float,
    triggers: bool,
) -> CorrelationBreak:
    """The event of all pairs; all (P, K). Strength is in units of the bound, ≥ 1 at its start."""
    begun = (now != 0) & (now != was)
    size = np.where(now != 0, np.abs(statistic) / bound, -np.inf)
    strongest = np.argmax(size, axis=-1)[:, None]
    active = (now != 0).any(axis=-1)
    strength = np.take_along_axis(size, strongest, axis=-1)[:, 0]
    direction = np.take_along_axis(now, strongest, axis=-1)[:, 0].astype(np.float64)
    return CorrelationBreak(
        t=view.t,
        time=view.time,
        name=NAME,
        mask=begun.any(axis=-1),
        strength=np.where(active, strength, np.nan),
        direction=direction,
        triggers=triggers,
        active=active,
        hedges=now,
        before=before,
        after=after,
    )


def bound_for(
    days: float, every: float, table: Sequence[tuple[float, float]], sides: Sides = "both"
) -> float:
    """Bound at which one pair without a change alarms once in `days` trading days on average.

    table: measured (observations between false alarms, bound), increasing; read off linearly in the
    logarithm, as the tails of the statistics are. One observation takes `every` days. The table
    counts both sides, of which each gives about half of the alarms.

    Raises ConfigError outside the measured range: a guess would be no calibration.
    """
    observations = np.array([row[0] for row in table])
    wanted = days / every * (1.0 if sides == "both" else 0.5)
    if not observations[0] <= wanted <= observations[-1]:
        raise ConfigError(
            f"false_alarm_days is {days:g}, sides {sides!r}: {wanted:g} observations between two",
            cure=f"Measured: {observations[0] * every:g} to {observations[-1] * every:g} days.",
        )
    bounds = np.array([row[1] for row in table])
    return float(np.interp(np.log(wanted), np.log(observations), bounds))
