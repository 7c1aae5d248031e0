"""Devolatilised returns of the exposure and of each hedge: what the correlation monitors watch.

The exposure's return is its P&L over its gross notional, with the positions held over the bar. Each
return is divided by the EWMA volatility known before it, so that a change of volatility is not
mistaken for one of correlation (Forbes & Rigobon, *J. Finance* 57, 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.correlation import inverse_root
from backtester.estimation.ewma import Ewma, EwmaState, per_root_day, positive_days
from backtester.market.view import MarketInfo, MarketView

_SLACK = 1e-9  # days; 24 hourly steps must add up to one day in floating point


@dataclass(frozen=True, slots=True)
class ShockState:
    """Returns since the last observation, and the variances."""

    held: Float  # (P, N) exposure by asset at the last event, money
    moved: Float  # (P, 1 + K) returns of exposure and hedges since the last observation
    elapsed: float  # trading days since then
    variance: EwmaState  # (P, 1 + K) per day


@dataclass(frozen=True)
class PairShocks:
    """One observation every `every` trading days, however fine the bars are.

    Parameters
    ----------
    every: trading days of one observation; finer bars are added up.
    volatility_halflife: of the variances, trading days.
    winsor: |z| is cut here, in standard deviations.
    """

    every: float = 1.0
    volatility_halflife: float = 20.0
    winsor: float = 8.0

    def __post_init__(self) -> None:
        positive_days("every", self.every)
        positive_days("volatility_halflife", self.volatility_halflife)

    def init(self, market: MarketInfo) -> ShockState:
        """State before the first event; raises ConfigError where a bar is more than an observation.

        The false-alarm rate counts observations, and there cannot be more of them than bars.
        """
        if market.days_per_bar > 1.5 * self.every:
            raise ConfigError(
                f"a monitor that observes every {self.every:g} trading days has bars of "
                f"{market.days_per_bar:g}",
                cure=f"Give every={market.days_per_bar:g} or more; windows count observations.",
            )
        paths, columns = market.paths, 1 + len(market.instruments)
        return ShockState(
            np.zeros((paths, len(market.assets))),
            np.zeros((paths, columns)),
            0.0,
            Ewma(self.volatility_halflife).init(paths, columns),
        )

    def step(
        self, view: MarketView, book: Book, state: ShockState
    ) -> tuple[ShockState, Float | None]:
        """State after the event, and z (P, 1 + K), exposure first, where an observation is full.

        None until the variances rest on a half-life of returns.
        """
        returns = view.returns()
        gross = np.abs(state.held).sum(axis=-1)
        gain = (state.held * returns).sum(axis=-1)
        moved = state.moved.copy()
        moved[:, 0] += np.divide(gain, gross, out=np.zeros_like(gain), where=gross > 0.0)
        moved[:, 1:] += returns[:, book.instrument_index]
        elapsed = state.elapsed + view.elapsed
        if elapsed < self.every - _SLACK:
            return ShockState(book.exposure, moved, elapsed, state.variance), None
        scaled = per_root_day(moved, elapsed)
        variance = Ewma(self.volatility_halflife).step(state.variance, scaled * scaled, elapsed)
        after = ShockState(book.exposure, np.zeros_like(moved), 0.0, variance)
        if state.variance.weight < 0.5 - _SLACK:  # the weights sum to 1 − 2^(−days/half-life)
            return after, None
        z = scaled * inverse_root(state.variance.mean)
        return after, np.clip(z, -self.winsor, self.winsor)


def pair_correlation(moments: Float) -> Float:
    """Correlation (P, K) of moments (P, K, ≥ 3), x², y², xy; 0 where a side does not move."""
    scale = inverse_root(moments[..., 0]) * inverse_root(moments[..., 1])
    return np.asarray(np.clip(moments[..., 2] * scale, -1.0, 1.0))
