"""Law 5: no trade costs nothing; costs are convex; for the same trades, more cost never helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.costs.model import CostConfig, CostModel
from backtester.costs.quote import Quote
from backtester.engine import run
from backtester.hedging.decision import Limits
from backtester.laws.bench import Bench
from backtester.setup import RunSetup

FullSetup = Callable[..., RunSetup]
CONFIG = CostConfig(fee_bps={"A": 5.0, "B": 1.0}, half_spread_bps=3.0, impact=0.8)
MODEL = CostModel.of(CONFIG, ("A", "B"), ("A", "B"))
TRADING = CostConfig(fee_bps=5.0, half_spread_bps=2.0, impact=0.5)  # borrow is carry
STATE_NOTIONALS = {"Naked", "StaticHedge", "OneToOne", "RollingOLS"}
WEIGH_COSTS = {
    "CrossAssetCorrelationHedge",
    "DeltaNeutralOffset",
    "NegativeCorrelationPairs",
    "RegimeHedge",
}
money = st.floats(-1e8, 1e8, allow_subnormal=False)
trade = st.tuples(money, money)


def charge(z: tuple[float, float] | np.ndarray, config: CostConfig = CONFIG) -> float:
    """Total cost of one path's trades."""
    one = np.ones((1, 2))
    quote = Quote(price=one, half_spread=3e-4 * one, depth=1e8 * one, volatility=0.03 * one)
    charged = CostModel.of(config, ("A", "B"), ("A", "B")).charge(np.array([z]), quote)
    return float(sum(amount[0] for amount in charged.values()))


def test_no_trade_costs_nothing() -> None:
    assert charge((0.0, 0.0)) == 0.0


@given(a=trade, b=trade, share=st.floats(0.0, 1.0))
def test_costs_are_convex(a: Any, b: Any, share: float) -> None:
    between = share * np.array(a) + (1.0 - share) * np.array(b)
    bound = share * charge(a) + (1.0 - share) * charge(b)
    assert charge(between) <= bound * (1.0 + 1e-12) + 1e-9


@given(z=trade, times=st.floats(1.0, 50.0))
def test_costs_are_positive_and_grow_with_their_rates(z: Any, times: float) -> None:
    assert 0.0 <= charge(z) <= charge(z, CONFIG.scaled(times)) * (1.0 + 1e-12)
    assert charge(tuple(-x for x in z)) == charge(z)


@pytest.mark.parametrize("factor", [0.0, 0.5, 3.0])
def test_more_cost_never_helps_for_the_same_trades(
    bench: Bench, full_setup: FullSetup, factor: float
) -> None:
    """Strategies that state notionals trade the same whatever it costs."""
    if bench.who not in STATE_NOTIONALS:
        assert bench.who in WEIGH_COSTS
        return
    cheap, dear = sorted((factor, 1.0))
    loose = full_setup(bench, limits=Limits())
    one, two = (
        run(bench.panel(), bench.fresh(), replace(loose, costs=TRADING.scaled(f))).ledger
        for f in (cheap, dear)
    )
    np.testing.assert_array_equal(one.fills, two.fills)
    assert (one.equity >= two.equity - 1e-9 * np.abs(two.equity)).all()
    traded = one.traded.cumsum(axis=0) > 0
    assert (one.equity > two.equity)[traded].all()


def test_a_run_that_never_trades_pays_nothing(bench: Bench, full_setup: FullSetup) -> None:
    ledger = run(bench.panel(), bench.fresh(), full_setup(bench)).ledger
    idle = ledger.traded == 0.0
    assert (ledger.costs[idle] == 0.0).all()
    assert (ledger.costs >= 0.0).all()
    if bench.who == "Naked":
        assert idle.all()
