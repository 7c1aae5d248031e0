"""The benchmark runs, and what it writes has every key; behind ``make bench``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import bench

KEYS = (
    "us_per_path_bar",
    "us_per_path_bar_turnover",
    "us_per_path_bar_neutral",
    "us_per_path_bar_gross",
    "us_per_path_bar_both",
    "us_per_path_bar_impact",
    "share_trading",
    "reference_calls_per_million",
    "draw_us_per_path_bar",
    "single_path_ms_per_1000_bars",
    "speedup_vs_cvxpy_dpp",
    "speedup_vs_cvxpy_dpp_peer",
    "speedup_vs_cvxpy_dpp_gross",
    "speedup_vs_vectorbt",
    "speedup_vs_vectorbt_peer",
    "import_s",
    "help_s",
    "jit_cold_s",
)


@pytest.mark.bench
def test_bench() -> None:
    document = bench.main([])
    written = json.loads(bench.OUT.read_text(encoding="utf-8"))
    assert written == document
    for key in KEYS:
        assert written[key] >= 0, key
    assert written["speedup_vs_cvxportfolio"] is None
    assert "not installed" in written["notes"]["speedup_vs_cvxportfolio"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    target = tmp_path / "a" / "latest.json"
    bench.write({"x": 1.5}, target)
    bench.write({"x": 2.5}, target)
    assert json.loads(target.read_text()) == {"x": 2.5}
    assert [f.name for f in target.parent.iterdir()] == ["latest.json"]
