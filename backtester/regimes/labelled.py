"""What a labeller returns: the regime of every bar of every path, and how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Byte
from backtester.errors import ConfigError
from backtester.market.panel import MarketPanel

NORMAL, CONVERGENCE, DECOUPLING = 0, 1, 2
STATES = ("normal", "convergence", "decoupling")
WINDOW = 21.0
"""Trading days an ex-post label looks at, half of them after the bar."""
SHARE = 0.15
"""Largest share of a path's bars that is called crisis."""
SHORTEST = 5.0
"""Trading days below which a spell is no episode."""
LEAST_WINDOWS = 6.0
"""Windows a history must hold for a label made with hindsight to mean anything."""


@dataclass(frozen=True)
class Labels:
    """The regime of every bar, and how it was found."""

    label: Byte  # (T, P) of the bar (t−1, t], index into names; row 0 repeats row 1
    names: tuple[str, ...]
    description: str  # a sentence for reports
    known: bool  # true regimes of a simulation, not an estimate

    @property
    def crisis(self) -> Bool:
        """Bars in any regime but the normal one, (T, P)."""
        return crisis_mask(self.label, self.names)


def check_rule(window: float, share: float, shortest: float) -> None:
    """Raise ConfigError unless the lengths, trading days, and the share of bars make sense."""
    if not (window > 0.0 and 0.0 < share < 1.0 and shortest >= 0.0):
        raise ConfigError(
            f"label with window {window}, share {share}, shortest {shortest} makes no sense",
            cure="Give window > 0 and shortest ≥ 0 in trading days, and a share between 0 and 1.",
        )


def all_normal(panel: MarketPanel, names: tuple[str, ...], window: float) -> Labels | None:
    """Labels that say so where a history is shorter than six windows, else None."""
    days = panel.trading_days
    if days[-1] >= LEAST_WINDOWS * window:
        return None
    why = (
        f"Every bar is labelled normal: {days[-1]:.6g} trading days are fewer than the "
        f"{LEAST_WINDOWS * window:.6g} an ex-post label needs."
    )
    return Labels(np.zeros((panel.bars, panel.paths), dtype=np.int8), names, why, known=False)


def crisis_mask(label: Byte, names: Sequence[str]) -> Bool:
    """Where `label` is any regime but ``normal`` (the first where none has that name)."""
    return np.asarray(label != normal_index(names))


def normal_index(names: Sequence[str]) -> int:
    """Index of the regime called ``normal``, else of the first."""
    return names.index(STATES[NORMAL]) if STATES[NORMAL] in names else 0
