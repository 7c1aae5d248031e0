"""Every generator: a path is a function of (seed, path), whatever is drawn with it."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest

from backtester.market.panel import FIELDS, MarketPanel
from backtester.scenario import Scenario

from .generators import GENERATORS

PATHS, BARS = 23, 61
names = pytest.mark.parametrize("name", GENERATORS)


@cache
def scenario(name: str) -> Any:
    return GENERATORS[name]()


@cache
def whole(name: str) -> MarketPanel:
    panel: MarketPanel = scenario(name).draw(first=0, paths=PATHS, bars=BARS, seed=11)
    return panel


def same(part: MarketPanel, full: MarketPanel, paths: Any, bars: int) -> None:
    assert np.array_equal(part.times, full.times[: bars + 1])
    for field in ("prices", "regime", "tradable", *FIELDS):
        want, found = getattr(full, field), getattr(part, field)
        assert (want is None) == (found is None), field
        if want is not None:
            want = want[: bars + 1]
            want = want if want.shape[1] == 1 < PATHS else want[:, paths]
            assert found.tobytes() == np.ascontiguousarray(want).tobytes(), field


@names
def test_it_is_a_scenario(name: str) -> None:
    assert isinstance(scenario(name), Scenario)
    panel = whole(name)
    assert panel.assets == scenario(name).assets and panel.paths == PATHS
    assert panel.bars == BARS + 1
    assert np.isfinite(panel.prices).all() and (panel.prices > 0).all()


@names
@pytest.mark.parametrize(("first", "paths", "bars"), [(0, 1, BARS), (5, 1, 1), (7, 9, 40)])
def test_any_block_of_any_length_holds_the_same_bits(
    name: str, first: int, paths: int, bars: int
) -> None:
    part = scenario(name).draw(first=first, paths=paths, bars=bars, seed=11)
    same(part, whole(name), slice(first, first + paths), bars)


@names
def test_every_path_alone(name: str) -> None:
    for p in range(0, PATHS, 4):
        same(scenario(name).draw(first=p, paths=1, bars=BARS, seed=11), whole(name), [p], BARS)


@names
def test_a_copy_in_another_process_draws_the_same(name: str) -> None:
    copy = pickle.loads(pickle.dumps(GENERATORS[name]()))
    same(copy.draw(first=3, paths=4, bars=BARS, seed=11), whole(name), slice(3, 7), BARS)


@names
def test_seeds_and_paths_differ(name: str) -> None:
    other = scenario(name).draw(first=0, paths=PATHS, bars=BARS, seed=12)
    assert (other.prices[-1] != whole(name).prices[-1]).any(axis=-1).mean() > 0.9
    assert len({whole(name).prices[:, p].tobytes() for p in range(PATHS)}) == PATHS
