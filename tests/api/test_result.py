"""`RunResult`: the accessors, the ledger behind them and the scores agree with each other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import backtester as bt
from backtester.arrays import Float
from backtester.results import RunResult
from backtester.scenario import EnsembleMarket

from .worlds import frame, funding, panel

COSTS = {"fee_bps": 7.0, "half_spread_bps": 3.0, "impact": 1.0, "borrow_bps": 80.0}
CASES: dict[str, dict[str, Any]] = {
    "optimised": {"strategy": "CrossAssetCorrelationHedge", "parameters": {"halflife": 20.0}},
    "stated": {"strategy": "RollingOLS", "parameters": {"window": 30.0}},
    "neutral": {"strategy": "DeltaNeutralOffset", "parameters": {"halflife": 20.0}},
    "same_close": {
        "strategy": "OneToOne",
        "parameters": {"instrument": "B"},
        "execution": "same_close",
    },
    "notional": {"strategy": "StaticHedge", "parameters": {"window": 30.0}, "hold": "notional"},
}


@pytest.fixture(scope="module", params=list(CASES))
def result(request: pytest.FixtureRequest) -> RunResult:
    """A run with every cost, funding and borrow on."""
    case = dict(CASES[request.param])
    return bt.run(
        panel(depth=5e7, funding=funding()),
        case.pop("strategy"),
        exposure={"A": 1_000_000.0},
        hedge_with=["B", "C"],
        costs=COSTS,
        **case,
    )


def total(result: RunResult) -> Float:
    """Everything the P&L table says was earned, bar by bar."""
    table = result.pnl()
    costs = [c for c in table.columns if c.startswith("cost_")]
    earned = table.drop(columns=costs).sum(axis=1) - table[costs].sum(axis=1)
    return np.asarray(earned)


def test_equity_is_the_ledgers(result: RunResult) -> None:
    ledger = result.block.ledger.equity[:, 0]
    assert np.abs(result.equity()["net"] - ledger).max() <= 1e-9 * ledger.max()


def test_pnl_adds_up_to_equity(result: RunResult) -> None:
    capital = result.setup.hedging.capital
    assert (
        np.abs(capital + np.cumsum(total(result)) - result.equity()["net"]).max() <= 1e-9 * capital
    )


def test_gross_less_net_is_what_was_paid_for_trading(result: RunResult) -> None:
    table, equity = result.pnl(), result.equity()
    paid = table.filter(like="cost_").sum(axis=1).cumsum()
    assert np.allclose(equity["gross"] - equity["net"], paid, atol=1e-6)
    assert (paid.iloc[-1] > 0) and (table.filter(like="cost_").to_numpy() >= 0).all()


def test_unhedged_is_the_exposure_alone(result: RunResult) -> None:
    table = result.pnl()
    alone = (table["exposure"] + table["exposure_carry"]).cumsum()
    capital = result.setup.hedging.capital
    assert np.allclose(result.equity()["unhedged"], capital + alone, rtol=1e-12)


def test_fills_make_the_hedges(result: RunResult) -> None:
    fills, hedges = result.fills(), result.hedges()
    assert len(fills) > 0
    wide = fills.pivot(index="time", columns="instrument", values="units")
    units = wide.reindex(index=result.index, columns=hedges.columns).fillna(0.0).cumsum()
    notional = units * frame()[list(hedges.columns)].to_numpy()
    assert np.allclose(notional, hedges, atol=1e-5)
    assert np.allclose(fills["money"], fills["units"] * fills["price"])


def test_status_counts_decisions(result: RunResult) -> None:
    counted = result.status()
    assert set(counted) <= {"OK", "REFERENCE", "SECOND"}
    assert sum(counted.values()) == int((result.block.ledger.status != 0).sum())


def test_series_is_the_scored_window(result: RunResult) -> None:
    series, first = result.series(), result.block.first
    bars = result.panel.bars - 1 - first
    assert series.net.shape == (bars, 1)
    # Before the first decision nothing is hedged, so the scored window holds every cost and fill.
    ledger = result.block.ledger
    assert series.cost.sum() == pytest.approx(ledger.costs.sum(), rel=1e-12)
    assert series.traded.sum() == pytest.approx(ledger.traded.sum(), rel=1e-12)
    assert series.net.sum() == pytest.approx(
        total(result)[first + 1 :].sum() - ledger.costs[first].sum()
    )


def test_stats_repeat_the_series(result: RunResult) -> None:
    row = result.stats().query("regime == 'all'").iloc[0]
    series = result.series()
    years = series.days.sum() / series.days_per_year
    capital = result.setup.hedging.capital
    assert row["pnl_net"] == pytest.approx(1e4 * series.net.sum() / capital / years, rel=1e-9)
    both = (
        np.sum((series.net / series.exposure) ** 2),
        np.sum((series.unhedged / series.exposure) ** 2),
    )
    assert row["effectiveness_net"] == pytest.approx(1.0 - both[0] / both[1], rel=1e-9)
    assert row["effectiveness_gross"] >= row["effectiveness_net"] - 1e-3


def test_repr_names_the_run(result: RunResult) -> None:
    assert result.strategy in repr(result)
    assert "201 bars × 1 paths × 4 assets" in repr(result)


def test_accessors_take_a_path() -> None:
    scenario = bt.load_scenario("normal")
    block = EnsembleMarket(scenario, 3, 60, 5).at(0)
    result = bt.run(
        block,
        "CrossAssetCorrelationHedge",
        exposure={"SOL": 1e6},
        hedge_with=["BTC-PERP"],
        parameters={"halflife": 10.0},
    )
    for path in range(3):
        alone = bt.run(
            block.path(path),
            "CrossAssetCorrelationHedge",
            exposure={"SOL": 1e6},
            hedge_with=["BTC-PERP"],
            parameters={"halflife": 10.0},
        )
        assert alone.equity().equals(result.equity(path))
        assert alone.hedges().equals(result.hedges(path))
        assert alone.pnl().equals(result.pnl(path))
        assert alone.fills().equals(result.fills(path))


def test_signals_come_in_time_order() -> None:
    scenario = bt.load_scenario("correlation_breakdown")
    block = EnsembleMarket(scenario, 16, 250, 2).at(0)
    result = bt.run(
        block, "NegativeCorrelationPairs", exposure={"ETH": 1e6}, hedge_with=["BTC", "LTC"]
    )
    assert {s.name for s in result.signals} == {"correlation_break", "partner_break"}
    assert all(s.mask.any() for s in result.signals)
    stamps = [s.time for s in result.signals]
    assert stamps == sorted(stamps)
