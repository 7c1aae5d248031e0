"""The engine and monitors: who is due, what is recorded, and that paths stay strangers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

from backtester.accounting.exposure import Exposure
from backtester.arrays import NANOSECONDS_PER_DAY, Float
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import BlockRun, run
from backtester.errors import StrategyError
from backtester.estimation.covariance import EwmaCovariance
from backtester.events import CorrelationBreak, MonitorEvent, RegimeChange
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Quadratic
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy


@dataclass(frozen=True)
class BigMove:
    """Says where the first asset moved by more than `size`."""

    size: float = 0.04
    triggers: bool = True

    def init(self, market: Any) -> None:
        return None

    def step(self, view: Any, book: Any, state: None) -> tuple[None, MonitorEvent | None]:
        move = view.returns()[:, 0]
        mask = np.abs(move) > self.size
        if not mask.any():
            return None, None
        return None, MonitorEvent(
            t=view.t,
            time=view.time,
            name="big_move",
            mask=mask,
            strength=np.where(mask, np.abs(move), np.nan),
            direction=np.where(mask, np.sign(move), 0.0),
            triggers=self.triggers,
        )


class Watcher(Strategy[Any]):
    """Minimum-variance, with a monitor; its risk makes the solver and the horizon work."""

    monitor: Any = BigMove()
    wait: float = 0.0

    @property
    def warmup(self) -> float:
        return self.wait

    def monitors(self, market: Any) -> tuple[Any, ...]:
        return (self.monitor,)

    def init(self, market: Any) -> Any:
        return EwmaCovariance(20.0).init(market.paths, len(market.assets))

    def observe(self, view: Any, state: Any) -> Any:
        return EwmaCovariance(20.0).step(state, view.returns(), view.elapsed)

    def decide(self, view: Any, book: Any, state: Any) -> HedgeDecision:
        risk = Quadratic(EwmaCovariance(20.0).covariance(state))
        return HedgeDecision(
            exposure=book.exposure,
            risk=risk,
            signals={"decided": np.ones(len(book.cash), dtype=np.bool_)},
        )


def market(paths: int = 5, bars: int = 80, seed: int = 0) -> MarketPanel:
    rng = np.random.default_rng(seed)
    shocks = rng.standard_normal((bars, paths, 3)) * 0.02
    shocks[..., 1:] += 0.8 * shocks[..., :1]
    prices = 100.0 * np.exp(np.cumsum(shocks, axis=0))
    times = np.arange(bars, dtype=np.int64) * NANOSECONDS_PER_DAY
    return MarketPanel(times, ("A", "B", "C"), prices, CONTINUOUS)


def setup_of(**changes: Any) -> RunSetup:
    defaults: dict[str, Any] = {
        "exposure": Exposure(("A",), np.array([1e6])),
        "instruments": ("B", "C"),
        "costs": CostConfig(fee_bps=5, half_spread_bps=2),
        "hedging": HedgeSettings(1e6),
        "rebalance": 10.0,
    }
    return RunSetup(**{**defaults, **changes})


def moves(panel: MarketPanel) -> Float:
    """Where the monitor must fire, (T, P)."""
    fired = np.zeros(panel.prices.shape[:2], dtype=np.bool_)
    fired[1:] = np.abs(panel.returns[..., 0]) > 0.04
    return fired


def decided(block: BlockRun) -> Float:
    return block.ledger.status != 0


def test_an_event_asks_for_a_decision_on_its_own_paths() -> None:
    panel = market()
    block = run(panel, Watcher(), setup_of())
    wanted = moves(panel)
    assert 3 < wanted[10:].sum() < 60
    wanted[::10] = True
    np.testing.assert_array_equal(decided(block), wanted)
    # What the strategy signals counts where it decided, and no more.
    counted = sum(int(s.mask.sum()) for s in block.ledger.signals if s.name == "decided")
    assert counted == wanted.sum()


def test_events_are_recorded_as_signals() -> None:
    panel = market()
    found = [s for s in run(panel, Watcher(), setup_of()).ledger.signals if s.name == "big_move"]
    fired = moves(panel)
    assert [s.t for s in found] == np.flatnonzero(fired.any(axis=1)).tolist()
    for signal in found:
        move = panel.returns[signal.t - 1, :, 0]
        assert signal.time == panel.times[signal.t]
        np.testing.assert_array_equal(signal.mask, fired[signal.t])
        np.testing.assert_array_equal(signal.strength, np.where(signal.mask, abs(move), np.nan))
        np.testing.assert_array_equal(signal.direction, np.where(signal.mask, np.sign(move), 0))


def test_an_event_that_only_informs_asks_for_nothing() -> None:
    panel = market()
    block = run(panel, Watcher(monitor=BigMove(triggers=False)), setup_of())
    assert np.flatnonzero(decided(block).any(axis=1)).tolist() == list(range(0, 80, 10))
    assert any(s.name == "big_move" for s in block.ledger.signals)


def test_nothing_is_decided_during_the_warm_up() -> None:
    panel = market()
    block = run(panel, Watcher(wait=30.0), setup_of())
    assert moves(panel)[:30].any()
    assert not decided(block)[:30].any() and decided(block)[30].all()


@pytest.mark.parametrize("order", [[0], [3], [4, 1], [2, 0, 4, 1, 3]])
@pytest.mark.parametrize("execution", ["next_event", "same_close"])
def test_a_triggered_path_is_the_same_alone_and_together(order: list[int], execution: str) -> None:
    """Decisions off schedule on some paths leave every bit of the others."""
    panel, setup = market(), setup_of(execution=execution)
    whole = run(panel, Watcher(), setup)
    part = run(panel.select(np.array(order)), Watcher(), setup)
    assert whole.ledger.traded.any()
    np.testing.assert_array_equal(part.horizon, whole.horizon[:, order])
    for item in fields(whole.ledger):
        value = getattr(whole.ledger, item.name)
        if isinstance(value, np.ndarray) and value.ndim >= 2:
            np.testing.assert_array_equal(
                getattr(part.ledger, item.name), value[:, order], err_msg=item.name
            )


def test_the_strategy_sees_events_and_who_is_due_when_it_decides() -> None:
    seen: list[tuple[int, tuple[Any, ...], Any]] = []

    class Curious(Watcher):
        def observe(self, view: Any, state: Any) -> Any:
            assert view.events == () and view.due is None  # monitors step afterwards
            return super().observe(view, state)

        def decide(self, view: Any, book: Any, state: Any) -> HedgeDecision:
            seen.append((view.t, view.events, view.due))
            return super().decide(view, book, state)

    panel = market()
    run(panel, Curious(), setup_of())
    fired = moves(panel)
    for t, events, due in seen:
        assert bool(events) == fired[t].any()
        np.testing.assert_array_equal(due, np.ones(5, bool) if t % 10 == 0 else fired[t])
        if events:
            with pytest.raises(ValueError, match="read-only"):
                events[0].mask[:] = False


def event(view: Any, **changes: Any) -> MonitorEvent:
    base: dict[str, Any] = {
        "t": view.t,
        "time": view.time,
        "name": "x",
        "mask": np.ones(5, bool),
        "strength": np.ones(5),
        "direction": np.zeros(5),
    }
    return MonitorEvent(**{**base, **changes})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda v: None, r"monitor Wrong of strategy Watcher returned NoneType at 1970-01-01\. st"),
        (lambda v: (None, "break"), r"returned the event 'break'.*\(state, event or None\)"),
        (lambda v: (None, event(v, mask=np.ones(5))), r"mask of shape \(5,\) and type float64, ex"),
        (lambda v: (None, event(v, strength=np.ones(1))), r"strength of shape \(1,\)"),
        (lambda v: (None, event(v, strength=np.full(5, np.nan))), r"NaN where the mask is on"),
        (lambda v: 1 / 0, r"strategy Watcher raised ZeroDivisionError in Wrong.step\(\): division"),
    ],
)
def test_a_broken_monitor_is_named(answer: Any, words: str) -> None:
    class Wrong(BigMove):
        def step(self, view: Any, book: Any, state: None) -> Any:
            return answer(view)

    with pytest.raises(StrategyError, match=words):
        run(market(), Watcher(monitor=Wrong()), setup_of())


def test_what_is_no_monitor_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"the monitor 'x', which lacks init or step.*tuple"):
        run(market(), Watcher(monitor="x"), setup_of())


def test_breaks_and_regime_changes_are_events() -> None:
    """What they carry beyond the mask; arrays of any of them reach the strategy frozen."""
    base: dict[str, Any] = {
        "t": 1,
        "time": 2,
        "mask": np.array([True]),
        "strength": np.array([3.0]),
        "direction": np.array([-1.0]),
    }
    broken = CorrelationBreak(
        **base,
        name="correlation_break",
        active=np.array([True]),
        hedges=np.array([[-1, 0]], dtype=np.int8),
    )
    code = np.zeros(1, dtype=np.int8)
    changed = RegimeChange(
        **base,
        name="regime_change",
        before=code,
        after=code,
        probability=np.array([0.9]),
        names=("normal", "crisis"),
    )
    assert isinstance(broken, MonitorEvent) and isinstance(changed, MonitorEvent)
    assert broken.triggers and changed.triggers
    with pytest.raises(AttributeError):
        broken.t = 3  # type: ignore[misc]
