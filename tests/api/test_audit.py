"""The auditor agrees on honest ledgers, and does not on tampered ones."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import backtester as bt
from backtester.errors import PluginError
from backtester.results import RunResult
from backtester.scenario import EnsembleMarket

from .worlds import funding, panel

AGREED = 1e-9
COSTS = {"fee_bps": 7.0, "half_spread_bps": 3.0, "impact": 1.0, "borrow_bps": 80.0}
STRATEGIES: list[tuple[str, dict[str, Any]]] = [
    ("CrossAssetCorrelationHedge", {"halflife": 20.0}),
    ("NegativeCorrelationPairs", {"halflife": 30.0}),
    ("DeltaNeutralOffset", {"halflife": 20.0}),
    ("RollingOLS", {"window": 30.0}),
    ("Naked", {}),
]


def run(strategy: str, parameters: dict[str, Any], **more: Any) -> RunResult:
    """Every cost, funding and borrow on."""
    return bt.run(
        panel(depth=5e7, funding=funding()),
        strategy,
        exposure={"A": 1_000_000.0},
        hedge_with=["B", "C", "D"],
        costs=COSTS,
        parameters=parameters,
        **more,
    )


@pytest.mark.parametrize(("strategy", "parameters"), STRATEGIES)
def test_the_same_fills_give_the_same_equity(strategy: str, parameters: dict[str, Any]) -> None:
    result = run(strategy, parameters)
    found = result.audit()
    assert found.difference <= AGREED
    assert found.fills == len(result.fills())
    assert (found.fills == 0) == (strategy == "Naked")


def test_same_close_is_audited_too() -> None:
    assert run("RollingOLS", {"window": 30.0}, execution="same_close").audit().difference <= AGREED


def test_any_path_of_an_ensemble() -> None:
    block = EnsembleMarket(bt.load_scenario("crisis"), 3, 90, 1).at(0)
    result = bt.run(
        block,
        "CrossAssetCorrelationHedge",
        exposure={"SOL": 1e6, "LINK": -2e5},
        hedge_with=["BTC-PERP", "ETH-PERP", "LTC"],
        costs={"impact": 1.0},
    )
    for path in range(3):
        found = result.audit(path)
        assert found.difference <= AGREED
        assert found.fills > 10


def tampered(result: RunResult, **columns: Any) -> RunResult:
    """The run with some of its ledger's records replaced."""
    ledger = replace(result.block.ledger, **columns)
    return replace(result, block=replace(result.block, ledger=ledger))


@pytest.mark.parametrize("record", ["equity", "hedge_pnl", "costs", "fills"])
def test_a_tampered_ledger_is_found(record: str) -> None:
    result = run("RollingOLS", {"window": 30.0})
    values = getattr(result.block.ledger, record).copy()
    values[120] = values[120] * 1.01 + 5.0
    assert tampered(result, **{record: values}).audit().difference > 1e-6


def test_a_cost_never_charged_is_found() -> None:
    """Equity that forgot its costs differs by all of them."""
    result = run("RollingOLS", {"window": 30.0})
    ledger = result.block.ledger
    honest = result.audit()
    free = np.cumsum(ledger.hedge_pnl[:, 0]) + honest.theirs[0]
    apart = np.abs(free - honest.theirs).max() / result.setup.hedging.capital
    assert apart == pytest.approx(ledger.costs.sum() / result.setup.hedging.capital, rel=1e-6)
    assert apart > 1e3 * AGREED


def test_vectorbt_hands_over_its_analytics() -> None:
    result = run("RollingOLS", {"window": 30.0})
    portfolio = result.to_vectorbt()
    assert int(portfolio.orders.count()) == len(result.fills())
    assert float(portfolio.orders.records["fees"].sum()) == pytest.approx(
        result.block.ledger.costs.sum()
    )


def test_without_vectorbt_the_message_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = run("Naked", {})
    monkeypatch.setitem(sys.modules, "vectorbt", None)
    words = r"needs vectorbt, which is not installed.*pip install 'hedge-backtester\[audit\]'"
    with pytest.raises(PluginError, match=words):
        result.audit()
    with pytest.raises(PluginError, match=words):
        result.to_vectorbt()
