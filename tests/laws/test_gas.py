"""Laws with a fixed cost on: self-financing, plan = charge, and gas of zero changes no bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backtester.accounting.book import Book
from backtester.accounting.exposure import Exposure
from backtester.arrays import Float
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.hedging import answer
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.decision import HedgeDecision, Quadratic
from backtester.hedging.gate import gated
from backtester.laws.bench import CAPITAL, Bench
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketView
from backtester.setup import RunSetup
from backtester.strategy import Strategy

FullSetup = Callable[..., RunSetup]
FEES = CostConfig(fee_bps=5.0, half_spread_bps=2.0, impact=0.5)
LOOSE = {"costs": FEES.model_copy(update={"gas": 40.0})}


@pytest.mark.parametrize("execution", ["next_event", "same_close"])
def test_gas_is_charged_on_every_fill_and_equity_follows(
    bench: Bench, full_setup: FullSetup, execution: str
) -> None:
    setup, panel = full_setup(bench, execution=execution, **LOOSE), bench.panel()
    ledger = run(panel, bench.fresh(), setup).ledger  # reconciles at every event
    assert ledger.terms[-1] == "gas"
    fills = (ledger.fills != 0.0).sum(axis=2)
    np.testing.assert_array_equal(ledger.costs[:, :, -1], 40.0 * fills)
    pnl = ledger.exposure_pnl + ledger.hedge_pnl + ledger.exposure_carry + ledger.hedge_carry
    explained = (pnl - ledger.costs.sum(axis=2)).sum(axis=0)
    np.testing.assert_allclose(ledger.equity[-1] - CAPITAL, explained, atol=1e-9 * CAPITAL)


def test_no_gas_changes_no_bit(bench: Bench, full_setup: FullSetup) -> None:
    plain, zero = FEES, FEES.model_copy(update={"gas": dict.fromkeys(bench.panel().assets, 0.0)})
    one, two = (
        run(bench.panel(), bench.fresh(), full_setup(bench, costs=costs)) for costs in (plain, zero)
    )
    for name in ("equity", "fills", "costs", "status"):
        np.testing.assert_array_equal(getattr(one.ledger, name), getattr(two.ledger, name))
    np.testing.assert_array_equal(one.horizon, two.horizon)
    assert one.routes == two.routes
    assert "gated" not in one.routes


def test_the_gas_charged_is_the_gas_that_was_weighed(
    bench: Bench, full_setup: FullSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filled at the decision's price, every fill is one the gate let through, at its amount."""
    weighed: list[tuple[Float, int]] = []

    def spy(
        batch: HedgeBatch, solved: HedgeSolution, gas: Float, *, planned: bool
    ) -> HedgeSolution:
        found = gated(batch, solved, gas, planned=planned)
        weighed.append(((found.h != batch.h0) @ gas, len(batch.h0)))
        return found

    monkeypatch.setattr(answer, "gated", spy)
    panel = replace(bench.panel(), tradable=None)  # nothing weighed waits or is cancelled
    block = run(panel, bench.fresh(), full_setup(bench, execution="same_close", **LOOSE))
    charged = block.ledger.costs[:, :, -1]
    assert charged.sum() == sum(float(gas.sum()) for gas, _ in weighed)
    decided = np.flatnonzero(block.ledger.status.any(axis=1))
    if {paths for _, paths in weighed} == {panel.paths} and len(decided) == len(weighed):
        for t, (gas, _) in zip(decided, weighed, strict=True):
            np.testing.assert_array_equal(charged[t], gas)


def test_a_path_alone_decides_what_it_does_among_others(
    bench: Bench, full_setup: FullSetup
) -> None:
    panel, setup = bench.panel(), full_setup(bench, **LOOSE)
    together = run(panel, bench.fresh(), setup).ledger
    alone = run(panel.path(1), bench.fresh(), setup).ledger
    np.testing.assert_array_equal(alone.fills[:, 0], together.fills[:, 1])
    np.testing.assert_array_equal(alone.equity[:, 0], together.equity[:, 1])


def test_gas_is_dearer_than_none_and_trades_are_fewer(bench: Bench, full_setup: FullSetup) -> None:
    free, dear = (
        run(bench.panel(), bench.fresh(), full_setup(bench, costs=costs)).ledger
        for costs in (FEES, FEES.model_copy(update={"gas": 1e12}))
    )
    assert (dear.fills != 0).sum() <= (free.fills != 0).sum()


# The gate's band in clock time (law 6)


class Known(Strategy[None]):
    """Hedges A with B on a covariance that is given: correlation .8, 3 % a day."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        matrix = 0.03**2 * np.array([[1.0, 0.8], [0.8, 1.0]])
        return HedgeDecision(exposure=book.exposure, risk=Quadratic(matrix))


def test_the_gates_band_does_not_depend_on_the_bar(
    pair: Callable[..., tuple[MarketPanel, Exposure]],
) -> None:
    """Through the engine: every gap beyond √(2K/(γσ²H)) is traded away and no other, H as one."""
    costs = CostConfig(fee_bps=0.0, half_spread_bps=0.0, gas=50.0)
    found = {}
    for per_day in (1, 24):
        panel, exposure = pair(
            0.8, paths=32, bars=90 * per_day, bars_per_day=per_day, hold="units", volatility=0.03
        )
        hedging = HedgeSettings(capital=CAPITAL)
        setup = RunSetup(
            exposure, ("B",), costs, hedging, rebalance=0.0, execution="same_close"
        )  # fmt: skip
        block = run(panel, Known(), setup)
        led = block.ledger
        traded = led.fills[1:, :, 0] != 0.0
        bought = led.fills[1:, :, 0] * panel.prices[1:, :, 1]
        gap = led.hedges[1:, :, 0] - bought + 0.8 * led.gross_exposure[1:]
        edge = np.sqrt(2.0 * 50.0 / (hedging.gamma * 0.03**2 * block.horizon[1:]))
        np.testing.assert_array_equal(np.abs(gap) > edge, traded)
        assert traded.sum() > 30
        assert block.routes["gated"] == (~traded).sum()
        found[per_day] = float(np.median(edge[30 * per_day :]))
    print(found)
    assert found[24] == pytest.approx(found[1], rel=0.05)
