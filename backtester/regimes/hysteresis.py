"""From a filtered probability to a decision that does not flutter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Byte, Float, Int
from backtester.errors import ConfigError
from backtester.regimes.labelled import CONVERGENCE, DECOUPLING, NORMAL


@dataclass(frozen=True, slots=True)
class DecisionState:
    """The decision and how long it has stood."""

    regime: Byte  # (P,)
    age: Int  # (P,) bars since it last changed


@dataclass(frozen=True)
class Hysteresis:
    """Enter a crisis where its probability is high, leave it where it is low, stay a while.

    From normal: where P(not normal) > `enter`, into the likelier crisis. From a crisis: where its
    own probability < `leave`, to the other crisis if that is above `leave`, else to normal. A
    decision stands for `dwell` bars at least.

    Raises ConfigError unless 0 < leave < enter < 1 and dwell ≥ 1.
    """

    enter: float = 0.8
    leave: float = 0.4
    dwell: int = 3

    def __post_init__(self) -> None:
        if not (0.0 < self.leave < self.enter < 1.0 and self.dwell >= 1):
            raise ConfigError(
                f"hysteresis enter {self.enter}, leave {self.leave}, dwell {self.dwell} makes no "
                "sense",
                cure="Give 0 < leave < enter < 1 and dwell ≥ 1 bar; .8, .4 and 3 are usual.",
            )

    def init(self, paths: int) -> DecisionState:
        """Normal, free to change."""
        return DecisionState(
            np.zeros(paths, dtype=np.int8), np.full(paths, self.dwell, dtype=np.int64)
        )

    def step(
        self, state: DecisionState, probability: Float, forced: Bool, force_to: Byte
    ) -> DecisionState:
        """State after probabilities (P, 3); where `forced` (P,) the regime is `force_to` at once.

        A forced decision holds for the dwell like any other; one that is in a crisis already stays.
        """
        now, age = state.regime, state.age + 1
        crisis = 1.0 - probability[:, NORMAL]
        likelier = np.where(
            probability[:, DECOUPLING] > probability[:, CONVERGENCE], DECOUPLING, CONVERGENCE
        )
        own = np.take_along_axis(probability, now[:, None].astype(np.int64), axis=1)[:, 0]
        other = np.where(
            now == CONVERGENCE, probability[:, DECOUPLING], probability[:, CONVERGENCE]
        )
        onward = np.where(
            other >= self.leave, np.where(now == CONVERGENCE, DECOUPLING, CONVERGENCE), NORMAL
        )
        wanted = np.where(
            now == NORMAL,
            np.where(crisis > self.enter, likelier, NORMAL),
            np.where(own < self.leave, onward, now),
        )
        wanted = np.where(age >= self.dwell, wanted, now)
        wanted = np.where(forced & (now == NORMAL), force_to, wanted)
        changed = wanted != now
        fresh = np.where(changed | (forced & (now != NORMAL)), 0, age)
        return DecisionState(wanted.astype(np.int8), fresh)
