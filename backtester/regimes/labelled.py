"""What a labeller returns: the regime of every bar of every path, and how it was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Byte

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


def crisis_mask(label: Byte, names: Sequence[str]) -> Bool:
    """Where `label` is any regime but ``normal`` (the first where none has that name)."""
    return np.asarray(label != normal_index(names))


def normal_index(names: Sequence[str]) -> int:
    """Index of the regime called ``normal``, else of the first."""
    return names.index(STATES[NORMAL]) if STATES[NORMAL] in names else 0
