"""`check` holds monitors to the laws of the strategy that subscribes to them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from backtester.accounting.book import Book
from backtester.events import MonitorEvent
from backtester.hedging.decision import HedgeDecision, Target
from backtester.laws import check_strategy
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors import Monitor
from backtester.strategy import Strategy

Answer = tuple[Any, MonitorEvent | None]


class Move:
    """Sees a move of the first asset by more than 3 %; the state counts events."""

    def init(self, market: MarketInfo) -> int:
        return 0

    def move(self, view: MarketView) -> Any:
        return view.returns()[:, 0]

    def step(self, view: MarketView, book: Book, state: int) -> Answer:
        move = self.move(view)
        mask = np.abs(move) > 0.03
        return state + 1, MonitorEvent(
            t=view.t,
            time=view.time,
            name="move",
            mask=mask,
            strength=np.where(mask, np.abs(move), np.nan),
            direction=np.where(mask, np.sign(move), 0.0),
        )


class OfTheFuture(Move):
    """Finds the engine's panel by walking up the stack."""

    def move(self, view: MarketView) -> Any:
        frame = sys._getframe()
        while not ("panel" in frame.f_locals and "clock" in frame.f_locals):
            assert frame.f_back is not None
            frame = frame.f_back
        prices = frame.f_locals["panel"].prices[:, :, 0]
        return prices[min(view.t + 1, len(prices) - 1)] / prices[view.t] - 1.0


class OfTheCrowd(Move):
    def move(self, view: MarketView) -> Any:
        move = super().move(view)
        return move - move.mean()


class WithMemory(Move):
    seen: float = 0.0

    def move(self, view: MarketView) -> Any:
        move = super().move(view)
        self.seen = max(self.seen, float(np.abs(move[0])))
        return move + 0.0 * self.seen + np.where(np.abs(move) < self.seen, 0.0, 0.04)


class ShortMask(Move):
    def move(self, view: MarketView) -> Any:
        return super().move(view)[:1]


class Watcher(Strategy[None]):
    """Hedges half, on schedule and where its monitor sees something."""

    def eye(self) -> Monitor[Any]:
        return Move()

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        return (self.eye(),)

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        notional = np.zeros_like(book.hedges)
        notional[:, 0] = -0.5 * book.exposure.sum(axis=-1)
        for event in view.events:
            notional[:, 0] *= np.where(event.mask, 0.5, 1.0)
        return HedgeDecision(exposure=book.exposure, risk=Target(notional))


class FutureWatcher(Watcher):
    def eye(self) -> Monitor[Any]:
        return OfTheFuture()


class CrowdWatcher(Watcher):
    def eye(self) -> Monitor[Any]:
        return OfTheCrowd()


_SHARED = WithMemory()


class MemoryWatcher(Watcher):
    def eye(self) -> Monitor[Any]:
        return _SHARED


class ShortWatcher(Watcher):
    def eye(self) -> Monitor[Any]:
        return ShortMask()


def test_an_honest_monitor_passes() -> None:
    report = check_strategy(Watcher)
    assert report.ok, report.text()


@pytest.mark.parametrize(
    ("cheat", "law", "words"),
    [
        (FutureWatcher, "causality: scramble", "comes from prices"),
        (CrowdWatcher, "ensemble", "mixes paths"),
        (MemoryWatcher, "causality: cut", "events[0].mask"),
        (ShortWatcher, "contract", "monitor ShortMask of strategy ShortWatcher returned mask"),
    ],
)
def test_a_cheating_monitor_is_caught(cheat: type[Watcher], law: str, words: str) -> None:
    report = check_strategy(cheat)
    found = {r.name: r for r in report.failures}
    assert law in found, report.text()
    assert words in found[law].message
