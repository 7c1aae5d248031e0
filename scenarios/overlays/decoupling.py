"""The hedge-killer: exposed assets keep only part of their correlation with everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from backtester.arrays import Float
from backtester.overlay import Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn, noise, replica


class Decoupling(BuiltIn):
    """r′ = μ + a (r − μ) + √(1−a²) σ ε for each of `assets`; volatilities and tails stay.

    Correlations with assets that are not named are multiplied by a. Among the named ones they stay
    as in the base market with ``noise: joint``, and become a² R with ``noise: own``. Both are
    positive semi-definite for every a in [−1, 1].

    Attributes
    ----------
    kept: a, the part of its correlation an asset keeps; 0 none, below 0 it turns round.
    assets: the assets that decouple, usually the exposed ones.
    noise: ``joint`` keeps a book of several exposed assets as risky as it was; ``own`` spreads it.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("kept", -1.0, 1.0, 1.0, "factor", "part of its correlation an asset keeps"),
    )
    ORDER: ClassVar[int] = 20
    MOVES_CORRELATION: ClassVar[bool] = True

    kept: Knob = 1.0
    assets: tuple[str, ...] = Field(min_length=1)
    noise: Literal["joint", "own"] = "joint"

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        returns = frame.returns()
        root = np.sqrt(frame.elapsed)
        kept = 1.0 + (knobs["kept"] - 1.0) * strength[1:]
        replaced = np.sqrt(np.maximum(1.0 - kept * kept, 0.0))
        joint = replica(frame, purpose) if self.noise == "joint" else None
        for asset in self.assets:
            i = frame.spot(asset, self.title)
            mean = frame.at(frame.moments.mean[:, :, i]) * frame.elapsed
            spread = frame.at(frame.moments.volatility[:, :, i]) * root
            own = noise(frame, f"{purpose}.{asset}") if joint is None else joint[i]
            frame.add_steps(i, (kept - 1.0) * (returns[i] - mean) + replaced * (spread * own))
