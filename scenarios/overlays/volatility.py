"""Volatility times a factor, correlation as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backtester.arrays import Float
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn


class Volatility(BuiltIn):
    """r′ = μ + m (r − μ) − (m² − 1) σ²/2: deviations are scaled, the expected price is kept.

    The last term holds E[exp r′] at its old value (exactly so for normal returns).

    Attributes
    ----------
    multiplier: m.
    assets: spots it acts on; all of them unless given.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("multiplier", 0.1, 10.0, 1.0, "factor", "volatility over what it was"),
    )
    ORDER: ClassVar[int] = 30

    multiplier: Knob = 1.0
    assets: tuple[str, ...] = ()

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        returns = frame.returns()
        factor = 1.0 + (knobs["multiplier"] - 1.0) * strength[1:]
        for asset in self.assets or frame.spots:
            i = frame.spot(asset, self.title)
            mean = frame.at(frame.moments.mean[:, :, i]) * frame.elapsed
            spread = frame.at(frame.moments.volatility[:, :, i])
            drag = (factor * factor - 1.0) * (spread * spread * frame.elapsed / 2.0)
            frame.add_steps(i, (factor - 1.0) * (returns[i] - mean) - drag)
