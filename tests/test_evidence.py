"""What stands beside the scores: rows, frames and JSON of a small comparison."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import backtester as bt
from backtester.comparison import Comparison
from backtester.evidence import Evidence
from backtester.report.documents import scorecard_json

STUDY: dict[str, Any] = {
    "name": "beside",
    "exposure": {"positions": {"SOL": 1_000_000}},
    "capital": 1_000_000,
    "hedge_with": ["BTC-PERP", "ETH-PERP"],
    "markets": [{"scenario": "regime_switching", "paths": 12, "bars": 160}, "normal"],
    "strategies": [
        "Naked",
        "OneToOne",
        {"use": "RollingOLS", "grid": {"window": [20, 40]}},
    ],
    "walk_forward": {"train": 40, "test": 30},
    "reference": "OneToOne",
    "trials": 3,
    "placebo_paths": 4,
    "seed": 2,
}


@pytest.fixture(scope="module")
def found() -> Comparison:
    markets = [STUDY["markets"][0], {"scenario": "normal", "paths": 12, "bars": 160}]
    return bt.compare({**STUDY, "markets": markets}, audits=False)


def test_comparisons_span_the_study(found: Comparison) -> None:
    rows = found.evidence.comparisons
    assert {r.market for r in rows} == {"regime_switching", "normal"}
    against = [r for r in rows if r.family == "unhedged"]
    assert {r.first for r in against} == {"OneToOne", "RollingOLS"}
    between = [r for r in rows if r.family == "strategies"]
    assert {(r.first, r.second) for r in between} == {("RollingOLS", "OneToOne")}
    for family in (against, between):
        tested = [r for r in family if np.isfinite(r.p_adjusted)]
        assert {r.comparisons for r in family} == {len(tested)}
    # an estimate is the difference of the scorecard's own figures
    es = {(s.strategy, s.market, s.regime): s.net_es.value for s in found.scorecard.scores}
    for r in between:
        expected = es[r.first, r.market, r.regime] - es[r.second, r.market, r.regime]
        assert r.estimate.value == pytest.approx(expected)
    bare = {(s.market, s.regime): s.unhedged_es.value for s in found.scorecard.scores}
    for r in against:
        mine = es[r.first, r.market, r.regime]
        assert r.estimate.value == pytest.approx(mine - bare[r.market, r.regime])


def test_every_parameter_set_is_a_trial(found: Comparison) -> None:
    assert found.evidence.trials == 1 + 1 + 2 + 3
    assert {s.trials for s in found.evidence.sharpes} == {7}
    assert found.manifest["trials"] == 14
    assert len(found.evidence.sharpes) == 6


def test_the_walk_is_beside_its_training(found: Comparison) -> None:
    first, second = found.evidence.walks
    assert (first.market, second.market) == ("regime_switching", "normal")
    assert first.sets == 2
    row = next(
        s
        for s in found.scorecard.scores
        if (s.strategy, s.market, s.regime) == ("RollingOLS", "normal", "all")
    )
    # all test windows together are what is scored, but for losses across their borders
    assert second.outside["effectiveness_net"] == pytest.approx(row.effectiveness_net.value)
    bars = row.bars
    money = row.pnl_net_money.value * (bars / 12 / 365)
    assert second.outside["pnl_net"] == pytest.approx(1e4 * money / 1e6 / (bars / 12))
    assert [f.number for f in second.folds] == list(range(1, len(second.folds) + 1))
    assert all(f.chosen in ("window=20", "window=40") for f in second.folds)


def test_frames_and_json(found: Comparison) -> None:
    frames = found.evidence.frames()
    assert len(frames["comparisons"]) == len(found.evidence.comparisons)
    assert {"difference", "difference_low", "p_adjusted"} <= set(frames["comparisons"])
    assert {"spread", "placebo", "lowest"} <= set(frames["stability"])
    assert {"sharpe_annual", "deflated", "trials"} <= set(frames["sharpe"])
    assert {"in_net_es", "out_net_es", "chosen"} <= set(frames["walk_forward"])
    document = scorecard_json(found)
    text = json.dumps(document, allow_nan=False)
    beside = json.loads(text)["evidence"]
    assert set(beside) == {
        "parameter_sets",
        "comparisons",
        "sharpe",
        "stability",
        "walk_forward",
        "units",
    }
    assert document["trials"] == 14
    assert any(s["placebo"] is not None for s in beside["stability"])


def test_nothing_is_nothing() -> None:
    empty = Evidence()
    assert all(frame.empty for frame in empty.frames().values())
    assert empty.to_dict()["comparisons"] == []
