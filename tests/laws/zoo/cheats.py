"""Strategies that look ahead or misbehave, one kind each; every one must be caught.

They all wrap one honest idea – hedge minus half the net exposure in the first instrument – so that
nothing but the fault tells them apart.
"""

from __future__ import annotations

import gc
import random
import sys
import time
from typing import Any, ClassVar

import numpy as np
from pydantic import ConfigDict, PrivateAttr

from backtester.accounting.book import Book
from backtester.hedging.decision import HedgeDecision, Quadratic, Target
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Strategy

_CACHE: dict[str, Any] = {}


def hedge(book: Book, tilt: Any = 1.0) -> HedgeDecision:
    """Minus half the net exposure times `tilt` (scalar or one per path) in the first hedge."""
    notional = np.zeros_like(book.hedges)
    notional[:, 0] = -0.5 * book.exposure.sum(axis=-1) * tilt
    return HedgeDecision(exposure=book.exposure, risk=Target(notional))


def panel_on_the_stack() -> MarketPanel:
    """The engine's own panel, found by walking up the stack."""
    frame = sys._getframe()
    while frame is not None:
        if isinstance(frame.f_locals.get("panel"), MarketPanel) and "clock" in frame.f_locals:
            return frame.f_locals["panel"]
        frame = frame.f_back
    raise LookupError("no panel")


class NextRow(Strategy[None]):
    """Reads the row after t of the past."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        move = view.past[min(view.t + 1, len(view.past) - 1), :, 0] / view.prices[:, 0]
        return hedge(book, move)


class EarlierRun(Strategy[None]):
    """Fills a module-level cache with whole-sample means, and uses them in later runs."""

    def observe(self, view: MarketView, state: None) -> None:
        seen = view.past[: view.t + 1, :, 0].mean()
        _CACHE["mean"] = max(_CACHE.get("mean", 0.0), seen)

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, 1.0 + _CACHE["mean"] / 1e6)


class FrameWalker(Strategy[None]):
    """Finds the engine's panel on the stack and reads tomorrow's price."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        prices = panel_on_the_stack().prices
        tomorrow = prices[min(view.t + 1, len(prices) - 1), :, 0]
        return hedge(book, tomorrow / view.prices[:, 0])


class FundingPeeker(Strategy[None]):
    """As above, reading the funding a week ahead."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        funding = panel_on_the_stack().funding
        assert funding is not None
        return hedge(book, 1.0 + 100.0 * funding[min(view.t + 7, len(funding) - 1), :, 2])


class RegimePeeker(Strategy[None]):
    """As above, reading the true regime of the next bar."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        regime = panel_on_the_stack().regime
        assert regime is not None
        return hedge(book, 1.0 + regime[min(view.t + 1, len(regime) - 1)])


class MemorySearcher(Strategy[None]):
    """Searches the garbage collector for a panel, and uses its last price."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        if view.t % 25:  # a search takes its time
            return hedge(book)
        panels = [o for o in gc.get_objects() if isinstance(o, MarketPanel)]
        return hedge(book, panels[0].prices[-1, :, 0] / view.prices[:, 0])


class PastOwner(Strategy[None]):
    """Reaches the panel through whoever owns the array behind `view.past`."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        if view.t % 25:
            return hedge(book)
        for holder in gc.get_referrers(view.past.base):
            owner = holder.get("_panel") if isinstance(holder, dict) else None
            owner = owner or getattr(holder, "_panel", None)
            if owner is not None:
                return hedge(book, owner.prices[-1, :, 0] / view.prices[:, 0])
        raise LookupError("no owner")


class WindsDown(Strategy[None]):
    """Knows when the data end, and closes ten bars before."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, 0.0 if view.t > len(view.past) - 10 else 1.0)


class ClassCounter(Strategy[None]):
    """Counts its decisions on the class."""

    seen: ClassVar[int] = 0

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        type(self).seen += 1
        return hedge(book, 1.0 + type(self).seen / 1000.0)


class QuietClassCounter(Strategy[None]):
    """Counts on the class, without any effect on what it decides."""

    seen: ClassVar[int] = 0

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        type(self).seen += 1
        return hedge(book)


class PrivateMemory(Strategy[None]):
    """Remembers the highest price ever seen in a private attribute of the instance."""

    _highest: dict[str, float] = PrivateAttr(default_factory=lambda: {"price": 0.0})

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        self._highest["price"] = max(self._highest["price"], float(view.prices[:, 0].max()))
        return hedge(book, view.prices[:, 0] / self._highest["price"])


def _remember(price: float, seen: list[float] = []) -> float:  # noqa: B006 - the fault itself
    seen.append(price)
    return sum(seen) / len(seen)


class MutableDefault(Strategy[None]):
    """Keeps every price of every run in a mutable default argument."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, view.prices[0, 0] / _remember(float(view.prices[0, 0])))


