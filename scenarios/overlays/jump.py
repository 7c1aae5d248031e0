"""A jump of prices: one leader, the others by beta or explicitly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from backtester.arrays import Bool, Float
from backtester.errors import ScenarioError
from backtester.overlay import HALF, Knob, Parameter
from backtester.overlay_frame import Frame

from .builtin import BuiltIn


class Jump(BuiltIn):
    """log Pᵢ shifts by βᵢ ln(1 + size) e(t): for good, unless a duration and recovery are given.

    ``sizes: {BTC: -0.37, ETH: -0.42}`` is short for the first as leader, its size, and the betas
    that give the others theirs.

    Attributes
    ----------
    size: simple return of the leader at full strength.
    leader: the asset `size` speaks of.
    betas: asset → log jump in multiples of the leader's.
    others: assets not named in `betas` – ``measured``: by their sensitivity to the leader in this
        market; ``none``: they do not jump.
    """

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("size", -0.999, 10.0, 0.0, "simple return", "jump of the leader"),
    )
    ORDER: ClassVar[int] = 40

    size: Knob = 0.0
    leader: str
    betas: dict[str, Knob] = Field(default_factory=dict)
    others: Literal["measured", "none"] = "measured"

    @model_validator(mode="before")
    @classmethod
    def _sizes(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "sizes" not in data:
            return data
        rest = {k: v for k, v in data.items() if k != "sizes"}
        sizes = data["sizes"]
        if rest.keys() & {"size", "leader", "betas"} or not isinstance(sizes, Mapping) or not sizes:
            raise ScenarioError(
                "overlay 'Jump': sizes stands for size, leader and betas",
                cure="Give sizes as {asset: simple return} alone, or the other three.",
            )
        for asset, size in sizes.items():
            if isinstance(size, bool) or not isinstance(size, (int, float)) or not size > -1.0:
                raise ScenarioError(
                    f"overlay 'Jump': size of {asset!r} is {size!r}",
                    cure="Give simple returns above -1, such as -0.37.",
                )
        leader, first = next(iter(sizes.items()))
        if first == 0:
            raise ScenarioError(
                f"overlay 'Jump': the leader {leader!r} has size 0, so the others have no beta",
                cure="Name an asset that jumps first.",
            )
        betas = {a: float(np.log1p(s) / np.log1p(first)) for a, s in sizes.items() if a != leader}
        return {"leader": leader, "size": float(first), "betas": betas, "others": "none", **rest}

    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        leader = frame.spot(self.leader, self.title)
        given = {frame.spot(a, self.title): beta for a, beta in self.betas.items()}
        jump = np.log1p(knobs["size"]) * strength
        measured = self.others == "measured" and len(given) + 1 < len(frame.spots)
        betas = frame.moments.betas(self.leader) if measured else None
        for i in range(len(frame.spots)):
            if i == leader:
                frame.add(i, jump)
            elif i in given:
                frame.add(i, given[i] * jump)
            elif betas is not None:
                frame.add(i, betas[:, i] * jump)

    def _crisis(self, frame: Frame, knobs: Mapping[str, Float], strength: Float) -> Bool:
        """While the price is on its way, and until it has half recovered where it does."""
        since = frame.days[:, None] - knobs["start_days"]
        before = np.concatenate([since[:1], since[:-1]])
        moving = (since > 1e-9) & ((before <= 1e-9) | (before < knobs["ramp_days"] - 1e-9))
        back = (knobs["recovery_days"] > 0) & (strength >= HALF)
        fades = knobs["start_days"] + knobs["duration_days"] < frame.days[-1]
        return np.asarray(moving | (back & fades))
