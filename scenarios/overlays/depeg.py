"""A coin that loses its peg: as an asset of the market, or as the money all prices are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import model_validator

from backtester.arrays import Float
from backtester.errors import ScenarioError
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn


class Depeg(BuiltIn):
    """The coin is worth 1 − d e(t) of its peg, and 1 − d 2^(−t/h) once it recovers.

    Attributes
    ----------
    depth: d, the part of its value the coin loses; below 0 it trades above its peg.
    asset: the coin, where the market has a price of it; its price is multiplied by 1 − d e(t).
    quote: prices are quoted in the coin: every other price is divided by 1 − d e(t).
    pegged: assets pegged to the coin itself, whose quote does not move.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("depth", -0.5, 0.99, 0.0, "fraction", "value the coin loses"),
    )
    ORDER: ClassVar[int] = 50

    depth: Knob = 0.0
    asset: str | None = None
    quote: bool = False
    pegged: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Depeg:
        if (self.asset is None) != self.quote:
            raise ScenarioError(
                f"{self.title} needs either an asset that loses its peg or quote: true",
                cure="Name the coin in `asset`, or say that prices are quoted in it.",
            )
        return self

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        worth = np.log1p(-knobs["depth"] * strength)
        if self.asset is not None:
            frame.add(frame.spot(self.asset, self.title), worth)
            return
        still = {frame.spot(a, self.title) for a in self.pegged}
        for i in range(len(frame.spots)):
            if i not in still:
                frame.add(i, -worth)
