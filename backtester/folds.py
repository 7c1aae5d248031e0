"""The windows of a walk-forward evaluation: choose on the past, wait, then be judged."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backtester.arrays import Float
from backtester.errors import ConfigError, DataError
from backtester.fields import Number, Positive

LARGEST = 1000
"""Parameter sets of one strategy."""


class WalkForward(BaseModel):
    """Lengths in trading days, and the score a parameter set is chosen by.

    train: what is looked at. embargo: what is left out between that and the choice, so that no
    window of the training score reaches near the test. test: how long a choice is held.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: Positive
    test: Positive
    embargo: Annotated[Number, Field(ge=0, allow_inf_nan=False)] = 10.0
    select: Literal["net_es", "certainty_equivalent"] = "net_es"

    @property
    def wait(self) -> float:
        """Trading days before the first choice."""
        return self.train + self.embargo


@dataclass(frozen=True)
class Fold:
    """One choice: bars [first, stop) it is made on, and bars it is judged on.

    Bar b lies between events b and b + 1. The choice is made at event `test[0]`, which sees the
    prices of the end of the bar before.
    """

    train: tuple[int, int]
    test: tuple[int, int]


def folds_of(days: Float, start: float, plan: WalkForward, market: str) -> tuple[Fold, ...]:
    """Every fold of a market whose events lie at trading days `days` (T,).

    start: trading days before the first choice; the w-th is made at the first event from
    start + w · test on. The last test window ends with the data. Raises DataError where not one
    bar is left to be judged, or a training window holds none.
    """
    last = len(days) - 1
    folds: list[Fold] = []
    begin = start
    while True:
        at = int(np.searchsorted(days, begin - 1e-9, side="left"))
        if at >= last:
            break
        stop = int(np.searchsorted(days, begin + plan.test - 1e-9, side="left"))
        until = begin - plan.embargo
        first = int(np.searchsorted(days, until - plan.train - 1e-9, side="left"))
        # A bar trains where it ends no later than the embargo begins.
        end = int(np.searchsorted(days, until + 1e-9, side="right")) - 1
        if end <= first:
            raise DataError(
                f"walk_forward on market {market!r}: the training window of {plan.train:.6g} days "
                "holds no bar",
                cure="Give a longer train.",
            )
        if stop > at:  # a test window shorter than a bar holds no event of its own
            folds.append(Fold((first, end), (at, min(stop, last))))
        begin += plan.test
    if not folds:
        raise DataError(
            f"walk_forward on market {market!r}: {days[-1]:.6g} trading days leave nothing to test "
            f"after {start:.6g} days of warm-up, training and embargo",
            cure="Give more history, or a shorter train.",
        )
    return tuple(folds)


def parameter_sets(
    parameters: dict[str, Any], grid: dict[str, tuple[Any, ...]]
) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every combination of the grid over the fixed parameters, each with a label.

    Raises ConfigError: more than 1,000 sets.
    """
    count = int(np.prod([len(v) for v in grid.values()], dtype=np.int64)) if grid else 1
    if count > LARGEST:
        raise ConfigError(
            f"a grid of {count:,} parameter sets", cure=f"Try at most {LARGEST:,}; trials cost."
        )
    names = tuple(grid)
    sets = []
    for values in product(*grid.values()):
        chosen = dict(zip(names, values, strict=True))
        label = ", ".join(f"{k}={v}" for k, v in chosen.items())
        sets.append((label, {**parameters, **chosen}))
    return tuple(sets)
