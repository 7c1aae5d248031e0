"""GARCH(1,1) margins: parameters by asset, and as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, Strict, model_validator

from backtester.arrays import Float
from backtester.errors import ScenarioError, did_you_mean

from .quantile_map import limited_deviation
from .regime import Freedom, Parameters, Positive

Weight = Annotated[float, Strict(), Field(ge=0, lt=1)]


class Margin(Parameters):
    """GARCH(1,1) of one asset's unit-variance innovations, per bar.

    g' = (1 − α − β) + g (α z² + β): the variance in units of its long-run level, which the regime's
    volatility sets. `degrees_of_freedom` of the Student-t innovations z; None is Gaussian.
    `variance_start` is g at the first bar, e.g. today's variance over the long-run one.
    """

    alpha: Weight = 0.0
    beta: Weight = 0.0
    degrees_of_freedom: Freedom | None = None
    variance_start: Positive = 1.0

    @model_validator(mode="after")
    def _stationary(self) -> Margin:
        if self.alpha + self.beta >= 1.0:
            raise ScenarioError(
                f"alpha + beta = {self.alpha + self.beta:.6g} of a GARCH margin is not below 1",
                cure="Variance would have no long-run level to target; lower one of them.",
            )
        return self


Limit = Annotated[float, Strict(), Field(gt=1, allow_inf_nan=False)]


@dataclass(frozen=True, eq=False)
class MarginTables:
    """Margins as arrays over the assets that are not perpetuals (F)."""

    alpha: Float
    beta: Float
    start: Float
    freedom: tuple[float | None, ...]
    limit: float  # largest |z| before `norm`, inf for none
    norm: Float  # standard deviation of the limited innovation


def margin_tables(
    margins: Mapping[str, Margin], assets: Sequence[str], limit: float | None, scenario: str
) -> MarginTables:
    """Arrays of `margins` in the order of `assets`; raises ScenarioError for a missing one."""
    for name in margins:
        if name not in assets:
            raise ScenarioError(
                f"margins of scenario {scenario!r} name unknown asset {name!r}",
                cure=did_you_mean(name, assets),
            )
    for name in assets:
        if name not in margins:
            raise ScenarioError(
                f"margins of scenario {scenario!r} lack asset {name!r}",
                cure="Give one for each asset that is no perpetual; {} is Gaussian, without GARCH.",
            )
    rows = [margins[name] for name in assets]
    norm = [1.0 if limit is None else limited_deviation(r.degrees_of_freedom, limit) for r in rows]
    return MarginTables(
        alpha=np.array([r.alpha for r in rows]),
        beta=np.array([r.beta for r in rows]),
        start=np.array([r.variance_start for r in rows]),
        freedom=tuple(r.degrees_of_freedom for r in rows),
        limit=np.inf if limit is None else limit,
        norm=np.array(norm),
    )
