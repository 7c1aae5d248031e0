"""Pairs of returns with and without a change of correlation, and monitors run over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from backtester.accounting.book import open_book
from backtester.arrays import NANOSECONDS_PER_DAY, Byte, Float
from backtester.events import CorrelationBreak
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.cusum import CusumMonitor
from backtester.monitors.fisher import FisherMonitor
from backtester.monitors.surprise import SurpriseMonitor

MONITORS: dict[str, Any] = {
    "FisherMonitor": FisherMonitor,
    "CusumMonitor": CusumMonitor,
    "SurpriseMonitor": SurpriseMonitor,
}
VOLATILITY = 0.02
WORLDS = ("normal", "t4", "garch", "volatility x3")


def returns(
    world: str, rho: float, *, bars: int, paths: int, seed: int, change: tuple[int, float] = (0, 0)
) -> Float:
    """Daily returns (T, P, 2) of correlation `rho`, and `change[1]` from bar `change[0]` on.

    world: ``"normal"``; ``"t4"``, Student t with 4 degrees of freedom; ``"garch"``, GARCH(1,1)
    with α = .08, β = .90 of each; ``"volatility x3"``, which triples for every other 250 days.
    """
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((bars, paths, 2))
    level = np.full(bars, rho)
    if change[0]:
        level[change[0] :] = change[1]
    rest = np.sqrt(1.0 - level * level)
    shocks[..., 1] = level[:, None] * shocks[..., 0] + rest[:, None] * shocks[..., 1]
    if world == "t4":
        shocks *= np.sqrt(2.0 / rng.chisquare(4.0, (bars, paths, 1)))
    elif world == "garch":
        variance = np.ones((paths, 2))
        for t in range(bars):
            shocks[t] *= np.sqrt(variance)
            variance = 0.02 + 0.08 * shocks[t] ** 2 + 0.90 * variance
    elif world == "volatility x3":
        shocks *= np.where(np.arange(bars) // 250 % 2 == 1, 3.0, 1.0)[:, None, None]
    return VOLATILITY * shocks


def watch(monitor: Any, moves: Float) -> Iterator[tuple[Any, CorrelationBreak | None]]:
    """State and event of `monitor` at every bar; the first asset is held, the second may hedge."""
    bars, paths, _ = moves.shape
    index = np.array([1], dtype=np.int64)
    market = MarketInfo(
        assets=("A", "B"), instruments=("B",), instrument_index=index, exposed=("A",),
        paths=paths, days_per_bar=1.0, days_per_year=365.0, capital=1e6,
    )  # fmt: skip
    past = np.ones((2, paths, 2))
    units = np.zeros((paths, 2))
    units[:, 0] = 1e6
    book = open_book(past[0], units, index, 1e6)
    zero = np.zeros((paths, 2))
    state = monitor.init(market)
    for t in range(bars):
        past[1] = 1.0 + moves[t]
        view = MarketView(
            t=min(t, 1), time=t * NANOSECONDS_PER_DAY, elapsed=1.0 if t else 0.0, now=float(t),
            past=past, half_spread=zero, funding=None, cost_rate=zero[:, :1],
        )  # fmt: skip
        state, event = monitor.step(view, book, state)
        yield state, event


def with_bound(monitor: Any, bound: float) -> Any:
    """A copy of `monitor` with another bound than its false-alarm rate asks for."""
    other = replace(monitor)
    other.__dict__["_bound"] = bound
    return other


def codes(monitor: Any, moves: Float) -> Byte:
    """Breaks in force, (T, P): −1 weaker, +1 stronger, 0 none."""
    rows = [
        np.zeros(moves.shape[1], np.int8) if event is None else event.hedges[:, 0]
        for _, event in watch(monitor, moves)
        if event is None or event.hedges is not None
    ]
    return np.array(rows)


def starts(code: Byte) -> int:
    """Breaks that begin."""
    return int(((code[1:] != 0) & (code[1:] != code[:-1])).sum())


def detection(code: Byte, at: int, sign: int, within: int) -> tuple[float, float]:
    """Share of paths that see a change at bar `at` within `within` bars, and the median delay.

    Paths on which a break of that sign was in force already are left out; the delay is that of
    the median path, infinite where fewer than half see it.
    """
    free = code[at - 1] != sign
    hit = code[at : at + within, free] == sign
    seen = hit.any(axis=0)
    delay = np.where(seen, np.argmax(hit, axis=0) + 1.0, np.inf)
    return float(seen.mean()), float(np.median(delay))
