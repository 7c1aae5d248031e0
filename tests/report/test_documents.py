"""JSON documents: strict, versioned, with units; nothing lost on the way."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np

from backtester.metrics.catalogue import NAMES
from backtester.report.documents import plain, scorecard_frame, scorecard_json, stress_json


def test_scorecard_round_trip(comparison: Any) -> None:
    document = scorecard_json(comparison)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == "backtester.scorecard/1"
    assert (document["study"], document["digest"]) == ("Fake study", "0123456789abcdef")
    assert document["trials"] == 34
    assert set(NAMES) <= set(document["units"])
    assert len(document["rows"]) == len(comparison.scorecard.scores)
    for row, score in zip(document["rows"], comparison.scorecard.scores, strict=True):
        for name in NAMES:
            figure, estimate = row["metrics"][name], score.estimate(name)
            if math.isnan(estimate.value):
                assert figure["value"] is None
                assert figure["note"]
            else:
                assert figure["value"] == estimate.value
    assert {d["metric"] for d in document["differences"]} <= set(NAMES)
    assert [m["name"] for m in document["markets"]] == ["history", "switching"]
    assert len(document["runs"]) == len(comparison.curves)
    assert document["audit"]["lines"][2]["difference"] == 3.1e-13


def test_stress_round_trip(stress: Any) -> None:
    document = stress_json(stress)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["schema"] == "backtester.stress/1"
    assert len(document["rows"]) == 21 * len(stress.sweeps)
    found = {b["correlation"] for b in document["break_even"]}
    assert found == {0.346, None}
    for field in ("effectiveness", "net_es", "unhedged_es", "cost_bps", "correlation"):
        assert field in document["units"]


def test_undefined_points_are_null_with_a_note(stress: Any) -> None:
    sweep = stress.sweeps[1]
    values = sweep.effectiveness.copy()
    values[0] = (np.nan, np.nan, np.inf)
    values[1, 1:] = np.nan
    broken = replace(stress, sweeps=(replace(sweep, effectiveness=values),))
    rows = stress_json(broken)["rows"]
    assert rows[0]["effectiveness"] == {
        "value": None,
        "low": None,
        "high": None,
        "note": "undefined at this correlation",
    }
    assert rows[1]["effectiveness"]["note"].startswith("no interval")
    json.dumps(rows, allow_nan=False)


def test_plain_values() -> None:
    value = {1: np.float64("nan"), "b": (np.int64(3), np.bool_(True), -np.inf), "c": np.eye(1)}
    assert plain(value) == {"1": None, "b": [3, True, None], "c": [[1.0]]}
    assert plain("\ud800") == "?"
    assert plain(None) is None


def test_frame_is_tidy(comparison: Any) -> None:
    frame = scorecard_frame(comparison)
    assert list(frame.columns[:3]) == ["strategy", "market", "regime"]
    assert not frame.duplicated(["strategy", "market", "regime"]).any()
