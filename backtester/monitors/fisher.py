"""Fisher's test of the recent correlation against the one before, repeated every day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Byte, Float
from backtester.errors import ConfigError
from backtester.estimation.change import change_statistic
from backtester.estimation.ewma import Ewma, EwmaState
from backtester.events import CorrelationBreak
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.calibration import FISHER
from backtester.monitors.shocks import PairShocks, ShockState, pair_correlation
from backtester.monitors.trigger import Sides, bound_for, broken, latch

RADIUS = 3.0  # standard deviations a pair of shocks is cut to, in root mean square
_LAG = 3.0  # recent half-lives between the two samples: an eighth of the recent weight is older


@dataclass(frozen=True, slots=True)
class FisherState:
    """Moments of each pair, the references still to come into use, and the breaks in force."""

    shocks: ShockState
    recent: EwmaState  # (P, K, 4) x², y², xy, x²y²
    slow: EwmaState  # (P, K, 4)
    lagged: tuple[tuple[Float, float], ...]  # (correlation (P, K), sample size), oldest first
    code: Byte  # (P, K) −1, 0 or +1
    statistic: Float  # (P, K) signed: < 0 where weaker
    before: Float  # (P, K)


@dataclass(frozen=True)
class FisherMonitor:
    """Compares the recent correlation with the slow one of three recent half-lives ago.

    Both are EWMA of devolatilised returns, of size n = (Σw)²/Σw². The statistic is
    (atanh ρ₁ − atanh ρ₂)/√(1/(n₁−3) + 1/(n₂−3)) (Fisher 1921), with both sizes divided by
    1 + κ = E[x²y²]/((1 + 2ρ²) E[x²] E[y²]) ≥ 1 for the fat tails the pair shares (Muirhead 1982),
    and pairs cut to three standard deviations. Testing every day is not testing once: the bound is
    the measured one of docs/monitors.md, not a normal quantile. It was measured at the default
    half-lives; at others the rate was found to be lower.

    Parameters
    ----------
    false_alarm_days: trading days between false alarms on one pair, on average.
    recent, reference: half-lives of the two correlations, observations.
    every: trading days of one observation.
    sides: ``"both"``, or only breaks by which the pair becomes ``"weaker"`` or ``"stronger"``.
    triggers: whether a break asks for a decision at once, or only informs.
    """

    false_alarm_days: float = 730.0
    recent: float = 10.0
    reference: float = 60.0
    every: float = 1.0
    sides: Sides = "both"
    triggers: bool = True

    def __post_init__(self) -> None:
        if not 2.0 <= self.recent < self.reference:
            raise ConfigError(
                f"monitor of a recent half-life of {self.recent:g} against {self.reference:g}",
                cure="Half-lives are in observations: at least 2, and the recent one the shorter.",
            )
        self._shocks, self._bound  # noqa: B018 - what is wrong is said here

    @cached_property
    def _shocks(self) -> PairShocks:
        return PairShocks(self.every, 20.0 * self.every)

    @cached_property
    def _bound(self) -> float:
        return bound_for(self.false_alarm_days, self.every, FISHER, self.sides)

    def init(self, market: MarketInfo) -> FisherState:
        """State before the first event."""
        shape = (market.paths, len(market.instruments))
        moments = Ewma(self.recent).init(*shape, 4)
        code: Byte = np.zeros(shape, dtype=np.int8)
        nothing = np.zeros(shape)
        return FisherState(self._shocks.init(market), moments, moments, (), code, nothing, nothing)

    def step(
        self, view: MarketView, book: Book, state: FisherState
    ) -> tuple[FisherState, CorrelationBreak | None]:
        """State after the event; the breaks in force, once a reference is half a half-life old."""
        from backtester.monitors.kernels import clipped_products

        shocks, z = self._shocks.step(view, book, state.shocks)
        recent, slow, lagged, code = state.recent, state.slow, state.lagged, state.code
        statistic, before = state.statistic, state.before
        lag, fewest = round(_LAG * self.recent), round(0.5 * self.reference)
        fresh = z is not None
        if z is not None:
            products = np.empty(recent.mean.shape)
            clipped_products(z, RADIUS, products)
            recent = Ewma(self.recent).step(recent, products, 1.0)
            slow = Ewma(self.reference).step(slow, products, 1.0)
            reference = (pair_correlation(slow.mean), slow.sample_size)
            lagged = (*lagged, reference)[-(lag + 1) :]
        weight = 1.0 - 0.5 ** ((lag + fewest) / self.reference)
        if slow.weight < weight - 1e-12:
            return FisherState(shocks, recent, slow, lagged, code, statistic, before), None
        now = pair_correlation(recent.mean)
        if fresh:
            before, size = lagged[0]
            tails = _tails(slow.mean)
            moved = change_statistic(now, recent.sample_size / tails, before, size / tails)
            statistic = np.where(before < 0.0, -moved, moved)
            code = latch(code, statistic, self._bound, self.sides)
        after = FisherState(shocks, recent, slow, lagged, code, statistic, before)
        return after, broken(
            view, state.code, code, statistic, before, now, self._bound, self.triggers
        )


def _tails(moments: Float) -> Float:
    """1 + κ ≥ 1 of each pair, (P, K), of moments (P, K, 4)."""
    rho = pair_correlation(moments)
    normal = (1.0 + 2.0 * rho * rho) * moments[..., 0] * moments[..., 1]
    ratio = np.divide(moments[..., 3], normal, out=np.ones_like(normal), where=normal > 1e-280)
    return np.maximum(ratio, 1.0)
