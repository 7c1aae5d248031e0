"""Correlation on its way to an extreme: R(θ) = (1 − θ) R + θ s sᵀ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, Strict

from backtester.arrays import Float
from backtester.errors import ScenarioError
from backtester.overlay import Knob, Overlay, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn, noise

Share = Annotated[float, Strict(), Field(ge=0, le=1)]


class CorrelationPath(BuiltIn):
    """Moves all correlations towards +1, or those with the opposed assets towards −1.

    r′ᵢ = μᵢ + √(1−θᵢ) (rᵢ − μᵢ) + √θᵢ sᵢ σᵢ f: one factor f of unit variance that shares the day's
    scale replaces part of every return, so that R′ᵢⱼ = √((1−θᵢ)(1−θⱼ)) Rᵢⱼ + √(θᵢθⱼ) sᵢsⱼ is
    positive semi-definite for every θ and volatilities and tails stay. For a book w and s = sign w,
    σ²(θ) = (1−θ) σ²(0) + θ (Σ|w|σ)² (Finger 1997; methods of Rebonato and Jäckel 1999).

    Attributes
    ----------
    theta: share of variance given to the factor; below 0 the opposed assets take the other sign.
    opposed: assets with s = −1 where theta < 0, e.g. the hedges.
    signs: asset → ±1 at the positive end; 1 unless named. The sign of a book's positions is its
        worst case.
    shares: asset → fraction of theta that reaches it; 1 unless named.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("theta", -1.0, 1.0, 0.0, "share of variance", "way to the extreme correlation"),
    )
    ORDER: ClassVar[int] = 10
    MOVES_CORRELATION: ClassVar[bool] = True

    theta: Knob = 0.0
    opposed: tuple[str, ...] = ()
    signs: dict[str, Literal[-1, 1]] = Field(default_factory=dict)
    shares: dict[str, Share] = Field(default_factory=dict)

    @classmethod
    def against(cls, positions: Mapping[str, float], **fields: object) -> Overlay:
        """The overlay whose positive end is the worst correlation of this book: s = sign w."""
        signs = {asset: 1 if amount >= 0 else -1 for asset, amount in positions.items()}
        return cls(signs=signs, **fields)  # type: ignore[arg-type]

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        theta = knobs["theta"]
        if (theta < 0).any() and not self.opposed:
            raise ScenarioError(
                f"{self.title}: theta = {theta.min():g} is below 0, but no asset is opposed",
                cure="Name the assets that turn against the others in `opposed`.",
            )
        opposed = {frame.spot(a, self.title) for a in self.opposed}
        signs = {frame.spot(a, self.title): s for a, s in self.signs.items()}
        shares = {frame.spot(a, self.title): s for a, s in self.shares.items()}
        returns = frame.returns()
        factor = noise(frame, purpose)
        way = np.abs(theta) * strength[1:]
        turn = np.where(theta < 0, -1.0, 1.0)
        root = np.sqrt(frame.elapsed)
        for i in range(len(frame.spots)):
            given = way * shares.get(i, 1.0)
            mean = frame.at(frame.moments.mean[:, :, i]) * frame.elapsed
            spread = frame.at(frame.moments.volatility[:, :, i]) * root
            sign = float(signs.get(i, 1)) * (turn if i in opposed else 1.0)
            own = (np.sqrt(1.0 - given) - 1.0) * (returns[i] - mean)
            frame.add_steps(i, own + np.sqrt(given) * (sign * (spread * factor)))
