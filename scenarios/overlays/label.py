"""A label without a shock: says which bars of a simulated market belong to an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backtester.arrays import Float
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn


class Label(BuiltIn):
    """Gives the bars of its time the regime `label` and changes nothing else.

    Attributes
    ----------
    on: 1 labels, 0 does not.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("on", 0.0, 1.0, 0.0, "0 or 1", "whether the bars are labelled"),
    )
    ORDER: ClassVar[int] = 90

    on: Knob = 1.0

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        return None
