"""Honest strategies that look suspicious; none may be flagged."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from pydantic import Field

from backtester.accounting.book import Book
from backtester.hedging.decision import HedgeDecision, Limits, Neutrality, Quadratic, Target
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Days, Strategy


def hedge(book: Book, tilt: Any = 1.0) -> HedgeDecision:
    """Minus half the net exposure times `tilt` in the first hedge."""
    notional = np.zeros_like(book.hedges)
    notional[:, 0] = -0.5 * book.exposure.sum(axis=-1) * tilt
    return HedgeDecision(exposure=book.exposure, risk=Target(notional))


class Weekday(Strategy[None]):
    """Trades on Mondays: the calendar is known in advance."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        day = int(np.datetime64(view.time, "ns").astype("datetime64[D]").astype(np.int64))
        decided = hedge(book)
        monday = np.full(len(book.hedges), (day + 3) % 7 == 0)
        return HedgeDecision(decided.exposure, decided.risk, trade=monday)


class WindowVolatility(Strategy[None]):
    """Sizes by the volatility of a window of the past."""

    window: int = Field(default=20, ge=3)

    @property
    def warmup(self) -> float:
        return float(self.window)

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        prices = view.history(self.window)[:, :, 0].T
        returns = np.ascontiguousarray(np.diff(np.log(prices), axis=-1))
        return hedge(book, 0.03 / np.maximum(returns.std(axis=-1), 1e-6))


class NanMeanOfAll(Strategy[None]):
    """Averages the whole buffer, ignoring the NaN that stand for the future."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        past = np.ascontiguousarray(view.past[: view.t + 1, :, 0].T)
        return hedge(book, view.prices[:, 0] / np.nanmean(past, axis=-1))


class SeededDice(Strategy[Any]):
    """Draws from a generator of its own, made in init() from a fixed seed."""

    seed: int = 7

    def init(self, market: MarketInfo) -> Any:
        return np.random.default_rng(self.seed), 1.0

    def observe(self, view: MarketView, state: Any) -> Any:
        return state[0], 1.0 + 0.1 * float(state[0].standard_normal())

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        return hedge(book, state[1])


@lru_cache(maxsize=8)
def _weights(length: int) -> tuple[float, ...]:
    return tuple(0.9**i for i in range(length))


class PureCaches(Strategy[None]):
    """Remembers results that depend on its parameters alone."""

    length: int = 10

    @cached_property
    def total(self) -> float:
        """Sum of the weights."""
        return sum(_weights(self.length))

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, self.total / 10.0)


class InPlaceEwma(Strategy[Any]):
    """Advances an array of its own in place, in observe()."""

    halflife: Days = 10.0

    def init(self, market: MarketInfo) -> Any:
        return np.full((market.paths, len(market.assets)), 4e-4)

    def observe(self, view: MarketView, state: Any) -> Any:
        if view.elapsed > 0:
            state += (1.0 - 0.5 ** (view.elapsed / self.halflife)) * (view.returns() ** 2 - state)
        return state

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        covariance = state[:, :, None] * np.eye(state.shape[1])
        return HedgeDecision(exposure=book.exposure, risk=Quadratic(covariance))


class CostTrigger(Strategy[None]):
    """Trades where the distance is worth the published cost."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        decided = hedge(book)
        assert isinstance(decided.risk, Target)
        gap = np.abs(decided.risk.notional - book.hedges).sum(axis=-1)
        worth = gap > 50.0 * view.cost_rate[:, 0] * np.abs(book.exposure).sum(axis=-1)
        return HedgeDecision(decided.exposure, decided.risk, trade=worth, signals={"worth": worth})


class Banded(Strategy[Any]):
    """Least variance within a band of net exposure, under limits of its own."""

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        paths, assets = book.exposure.shape
        band = 0.1 * np.abs(book.exposure).sum(axis=-1, keepdims=True)
        return HedgeDecision(
            exposure=book.exposure,
            risk=Quadratic(np.eye(assets) * 1e-4),
            neutrality=Neutrality(np.ones((1, assets)), band),
            limits=Limits(upper=0.0, turnover=np.full(paths, 5e5)),
        )


class NeedsAssets(Strategy[None]):
    """Asks for two assets by name."""

    legs: tuple[str, str] = ("WTI", "COPPER")

    def requires(self) -> tuple[str, ...]:
        return self.legs

    def init(self, market: MarketInfo) -> None:
        for leg in self.legs:
            if leg not in market.instruments:
                raise ValueError(f"{leg} is no instrument")

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        decided = hedge(book)
        return HedgeDecision(decided.exposure, decided.risk, instruments=self.legs)


class HoldsAssets(Strategy[None]):
    """Asks for an asset that must be held, not hedged with."""

    leg: str = "DAI"

    def requires(self) -> tuple[str, ...]:
        return (self.leg,)

    def init(self, market: MarketInfo) -> None:
        if self.leg not in market.exposed:
            raise ValueError(f"{self.leg} must be held")

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book)
