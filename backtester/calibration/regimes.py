"""Regimes of a history for a calibration: labels, spells and what follows what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Byte, Float
from backtester.calibration.split import split_by_volatility
from backtester.errors import ConfigError, DataError
from backtester.market.panel import MarketPanel


@dataclass(frozen=True)
class Spells:
    """The regime of every bar, and the chain it implies."""

    names: tuple[str, ...]  # S, each visited
    label: Byte  # (T,)
    durations: dict[str, float]  # expected days
    following: dict[str, dict[str, float]]  # probabilities of what comes after
    episodes: dict[str, int]
    rule: str
    notes: tuple[str, ...] = ()

    def bars(self, name: str) -> int:
        """Bars in a regime."""
        return int((self.label == self.names.index(name)).sum())


def by_volatility(returns: Float, days: float, share: float, window_days: float) -> Spells:
    """Two regimes, `normal` and `crisis`, as `split_by_volatility` finds them."""
    split = split_by_volatility(returns, days, share, window_days)
    label = split.crisis.astype(np.int8)
    return Spells(
        names=("normal", "crisis"),
        label=label,
        durations={"normal": split.normal_days, "crisis": split.crisis_days},
        following={},
        episodes={"normal": _runs(label == 0), "crisis": split.episodes},
        rule=split.rule,
    )


def by_hedge(panel: MarketPanel, exposure: dict[str, float], hedges: Sequence[str]) -> Spells:
    """Three regimes by what happened to a book's hedge; one never visited is left out, and noted.

    Raises DataError where only the normal one was visited.
    """
    from backtester.accounting.exposure import Exposure
    from backtester.regimes.labels import labels_of

    if not exposure or not hedges:
        raise ConfigError(
            "regimes of a hedge need an exposure and its hedges", cure="Give both, or neither."
        )
    book = Exposure(tuple(exposure), np.array(list(exposure.values()), dtype=np.float64))
    labels = labels_of(panel, book, tuple(hedges))
    found = labels.label[1:, 0]
    visited = [s for s in range(len(labels.names)) if (found == s).any()]
    if len(visited) < 2:
        raise DataError(
            f"the history never leaves the regime {labels.names[visited[0]]!r}",
            cure="Give a longer history, or split it by volatility: leave exposure and hedges out.",
        )
    names = tuple(labels.names[s] for s in visited)
    label = np.searchsorted(visited, found).astype(np.int8)
    elapsed = np.diff(panel.trading_days)
    change = np.flatnonzero(label[1:] != label[:-1])
    durations, following, episodes = {}, {}, {}
    for s, name in enumerate(names):
        after = np.bincount(label[change[label[change] == s] + 1], minlength=len(names))
        exits = int(after.sum())
        if not exits:
            raise DataError(
                f"the history never leaves the regime {name!r} again",
                cure="A duration needs an end: give a longer history.",
            )
        durations[name] = float(elapsed[label == s].sum() / exits)
        following[name] = {names[o]: float(k / exits) for o, k in enumerate(after) if k}
        episodes[name] = _runs(label == s)
    absent = [n for n in labels.names if n not in names]
    notes = tuple(f"Regime {n} never occurs in this history and is left out." for n in absent)
    return Spells(names, label, durations, following, episodes, labels.description, notes)


def _runs(inside: np.ndarray) -> int:
    return int((inside[1:] & ~inside[:-1]).sum()) + int(inside[0])
