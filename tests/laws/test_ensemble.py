"""Law 1: P paths together are P runs alone, bit for bit, with every cost and limit in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from backtester.api import compare
from backtester.engine import BlockRun, run
from backtester.laws.bench import Bench
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.study import Study

FullSetup = Callable[..., RunSetup]


def records(block: BlockRun) -> dict[str, np.ndarray]:
    """Every array of a run whose second axis is the path."""
    found = {"horizon": block.horizon}
    for item in fields(block.ledger):
        value = getattr(block.ledger, item.name)
        if isinstance(value, np.ndarray) and value.ndim >= 2:
            found[item.name] = value
    return found


def assert_equal(bench: Bench, setup: RunSetup, panel: MarketPanel, order: list[int]) -> None:
    whole = records(run(panel, bench.fresh(), setup))
    part = records(run(panel.select(np.array(order)), bench.fresh(), setup))
    assert {"equity", "hedges", "fills", "costs", "status"} <= set(whole)
    for item, values in whole.items():
        np.testing.assert_array_equal(part[item], values[:, order], err_msg=item)


@pytest.mark.parametrize("order", [[0], [2], [1, 0], [3, 1, 2, 0]])
def test_paths_do_not_know_each_other(
    bench: Bench, full_setup: FullSetup, order: list[int]
) -> None:
    assert_equal(bench, full_setup(bench), bench.panel(), order)


def test_a_path_repeated_is_the_same_twice(bench: Bench, full_setup: FullSetup) -> None:
    panel = bench.panel().select(np.array([1, 0, 1]))
    ledger = run(panel, bench.fresh(), full_setup(bench)).ledger
    np.testing.assert_array_equal(ledger.equity[:, 0], ledger.equity[:, 2])
    np.testing.assert_array_equal(ledger.hedges[:, 0], ledger.hedges[:, 2])


@pytest.mark.slow
def test_workers_change_nothing() -> None:
    """More paths than one block, so that blocks are put together, too."""
    study = Study.of(
        {
            "exposure": {"positions": {"SOL": 1_000_000}},
            "capital": 1_000_000,
            "hedge_with": ["BTC-PERP"],
            "markets": [{"scenario": "regime_switching", "paths": 300, "bars": 60}],
            "strategies": [{"CrossAssetCorrelationHedge": {"halflife": 20}}],
            "placebo_paths": 0,
        }
    )
    one, two = (compare(study, workers=w, audits=False).to_frame() for w in (1, 2))
    assert one.equals(two)
