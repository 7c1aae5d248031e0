"""`bt.stress`: named scenarios, the sweep of the re-hedging strategy, and its break-even."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import backtester as bt
from backtester.comparison import StressReport, Sweep

from .worlds import study

SMALL = {
    "points": 5,
    "paths": 8,
    "bars": 120,
    "scenario_paths": 4,
    "scenarios": ["normal", "correlation_breakdown"],
}


def plan(**changes: object) -> bt.Study:
    """One hedged altcoin, small settings."""
    return study(**{"stress": SMALL, "markets": ["normal"], **changes})


@pytest.fixture(scope="module")
def report() -> StressReport:
    """One stress report many tests read."""
    return bt.stress(plan())


def sweep_of(report: StressReport, strategy: str) -> Sweep:
    """The sweep of one strategy."""
    return next(s for s in report.sweeps if s.strategy == strategy)


def test_named_scenarios_stand_beside_the_unhedged_book(report: StressReport) -> None:
    table = report.scenarios.to_frame()
    assert set(table["market"]) == {"normal", "correlation_breakdown"}
    assert {"Naked", "RollingOLS", "CrossAssetCorrelationHedge"} == set(table["strategy"])
    assert [m.paths for m in report.scenarios.markets] == [4, 4]


def test_only_what_hedges_is_swept(report: StressReport) -> None:
    assert [s.strategy for s in report.sweeps] == ["RollingOLS", "CrossAssetCorrelationHedge"]
    for sweep in report.sweeps:
        assert sweep.correlation.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0]


def test_more_correlation_helps_and_none_does_not(report: StressReport) -> None:
    for sweep in report.sweeps:
        effect = sweep.effectiveness[:, 0]
        assert effect[0] > effect[1] > effect[2] < effect[3] < effect[4]
        # The hedge instrument is a perpetual: its basis leaves a little even at ±1.
        assert min(effect[0], effect[4]) > 0.9
        assert effect[2] < 0.02
        assert (sweep.effectiveness[:, 1] <= effect).all()
        assert (effect <= sweep.effectiveness[:, 2]).all()


def test_the_sign_of_correlation_is_no_matter(report: StressReport) -> None:
    """A hedge is long or short as it needs to be: effectiveness is even in ρ up to noise.

    Only up to noise: the exposure's returns at −ρ are not those at ρ mirrored, prices are not
    symmetric, and shorts receive funding where longs pay it.
    """
    for sweep in report.sweeps:
        effect = sweep.effectiveness[:, 0]
        assert effect[0] == pytest.approx(effect[4], abs=0.05)
        assert effect[1] == pytest.approx(effect[3], abs=0.15)


def test_the_unhedged_book_moves_only_by_its_own_noise(report: StressReport) -> None:
    """The sweep turns the exposure's shocks, not their size; the sample's tail moves with it.

    So the unhedged shortfall is not constant over ρ on a finite sample, but every strategy's
    sweep has the same one, and at ±1 and 0 it stays within sampling error.
    """
    first, second = report.sweeps
    assert np.array_equal(first.unhedged_es, second.unhedged_es)
    middle = np.median(first.unhedged_es)
    assert (np.abs(first.unhedged_es / middle - 1.0) < 0.6).all()


def test_break_even_lies_between_helping_and_not(report: StressReport) -> None:
    for sweep in report.sweeps:
        assert {(b.metric, b.side) for b in sweep.break_even} == {
            (m, s) for m in ("effectiveness", "net_es") for s in ("positive", "negative")
        }
        for found in sweep.break_even:
            if found.correlation is None:
                assert found.note in ("never helps on this side", "helps down to correlation 0")
                continue
            assert 0 < abs(found.correlation) < 1
            assert (found.correlation > 0) == (found.side == "positive")
            assert found.note.startswith("between ")
    rolling = {
        b.side: b for b in sweep_of(report, "RollingOLS").break_even if b.metric == "effectiveness"
    }
    for side in ("positive", "negative"):
        correlation = rolling[side].correlation
        assert correlation is not None and abs(correlation) < 0.5


def test_the_break_even_is_where_effectiveness_is_zero() -> None:
    """Swept again at the correlation that was found, the hedge neither helps nor hurts."""
    from backtester.markets import arena_of
    from backtester.runner import common_start, strategies_of
    from backtester.stresses.sweep import SweepSetup, panel_at, points_at, sweepable
    from backtester.study import MarketSpec

    small = plan(strategies=[{"RollingOLS": {"window": 30}}])
    (sweep,) = bt.stress(small).sweeps
    (found,) = (b for b in sweep.break_even if (b.metric, b.side) == ("effectiveness", "positive"))
    assert found.correlation is not None
    arena = arena_of(
        small, MarketSpec(scenario="normal", paths=8, bars=120), start=common_start(small)
    )
    setup = SweepSetup(sweepable(bt.load_scenario("normal")), arena.setup, 8, 120, small.seed)
    near = np.array([found.correlation - 0.02, found.correlation, found.correlation + 0.02])
    panel = panel_at(setup, near)
    below, here, above = points_at(strategies_of(small)[0], "RollingOLS", setup, panel)
    assert below.effectiveness[0] < 0 < above.effectiveness[0]
    assert abs(here.effectiveness[0]) < 0.02


def test_tidy_frame(report: StressReport) -> None:
    table = report.to_frame()
    assert len(table) == 2 * 5
    assert list(table.columns[:3]) == ["strategy", "correlation", "effectiveness"]
    assert np.isfinite(table["cost_bps"]).all()


def test_two_reports_are_the_same_to_the_byte(tmp_path: Path) -> None:
    names = ("stress.json", "scorecard.json", "scorecard.parquet", "study.yaml", "manifest.json")
    folders = [bt.stress(plan(), out=tmp_path / side).folder for side in ("a", "b")]
    one, two = folders
    assert one is not None and two is not None
    assert {f.name for f in one.iterdir()} == {*names, "report.html", ".written"}
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_stress_json(report: StressReport, tmp_path: Path) -> None:
    folder = bt.stress(plan(), out=tmp_path).folder
    assert folder is not None
    document = json.loads((folder / "stress.json").read_text())
    assert document["schema"] == "backtester.stress/1"
    assert len(document["rows"]) == sum(len(s.correlation) for s in report.sweeps)
    first, row = report.sweeps[0], document["rows"][0]
    assert row["strategy"] == first.strategy
    assert row["correlation"] == first.correlation[0] == -1.0
    assert row["effectiveness"]["value"] == first.effectiveness[0, 0]
    assert row["unhedged_es"] == first.unhedged_es[0]
    assert len(document["break_even"]) == sum(len(s.break_even) for s in report.sweeps)
    assert {b["side"] for b in document["break_even"]} == {"positive", "negative"}
    assert document["digest"] == report.digest
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["kind"] == "stress"
    assert manifest["command"] == "backtester stress study.yaml"


def test_a_spot_hedged_with_its_own_perpetual_is_stressed_but_not_swept(tmp_path: Path) -> None:
    """Its correlation is not free: the scenarios still run, and every output says why."""
    carry = plan(exposure={"positions": {"BTC": 1e6}}, hedge_with=["BTC-PERP"])
    found = bt.stress(carry, out=tmp_path)
    words = "are both 'BTC': their correlation is not free"
    assert words in found.sweep_note
    assert found.sweeps == ()
    assert found.to_frame().empty
    assert found.folder is not None
    assert words in json.loads((found.folder / "stress.json").read_text())["not_swept"]
    page = (found.folder / "report.html").read_text()
    assert "their correlation is not free" in page
    assert len(found.scenarios.scorecard.scores) > 0


def test_the_public_name_stays_a_function_whatever_is_imported() -> None:
    """A subpackage of the same name would take its place on the first import of it."""
    import importlib
    import pkgutil

    for module in pkgutil.walk_packages(bt.__path__, "backtester."):
        if module.name != "backtester.__main__":
            importlib.import_module(module.name)
    for name in bt.__all__:
        assert type(getattr(bt, name)).__name__ != "module", name


def test_a_scenario_without_the_studys_assets_is_named_before_any_work() -> None:
    said: list[str] = []
    with pytest.raises(bt.BacktesterError, match=r"'pair_btc_eth' has no .*list scenarios"):
        bt.stress(
            plan(stress={**SMALL, "scenarios": ["normal", "pair_btc_eth"]}),
            progress=lambda done, total, what: said.append(what),
        )
    assert not said
