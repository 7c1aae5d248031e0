"""Correlation surprise, added up until it cannot be chance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Byte, Float
from backtester.estimation.ewma import Ewma, EwmaState, positive_days
from backtester.events import CorrelationBreak
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.calibration import SURPRISE
from backtester.monitors.contrast import RADIUS
from backtester.monitors.shocks import PairShocks, ShockState, pair_correlation
from backtester.monitors.trigger import Sides, bound_for, broken, latch

_DRIFT = 0.25  # of the sums, in standard deviations of one score
_HIGHEST = 0.97  # |ρ| beyond which the score of one observation has no useful scale
_NOW = 10.0  # observations; half-life of the correlation shown as the one now


@dataclass(frozen=True, slots=True)
class SurpriseState:
    """Slow and fast moments of each pair, the two sums and the breaks in force."""

    shocks: ShockState
    slow: EwmaState  # (P, K, 4) x², y², xy, x²y²
    fast: EwmaState  # (P, K, 4)
    weaker: Float  # (P, K) sum of scores above expectation
    stronger: Float  # (P, K) and below
    code: Byte  # (P, K) −1, 0 or +1


@dataclass(frozen=True)
class SurpriseMonitor:
    """Two-sided CUSUM (Page 1954) of the log correlation surprise of each pair.

    The surprise z′R⁻¹z / z′z (Kinlaw & Turkington 2014) depends on the direction of z alone. So for
    every elliptical distribution – normal, Student t, any volatility the pair shares – its
    logarithm has the one mean and variance

        −2 log((√(1+ρ) + √(1−ρ))/2),    2 Li₂(((√(1+ρ) − √(1−ρ))/(√(1+ρ) + √(1−ρ)))²),

    and the standardised score is free of volatility and tails: a jump is one observation like any
    other. A pair weaker than its slow correlation surprises more than expected, a stronger one
    less, where ρ > 0 and where ρ < 0 alike. The sums drift by ¼ a day and are kept below the bound,
    so that a break ends once the slow correlation has caught up.

    Parameters
    ----------
    false_alarm_days: trading days between false alarms on one pair, on average.
    halflife: of the slow correlation, observations.
    every: trading days of one observation.
    sides: ``"both"``, or only breaks by which the pair becomes ``"weaker"`` or ``"stronger"``.
    triggers: whether a break asks for a decision at once, or only informs.
    """

    false_alarm_days: float = 730.0
    halflife: float = 90.0
    every: float = 1.0
    sides: Sides = "both"
    triggers: bool = True

    def __post_init__(self) -> None:
        positive_days("halflife", self.halflife)
        self._bound  # noqa: B018 - what is wrong is said here

    @cached_property
    def _shocks(self) -> PairShocks:
        return PairShocks(self.every, 20.0 * self.every)

    @cached_property
    def _bound(self) -> float:
        return bound_for(self.false_alarm_days, self.every, SURPRISE, self.sides)

    def init(self, market: MarketInfo) -> SurpriseState:
        """State before the first event."""
        shape = (market.paths, len(market.instruments))
        moments = Ewma(self.halflife).init(*shape, 4)
        code: Byte = np.zeros(shape, dtype=np.int8)
        nothing = np.zeros(shape)
        shocks = self._shocks.init(market)
        return SurpriseState(shocks, moments, moments, nothing, nothing, code)

    def step(
        self, view: MarketView, book: Book, state: SurpriseState
    ) -> tuple[SurpriseState, CorrelationBreak | None]:
        """State after the event; the breaks in force, once half a half-life has been seen."""
        from backtester.monitors.kernels import clipped_products, surprise_scores

        shocks, z = self._shocks.step(view, book, state.shocks)
        weaker, stronger, code = state.weaker, state.stronger, state.code
        ready = state.slow.weight >= 1.0 - 0.5**0.5 - 1e-12
        before, slow, fast = pair_correlation(state.slow.mean), state.slow, state.fast
        if z is not None:
            if ready:
                score = np.empty(code.shape)
                surprise_scores(z, np.clip(before, -_HIGHEST, _HIGHEST), score)
                weaker = np.clip(weaker + score - _DRIFT, 0.0, None)
                stronger = np.clip(stronger - score - _DRIFT, 0.0, None)
            products = np.empty(state.slow.mean.shape)
            clipped_products(z, RADIUS, products)
            slow = Ewma(self.halflife).step(slow, products, 1.0)
            fast = Ewma(_NOW).step(fast, products, 1.0)
        statistic = np.where(weaker >= stronger, -weaker, stronger)
        if z is not None and ready:
            code = latch(code, statistic, self._bound, self.sides)
        after = SurpriseState(
            shocks,
            slow,
            fast,
            np.minimum(weaker, self._bound),
            np.minimum(stronger, self._bound),
            code,
        )
        if not ready:
            return after, None
        now = pair_correlation(fast.mean)
        return after, broken(
            view, state.code, code, statistic, before, now, self._bound, self.triggers
        )
