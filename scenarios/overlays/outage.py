"""No trading for a while: the venue is down, or the market is closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from backtester.arrays import Bool, Float
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn


class Outage(BuiltIn):
    """Nothing can be traded at the stamps after the start, for `duration_days`.

    Attributes
    ----------
    down: 1 closed, 0 open; anything between is open. It is a parameter so that candidates with and
        without an outage can stand side by side.
    prices: ``frozen`` – the venue's price stays where it was and jumps when trading resumes, so
        that marks are stale; ``unseen`` – the price moves on, as an index of other venues does, and
        only trading stops.
    assets: assets of the venue, perpetuals included; all of them unless given. A perpetual left
        out trades on while its spot does not.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("down", 0.0, 1.0, 0.0, "0 or 1", "whether trading stops"),
    )
    ORDER: ClassVar[int] = 80

    down: Knob = 1.0
    duration_days: Knob = 1.0
    prices: Literal["frozen", "unseen"] = "frozen"
    assets: tuple[str, ...] = ()

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        shut = self._crisis(frame, knobs, strength)
        closed = np.zeros((*shut.shape, len(frame.base.assets)), dtype=bool)
        for asset in self.assets or frame.base.assets:
            closed[:, :, frame.column(asset, self.title)] = shut
        frame.close(closed, held=self.prices == "frozen")

    def _crisis(self, frame: Frame, knobs: Mapping[str, Float], strength: Float) -> Bool:
        return np.asarray((strength >= 1.0) & (knobs["down"] >= 1.0))
