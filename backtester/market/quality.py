"""What looks wrong in a history that can be used as it is: warnings, never errors or repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from backtester.arrays import NANOSECONDS_PER_DAY, Bool, Float, Int
from backtester.clock import CONTINUOUS, iso

if TYPE_CHECKING:
    from backtester.market.panel import MarketPanel

WARNING = "Check the data: "
"""How a note begins that is a warning: reports and the terminal show it where it is seen."""

LINES = 6  # warnings of a market; the rest is counted
SHIFT = 5.0  # factor of a move that stays: redenominations, and most splits, are larger
SPIKE = 3.0  # factor of a move that comes back, whatever the asset
TICK, DEVIATIONS = 1.25, 25.0  # a smaller one, where it is that many robust deviations
BACK = 3  # bars within which a spike comes back
AROUND, QUIET = 5, 0.3  # bars beside a suspect move, and the largest among them as a share of it
STALE = 10  # equal prices in a row: two weeks of sessions, more than any usual closure
CLOSED = 7 * NANOSECONDS_PER_DAY  # exchanges closed for seven days in September 2001


@dataclass(frozen=True)
class Finding:
    """One warning; the higher its rank, the sooner it is shown."""

    rank: tuple[int, float]  # kind, size within the kind
    text: str


def data_warnings(panel: MarketPanel) -> tuple[str, ...]:
    """At most `LINES` warnings on a panel of one path, and how many more; most serious first.

    A level that shifts and stays, a spike that comes back, a price that stands still, bars that are
    missing. A move counts only where the bars beside it are quiet: in a crash they are not.
    Panels of many paths are simulated and are not looked at.
    """
    if panel.paths != 1:
        return ()
    moves = np.diff(np.log(panel.prices[:, 0]), axis=0)
    found = [*_moves(panel, moves), *_stale(panel, moves), *_gaps(panel)]
    found.sort(key=lambda f: f.rank, reverse=True)
    lines = [WARNING + f.text for f in found[:LINES]]
    if len(found) > LINES:
        lines.append(f"{WARNING}{len(found) - LINES} more of the kind in market {panel.name!r}")
    return tuple(lines)


def is_warning(note: str) -> bool:
    """Whether a note of a market warns of its data."""
    return note.startswith(WARNING)


def _moves(panel: MarketPanel, moves: Float) -> list[Finding]:
    """Level shifts and spikes, the largest of each asset and kind; `moves` are log-returns."""
    size = np.abs(moves)
    bar, asset = np.nonzero(size > np.log(TICK))
    if not bar.size:
        return []
    move, big = moves[bar, asset], size[bar, asset]
    level = np.vstack([np.zeros((1, moves.shape[1])), np.cumsum(moves, axis=0)])
    last = len(moves)
    # bars from the move until the price is back, 0: it is not
    back = np.zeros(len(bar), dtype=np.int64)
    for k in range(BACK, 0, -1):
        later = np.minimum(bar + 1 + k, last)
        left = np.abs(level[later, asset] - level[bar, asset]) / big
        back[(left <= 0.5) & (bar + 1 + k <= last)] = k
    quiet = _largest_beside(size, bar, asset, back) < QUIET * big
    rare = np.zeros(len(bar), dtype=np.bool_)
    for n in np.unique(asset):
        typical = float(np.median(size[:, n])) / 0.6745  # of a normal law: its deviation
        rare[asset == n] = big[asset == n] > DEVIATIONS * typical
    whole = np.abs(level[np.minimum(bar + 2, last), asset] - level[bar, asset]) <= 0.1 * big
    spike = quiet & (back > 0) & ((big >= np.log(SPIKE)) | (rare & whole & (back == 1)))
    shift = quiet & (back == 0) & (big >= np.log(SHIFT)) & (bar + 1 < last)
    found = []
    for kind, where in ((3, shift), (2, spike)):
        for n in np.unique(asset[where]):
            own = np.flatnonzero(where & (asset == n))
            worst = own[int(np.argmax(big[own]))]
            verb = "rises" if move[worst] > 0 else "falls"
            what = f"{panel.assets[n]!r} {verb} by a factor of {np.exp(big[worst]):,.4g}"
            when = f"at {iso(int(panel.times[bar[worst] + 1]))}"
            what += f" {when} and " + (
                "stays there (a redenomination, a split or another unit?)"
                if kind == 3
                else f"is back {_plural(int(back[worst]), 'bar')} later (a bad tick?)"
            )
            more = f"; {_plural(len(own) - 1, 'more such move')}" if len(own) > 1 else ""
            found.append(Finding((kind, float(big[worst])), what + more))
    return found


def _largest_beside(size: Float, bar: Int, asset: Int, back: Int) -> Float:
    """The largest move in the `AROUND` bars before each move and after it, or after its return."""
    padded = np.vstack([np.zeros((AROUND, size.shape[1])), size])
    padded = np.vstack([padded, np.zeros((AROUND + BACK + 1, size.shape[1]))])
    steps = np.arange(AROUND)
    before = padded[bar[:, None] + steps, asset[:, None]]
    after = padded[(bar + back + 1 + AROUND)[:, None] + steps, asset[:, None]]
    return np.asarray(np.maximum(before.max(axis=1), after.max(axis=1)))


def _stale(panel: MarketPanel, moves: Float) -> list[Finding]:
    """The longest run of equal prices of each asset that chance does not explain.

    A price that repeats on a share q of its bars (a coarse tick, a peg) has runs of about
    log(bars) / log(1/q); only four times that (repeats cluster in quiet hours), and at least
    `STALE`, is a finding. Bars at which nothing trades are held prices and known to be so.
    """
    same: Bool = moves == 0.0
    share = same.mean(axis=0)
    if panel.tradable is not None:
        same = same & panel.tradable[1:, 0]
    found = []
    for n in np.flatnonzero(same.sum(axis=0) >= STALE - 1):
        edge = np.diff(np.concatenate([[False], same[:, n], [False]]).astype(np.int8))
        start, stop = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
        length = stop - start + 1  # prices, not moves
        chance = 4.0 * np.log(len(same)) / np.log(1.0 / share[n])
        runs = np.flatnonzero(length >= max(STALE, chance))
        if not runs.size:
            continue
        worst = runs[int(np.argmax(length[runs]))]
        first, last = (iso(int(panel.times[t])) for t in (start[worst], stop[worst]))
        more = f"; {_plural(len(runs) - 1, 'more such run')}" if len(runs) > 1 else ""
        text = (
            f"{panel.assets[n]!r} has the same price {length[worst]} times in a row, {first} to "
            f"{last}{more} (a feed that stood still? Where nothing traded, say so with tradable)"
        )
        found.append(Finding((1, float(length[worst])), text))
    return found


def _gaps(panel: MarketPanel) -> list[Finding]:
    """Stamps further apart than usual; between sessions only what no closure explains."""
    apart = np.diff(panel.times)
    step = float(np.median(apart))
    continuous = panel.calendar.name == CONTINUOUS.name
    gap = np.flatnonzero(apart > (1.5 * step if continuous else max(CLOSED, 1.5 * step)))
    if not gap.size:
        return []
    days = panel.times.astype("datetime64[ns]").astype("datetime64[D]")
    if continuous or step > NANOSECONDS_PER_DAY:
        missing = int((np.rint(apart[gap] / step) - 1).sum())
        what = f"{_plural(missing, 'bar')} missing in {_plural(len(gap), 'gap')}"
    else:
        missing = int(np.busday_count(days[gap] + 1, days[gap + 1]).sum())
        what = f"{_plural(missing, 'weekday')} without a bar in {_plural(len(gap), 'gap')}"
    worst = gap[int(np.argmax(apart[gap]))]
    first, last = (iso(int(panel.times[t])) for t in (worst, worst + 1))
    crosses = np.busday_count(days[gap], days[gap + 1]) < (days[gap + 1] - days[gap]).astype(int)
    weekly = continuous and crosses.mean() > 0.5 and len(gap) > len(apart) / 10
    cure = "; an exchange's data? Use calendar sessions" if weekly else ""
    text = f"{what} (usual step {_span(step)}), the longest from {first} to {last}{cure}"
    return [Finding((0, float(apart[worst])), text)]


def _plural(n: int, thing: str) -> str:
    return f"{n:,} {thing}" + ("" if n == 1 else "s")


def _span(nanoseconds: float) -> str:
    """A time span in its largest unit: 1 day, 8 hours, 5 minutes."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if nanoseconds >= size * 1e9:
            return f"{nanoseconds / (size * 1e9):g} {unit}" + (
                "" if nanoseconds == size * 1e9 else "s"
            )
    return f"{nanoseconds / 1e9:g} s"
