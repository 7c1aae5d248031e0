"""Overlays: a shock laid over any market panel, simulated or historical.

An overlay is a frozen model: what it acts on, plus a few bounded numbers. Each number may differ by
path, so that many candidate shocks stand side by side on the path axis and share their random
numbers. Everything it does to prices is a shift of log prices: shocks add up, and no price can
reach zero. A perpetual takes the shift of its spot, so its basis survives every overlay.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from backtester.arrays import Bool, Float, Int
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.moments import Moments
from backtester.market.panel import MarketPanel
from backtester.overlay_frame import Frame
from backtester.plausibility import Scale

LONG = 10_000.0
"""Days that stand for "for good"."""
CRISIS = "crisis"
HALF = 0.5

Knob = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Values = Mapping[str, Float | float]


@dataclass(frozen=True)
class Parameter:
    """A number of an overlay that can be searched: bounds, and the value that does nothing.

    `neutral` is None for a parameter of timing: it moves a shock and cannot switch it off.
    """

    name: str
    low: float
    high: float
    neutral: float | None
    unit: str
    meaning: str


TIMING = (
    Parameter("start_days", 0.0, LONG, None, "days", "trading days before the shock begins"),
    Parameter("ramp_days", 0.0, LONG, None, "days", "days in which it grows to full strength"),
    Parameter("duration_days", 0.0, LONG, None, "days", "days from its beginning until it fades"),
    Parameter("recovery_days", 0.0, LONG, None, "days", "half-life of what is left afterwards"),
)


class Overlay(BaseModel, ABC):
    """A shock: fields that are `Parameter`s take one number for all paths, or one per path.

    Attributes
    ----------
    start_days: trading days after the first stamp; bars and stamps after it are affected.
    ramp_days: linear growth to full strength; 0: at once.
    duration_days: from the start; then the shock fades.
    recovery_days: half-life of the fading; 0: at once.
    label: regime the affected bars of a panel with known regimes belong to; None leaves them.

    Strength e(t) is 0 up to the start, min(1, elapsed / ramp) within the duration, and afterwards
    what was reached times 2^(−days since / recovery).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    PARAMETERS: ClassVar[tuple[Parameter, ...]] = ()
    ORDER: ClassVar[int] = 0
    """Overlays of lower order are applied first, whatever the order they are listed in."""
    MOVES_CORRELATION: ClassVar[bool] = False

    start_days: Knob = 0.0
    ramp_days: Knob = 0.0
    duration_days: Knob = LONG
    recovery_days: Knob = 0.0
    label: Annotated[str, Field(min_length=1, max_length=80)] | None = CRISIS

    @model_validator(mode="after")
    def _within_bounds(self) -> Overlay:
        self._check({p.name: np.array([getattr(self, p.name)]) for p in self.parameters()})
        return self

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """What can be searched: the overlay's own numbers, then its timing."""
        return (*cls.PARAMETERS, *TIMING)

    @classmethod
    def neutral(cls) -> dict[str, float]:
        """The values at which the overlay does nothing."""
        return {p.name: p.neutral for p in cls.PARAMETERS if p.neutral is not None}

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"overlay {type(self).__name__!r}"

    @classmethod
    def scales(cls) -> Mapping[str, Scale]:
        """Parameter → default plausibility scale, for those that history scales."""
        return {}

    @classmethod
    def scale(cls, parameter: str) -> Scale:
        """The default plausibility scale of `parameter`; raises ScenarioError where there is none.

        Scales of one's own market come from `backtester.calibration.plausibility`.
        """
        known = cls.scales()
        if parameter not in known:
            raise ScenarioError(
                f"overlay {cls.__name__!r} has no plausibility scale for {parameter!r}",
                cure=did_you_mean(parameter, known),
            )
        return known[parameter]

    def knobs(self, values: Values | None, paths: int) -> dict[str, Float]:
        """Every parameter as (P,): `values` where given, else the overlay's own.

        Raises ScenarioError for an unknown name, a wrong shape, or a value out of bounds.
        """
        given = dict(values or {})
        names = [p.name for p in self.parameters()]
        for name in given:
            if name not in names:
                raise ScenarioError(
                    f"{self.title} has no parameter {name!r}", cure=did_you_mean(name, names)
                )
        result = {}
        for name in names:
            value = np.asarray(given.get(name, getattr(self, name)), dtype=np.float64)
            if value.shape not in ((), (paths,)):
                raise ScenarioError(
                    f"{self.title}: {name} has shape {value.shape} for {paths} paths",
                    cure="Give one number, or one per path.",
                )
            # contiguous: a strided argument may take another kernel, with other bits
            result[name] = np.array(np.broadcast_to(value, (paths,)))
        self._check(result)
        return result

    def _check(self, knobs: Mapping[str, Float]) -> None:
        for p in self.parameters():
            value = knobs[p.name]
            bad = ~((value >= p.low) & (value <= p.high))  # NaN is outside too
            if bad.any():
                worst = int(np.argmax(bad))
                where = f" on path {worst}" if value.size > 1 else ""
                raise ScenarioError(
                    f"{self.title}: {p.name} = {value[worst]:g}{where} is outside "
                    f"[{p.low:g}, {p.high:g}] ({p.meaning}, {p.unit})",
                    cure="Stay within the bounds; see docs/overlays.md.",
                )

    def active(self, knobs: Mapping[str, Float]) -> Bool:
        """Paths on which the overlay does anything, (P,)."""
        first = next(iter(knobs.values()))
        moved = np.zeros(first.shape, dtype=bool)
        for p in self.PARAMETERS:
            if p.neutral is not None:
                moved |= knobs[p.name] != p.neutral
        return moved

    def apply(
        self,
        panel: MarketPanel,
        *,
        values: Values | None = None,
        first: int = 0,
        seed: int = 0,
        moments: Moments | None = None,
        perpetuals: Mapping[str, str] | None = None,
        ids: Int | None = None,
    ) -> MarketPanel:
        """`panel` under this overlay alone; neutral values return it bit for bit.

        Parameters
        ----------
        values: parameters by name, a number or (P,); the overlay's own where absent.
        first: index of the panel's first path in its ensemble; with `seed` it keys the shocks.
        moments: what is usual in this market; None measures each path by itself.
        perpetuals: perpetual → spot; None goes by name (``BTC-PERP`` follows ``BTC``).
        ids: (P,) index of each path in its ensemble, where they do not follow `first`; paths with
            one index share their shocks, so that candidates can be compared on the same ones.
        """
        frame = Frame(
            panel, first=first, seed=seed, moments=moments, perpetuals=perpetuals, ids=ids
        )
        self.shape(frame, self.knobs(values, panel.paths), 0)
        return frame.panel()

    def shape(self, frame: Frame, knobs: Mapping[str, Float], occurrence: int) -> None:
        """Lay the overlay over `frame`; `occurrence` counts overlays of this class before it."""
        moved = self.active(knobs)
        if not moved.any():
            return
        strength = np.where(moved, envelope(frame.days, knobs), 0.0)
        if not strength.any():
            frame.note(f"{self.title}: no stamp of the market lies within its time")
        self._shape(frame, knobs, strength, f"overlay.{type(self).__name__}.{occurrence}")
        if self.label is not None:
            frame.mark(self._crisis(frame, knobs, strength) & moved, self.label)

    @abstractmethod
    def _shape(
        self, frame: Frame, knobs: Mapping[str, Float], strength: Float, purpose: str
    ) -> None:
        """Change `frame`; strength (T, P) is 0 where the overlay does nothing."""

    def _crisis(self, frame: Frame, knobs: Mapping[str, Float], strength: Float) -> Bool:
        """Stamps (T, P) whose bar is labelled: at half strength or more."""
        return np.asarray(strength >= HALF)