class NumpyDice(Strategy[None]):
    """Draws from numpy's global generator."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, 1.0 + 0.1 * np.random.standard_normal())  # noqa: NPY002


class PythonDice(Strategy[None]):
    """Draws from Python's global generator."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, 1.0 + 0.1 * random.random())


class IdleDice(Strategy[None]):
    """Moves the global generator without using what it draws."""

    def observe(self, view: MarketView, state: None) -> None:
        random.random()

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book)


class FreshEntropy(Strategy[None]):
    """Makes an unseeded generator."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, 1.0 + 0.1 * np.random.default_rng().standard_normal())


class WallClock(Strategy[None]):
    """Lets the time of day on the wall decide."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, 1.0 + (time.time_ns() % 1_000_003) / 1e7)


class Vandal(Strategy[None]):
    """Writes into the prices it was given."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        view.past[view.t] *= 1.01
        return hedge(book)


class BackDoorVandal(Strategy[None]):
    """Writes into the past through the array behind the view."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        view.past.base[view.t, :, 0] *= 1.01
        return hedge(book, view.prices[:, 0] / view.past[0, :, 0])


class Embezzler(Strategy[None]):
    """Writes into the cash of the book."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        book.cash[:] += 1e5
        return hedge(book)


class FreeTrader(Strategy[None]):
    """Writes zeros into the published cost of trading."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        view.cost_rate[:] = 0.0
        return hedge(book)


class ImpureDecision(Strategy[Any]):
    """Changes its state in decide()."""

    def init(self, market: MarketInfo) -> Any:
        return np.zeros(market.paths)

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        state += 0.001
        return hedge(book, 1.0 + state)


class Thawed(Strategy[None]):
    """Changes its own parameter as it goes."""

    model_config = ConfigDict(frozen=False)
    ratio: float = 1.0

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        self.ratio *= 0.99
        return hedge(book, self.ratio)


class WrongShape(Strategy[None]):
    """One notional too many."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        notional = np.zeros((len(book.hedges), book.hedges.shape[1] + 1))
        return HedgeDecision(exposure=book.exposure, risk=Target(notional))


class NotANumber(Strategy[None]):
    """Divides by a variance that is zero at first."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        with np.errstate(invalid="ignore"):
            ratio = view.returns()[:, 0] / view.returns()[:, 1]
        return hedge(book, ratio)


class ShortWarmup(Strategy[None]):
    """Uses twenty bars but asks for none."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        window = view.history(21)
        spread = window[-1] / window[-21] if len(window) > 20 else np.full_like(window[-1], np.nan)
        return hedge(book, spread[:, 0])


class UnknownInstrument(Strategy[None]):
    """Hedges with something the study does not allow."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        decided = hedge(book)
        return HedgeDecision(decided.exposure, decided.risk, instruments=("DOGE",))


class Lopsided(Strategy[None]):
    """A covariance that is not symmetric."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        covariance = np.eye(book.exposure.shape[1])
        covariance[0, 1] = 0.5
        return HedgeDecision(exposure=book.exposure, risk=Quadratic(covariance))


class PathAverage(Strategy[None]):
    """Sizes every path by the mean over all paths."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, view.prices[:, 0] / view.prices[:, 0].mean())


class PathCount(Strategy[None]):
    """Hedges more where there are more paths."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book, len(book.hedges) / 10.0)


class FirstPathOnly(Strategy[None]):
    """Trades on the first path alone."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        decided, trade = hedge(book), np.zeros(len(book.hedges), dtype=bool)
        trade[0] = True
        return HedgeDecision(decided.exposure, decided.risk, trade=trade)


class Moody(Strategy[None]):
    """Raises on one date."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        if view.time >= np.datetime64("2021-03-01", "ns").astype(np.int64):
            raise ValueError("no trading in spring")
        return hedge(book)


class NotADecision(Strategy[None]):
    """Returns an array."""

    def decide(self, view: MarketView, book: Book, state: None) -> Any:
        return np.zeros_like(book.hedges)


class BadRequires(Strategy[None]):
    """Names its assets in one string."""

    def requires(self) -> Any:
        return "BTC"

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book)


class NeverReady(Strategy[None]):
    """Raises where it says how much history it needs."""

    @property
    def warmup(self) -> float:
        return 10.0 / 0

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        return hedge(book)


class CallerCounter(Strategy[None]):
    """Looks a fixed number of frames up."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        panel = sys._getframe(2).f_locals["panel"]
        return hedge(book, panel.prices[-1, :, 0] / view.prices[:, 0])
