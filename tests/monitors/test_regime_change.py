"""The monitor that wraps a detector: events, the book's own return, covariances by regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from backtester_strategies.regime_hedge import RegimeHedge

from backtester.accounting.exposure import Exposure
from backtester.arrays import Byte, Float
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import BlockRun
from backtester.engine import run as run_engine
from backtester.errors import ConfigError, StrategyError
from backtester.events import RegimeChange
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Target
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo
from backtester.monitors import RegimeMonitor
from backtester.setup import RunSetup
from backtester.strategy import Strategy

DAY = 86_400_000_000_000
SEEN: list[RegimeChange] = []


def panel(paths: int = 3, bars: int = 260, seed: int = 0) -> MarketPanel:
    """S follows F at ρ = .9 until bar 180, then not at all; G is noise."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((bars, paths, 3))
    rho = np.where(np.arange(bars) < 180, 0.9, 0.0)[:, None]
    spot = rho * z[..., 1] + np.sqrt(1 - rho**2) * z[..., 0]
    moves = 0.02 * np.stack([spot, z[..., 1], z[..., 2]], axis=-1)
    prices = 100 * np.exp(np.concatenate([np.zeros((1, paths, 3)), np.cumsum(moves, axis=0)]))
    times = np.arange(bars + 1, dtype=np.int64) * DAY + 18_000 * DAY
    return MarketPanel(times, ("S", "F", "G"), prices, CONTINUOUS)


def setup(rebalance: float = 1.0) -> RunSetup:
    return RunSetup(
        exposure=Exposure(("S",), np.array([1e6]), hold="notional"),
        instruments=("F",),
        costs=CostConfig(fee_bps=1.0, half_spread_bps=0.5),
        hedging=HedgeSettings(1e6),
        rebalance=rebalance,
    )


@dataclass(frozen=True)
class Planted:
    """A user's own detector: regime 1 from its tenth bar on; remembers what it was shown."""

    names: tuple[str, ...] = ("calm", "storm")

    def init(self, paths: int, hedges: int) -> tuple[Float, ...]:
        assert hedges == 1
        return (np.zeros(paths),)

    def step(
        self, state: tuple[Float, ...], book: Float, hedges: Float, elapsed: float
    ) -> tuple[Float, ...]:
        assert hedges.shape == (len(book), 1) and elapsed == 1.0
        return (*state, book)

    def probability(self, state: tuple[Float, ...]) -> Float:
        storm = np.full(len(state[0]), 0.9 if len(state) > 10 else 0.2)
        return np.stack([1.0 - storm, storm], axis=1)

    def regime(self, state: tuple[Float, ...]) -> Byte:
        return np.full(len(state[0]), int(len(state) > 10), dtype=np.int8)


class Listener(Strategy[None]):
    """Hedges nothing; keeps what its monitor says."""

    own: bool = True
    covariances: bool = False

    def monitors(self, market: MarketInfo) -> tuple[Any, ...]:
        if self.own:
            return (RegimeMonitor(Planted(), covariances=self.covariances),)
        return (RegimeMonitor(covariances=self.covariances),)

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        SEEN.extend(e for e in view.events if isinstance(e, RegimeChange))
        return HedgeDecision(book.exposure, Target(np.zeros((len(book.exposure), 1))))


def listened(panel_: MarketPanel, **options: bool) -> list[RegimeChange]:
    SEEN.clear()
    run_engine(panel_, Listener(**options), setup())
    return list(SEEN)


def test_a_users_own_detector_plugs_in() -> None:
    events = listened(panel())
    (change,) = [e for e in events if e.mask.any()]
    assert change.t == 10 and change.mask.all()
    assert change.before.tolist() == [0] * 3 and change.after.tolist() == [1] * 3
    assert change.names == ("calm", "storm") and change.direction.tolist() == [1.0] * 3
    np.testing.assert_allclose(change.probability, 0.9)
    assert change.probabilities is not None and change.probabilities.shape == (3, 2)
    assert len(events) > 200  # where things stand is said at every event


def test_the_detector_sees_the_return_of_the_book() -> None:
    market = panel()
    monitor: RegimeMonitor = RegimeMonitor(Planted())
    kept: list[Any] = []

    class Spy(Listener):
        def monitors(self, info: MarketInfo) -> tuple[Any, ...]:
            class Wrapped:
                def init(self, m: MarketInfo) -> Any:
                    return monitor.init(m)

                def step(self, view: Any, book: Any, state: Any) -> Any:
                    fresh, event = monitor.step(view, book, state)
                    kept[:] = fresh.detector
                    return fresh, event

            return (Wrapped(),)

    run_engine(market, Spy(), setup())
    np.testing.assert_allclose(np.array(kept[1:]), market.returns[..., 0], rtol=1e-9)


def test_a_change_asks_for_a_decision_off_schedule() -> None:
    SEEN.clear()
    run_engine(panel(), Listener(), setup(rebalance=7.0))
    assert 10 in {e.t for e in SEEN if e.mask.any()}


def test_covariances_learn_each_regimes_own_correlation() -> None:
    events = listened(panel(), own=False, covariances=True)
    last = events[-1].covariances
    assert last is not None and last.shape == (3, 3, 3, 3)
    inverse = 1.0 / np.sqrt(np.diagonal(last, axis1=2, axis2=3))
    rho = (last * inverse[..., :, None] * inverse[..., None, :])[..., 0, 1]
    assert (rho[:, 0] > 0.75).all()  # normal
    assert (rho[:, 2] < rho[:, 0] - 0.3).all()  # decoupling
    assert np.linalg.eigvalsh(last).min() > 0.0


def hedge(paths: int = 3, bars: int = 260, **more: Any) -> BlockRun:
    strategy = RegimeHedge(model="score", halflife=30.0, **more)
    return run_engine(panel(paths, bars), strategy, setup())


def test_regime_hedge_lets_go_when_the_hedge_breaks() -> None:
    block = hedge()
    hedges = block.ledger.hedges[:, :, 0]
    before, after = np.abs(hedges[150:180]).mean(), np.abs(hedges[235:]).mean()
    assert 0.6e6 < before < 1.1e6
    assert after < 0.6 * before
    names = {s.name for s in block.ledger.signals}
    assert {"regime_change", "regime_decoupling"} <= names


@pytest.mark.slow
def test_regime_hedge_of_least_regret_hedges() -> None:
    held = np.abs(hedge(1, 90, risk="robust").ledger.hedges[60:, :, 0]).mean()
    assert 0.6e6 < held < 1.1e6


def test_regime_hedge_needs_its_monitor() -> None:
    from types import SimpleNamespace

    view: Any = SimpleNamespace(events=())
    with pytest.raises(StrategyError, match="without the event of its RegimeMonitor"):
        RegimeHedge().decide(view, SimpleNamespace(exposure=np.zeros((1, 1))), None)  # type: ignore[arg-type]


def test_nonsense_settings() -> None:
    with pytest.raises(ConfigError, match="halflife"):
        RegimeMonitor(halflife=0.0)
    with pytest.raises(ConfigError, match="memory"):
        RegimeMonitor(memory=-1.0)
