"""`bt.compare`: the same study gives the same bytes, whatever the blocks, workers or neighbours."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge

import backtester as bt
from backtester.comparison import Comparison
from backtester.engine import run as run_engine
from backtester.errors import ConfigError
from backtester.market.panel import MarketPanel
from backtester.markets import arena_of
from backtester.regimes.labels import labels_of
from backtester.results import RunResult
from backtester.scenario import EnsembleMarket
from backtester.store import read_parquet

from .worlds import frame, study

BESIDE = ("comparisons.parquet", "sharpe.parquet", "stability.parquet")
NUMBERS = ("scorecard.json", "scorecard.parquet", "study.yaml", "manifest.json", *BESIDE)
FILES = {*NUMBERS, "report.html", ".written"}


@pytest.fixture(scope="module")
def small() -> Comparison:
    """One comparison many tests read."""
    return bt.compare(study())


def written(out: Path, **more: Any) -> tuple[Comparison, dict[str, bytes]]:
    """A comparison on disk, and its files."""
    comparison = bt.compare(study(), out=out, **more)
    assert comparison.folder is not None
    return comparison, {f.name: f.read_bytes() for f in comparison.folder.iterdir()}


def test_two_runs_are_the_same_to_the_byte(tmp_path: Path) -> None:
    first, one = written(tmp_path / "one")
    second, two = written(tmp_path / "two")
    assert first.digest == second.digest == study().digest("compare")
    assert first.folder == tmp_path / "one" / first.digest
    assert set(one) == set(two) == FILES
    for name in NUMBERS:
        assert one[name] == two[name], name


@pytest.mark.slow
def test_workers_change_nothing(tmp_path: Path) -> None:
    _, alone = written(tmp_path / "alone")
    _, shared = written(tmp_path / "shared", workers=2)
    for name in NUMBERS:
        assert alone[name] == shared[name], name


def test_what_is_on_disk_reads_back(tmp_path: Path, small: Comparison) -> None:
    comparison, files = written(tmp_path)
    card = json.loads(files["scorecard.json"])
    assert card["schema"] == "backtester.scorecard/1"
    assert card["digest"] == comparison.digest
    assert len(card["rows"]) == len(small.scorecard.scores)
    assert {"unit", "better", "meaning"} == set(card["metrics"]["net_es"])
    assert comparison.folder is not None
    table = read_parquet(comparison.folder / "scorecard.parquet")
    pd.testing.assert_frame_equal(table, small.to_frame(), check_dtype=False)
    assert bt.Study.read(comparison.folder / "study.yaml") == study()
    assert b"<html" in files["report.html"]
    manifest = json.loads(files["manifest.json"])
    assert manifest == comparison.manifest


def test_manifest_names_what_is_needed_to_do_it_again(small: Comparison) -> None:
    manifest = small.manifest
    assert manifest["schema"] == "backtester.manifest/1"
    assert manifest["digest"] == small.digest
    assert manifest["seed"] == 11
    assert manifest["trials"] == 3
    assert manifest["command"] == "backtester compare study.yaml"
    assert manifest["data"] == {"regime_switching": small.markets[0].data_hash}
    for name in ("python", "hedge-backtester", "numpy", "numba", "cvxpy"):
        assert manifest["versions"][name][0].isdigit(), name


def test_a_longer_ensemble_starts_with_the_shorter_one() -> None:
    """Paths are keyed by their number: the first 256 of 300 are the 256, in any chunks."""
    scenario = bt.load_scenario("regime_switching")
    short, long = (EnsembleMarket(scenario, paths, 40, 5, chunk=256) for paths in (256, 300))
    assert (short.chunks, long.chunks) == (1, 2)
    assert short.at(0).digest == long.at(0).digest
    whole = EnsembleMarket(scenario, 300, 40, 5, chunk=512).at(0)
    assert np.array_equal(whole.prices[:, :256], long.at(0).prices)
    assert np.array_equal(whole.prices[:, 256:], long.at(1).prices)


def test_what_a_path_earns_does_not_depend_on_its_ensemble() -> None:
    """More paths, or other chunks, leave the P&L of the first 256 as it was, to the bit."""

    def net(panel: MarketPanel) -> np.ndarray:
        setup = arena_of(study(), study().markets[0]).setup
        labels = labels_of(panel)
        block = run_engine(panel, CrossAssetCorrelationHedge(halflife=10.0), setup)
        return RunResult("x", panel, setup, block, labels.label, labels.names).series().net

    scenario = bt.load_scenario("regime_switching")
    short = net(EnsembleMarket(scenario, 256, 40, 5).at(0))
    whole = net(EnsembleMarket(scenario, 300, 40, 5, chunk=512).at(0))
    parts = EnsembleMarket(scenario, 300, 40, 5, chunk=256)
    assert np.array_equal(short, whole[:, :256])
    assert np.array_equal(whole[:, 256:], net(parts.at(1)))


def test_adding_a_strategy_or_a_market_leaves_the_others_alone(small: Comparison) -> None:
    """Shocks are shared and warm-ups common, so a comparison can grow."""
    markets = [
        *study().model_dump(mode="json")["markets"],
        {"scenario": "crisis", "paths": 4, "bars": 60},
    ]
    grown = bt.compare(
        study(
            markets=markets,
            strategies=[
                *study().model_dump(mode="json")["strategies"],
                {"OneToOne": {"window": 20}},
            ],
        )
    )
    before = small.to_frame().set_index(["strategy", "market", "regime"])
    after = grown.to_frame().set_index(["strategy", "market", "regime"]).loc[before.index]
    pd.testing.assert_frame_equal(after[before.columns], before)


def test_every_strategy_is_measured_against_the_same_book(small: Comparison) -> None:
    table = small.to_frame()
    for column in ("unhedged_es", "unhedged_pnl", "unhedged_volatility", "bars"):
        assert (table.groupby("regime")[column].nunique() == 1).all(), column


def test_the_unhedged_strategy_does_nothing(small: Comparison) -> None:
    row = small.to_frame().query("strategy == 'Naked' and regime == 'all'").iloc[0]
    assert row["net_es"] == row["unhedged_es"]
    assert row[["effectiveness_net", "turnover", "cost_drag", "carry"]].abs().max() == 0


def test_differences_stand_beside_their_placebo(small: Comparison) -> None:
    table = small.scorecard.differences_frame()
    assert set(table["regime"]) == {"crisis"}
    assert set(table["reference"]) == {"normal"}
    known = table[table["metric"] == "effectiveness_net"]
    assert len(known) == 3
    assert known["placebo"].notna().all()
    expected = known["difference"] - known["placebo"]
    assert np.allclose(known["excess"], expected)
    assert small.markets[0].placebo_paths == 8


def test_no_placebo_where_none_is_asked_for_or_there_is_one_regime() -> None:
    two = [{"scenario": s, "paths": 4, "bars": 60} for s in ("normal", "regime_switching")]
    none = bt.compare(study(markets=two, strategies=["Naked"], placebo_paths=0))
    some = bt.compare(study(markets=two, strategies=["Naked"], placebo_paths=4))
    assert [m.placebo_paths for m in none.markets] == [0, 0]
    assert [m.placebo_paths for m in some.markets] == [0, 4]


def test_curves_have_one_row_per_scored_bar(small: Comparison) -> None:
    assert {c.strategy for c in small.curves} == {
        "Naked",
        "RollingOLS",
        "CrossAssetCorrelationHedge",
    }
    for curve in small.curves:
        bars = len(curve.times)
        for item in fields(curve):
            values = getattr(curve, item.name)
            if item.name.startswith(("equity", "drawdown")):
                assert values.shape == (bars, 3), item.name
                assert (np.diff(values, axis=1) >= 0).all(), item.name
        assert curve.hedges.shape == (bars, 2)
        assert curve.exposure.shape == (bars,)
        assert (curve.drawdown_net <= 0).all()
        assert sum(curve.status.values()) == sum(curve.routes.values()) == 12 * (bars + 1)
        assert set(curve.cost_bps) == {"fee", "spread", "impact", "carry"}
    assert small.curve("Naked", "regime_switching").cost_bps["fee"] == 0


def test_all_strategies_start_together(small: Comparison) -> None:
    """The longest warm-up (30 days) is everyone's, so that every row covers the same bars."""
    (length,) = {len(c.times) for c in small.curves}
    assert length == 90 - 30


