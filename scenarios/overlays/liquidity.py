"""Depth that goes and spreads that widen, and how they come back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import model_validator

from backtester.arrays import Float
from backtester.errors import ScenarioError, did_you_mean
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn

PRESETS: dict[str, dict[str, float]] = {
    "mild": {"depth_loss": 0.25, "spread_factor": 1.5, "duration_days": 1.0, "recovery_days": 2.0},
    "ftx": {"depth_loss": 0.55, "spread_factor": 3.0, "duration_days": 3.0, "recovery_days": 30.0},
    "svb": {"depth_loss": 0.75, "spread_factor": 3.0, "duration_days": 2.0, "recovery_days": 7.0},
    "october_2025": {
        "depth_loss": 0.95,
        "spread_factor": 50.0,
        "duration_days": 0.02,
        "recovery_days": 0.25,
    },
    "october_2025_after": {
        "depth_loss": 0.30,
        "spread_factor": 1.5,
        "duration_days": 1.0,
        "recovery_days": 14.0,
    },
}
"""Depth losses of November 2022 (worst large venue), March 2023 (worst venue) and 10 October 2025
(minutes, then what was still missing a day later); see docs/overlays.md for the sources."""


class Liquidity(BuiltIn):
    """Depth × (1 − d e(t)) and half-spread × (1 + (k − 1) e(t)).

    With a recovery half-life h the part of depth that is missing halves every h days. Two of them
    one after the other multiply, e.g. minutes without bids and weeks of thinner books.

    Attributes
    ----------
    depth_loss: d, part of the depth that is gone.
    spread_factor: k, spread over what it was.
    assets: assets whose books are hit, perpetuals included; all of them unless given.

    ``preset: ftx`` (mild, ftx, svb, october_2025, october_2025_after) fills in what is not given.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("depth_loss", 0.0, 0.999, 0.0, "fraction", "part of the depth that is gone"),
        Parameter("spread_factor", 1.0, 1000.0, 1.0, "factor", "spread over what it was"),
    )
    ORDER: ClassVar[int] = 60

    depth_loss: Knob = 0.0
    spread_factor: Knob = 1.0
    assets: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "preset" not in data:
            return data
        name = str(data["preset"])
        if name not in PRESETS:
            raise ScenarioError(
                f"overlay 'Liquidity' has no preset {name!r}", cure=did_you_mean(name, PRESETS)
            )
        return PRESETS[name] | {k: v for k, v in data.items() if k != "preset"}

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        columns = [frame.column(a, self.title) for a in self.assets or frame.base.assets]
        loss, wider = knobs["depth_loss"], knobs["spread_factor"]
        if (loss != 0.0).any():
            depth, left = frame.field("depth", self.title), 1.0 - loss * strength
            for n in columns:
                depth[:, :, n] *= left
        if (wider != 1.0).any():
            spread, factor = frame.field("half_spread", self.title), 1.0 + (wider - 1.0) * strength
            for n in columns:
                spread[:, :, n] *= factor
