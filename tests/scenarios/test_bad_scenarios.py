"""Scenarios that cannot be drawn say which regime, which entry, and what to do."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from backtester_scenarios.simulate import stamps
from pydantic import ValidationError

from backtester.errors import ScenarioError
from backtester.scenario import EnsembleMarket, Scenario

from .conftest import Make, regime
from .generators import block_bootstrap

TWO = {"A": 1.0, "B": 1.0}


def two(**more: Any) -> dict[str, Any]:
    """A scenario of two assets and one regime, with some of the regime's fields replaced."""
    fields = {"volatility": 0.5, "correlation": [[1.0, 0.5], [0.5, 1.0]]}
    return {"prices": TWO, "perpetuals": {}, "regimes": {"only": fields | more}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"prices": TWO | {"C": 1.0}, "perpetuals": {}}
            | {
                "regimes": {
                    "crisis": {
                        "volatility": 0.5,
                        "correlation": {"default": 0.9, "pairs": {"A/B": -0.9}},
                    }
                }
            },
            r"'crisis' is not positive semi-definite \(smallest eigenvalue -0\.8.*shrink",
        ),
        (two(correlation=[[1.0, 0.5], [0.4, 1.0]]), "'only': entry A/B = 0.5 differs.*symmetric"),
        (two(correlation=[[1.0, 1.5], [1.5, 1.0]]), r"A/B = 1.5 is outside \[-1, 1\]"),
        (two(correlation=[[0.9, 0.5], [0.5, 1.0]]), "A/A = 0.9 is on the diagonal"),
        (two(correlation=[[1.0]]), r"has shape \(1, 1\), expected \(2, 2\)"),
        (two(correlation=[[1.0, 0.5], [0.5]]), "rows of the correlation of regime 'only' differ"),
        (two(correlation={"default": 0.1, "pairs": {"A/X": 0.1}}), "unknown pair 'A/X'.*mean"),
        (two(volatility={"A": 0.5}), "volatility of regime 'only' lacks asset 'B'"),
        (two(volatility={"A": 0.5, "b": 0.5}), "unknown asset 'b'. Did you mean 'B'"),
        (two(depth={"A": 1.0, "C": 1.0}), "depth of regime 'only' names unknown asset 'C'"),
        (two(next={"only": 1.0}), None),  # one regime never leaves: nothing to follow
        (two(funding={"A-PERP": {"volatility": 0.1, "half_life_days": 1.0}}), "unknown asset"),
        (two(scale_limit=4.0), "'only' has a scale_limit but no degrees_of_freedom"),
        (two() | {"start": "onyl"}, "unknown regime 'onyl'. Did you mean 'only'"),
        (two() | {"perpetuals": {"X-PERP": "X"}}, "follows 'X', which"),
        (two() | {"perpetuals": {"A": "B"}}, "both a perpetual and an asset"),
        (two() | {"perpetuals": {"A-PERP": "A"}}, "funding of regime 'only' lacks perpetual"),
        (two() | {"name": "a\nb"}, "printable"),
        ({"regimes": {"n": regime(0.5, 0.5), "c": regime(0.5, 0.5)}}, "'n' has no duration_days"),
        (
            {
                "regimes": {
                    "n": regime(0.5, 0.5, duration_days=1.0, next={"c": 0.5}),
                    "c": regime(0.5, 0.5, duration_days=1.0),
                }
            },
            "after 'n' have probabilities that add up to 0.5",
        ),
        (
            {
                "regimes": {
                    "n": regime(0.5, 0.5, duration_days=1.0, next={"x": 1.0}),
                    "c": regime(0.5, 0.5, duration_days=1.0),
                }
            },
            "'n' is followed by 'x'",
        ),
        (
            {
                "regimes": {
                    "n": regime(0.5, 0.5, duration_days=1.0, depth=None),
                    "c": regime(0.5, 0.5, duration_days=1.0),
                }
            },
            "'n' has no depth, but another regime has",
        ),
    ],
)
def test_inconsistent(make: Make, changes: dict[str, Any], words: str | None) -> None:
    if words is None:
        make(**changes)
        return
    with pytest.raises(ScenarioError, match=words):
        make(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (two(degrees_of_freedom=2.0), "greater than 2"),
        (two(degrees_of_freedom=3.0, scale_limit=1.0), "greater than 1"),
        (two(half_spread_bp=-1.0), "greater than or equal to 0"),
        (two(depth=0.0), "greater than 0"),
        (two(volatility=-0.5), "greater than or equal to 0"),
        (two(volatility=float("nan")), "finite"),
        (two(next={"only": 1.5}), "less than or equal to 1"),
        (two(volatilty=0.5), "Extra inputs"),
        (two(volatility="0.5"), "valid number"),
        (two() | {"days_per_bar": 0.0}, "greater than 0"),
        (two() | {"calendar": "365"}, "24/7"),
        ({"prices": {"A": 0.0}}, "greater than 0"),
        ({"prices": {}}, "at least 1"),
    ],
)
def test_values_out_of_range(make: Make, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make(**changes)


@pytest.mark.parametrize(("first", "paths", "bars"), [(0, 0, 5), (0, 5, 0), (-1, 5, 5)])
def test_nothing_to_draw(make: Make, first: int, paths: int, bars: int) -> None:
    with pytest.raises(ScenarioError, match="at least one path and one bar"):
        make().draw(first=first, paths=paths, bars=bars, seed=1)
    with pytest.raises(ScenarioError, match="0 paths"):
        EnsembleMarket(make(), paths=0, bars=5, seed=1)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.eye(4), "expected \\(3, 3\\)"),
        (np.stack([np.eye(3)] * 5), "5 matrices for 2 paths"),
        (np.full((3, 3), np.nan), "not finite"),
        (
            np.stack([np.eye(3), np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])]),
            "semi-definite on path 1",
        ),
    ],
)
def test_correlations_that_cannot_be_drawn(make: Make, matrix: np.ndarray, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        make().draw(first=0, paths=2, bars=5, seed=1, correlation=matrix)


def test_bars_that_do_not_fit_a_session(make: Make) -> None:
    scenario = make(calendar="sessions", days_per_bar=0.3)
    with pytest.raises(ScenarioError, match="do not fit a session calendar"):
        scenario.draw(first=0, paths=1, bars=5, seed=1)


def test_a_scenario_is_a_value(make: Make) -> None:
    scenario = make()
    assert isinstance(scenario, Scenario)
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    with pytest.raises(ValidationError, match="frozen"):
        scenario.name = "other"
    panel = scenario.draw(first=0, paths=2, bars=5, seed=1)
    for field in ("prices", "half_spread", "depth", "funding", "regime", "times"):
        assert not getattr(panel, field).flags.writeable, field


@pytest.mark.parametrize(
    ("calendar", "days", "most"),
    [
        ("24/7", 1.0, 95_794),
        ("24/7", 0.5, 191_589),
        ("sessions", 1.0, 68_424),
        ("sessions", 5.0, 13_684),
        ("sessions", 0.5, 136_848),
    ],
)
def test_stamps_end_where_their_nanoseconds_do(calendar: str, days: float, most: int) -> None:
    times = stamps(calendar, most, days, "long")
    assert (np.diff(times) > 0).all() and str(times[-1].astype("datetime64[ns]")) > "2262-04"
    with pytest.raises(ScenarioError) as caught:
        stamps(calendar, most + 1, days, "long")
    assert caught.value.what == (
        f"scenario 'long': {most + 1:,} bars from 2000-01-01 pass 2262-04-11, the last day that a "
        f"stamp in nanoseconds can hold: {most:,} bars fit"
    )
    assert caught.value.cure == f"Ask for at most {most:,} bars, or for shorter ones."


def test_too_many_bars_are_refused_before_anything_is_drawn(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtester_scenarios.regime_scenario.draw_shocks", None)
    monkeypatch.setattr("backtester_scenarios.block_bootstrap.uniforms", None)
    for scenario in (make(), block_bootstrap()):
        with pytest.raises(ScenarioError, match=r"107,000 bars from 2000-01-01 pass 2262-04-11"):
            scenario.draw(first=0, paths=1, bars=107_000, seed=0)
