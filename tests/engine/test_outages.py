"""Where an instrument is not tradable its orders wait: by hand, and as laws."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from backtester.accounting.exposure import Exposure
from backtester.arrays import NANOSECONDS_PER_DAY, Bool
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.errors import DataError
from backtester.events import MonitorEvent
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Target
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

A, B, C = [100.0, 110, 121, 100, 90], [50.0, 40, 60, 64, 50], [10.0, 11, 10, 12, 11]


class Ladder(Strategy[None]):
    """Holds `rungs[t]` money of the first hedge at the decision at t, `other` of the second."""

    rungs: tuple[float, ...]
    other: float = 0.0
    alarm: int = -1  # event at which a monitor asks for a decision on path 0

    def monitors(self, market: Any) -> tuple[Any, ...]:
        return () if self.alarm < 0 else (Alarm(self.alarm),)

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        wanted = np.zeros_like(book.hedges)
        wanted[:, 0], wanted[:, 1] = self.rungs[view.t], self.other
        return HedgeDecision(exposure=book.exposure, risk=Target(wanted))


class Alarm:
    def __init__(self, at: int) -> None:
        self.at = at

    def init(self, market: Any) -> int:
        return market.paths

    def step(self, view: Any, book: Any, state: int) -> Any:
        mask = np.zeros(state, dtype=np.bool_)
        mask[0] = view.t == self.at
        strength = np.where(mask, 1.0, np.nan)
        return state, MonitorEvent(
            t=view.t, time=view.time, name="alarm", mask=mask, strength=strength,
            direction=np.zeros(state),
        )  # fmt: skip


def halted(*stamps: int, asset: int = 1, paths: int = 1, on: int = 0) -> Bool:
    """Tradable everywhere but of `asset` at `stamps` on path `on`."""
    tradable = np.ones((5, paths, 3), dtype=np.bool_)
    tradable[list(stamps), on, asset] = False
    return tradable


def panel_of(tradable: Bool | None, paths: int = 1) -> MarketPanel:
    prices = np.repeat(np.array([A, B, C]).T[:, None, :], paths, axis=1)
    times = np.arange(5, dtype=np.int64) * NANOSECONDS_PER_DAY
    return MarketPanel(times, ("A", "B", "C"), prices, CONTINUOUS, tradable=tradable)


def setup_of(**changes: Any) -> RunSetup:
    defaults: dict[str, Any] = {
        "exposure": Exposure(("A",), np.array([1000.0])),
        "instruments": ("B", "C"),
        "costs": CostConfig(fee_bps=10, half_spread_bps=0, gas={"C": 1.0}),
        "hedging": HedgeSettings(1000.0),
        "rebalance": 100.0,
    }
    return RunSetup(**{**defaults, **changes})


def test_an_order_fills_at_the_first_event_at_which_it_can() -> None:
    led = run(panel_of(halted(1, 2)), Ladder(rungs=(-500,) * 5, other=-100), setup_of()).ledger
    assert led.fills[:, 0, 0].tolist() == [0, 0, 0, -10, 0]  # decided at 50, filled at 64
    assert led.fills[:, 0, 1].tolist() == [0, -10, 0, 0, 0]  # the other leg does not wait
    assert led.unfilled[:, 0].tolist() == [0, 1, 1, 0, 0]
    # Cost on fills alone: 110 money and one gas at 1, 640 money at 3.
    assert led.costs[:, 0].sum(axis=1).tolist() == pytest.approx([0, 0.11 + 1.0, 0, 0.64, 0])
    assert led.hedge_pnl[:, 0].tolist() == pytest.approx([0, 0, 10, -20, 140 + 10])


def test_a_new_decision_replaces_what_waits() -> None:
    rungs = (-500, -100, -400, 0, 0)
    led = run(panel_of(halted(1, 2)), Ladder(rungs=rungs), setup_of(rebalance=2.0)).ledger
    # −500/50 waits at 1 and 2, where −400/60 replaces it; that fills at 3.
    assert led.fills[:, 0, 0].tolist() == pytest.approx([0, 0, 0, -400 / 60, 0])
    assert led.unfilled[:, 0].tolist() == [0, 1, 1, 0, 0]


def test_a_decision_that_does_not_trade_cancels_what_waits() -> None:
    class Shy(Ladder):
        def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
            return replace(
                super().decide(view, book, state), trade=np.full(len(book.cash), view.t == 0)
            )

    led = run(panel_of(halted(1, 2)), Shy(rungs=(-500,) * 5), setup_of(rebalance=2.0)).ledger
    assert not led.fills.any() and led.unfilled[:, 0].tolist() == [0, 1, 1, 0, 0]


def test_a_decision_on_one_path_leaves_what_waits_on_another() -> None:
    """Path 0 decides again at 2 because of an alarm; path 1 still waits for its first order."""
    tradable = halted(1, 2, paths=2) & halted(1, 2, paths=2, on=1)
    strategy = Ladder(rungs=(-500, 0, -400, 0, 0), alarm=2)
    led = run(panel_of(tradable, 2), strategy, setup_of()).ledger
    assert led.fills[:, 0, 0].tolist() == pytest.approx([0, 0, 0, -400 / 60, 0])
    assert led.fills[:, 1, 0].tolist() == [0, 0, 0, -10, 0]
    quiet = run(panel_of(tradable, 2).path(1), Ladder(rungs=(-500,) * 5), setup_of()).ledger
    np.testing.assert_array_equal(led.fills[:, 1], quiet.fills[:, 0])


def test_same_close_waits_too() -> None:
    setup = setup_of(execution="same_close")
    led = run(panel_of(halted(0, 1)), Ladder(rungs=(-500,) * 5), setup).ledger
    assert led.fills[:, 0, 0].tolist() == [0, 0, -10, 0, 0]
    assert led.unfilled[:, 0].tolist() == [1, 1, 0, 0, 0]


def test_tradable_everywhere_changes_no_bit() -> None:
    strategy = Ladder(rungs=(-500, -300, -400, 200, 0), other=-100)
    plain, always = (
        run(panel_of(t), strategy, setup_of(rebalance=1.0)).ledger
        for t in (None, np.ones((5, 1, 3), dtype=np.bool_))
    )
    for item in fields(plain):
        one, two = getattr(plain, item.name), getattr(always, item.name)
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("shared", [False, True])
def test_paths_wait_by_themselves(shared: bool) -> None:
    rng = np.random.default_rng(0)
    prices = 100.0 * np.exp(np.cumsum(rng.standard_normal((40, 4, 3)) * 0.02, axis=0))
    tradable = rng.random((40, 1 if shared else 4, 3)) > 0.4
    times = np.arange(40, dtype=np.int64) * NANOSECONDS_PER_DAY
    panel = MarketPanel(times, ("A", "B", "C"), prices, CONTINUOUS, tradable=tradable)
    strategy = Ladder(rungs=tuple(rng.uniform(-600, 0, 40)), other=-200)
    whole = run(panel, strategy, setup_of(rebalance=3.0)).ledger
    open_ = np.broadcast_to(tradable, prices.shape)[..., 1:]
    assert not whole.fills[~open_].any() and whole.fills.any() and whole.unfilled.sum() > 20
    for order in ([2], [3, 0], [1, 3, 0, 2]):
        part = run(panel.select(np.array(order)), strategy, setup_of(rebalance=3.0)).ledger
        for item in ("fills", "equity", "costs", "unfilled", "hedges"):
            np.testing.assert_array_equal(getattr(part, item), getattr(whole, item)[:, order])


def test_the_view_shows_what_trades_now() -> None:
    seen = []

    class Looks(Ladder):
        def observe(self, view: Any, state: None) -> None:
            seen.append(view.tradable)

    run(panel_of(halted(1, 3)), Looks(rungs=(0,) * 5), setup_of())
    assert [bool(s[0, 1]) for s in seen] == [True, False, True, False, True]
    assert all(s.shape == (1, 3) and s.base is None and not s.flags.writeable for s in seen)
    seen.clear()
    run(panel_of(None), Looks(rungs=(0,) * 5), setup_of())
    assert seen == [None] * 5


class TestPanel:
    def test_it_is_cut_picked_and_hashed_like_the_other_fields(self) -> None:
        panel = panel_of(halted(1, 2, paths=2, on=1), 2)
        assert panel.path(0).tradable.all() and not panel.path(1).tradable.all()  # type: ignore[union-attr]
        assert panel.until(2).tradable.shape == (2, 2, 3)  # type: ignore[union-attr]
        assert panel.digest != replace(panel, tradable=None).digest
        assert panel.digest != replace(panel, tradable=halted(1, paths=2, on=1)).digest

    def test_panels_with_and_without_stack(self) -> None:
        one, two = panel_of(None), panel_of(halted(2))
        for parts in ([one, two], [two, one]):
            stacked = MarketPanel.stacked(parts)
            for p, part in enumerate(parts):
                want = np.ones((5, 1, 3), bool) if part.tradable is None else part.tradable
                np.testing.assert_array_equal(stacked.path(p).tradable, want)
        assert MarketPanel.stacked([one, one]).tradable is None

    def test_numbers_are_refused(self) -> None:
        with pytest.raises(DataError, match=r"tradable of market 'market' has type float64.*True"):
            panel_of(np.ones((5, 1, 3)))  # type: ignore[arg-type]

    def test_a_wrong_shape_is_refused(self) -> None:
        with pytest.raises(DataError, match=r"tradable of market 'market' has shape \(5, 1, 2\)"):
            panel_of(np.ones((5, 1, 2), dtype=np.bool_))
