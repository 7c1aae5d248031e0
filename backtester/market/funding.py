"""Settlements of funding on the stamps of prices; a settlement that is missing is an error."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.clock import iso
from backtester.errors import DataError
from backtester.market.quality import WARNING

HIGHEST = 0.25  # of notional at one settlement; exchanges cap it at a few per cent
SLACK = 2.5  # usual steps without a row that are taken for a gap
STATED = 1.5  # the same where the table has rows there, with the asset's cell empty
NEAR = 9  # steps on either side of a gap that say what is usual there


def settled(stamps: Int, rates: Float, times: Int) -> Float:
    """Funding paid in (t−1, t], added up at t, (T,); what is at or before the first is not ours."""
    slot = np.searchsorted(times, stamps, side="left")
    inside = (slot > 0) & (slot < len(times))
    total = np.zeros(len(times))
    np.add.at(total, slot[inside], rates[inside])
    return total


def check_rates(stamps: Int, rates: Float, asset: str, market: str) -> None:
    """Raise DataError for a rate that no exchange charges at one settlement."""
    wild = np.flatnonzero(np.abs(rates) > HIGHEST)
    if wild.size:
        rate = float(rates[wild[0]])
        raise DataError(
            f"funding of {asset!r} in market {market!r} is {rate:g}, {100 * rate:g} % of notional "
            "at one settlement",
            when=iso(int(stamps[wild[0]])),
            cure="Per cent given as a fraction? 0.01 % is 0.0001.",
        )


def check_settlements(
    stamps: Int, rates: Float, times: Int, asset: str, market: str
) -> tuple[str, ...]:
    """Notes on one asset's column of a funding table; raises DataError.

    stamps (S,), rates (S,) fraction of notional, NaN where only other assets settle; times (T,) of
    the prices. An error: no rate at all, settlements missing between others, an end before the
    prices. What is usual is the longer of the median steps before and after a
    gap, so that an exchange may change its interval. Time in which there are no prices either (a
    weekend, an outage) is no gap. A late beginning is a note: the asset was listed later.
    """
    who = f"funding of {asset!r} in market {market!r}"
    own = np.flatnonzero(~np.isnan(rates))
    if not own.size:
        raise _missing(f"{who} is missing", int(stamps[0]))
    if len(own) < 2:
        if len(rates) > 1:
            empty = np.flatnonzero(np.isnan(rates))[0]
            raise _missing(f"{who} is missing", int(stamps[empty]))
        return ()  # one settlement has no step
    begins, ends = iso(int(stamps[own[0]])), iso(int(times[-1]))
    if stamps[own[0]] > times[-1]:
        raise DataError(
            f"{who} begins at {begins}, after the last price",
            when=ends,
            cure="Give prices and funding of the same time.",
        )
    empty = np.diff(np.append(own, len(rates))) > 1
    slack = np.where(empty, STATED, SLACK)
    steps = _steps(stamps[own].astype(np.float64), times[[0, -1]].astype(np.float64))
    wide = steps > slack
    if wide.any():  # also with the time left out in which there are no prices
        steps = _steps(_covered(stamps[own], times), _covered(times[[0, -1]], times))
        wide &= steps > slack
    bad = np.flatnonzero(wide)
    if bad.size:
        n = int(bad[0])
        row = int(own[n])
        if empty[n]:
            raise _missing(f"{who} is missing", int(stamps[row + 1]))
        if n == len(own) - 1:
            raise _missing(f"{who} ends, but the prices go on to {ends}", int(stamps[row]))
        after = iso(int(stamps[own[n + 1]]))
        lost = max(round(float(steps[n])) - 1, 1)
        raise _missing(
            f"{who} has no settlement until {after} (about {lost:,} missing)", int(stamps[row])
        )
    if stamps[own[0]] - times[0] > SLACK * float(np.median(np.diff(stamps[own[: NEAR + 1]]))):
        return (f"{WARNING}funding of {asset!r} begins at {begins}; none is paid before",)
    return ()


def _steps(clock: Float, prices: Float) -> Float:
    """How many usual steps pass from each settlement to the next, the last one to the last price.

    clock (S,) of settlements and prices (2,), the first and the last, on the same clock. Only
    time between them counts.
    """
    usual = _usual(np.diff(clock))
    start = np.maximum(clock, prices[0])
    stop = np.minimum(np.append(clock[1:], prices[1]), prices[1])
    return np.asarray((stop - start) / np.append(usual, usual[-1]))


def _missing(what: str, when: int) -> DataError:
    return DataError(
        what, when=iso(when), cure="A missing settlement is not zero; find it or cut the history."
    )


def _covered(stamps: Int, times: Int) -> Float:
    """Stamps on a clock that runs with the prices: between two of them at most 1.5 usual steps."""
    apart = np.diff(times).astype(np.float64)
    run = np.concatenate([[0.0], np.cumsum(np.minimum(apart, 1.5 * np.median(apart)))])
    inside = np.interp(stamps, times, run)
    before = np.minimum(stamps - times[0], 0)
    return np.asarray(inside + before + np.maximum(stamps - times[-1], 0))


def _usual(steps: Float) -> Float:
    """The longer of the median steps before and after each of `steps`, itself left out."""
    if len(steps) < 2:
        return steps.copy()
    padded = np.concatenate([np.full(NEAR, np.nan), steps, np.full(NEAR, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, NEAR)
    before, after = windows[: len(steps)], windows[NEAR + 1 :]
    with np.errstate(invalid="ignore"):
        both = np.fmax(_medians(before), _medians(after))
    return np.asarray(both)


def _medians(windows: Float) -> Float:
    """Median of each row, its NaN left out; NaN where a row has nothing else."""
    ordered = np.sort(windows, axis=1)  # NaN last
    count = (~np.isnan(ordered)).sum(axis=1)
    rows = np.arange(len(ordered))
    low = ordered[rows, np.maximum((count - 1) // 2, 0)]
    high = ordered[rows, np.maximum(count // 2, 0).clip(max=windows.shape[1] - 1)]
    return np.asarray(np.where(count > 0, (low + high) / 2, np.nan))