def test_audits_cover_the_first_block_of_every_market(small: Comparison) -> None:
    assert {(a.strategy, a.market, a.path) for a in small.audits} == {
        (c.strategy, c.market, 0) for c in small.curves
    }
    assert max(a.difference for a in small.audits) <= 1e-9
    assert not bt.compare(study(strategies=["Naked"]), audits=False).audits


def test_a_study_is_a_file_a_mapping_or_itself(tmp_path: Path, small: Comparison) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(study().to_yaml())
    for plan in (file, str(file), study().model_dump(mode="json")):
        again = bt.compare(plan)
        assert again.digest == small.digest
        pd.testing.assert_frame_equal(again.to_frame(), small.to_frame())


def test_history_and_book_of_ones_own(tmp_path: Path) -> None:
    frame(300).to_csv(tmp_path / "prices.csv")
    (tmp_path / "book.csv").write_text("asset,units\nA,4000\nD,-1000\n")
    plan = study(
        exposure={"file": str(tmp_path / "book.csv")},
        hedge_with=["B", "C"],
        markets=[{"history": {"prices": str(tmp_path / "prices.csv")}, "name": "own"}],
        costs={"fee_bps": 2},
    )
    comparison = bt.compare(plan)
    (market,) = comparison.markets
    assert (market.simulated, market.paths, market.exposure_unit) == (False, 1, "units")
    assert market.exposure == {"A": 4000.0, "D": -1000.0}
    assert market.placebo_paths == 8
    assert set(comparison.manifest["files"]) == {"book.csv", "prices.csv"}
    assert comparison.curves[0].equity_net.shape[1] == 1


