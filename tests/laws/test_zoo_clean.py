"""False positives of `check`: honest strategies and every built-in pass."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from backtester.laws import check_strategy
from backtester.plugins import available

ZOO = Path(__file__).parent / "zoo" / "clean.py"
CLEAN = [n.name for n in ast.parse(ZOO.read_text()).body if isinstance(n, ast.ClassDef)]
BUILTINS = [p.name for p in available("strategies")]
PARAMETERS: list[tuple[str, dict[str, Any]]] = [
    ("CrossAssetCorrelationHedge", {"estimator": "sample", "window": 40}),
    ("CrossAssetCorrelationHedge", {"estimator": "ledoit_wolf", "window": 40}),
    ("CrossAssetCorrelationHedge", {"hedge_with": ["SILVER", "OIL"], "halflife": 5}),
    ("NegativeCorrelationPairs", {"halflife": 20, "recent": 5, "partners": 2}),
    ("DeltaNeutralOffset", {"underlyings": {"WBTC": "BTC"}, "halflife": 10}),
    ("DeltaNeutralOffset", {"carry_seeking": True, "band": 0.2, "beta_neutral": False}),
    ("StaticHedge", {"ratio": {"ETH": -0.8, "GOLD": 0.1}}),
    ("OneToOne", {"instrument": "BTC"}),
    ("RollingOLS", {"window": 20}),
]

_flagged: dict[str, bool] = {}


def _passes(reference: str, parameters: dict[str, Any], title: str) -> None:
    report = check_strategy(reference, parameters=parameters)
    _flagged[title] = not report.ok
    assert report.ok, report.text()
    assert "every law holds" in report.text()


@pytest.mark.parametrize("honest", CLEAN)
def test_an_honest_strategy_passes(honest: str) -> None:
    _passes(f"{ZOO}:{honest}", {}, honest)


@pytest.mark.parametrize("builtin", BUILTINS)
def test_a_registered_strategy_passes(builtin: str) -> None:
    _passes(builtin, {}, builtin)


@pytest.mark.parametrize(("builtin", "parameters"), PARAMETERS)
def test_a_registered_strategy_passes_with(builtin: str, parameters: dict[str, Any]) -> None:
    _passes(builtin, parameters, f"{builtin} {parameters}")


def test_false_positives(capsys: pytest.CaptureFixture[str]) -> None:
    """The published figure; everything ran above, in this process."""
    with capsys.disabled():
        print(f"\nclean zoo: {sum(_flagged.values())} of {len(_flagged)} flagged")
    assert len(BUILTINS) >= 7 and not any(_flagged.values())
