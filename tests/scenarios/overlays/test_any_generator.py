"""Overlays over every generator: same bits in any block, neutral is the base, moves hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_scenarios.overlaid import Overlaid

from backtester.plugins import available
from backtester.scenario_files import GENERATORS

from ..generators import GENERATORS as BUILDERS
from .conftest import SMALL, same_bits

MAKE: dict[str, Any] = {"CorrelatedReturns": lambda: SMALL, **BUILDERS}
EVERY = pytest.mark.parametrize("name", sorted(MAKE))
WHEN = {"start_days": 5.0, "duration_days": 10.0, "recovery_days": 3.0}


def over(base: Any) -> Overlaid:
    """Correlation, decoupling, volatility and a jump over `base`."""
    first, last = base.assets[0], [a for a in base.assets if not a.endswith("-PERP")][-1]
    return Overlaid(
        name="over",
        base=base,
        overlays=[
            {"overlay": "CorrelationPath", "theta": 0.5, **WHEN},
            {"overlay": "Decoupling", "kept": 0.5, "assets": [first], **WHEN},
            {"overlay": "Volatility", "multiplier": 2.0, **WHEN},
            {"overlay": "Jump", "sizes": {last: -0.2}, **WHEN},
        ],
    )


def test_every_generator_is_tested() -> None:
    assert set(MAKE) >= set(GENERATORS) - {"Overlaid", "VineCopula"}
    assert {p.name for p in available("scenarios")} >= set(GENERATORS)


@EVERY
def test_a_path_is_a_function_of_seed_and_path(name: str) -> None:
    scenario = over(MAKE[name]())
    whole = scenario.draw(first=0, paths=9, bars=30, seed=6)
    for first, paths, bars in ((0, 1, 30), (4, 3, 17), (8, 1, 12)):
        part = scenario.draw(first=first, paths=paths, bars=bars, seed=6)
        wanted = whole.select(np.arange(first, first + paths)).until(bars + 1)
        assert same_bits(part, wanted), (first, paths, bars)


@EVERY
def test_neutral_values_are_the_base(name: str) -> None:
    base = MAKE[name]()
    scenario = over(base)
    neutral = tuple(o.neutral() for o in scenario.overlays)
    bare = base.draw(first=0, paths=3, bars=20, seed=6)
    assert same_bits(scenario.draw(first=0, paths=3, bars=20, seed=6, values=neutral), bare)
    shocked = scenario.draw(first=0, paths=3, bars=20, seed=6)
    assert same_bits(shocked.until(6), bare.until(6))
    assert not same_bits(shocked, bare, "prices")


@EVERY
def test_correlation_goes_to_one_and_volatility_stays(name: str) -> None:
    base = MAKE[name]()
    scenario = Overlaid(
        name="one", base=base, overlays=[{"overlay": "CorrelationPath", "theta": 1.0}]
    )
    spots = [i for i, a in enumerate(base.assets) if not a.endswith("-PERP")]
    steps = [
        np.diff(np.log(s.draw(first=0, paths=60, bars=60, seed=6).prices[:, :, spots]), axis=0)
        for s in (base, scenario)
    ]
    spread = [x.reshape(-1, len(spots)).std(axis=0) for x in steps]
    assert spread[1] / spread[0] == pytest.approx(np.ones(len(spots)), rel=0.3)
    rho = np.corrcoef(steps[1].reshape(-1, len(spots)).T)
    assert rho[np.triu_indices(len(spots), 1)].min() > 0.9
