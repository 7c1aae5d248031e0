"""The studies in ``docs/examples`` run as they stand, here with few paths."""

from __future__ import annotations

from pathlib import Path

import pytest

import backtester as bt
from backtester.study import MarketSpec, StressSpec

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
STUDIES = sorted(EXAMPLES.glob("*.yaml"))


def small(file: Path) -> bt.Study:
    """The study with few paths; everything else as written."""
    plan = bt.Study.read(file)
    markets = tuple(m.model_copy(update={"paths": 6, "bars": 150}) for m in plan.markets)
    stress = plan.stress.model_copy(
        update={"scenario_paths": 2, "points": 3, "paths": 2, "bars": 120}
    )
    assert all(isinstance(m, MarketSpec) for m in markets) and isinstance(stress, StressSpec)
    return plan.model_copy(update={"markets": markets, "stress": stress, "placebo_paths": 2})


def test_there_are_examples() -> None:
    assert {f.stem for f in STUDIES} == {
        "btc_eth",
        "stock_bond",
        "crypto_gold",
        "spot_perp_carry",
        "own_book",
    }


@pytest.mark.parametrize("file", STUDIES, ids=lambda f: f.stem)
def test_an_example_compares(file: Path) -> None:
    plan = small(file)
    found = bt.compare(plan)
    table = found.to_frame()
    assert set(table["strategy"]) == {s.label for s in plan.strategies}
    assert table.query("regime == 'all'")["net_es"].notna().all()
    assert all(not a.difference > 1e-9 for a in found.audits)


@pytest.mark.parametrize("name", ["btc_eth", "stock_bond", "crypto_gold", "own_book"])
def test_an_example_is_stressed(name: str) -> None:
    report = bt.stress(small(EXAMPLES / f"{name}.yaml"))
    assert report.sweeps
    assert all(len(s.correlation) == 3 for s in report.sweeps)


def test_a_book_of_ones_own_is_in_units() -> None:
    plan = small(EXAMPLES / "own_book.yaml")
    market = bt.compare(plan, audits=False).markets[0]
    assert (market.exposure_unit, market.exposure["SOL"]) == ("units", 6000.0)