def test_outages_of_ones_own(tmp_path: Path) -> None:
    """Orders wait on the stated days; the file is part of the digest and of a moved study."""
    prices = frame(300)
    prices.to_csv(tmp_path / "prices.csv")
    open_ = pd.DataFrame(1, prices.index, prices.columns)
    open_.iloc[100:110, 1] = 0
    open_.to_csv(tmp_path / "open.csv")
    files = {"prices": str(tmp_path / "prices.csv"), "tradable": str(tmp_path / "open.csv")}
    plan = study(
        exposure={"positions": {"A": 1e6}},
        hedge_with=["B", "C"],
        markets=[{"history": files, "name": "own"}],
        strategies=[{"RollingOLS": {"window": 30}}],
        costs={"fee_bps": 2},
        placebo_paths=0,
    )
    shut = bt.compare(plan)
    assert set(shut.manifest["files"]) == {"prices.csv", "open.csv"}
    files.pop("tradable")
    always = bt.compare(plan.model_copy(update={"markets": study(
        markets=[{"history": files, "name": "own"}], exposure={"positions": {"A": 1e6}},
        hedge_with=["B"],
    ).markets}))  # fmt: skip
    assert shut.digest != always.digest
    assert shut.curves[0].unfilled == 10 and always.curves[0].unfilled == 0


def test_a_file_changed_between_two_comparisons_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    plan = study(
        exposure={"positions": {"A": 1e6}},
        hedge_with=["B"],
        markets=[{"history": {"prices": str(file)}, "name": "own"}],
        strategies=[{"RollingOLS": {"window": 30}}],
        costs={"fee_bps": 2},
        placebo_paths=0,
    )
    frame(seed=1).to_csv(file)
    first = bt.compare(plan, audits=False)
    frame(seed=2).to_csv(file)
    second = bt.compare(plan, audits=False)
    assert first.digest != second.digest
    assert first.to_frame()["pnl_net"].iloc[0] != second.to_frame()["pnl_net"].iloc[0]


def test_progress_counts_every_task() -> None:
    seen: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, what: str) -> None:
        seen.append((done, total, what))

    bt.compare(study(), audits=False, progress=progress)
    assert [done for done, _, _ in seen] == list(range(1, 7))
    assert {total for _, total, _ in seen} == {6}
    assert seen[-1][2] == "CrossAssetCorrelationHedge on regime_switching (placebo)"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"hedge_with": ["SOL"]},
            r"'SOL' is both exposed and a hedge on market 'regime_switching'",
        ),
        ({"markets": [{"history": "index-histor"}]}, r"Did you mean 'index-history'"),
    ],
)
def test_a_study_that_cannot_be_run(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        bt.compare(study(**changes), out=tmp_path)
    assert not list(tmp_path.iterdir())
