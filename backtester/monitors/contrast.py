"""The window behind the CUSUM monitor, and the step that contrasts its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Byte, Float
from backtester.errors import ConfigError
from backtester.events import CorrelationBreak
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.shocks import PairShocks, ShockState
from backtester.monitors.trigger import Sides, broken, latch

RADIUS = 2.0  # standard deviations a pair of shocks is cut to, in root mean square
FEWEST = 0.5  # share of the history that must be there before anything is said


@dataclass(frozen=True, slots=True)
class ContrastState:
    """Shocks of the window, oldest first, and the breaks in force."""

    shocks: ShockState
    window: tuple[Float, ...]  # ≤ W, each (P, 1 + K)
    code: Byte  # (P, K) −1, 0 or +1
    statistic: Float  # (P, K) signed: < 0 where weaker
    before: Float  # (P, K)
    after: Float  # (P, K)


@dataclass(frozen=True)
class Contrast:
    """Contrasts the last `recent` observations with the `reference` ones before them.

    shortest, power: of the scan over recent parts, see `kernels.contrasts`; shortest = recent
    looks at one part alone.
    """

    shocks: PairShocks
    recent: int
    reference: int
    shortest: int
    power: float

    def __post_init__(self) -> None:
        if not (5 <= self.shortest <= self.recent and self.reference >= 20):
            raise ConfigError(
                f"monitor of {self.recent} recent observations, parts from {self.shortest}, "
                f"against {self.reference}",
                cure="Give at least 5 recent observations and a reference of at least 20.",
            )

    def init(self, market: MarketInfo) -> ContrastState:
        """State before the first event."""
        shape = (market.paths, len(market.instruments))
        nothing = np.zeros(shape)
        code: Byte = np.zeros(shape, dtype=np.int8)
        return ContrastState(self.shocks.init(market), (), code, nothing, nothing, nothing)

    def step(
        self,
        view: MarketView,
        book: Book,
        state: ContrastState,
        bound: float,
        sides: Sides,
        triggers: bool,
    ) -> tuple[ContrastState, CorrelationBreak | None]:
        """State after the event and the breaks in force; None until the history is half full."""
        from backtester.monitors.kernels import contrasts

        shocks, z = self.shocks.step(view, book, state.shocks)
        window = state.window
        if z is not None:
            window = (*window, z)[-(self.recent + self.reference) :]
        if len(window) < self.recent + FEWEST * self.reference:
            return ContrastState(
                shocks, window, state.code, state.statistic, state.before, state.after
            ), None
        statistic, before, after = state.statistic, state.before, state.after
        if z is not None:
            statistic, before, after = np.empty((3, *state.code.shape))
            rows = np.ascontiguousarray(np.array(window).transpose(1, 2, 0))
            contrasts(
                rows, self.recent, self.shortest, self.power, RADIUS, statistic, before, after
            )
        code = latch(state.code, statistic, bound, sides) if z is not None else state.code
        event = broken(view, state.code, code, statistic, before, after, bound, triggers)
        return ContrastState(shocks, window, code, statistic, before, after), event
