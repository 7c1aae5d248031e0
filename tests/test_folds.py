"""Windows of a walk-forward evaluation, and the grid they choose from."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ConfigError, DataError
from backtester.folds import WalkForward, folds_of, parameter_sets
from backtester.study import Study

PLAN = WalkForward(train=100, test=30, embargo=10)


def test_by_hand() -> None:
    """Daily events 0 … 250, ten days of warm-up: choices at days 120, 150, 180, 210 and 240."""
    days = np.arange(251.0)
    folds = folds_of(days, 10 + PLAN.wait, PLAN, "m")
    assert [f.test for f in folds] == [(120, 150), (150, 180), (180, 210), (210, 240), (240, 250)]
    assert [f.train for f in folds][:2] == [(10, 110), (40, 140)]


@given(
    step=st.floats(0.01, 3),
    train=st.floats(8, 60),
    test=st.floats(1, 40),
    embargo=st.floats(0, 20),
    warm=st.floats(0, 30),
)
def test_laws(step: float, train: float, test: float, embargo: float, warm: float) -> None:
    plan = WalkForward(train=train, test=test, embargo=embargo)
    days = np.arange(int(200 / step)).astype(np.float64) * step
    folds = folds_of(days, warm + plan.wait, plan, "m")
    for f in folds:
        assert 0 <= f.train[0] < f.train[1] <= f.test[0] < f.test[1] <= len(days) - 1
        # the last training bar ends the embargo or more before the choice
        assert days[f.train[1]] <= days[f.test[0]] - embargo + 1e-6
        assert days[f.train[0]] >= warm - 1e-6  # nothing before the warm-up is over
    for one, two in pairwise(folds):
        assert one.test[1] == two.test[0]  # no bar is judged twice or left out
    assert folds[-1].test[1] == len(days) - 1


def test_too_little_history() -> None:
    with pytest.raises(DataError, match=r"market 'm': 50 trading days leave nothing to test"):
        folds_of(np.arange(51.0), 120.0, PLAN, "m")
    with pytest.raises(DataError, match="training window of 100 days holds no bar"):
        folds_of(np.arange(0.0, 4000.0, 365.0), 120.0, PLAN, "m")


def test_parameter_sets() -> None:
    sets = parameter_sets({"a": 1}, {"b": (2, 3), "c": ("x", "y")})
    assert [s for s, _ in sets] == ["b=2, c=x", "b=2, c=y", "b=3, c=x", "b=3, c=y"]
    assert sets[1][1] == {"a": 1, "b": 2, "c": "y"}
    assert parameter_sets({"a": 1}, {}) == (("", {"a": 1}),)
    with pytest.raises(ConfigError, match="1,001 parameter sets"):
        parameter_sets({}, {"a": tuple(range(1001))})


BASE: dict[str, Any] = {
    "exposure": {"positions": {"SOL": 1e6}},
    "capital": 1e6,
    "hedge_with": ["BTC"],
    "markets": ["normal"],
    "strategies": ["Naked", {"use": "RollingOLS", "grid": {"window": [30, 60, 90]}}],
    "walk_forward": {"train": 100, "test": 30},
}


def test_a_study_counts_its_trials() -> None:
    study = Study.of({**BASE, "trials": 40})
    assert study.tried == 1 + 3 + 40
    assert study.fixed().tried == 2 + 40
    assert study.fixed().walk_forward is None
    assert Study.of({**BASE, "reference": "Naked"}).reference == "Naked"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"walk_forward": None}, "'RollingOLS' has a grid; say walk_forward how to choose"),
        ({"strategies": ["Naked"]}, "no strategy with a grid"),
        ({"reference": "Nakd"}, "reference 'Nakd' is not one of"),
        ({"walk_forward": {"train": 100, "tst": 3}}, "unknown key 'walk_forward.tst'"),
        ({"walk_forward": {"train": -1, "test": 3}}, "walk_forward.train"),
        ({"trials": -1}, "trials"),
    ],
)
def test_messages(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Study.of({**BASE, **changes})
    assert words in str(caught.value)