def envelope(days: Float, knobs: Mapping[str, Float]) -> Float:
    """Strength e(t) of a shock at each stamp, (T, P); days (T,) since the first stamp."""
    since = days[:, None] - knobs["start_days"]
    begun = since > 1e-9
    ramp, duration, recovery = (knobs[f"{n}_days"] for n in ("ramp", "duration", "recovery"))
    grown = np.minimum(since, duration) / np.where(ramp > 0, ramp, 1.0)
    reached = np.where(ramp > 0, np.clip(grown, 0.0, 1.0), 1.0)
    after = np.maximum(since - duration, 0.0)
    fading = np.exp2(-after / np.where(recovery > 0, recovery, 1.0))
    left = np.where(recovery > 0, fading, after <= 1e-9)
    return np.where(begun, reached * left, 0.0)


def apply_overlays(
    panel: MarketPanel,
    overlays: Sequence[Overlay],
    *,
    values: Sequence[Values | None] | None = None,
    first: int = 0,
    seed: int = 0,
    moments: Moments | None = None,
    perpetuals: Mapping[str, str] | None = None,
    ids: Int | None = None,
) -> MarketPanel:
    """`panel` under several overlays, applied in their classes' ORDER, then as listed.

    values: one mapping per overlay, or None; other arguments as in `Overlay.apply`. Overlays of
    one class draw independent shocks. A stack of candidates equals each candidate alone.
    """
    given = list(values) if values is not None else [None] * len(overlays)
    if len(given) != len(overlays):
        raise ScenarioError(
            f"{len(given)} sets of values for {len(overlays)} overlays",
            cure="Give one mapping per overlay, or None for its own values.",
        )
    frame = Frame(panel, first=first, seed=seed, moments=moments, perpetuals=perpetuals, ids=ids)
    count: dict[type, int] = {}
    turns = []
    for overlay, own in zip(overlays, given, strict=True):
        turns.append((overlay, overlay.knobs(own, panel.paths), count.get(type(overlay), 0)))
        count[type(overlay)] = turns[-1][2] + 1
    for overlay, knobs, occurrence in sorted(turns, key=lambda turn: turn[0].ORDER):
        overlay.shape(frame, knobs, occurrence)
    return frame.panel()
