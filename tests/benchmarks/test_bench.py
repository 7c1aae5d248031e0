"""The benchmark runs at tiny sizes, and what it writes has every key; nothing is timed here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from . import bench

ROWS = (
    "us_per_path_bar",
    "us_per_path_bar_turnover",
    "us_per_path_bar_neutral",
    "us_per_path_bar_gross",
    "us_per_path_bar_both",
    "us_per_path_bar_impact",
)
RISKS = ("robust_speedup", "shortfall_speedup", "multi_period_speedup")
NUMBERS = (
    *ROWS,
    *(f"{row}_one_core" for row in ROWS),
    "share_trading",
    "active_set_changes",
    "reference_calls_per_million",
    "draw_us_per_path_bar",
    "richest_ensemble_s",
    "richest_ensemble_peak_mb",
    "single_path_ms_per_1000_bars",
    "hourly_5y_s",
    "scaling_exponent_paths",
    "scaling_exponent_bars",
    "scaling_exponent_instruments",
    "peak_mb_10k",
    "peak_mb_ratio_10k_2k",
    "parity_objective_gap",
    "parity_violation",
    "parity_residual",
    "speedup_vs_cvxpy_dpp",
    "speedup_vs_cvxpy_dpp_peer",
    "speedup_vs_cvxpy_dpp_gross",
    "speedup_vs_cvxpy_dpp_gross_peer",
    "import_s",
    "help_s",
    "jit_warm_s",
)
MAY_LACK = {
    "us_per_path_bar_gas": "not built",
    **dict.fromkeys(RISKS, "not built"),
    "generic_dpp_speedup": "not built",
    "generic_dpp_speedup_shortfall": "not built",
    "generic_dpp_speedup_cone": "not built",
    "speedup_vs_vectorbt": "not measured",
    "speedup_vs_cvxportfolio": "not measured",
    "peak_mb_100k": "left out",
    "peak_mb_ratio": "left out",
    "jit_cold_s": "left out",
}
"""Figures that depend on what is installed or asked for, and the words that then stand there."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a tiny run writes."""
    out = tmp_path_factory.mktemp("bench") / "latest.json"
    document = bench.main(["--tiny", "--workers", "2", "--out", str(out)])
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found == document
    return found


def test_every_key_is_a_number(written: dict) -> None:
    for key in NUMBERS:
        assert isinstance(written[key], float), key


def test_what_could_not_be_measured_is_said(written: dict) -> None:
    for key, words in MAY_LACK.items():
        assert key in written
        if written[key] is None:
            assert written["notes"][key].startswith(words), written["notes"][key]


def test_every_target_has_its_figure_and_verdict(written: dict) -> None:
    assert set(written["targets"]) == set(bench.TARGETS)
    for key, verdict in written["targets"].items():
        assert (verdict["met"] is None) == (written[key] is None)


def test_figures_that_do_not_depend_on_the_machine(written: dict) -> None:
    assert 0.0 < written["share_trading"] <= 1.0
    assert written["reference_calls_per_million"] <= 100.0
    assert written["parity_objective_gap"] <= 1e-8
    assert written["parity_violation"] <= 1e-9


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (None, "its environment is not there"),
        ("echo >&2 'ImportError: no solver'; exit 3", "it failed: ImportError: no solver"),
        ("echo nothing", "what it printed cannot be read"),
    ],
)
def test_a_peer_that_fails_has_a_reason(
    says: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = bench.peer_rows
    monkeypatch.setattr(peers, "ENVIRONMENT", tmp_path)
    if says is not None:
        (tmp_path / "bin").mkdir()
        python = tmp_path / "bin" / "python"
        python.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
        python.chmod(0o755)
    with pytest.raises(peers.PeerMissing, match=words):
        peers.ask_cvxportfolio(np.ones((40, 8)), 30)


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [("us_per_path_bar", 2.0, True), ("us_per_path_bar", 2.1, False), ("share_trading", 0.4, False),
     ("share_trading", 0.5, True), ("share_trading", None, None), ("jit_warm_s", 1.0, None)],
)  # fmt: skip
def test_verdicts(key: str, value: float | None, verdict: bool | None) -> None:
    assert bench.met(key, value) is verdict


def test_part_of_a_run_never_replaces_the_results() -> None:
    with pytest.raises(SystemExit):
        bench.main(["--tiny"])


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "a" / "latest.json"
    bench.write({"x": 1.5}, target)
    bench.write({"x": 2.5}, target)
    with pytest.raises(ValueError, match="JSON compliant"):
        bench.write({"x": float("nan")}, target)
    assert json.loads(target.read_text()) == {"x": 2.5}
    assert [f.name for f in target.parent.iterdir()] == ["latest.json"]
