"""Markets and setups the laws share; a test that asks for `name` runs for every strategy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtester.accounting.exposure import Exposure
from backtester.costs.model import CostConfig
from backtester.hedging.decision import Limits
from backtester.laws.bench import CAPITAL, Bench, bench_for
from backtester.market.panel import MarketPanel
from backtester.plugins import available, load_strategy
from backtester.setup import RunSetup
from backtester.strategy import Strategy

STRATEGIES = [p.name for p in available("strategies")]
QUICK = {"window": 25.0, "halflife": 20.0}  # shorter warm-ups, so that decisions fill the run
FULL = CostConfig(fee_bps=5.0, half_spread_bps=2.0, impact=0.5, borrow_bps=150.0)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:
        metafunc.parametrize("name", STRATEGIES)


@pytest.fixture
def bench(name: str) -> Bench:
    """The synthetic market that suits the strategy, with a short warm-up."""
    kind = load_strategy(name)
    return bench_for(kind, {k: v for k, v in QUICK.items() if k in kind.model_fields}, 0)


@pytest.fixture
def full_setup() -> Callable[..., RunSetup]:
    """A setup with every cost on, and limits that bind now and then."""

    def make(bench: Bench, **changes: Any) -> RunSetup:
        limits = Limits(
            lower=-2 * CAPITAL, upper=2 * CAPITAL, gross=1.1 * CAPITAL, turnover=0.3 * CAPITAL
        )
        exposure = replace(bench.setup.exposure, hold=changes.pop("hold", "units"))
        hedging = replace(bench.setup.hedging, limits=changes.pop("limits", limits))
        costs = changes.pop("costs", FULL)
        return replace(bench.setup, exposure=exposure, hedging=hedging, costs=costs, **changes)

    return make


Pair = Callable[..., tuple[MarketPanel, Exposure]]


@pytest.fixture
def pair() -> Pair:
    """An ensemble of two assets A (held, notional 1) and B, Gaussian, of constant correlation."""

    def make(
        rho: float,
        *,
        paths: int,
        bars: int,
        volatility: float = 0.01,
        ratio: float = 1.0,
        bars_per_day: int = 1,
        seed: int = 0,
        hold: str = "notional",
    ) -> tuple[MarketPanel, Exposure]:
        from backtester.arrays import NANOSECONDS_PER_DAY
        from backtester.clock import CONTINUOUS

        rng = np.random.default_rng(seed)
        shocks = rng.standard_normal((2, bars, paths)) * volatility / np.sqrt(bars_per_day)
        other = ratio * (rho * shocks[0] + np.sqrt(1.0 - rho * rho) * shocks[1])
        steps = np.stack([shocks[0], other], axis=-1)
        prices = 100.0 * np.concatenate([np.ones((1, paths, 2)), np.cumprod(1.0 + steps, axis=0)])
        times = np.arange(bars + 1, dtype=np.int64) * (NANOSECONDS_PER_DAY // bars_per_day)
        panel = MarketPanel(times=times, assets=("A", "B"), prices=prices, calendar=CONTINUOUS)
        return panel, Exposure(("A",), np.array([CAPITAL]), hold=hold)

    return make


@pytest.fixture
def configured() -> Callable[..., Strategy[Any]]:
    """A registered strategy by name, with parameters."""

    def make(name: str, **parameters: Any) -> Strategy[Any]:
        made: Strategy[Any] = load_strategy(name).configured(parameters)
        return made

    return make
