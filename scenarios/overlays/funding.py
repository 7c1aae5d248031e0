"""A funding shock on perpetuals, and the premium that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field, Strict

from backtester.arrays import Float
from backtester.errors import ScenarioError
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn


class FundingShock(BuiltIn):
    """The funding rate moves by level · e(t), decimals a year; the perpetual's log price by basis.

    A positive rate is paid by longs: a short hedge bleeds while the level is negative. A bar pays
    rate × its length in years.

    Attributes
    ----------
    level: added to the rate of each perpetual, a year.
    basis: added to log(perpetual / spot) at full strength, at most a tenth either way.
    perpetuals: which ones; all of the market's unless given.
    clamp: largest |rate| a year after the shock; None: no limit.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("level", -10.0, 10.0, 0.0, "a year", "added to the funding rate"),
        Parameter("basis", -0.1, 0.1, 0.0, "log", "added to log(perpetual / spot)"),
    )
    ORDER: ClassVar[int] = 70

    level: Knob = 0.0
    basis: Knob = 0.0
    perpetuals: tuple[str, ...] = ()
    clamp: Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)] | None = None

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        chosen = self.perpetuals or tuple(frame.perpetuals)
        if not chosen:
            raise ScenarioError(
                f"{self.title}: market {frame.base.name!r} has no perpetual",
                cure="Funding is paid on perpetuals; add one that follows a spot.",
            )
        level, basis = knobs["level"], knobs["basis"]
        years = np.concatenate([[0.0], frame.elapsed[:, 0]]) / frame.base.calendar.days_per_year
        for asset in chosen:
            k = frame.perpetual(asset, self.title)
            if (level != 0.0).any():
                paid, n = frame.field("funding", self.title), frame.column(asset, self.title)
                shifted = paid[:, :, n] + level * strength * years[:, None]
                if self.clamp is not None:
                    limit = (self.clamp * years)[:, None]
                    shifted = np.clip(shifted, -limit, limit)
                # zero added to a negative zero would change its sign bit
                paid[:, :, n] = np.where(level * strength != 0.0, shifted, paid[:, :, n])
            if (basis != 0.0).any():
                frame.add_premium(k, basis * strength)
