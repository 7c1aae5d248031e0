"""A frictionless stand-in for the engine: the exact minimum-variance hedge, held for one bar.

Strategies are judged here on what they decide, apart from costs, fills and solvers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtester.accounting.book import Book, open_book
from backtester.arrays import Bool, Float, Int, readonly
from backtester.estimation.beta import solve_psd
from backtester.hedging.contract import checked
from backtester.hedging.decision import HedgeDecision, Quadratic, Target
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.watch import Watch
from backtester.strategy import Strategy


@dataclass(frozen=True)
class World:
    """Prices (T, P, N), which assets are held and which may hedge."""

    prices: Float
    assets: tuple[str, ...]
    exposure: dict[str, float]  # money, held constant
    instruments: tuple[str, ...]
    elapsed: float = 1.0  # trading days a bar
    funding: Float | None = None  # (T, P, N)

    @property
    def index(self) -> Int:
        return np.array([self.assets.index(i) for i in self.instruments], dtype=np.int64)

    @property
    def info(self) -> MarketInfo:
        return MarketInfo(
            assets=self.assets,
            instruments=self.instruments,
            instrument_index=self.index,
            exposed=tuple(self.exposure),
            paths=self.prices.shape[1],
            days_per_bar=self.elapsed,
            days_per_year=365.0,
            capital=1e6,
        )

    def view(self, t: int) -> MarketView:
        paths, assets = self.prices.shape[1:]
        return MarketView(
            t=t,
            time=int(t * self.elapsed * 86_400_000_000_000),
            elapsed=self.elapsed if t else 0.0,
            now=t * self.elapsed,
            past=readonly(self.prices),
            half_spread=np.zeros((paths, assets)),
            funding=None if self.funding is None else self.funding[t],
            cost_rate=np.zeros((paths, len(self.instruments))),
        )

    def book(self, t: int, hedges: Float) -> Book:
        price = self.prices[t]
        units = np.zeros_like(price)
        for name, money in self.exposure.items():
            units[:, self.assets.index(name)] = money / price[:, self.assets.index(name)]
        book = open_book(readonly(price), units, self.index, capital=1e6)
        return replace(book, hedge_units=readonly(hedges / price[:, self.index]))


@dataclass(frozen=True)
class Step:
    """One decision and what the next bar paid."""

    t: int
    decision: HedgeDecision
    hedges: Float  # (P, K) money after the decision
    exposure_pnl: Float  # (P,) of the next bar
    hedge_pnl: Float  # (P,)


def prices_of(returns: Float) -> Float:
    """Prices (T+1, P, N) from 100 with these simple returns."""
    start = np.full((1, *returns.shape[1:]), 100.0)
    return np.concatenate([start, 100.0 * np.cumprod(1.0 + returns, axis=0)])


def simulate(
    rng: np.random.Generator, bars: int, paths: int, correlation: Float, volatility: float = 0.02
) -> Float:
    """Normal returns (T, P, N) with one correlation matrix."""
    root = np.linalg.cholesky(correlation)
    return volatility * (rng.standard_normal((bars, paths, len(correlation))) @ root.T)


def frictionless(decision: HedgeDecision, world: World, held: Float) -> Float:
    """Hedges (P, K) after the decision, without cost or limits; neutrality rows are not used."""
    index, paths = world.index, len(held)
    usable: Bool = np.ones((paths, len(index)), dtype=np.bool_)
    if decision.instruments is not None:
        usable &= np.array([name in decision.instruments for name in world.instruments])
    if decision.eligible is not None:
        usable &= decision.eligible
    exposure = decision.exposure
    if decision.scale is not None:
        exposure = exposure * decision.scale[:, None]
    if isinstance(decision.risk, Target):
        hedges = np.where(usable, decision.risk.notional, 0.0)
    else:
        assert isinstance(decision.risk, Quadratic)
        rows = decision.risk.covariance[:, index, :]
        right = (rows * exposure[:, None, :]).sum(axis=-1) * usable
        both = usable[:, :, None] & usable[:, None, :]
        hedges = -solve_psd(np.where(both, rows[:, :, index], 0.0), right[:, :, None])[:, :, 0]
    return hedges if decision.trade is None else np.where(decision.trade[:, None], hedges, held)


def drive(world: World, strategy: Strategy[Any]) -> Iterator[Step]:
    """Observe every bar; decide from the warm-up on; the hedge earns the next bar's returns."""
    bars, paths, _ = world.prices.shape
    state: Any = strategy.init(world.info)
    watch = Watch(strategy, world.info, type(strategy).__name__, 0)
    hedges = np.zeros((paths, len(world.instruments)))
    for t in range(bars):
        view = world.view(t)
        state = strategy.observe(view, state)
        book = world.book(t, hedges)
        view, _ = watch.step(view, book, scheduled=True, started=True)
        if view.now < strategy.warmup - 1e-9 or t + 1 == bars:
            continue
        raw = strategy.decide(view, book, state)
        who, names = type(strategy).__name__, world.instruments
        decision = checked(raw, who, t, paths, world.assets, names)
        hedges = frictionless(decision, world, hedges)
        gain = world.prices[t + 1] / world.prices[t] - 1.0
        yield Step(
            t,
            decision,
            hedges,
            (book.exposure * gain).sum(axis=-1),
            (hedges * gain[:, world.index]).sum(axis=-1),
        )


def effectiveness(steps: list[Step]) -> float:
    """1 − E[hedged²]/E[unhedged²], uncentred and pooled over paths and time."""
    plain = sum(float((s.exposure_pnl**2).sum()) for s in steps)
    hedged = sum(float(((s.exposure_pnl + s.hedge_pnl) ** 2).sum()) for s in steps)
    return 1.0 - hedged / plain
