"""Regimes of a label array: masks, episodes, onset days and share of bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Byte, Int

ALL = "all"
NORMAL = "normal"


@dataclass(frozen=True)
class Regime:
    """The bars of one regime."""

    name: str
    bars: Bool  # (B, P)

    @property
    def count(self) -> int:
        """Path-bars in the regime."""
        return int(np.count_nonzero(self.bars))

    @property
    def share(self) -> float:
        """Fraction of all path-bars; NaN where there are none."""
        return self.count / self.bars.size if self.bars.size else float("nan")

    @property
    def paths(self) -> int:
        """Paths that visit the regime."""
        return int(np.count_nonzero(self.bars.any(axis=0)))


def split(label: Byte, names: tuple[str, ...]) -> tuple[Regime, ...]:
    """`("all", *visited)`: every bar, then each regime with at least one bar, in label order."""
    regimes = [Regime(ALL, np.ones(label.shape, dtype=bool))]
    for k, name in enumerate(names):
        mask = label == k
        if mask.any():
            regimes.append(Regime(name, mask))
    return tuple(regimes)


def starts(bars: Bool) -> Bool:
    """First bar of every unbroken run, (B, P)."""
    first = bars.copy()
    first[1:] &= ~bars[:-1]
    return first


def episode_count(bars: Bool) -> int:
    """Number of unbroken runs over all paths."""
    return int(np.count_nonzero(starts(bars)))


def episode_ids(bars: Bool) -> Int:
    """Index of the episode each bar of one path belongs to, (B,); −1 outside."""
    ids = np.cumsum(starts(bars[:, None])[:, 0]) - 1
    return np.where(bars, ids, -1).astype(np.int64)


def onset_days(bars: Bool, ends: Int) -> tuple[str, ...]:
    """UTC dates of the first bar of each episode of one path; bars (B,), ends (B,) ns."""
    first = ends[starts(bars[:, None])[:, 0]]
    return tuple(str(day) for day in first.astype("datetime64[ns]").astype("datetime64[D]"))
