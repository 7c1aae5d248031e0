"""More than one event between a decision and its fill: by hand, and as laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_strategies.baselines import RollingOLS

from backtester.accounting.exposure import Exposure
from backtester.arrays import NANOSECONDS_PER_DAY, Bool
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.errors import ConfigError
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Quadratic, Target
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

B = [50.0, 40.0, 60.0, 64.0, 50.0, 55.0]


class Ladder(Strategy[None]):
    """Holds `rungs[t]` money of the hedge at the decision at t."""

    rungs: tuple[float, ...]

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        wanted = np.full_like(book.hedges, self.rungs[view.t])
        return HedgeDecision(exposure=book.exposure, risk=Target(wanted))


def panel_of(tradable: Bool | None = None) -> MarketPanel:
    prices = np.stack([np.full(6, 100.0) + np.arange(6), np.array(B)], axis=-1)[:, None, :]
    times = np.arange(6, dtype=np.int64) * NANOSECONDS_PER_DAY
    return MarketPanel(times, ("A", "B"), prices, CONTINUOUS, tradable=tradable)


def setup_of(**changes: Any) -> RunSetup:
    defaults: dict[str, Any] = {
        "exposure": Exposure(("A",), np.array([1000.0])),
        "instruments": ("B",),
        "costs": CostConfig(fee_bps=10, half_spread_bps=0),
        "hedging": HedgeSettings(1000.0),
    }
    return RunSetup(**{**defaults, **changes})


def test_an_order_fills_so_many_events_later_at_the_price_of_then() -> None:
    for delay in (1, 2, 3):
        setup = setup_of(rebalance=100.0, delay=delay)
        led = run(panel_of(), Ladder(rungs=(-500,) * 6), setup).ledger
        assert np.flatnonzero(led.fills[:, 0, 0]).tolist() == [delay]
        assert led.fills[delay, 0, 0] == -10.0  # 500 at the decision's 50
        assert led.costs[delay, 0].sum() == pytest.approx(10 * B[delay] * 1e-3)


def test_what_is_under_way_is_not_sent_again() -> None:
    """−500 is wanted at every mark; each decision trades only what price has moved since."""
    led = run(panel_of(), Ladder(rungs=(-500,) * 6), setup_of(delay=2)).ledger
    units = np.cumsum(led.fills[:, 0, 0])
    assert units[2:] == pytest.approx([-500 / b for b in B[: 6 - 2]])
    assert not units[:2].any()


@pytest.mark.parametrize("delay", [1, 2, 3])
def test_the_book_a_decision_sees_holds_what_is_under_way(delay: int) -> None:
    seen = []

    class Watching(Ladder):
        def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
            seen.append((float(book.hedge_units[0, 0]), float(book.equity[0])))
            return super().decide(view, book, state)

    led = run(panel_of(), Watching(rungs=(-500,) * 6), setup_of(delay=delay)).ledger
    assert [u for u, _ in seen] == pytest.approx([0.0, *(-500 / b for b in B[:-1])])
    assert [e for _, e in seen] == pytest.approx(led.equity[:, 0])  # marks, no cost yet


def test_an_order_that_arrives_in_an_outage_waits() -> None:
    tradable = np.ones((6, 1, 2), dtype=np.bool_)
    tradable[2, 0, 1] = False
    setup = setup_of(rebalance=100.0, delay=2)
    led = run(panel_of(tradable), Ladder(rungs=(-500,) * 6), setup).ledger
    assert np.flatnonzero(led.fills[:, 0, 0]).tolist() == [3]
    assert led.unfilled[:, 0].tolist() == [0, 0, 1, 0, 0, 0]


def walk(paths: int, bars: int = 60) -> MarketPanel:
    rng = np.random.default_rng(4)
    common, own = rng.standard_normal((2, bars, paths, 2))
    steps = 0.01 * (0.8 * common[..., :1] + 0.6 * own)
    prices = np.concatenate([np.ones((1, paths, 2)), np.exp(np.cumsum(steps, axis=0))])
    times = np.arange(bars + 1, dtype=np.int64) * NANOSECONDS_PER_DAY
    return MarketPanel(times, ("A", "B"), prices, CONTINUOUS)


class Variance(Strategy[None]):
    """An optimised hedge of one fixed covariance."""

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        sigma = 1e-4 * np.array([[1.0, 0.6], [0.6, 1.0]])
        return HedgeDecision(exposure=book.exposure, risk=Quadratic(sigma))


@pytest.mark.parametrize("strategy", [RollingOLS(window=10.0), Variance()])
def test_paths_alone_and_together(strategy: Strategy[Any]) -> None:
    panel = walk(3)
    together = run(panel, strategy, setup_of(delay=3)).ledger
    for p in range(3):
        alone = run(panel.path(p), strategy, setup_of(delay=3)).ledger
        np.testing.assert_array_equal(together.fills[:, p], alone.fills[:, 0])
        np.testing.assert_array_equal(together.equity[:, p], alone.equity[:, 0])


@pytest.mark.parametrize("strategy", [RollingOLS(window=10.0), Variance()])
def test_targets_are_those_of_no_delay_only_later(strategy: Strategy[Any]) -> None:
    """Units held after a fill are those decided `delay` events before, whatever came between."""
    panel = walk(1)
    setup = {"costs": CostConfig(fee_bps=0, half_spread_bps=0)}
    now = np.cumsum(run(panel, strategy, setup_of(**setup)).ledger.fills[:, 0, 0])
    late = np.cumsum(run(panel, strategy, setup_of(delay=3, **setup)).ledger.fills[:, 0, 0])
    assert late[3:] == pytest.approx(now[1:-2], rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("delay", "execution"), [(0, "next_event"), (2, "same_close")])
def test_delays_that_make_no_sense(delay: int, execution: str) -> None:
    with pytest.raises(ConfigError, match=f"delay is {delay} with execution '{execution}'"):
        setup_of(delay=delay, execution=execution)
