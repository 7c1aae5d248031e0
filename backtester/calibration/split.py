"""The ex-post split of a history into normal and crisis bars, and the chain it implies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Float
from backtester.errors import ConfigError, DataError

WINDOW_DAYS = 21.0


@dataclass(frozen=True)
class Split:
    """Crisis bars, and expected durations of the two-state chain in days."""

    crisis: Bool  # (T,)
    episodes: int  # runs of crisis bars
    normal_days: float
    crisis_days: float
    rule: str


def index_of(returns: Float) -> Float:
    """Mean over assets of returns divided by their own standard deviation, (T,)."""
    return np.asarray((returns / returns.std(axis=0, ddof=1)).mean(axis=1))


def split_by_volatility(
    returns: Float, days_per_bar: float, share: float, window_days: float = WINDOW_DAYS
) -> Split:
    """Crisis = bars whose centred realised volatility is above its (1 − share) quantile.

    The volatility is the root mean square, over `window_days` centred on the bar, of the
    equal-weighted index of standardised returns. It looks ahead by half a window, on purpose: an
    ex-post label for scoring and calibration, never for a strategy.

    returns: (T, N) log returns of one bar. Raises ConfigError for a share outside (0, ½] and
    DataError where a regime is never visited or the chain cannot be estimated.
    """
    if not 0.0 < share <= 0.5:
        raise ConfigError(f"crisis share {share:g} is not in (0, 0.5]", cure="0.10 is usual.")
    if not window_days > 0.0:
        raise ConfigError(f"window of {window_days:g} days", cure="Give a positive number of days.")
    bars = max(3, round(window_days / days_per_bar))
    if len(returns) < 3 * bars:
        raise DataError(
            f"{len(returns)} returns are too few for a centred window of {bars} bars",
            cure=f"Give at least {3 * bars} bars, or a shorter window.",
        )
    squares = np.concatenate([[0.0], np.cumsum(index_of(returns) ** 2)])
    here = np.arange(len(returns))
    low = np.maximum(0, here - bars // 2)
    high = np.minimum(len(returns), here + bars // 2 + 1)
    volatility = np.sqrt((squares[high] - squares[low]) / (high - low))
    crisis = volatility > np.quantile(volatility, 1.0 - share)
    enter = int((~crisis[:-1] & crisis[1:]).sum())
    leave = int((crisis[:-1] & ~crisis[1:]).sum())
    if not enter or not leave:
        missing = "a crisis" if not crisis.any() else "the way into and out of a crisis"
        raise DataError(
            f"the history never shows {missing} ({int(crisis.sum())} crisis bars)",
            cure="Give a longer history, or another crisis share.",
        )
    normal_days, crisis_days = _durations(
        enter / int((~crisis[:-1]).sum()), leave / int(crisis[:-1].sum()), days_per_bar
    )
    rule = (
        f"crisis = centred {window_days:g}-day realised volatility of the equal-weighted index of "
        f"standardised returns above its {1.0 - share:.0%} quantile (ex post)"
    )
    return Split(crisis, enter + int(crisis[0]), normal_days, crisis_days, rule)


def _durations(enter: float, leave: float, days: float) -> tuple[float, float]:
    """Expected durations of the continuous-time chain whose one-bar matrix has these entries.

    P = exp(Q Δt) of two states: the rates add up to −ln(1 − p − q)/Δt and divide as p : q.
    """
    if enter + leave >= 1.0:
        raise DataError(
            "normal and crisis bars alternate too fast for a chain in continuous time",
            cure="Use a longer window, or finer bars.",
        )
    total = -np.log1p(-enter - leave) / days
    return float((enter + leave) / (enter * total)), float((enter + leave) / (leave * total))
