"""Every generator in a comparison, and a correlation sweep of CopulaGarch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtester.api import compare
from backtester.stresses.report import stress
from backtester.study import Study

from .test_data_files import scenario_file
from .test_historical_replay import mixed


def write(folder: Path, name: str, **data: Any) -> str:
    place = folder / name
    place.mkdir()
    file = scenario_file(place, name=name, **data)
    if "history" not in data:
        text = file.read_text(encoding="utf-8").replace("history: prices.csv\n", "")
        file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study")

    def regime(rho: float, volatility: float, nu: float, days: float) -> dict[str, Any]:
        return {
            "volatility": volatility, "correlation": {"default": rho}, "degrees_of_freedom": nu,
            "duration_days": days, "half_spread_bp": 2.0, "depth": 1e8,
        }  # fmt: skip

    copula = write(
        folder, "copula", generator="CopulaGarch", prices={"A": 100.0, "B": 10.0},
        margins={a: {"alpha": 0.05, "beta": 0.9, "degrees_of_freedom": 5.0} for a in "AB"},
        regimes={"normal": regime(0.9, 0.6, 6.0, 60.0), "crisis": regime(0.5, 1.2, 3.0, 20.0)},
    )  # fmt: skip
    blocks = write(folder, "blocks", history="index-history")
    index = {"exposure": {"positions": {"SP500": 1e6}}, "hedge_with": ["NASDAQ"]}
    (folder / "replay").mkdir()
    replay = {"scenario": str(mixed(folder / "replay")), "paths": 3, "bars": 120}
    replay |= {"exposure": {"positions": {"CRYPTO": 1e6}}, "hedge_with": ["STOCKS"]}
    return Study.of(
        {
            "exposure": {"positions": {"A": 1e6}},
            "capital": 1e6,
            "hedge_with": ["B"],
            "strategies": ["Naked", "OneToOne"],
            "markets": [
                {"scenario": copula, "paths": 16, "bars": 120},
                {"scenario": blocks, "paths": 16, "bars": 120} | index,
                replay,
            ],
            "placebo_paths": 12,
            "stress": {
                "scenarios": [copula], "base": copula, "points": 3, "paths": 4, "bars": 120,
                "scenario_paths": 8,
            },
        }
    )  # fmt: skip


def test_a_comparison_on_each(study: Study) -> None:
    found = compare(study)
    assert [m.name for m in found.markets] == ["copula", "blocks", "mine"]
    assert [m.placebo_paths for m in found.markets] == [12, 12, 0]  # a replay has no twin
    frame = found.to_frame()
    hedged = frame[(frame["strategy"] == "OneToOne") & (frame["regime"] == "all")]
    assert set(hedged["market"]) == {"copula", "blocks", "mine"}
    assert (hedged["residual_volatility"] > 0).all() and np.isfinite(hedged["turnover"]).all()


def test_a_sweep_of_copula_garch(study: Study) -> None:
    report = stress(study)
    assert not report.sweep_note
    sweep = report.sweeps[0]
    effectiveness = sweep.effectiveness[:, 0]
    assert np.isfinite(effectiveness).all()
    assert effectiveness[-1] > 0.8 > 0 > effectiveness[0]  # ρ = 1, margins alike; ρ = −1
