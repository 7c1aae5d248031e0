"""The rolling window counts trading time, not bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ConfigError
from backtester.estimation.window import RollingWindow


@given(
    elapsed=st.lists(st.floats(0.01, 3.0), min_size=1, max_size=60),
    days=st.floats(0.5, 20.0),
    most=st.integers(2, 50),
)
def test_it_covers_its_days_and_not_a_row_more(
    elapsed: list[float], days: float, most: int
) -> None:
    window = RollingWindow(days, most)
    state = window.init(1, 1)
    for step in elapsed:
        state = window.step(state, np.full((1, 1), 0.01), step)
    assert state.days >= min(days, sum(elapsed)) - 1e-6
    assert state.days - state.elapsed[0] < days
    # Two neighbouring rows always span more than one cell, or they would have been compounded.
    assert len(state.elapsed) <= 2 * most + 2


def test_fine_bars_compound_to_the_same_growth() -> None:
    window = RollingWindow(10.0, 10)
    state = window.init(1, 2)
    rng = np.random.default_rng(1)
    returns = 0.01 * rng.standard_normal((240, 1, 2))
    for row in returns:
        state = window.step(state, row, 1 / 24)
    assert len(state.returns) == 10
    growth = np.prod(1.0 + np.array(state.returns), axis=0)
    np.testing.assert_allclose(growth, np.prod(1.0 + returns, axis=0), rtol=1e-12)


def test_an_empty_window_has_no_rows() -> None:
    scaled, root = RollingWindow(5.0).init(3, 2).scaled()
    assert scaled.shape == (3, 2, 0) and root.shape == (0,)


def test_two_rows_at_least() -> None:
    with pytest.raises(ConfigError, match="max_rows"):
        RollingWindow(5.0, 1)
