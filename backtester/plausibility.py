"""How unusual a value of an overlay's parameter is: a monotone map to standard-normal units.

A scale is fitted to windows of a history: how often did the quantity move at least this far from
its neutral value within one window? With p that share of windows, the value has z = Φ⁻¹(1 − p), so
that a parameter measured in z is whitened. Beyond the data the tail is a power law (Pareto), which
is what market moves have; a normal tail would call known crashes impossible.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtester.arrays import Float
from backtester.errors import ConfigError

Coordinate = Literal["linear", "log", "return", "loss", "fisher"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=0.5)]
FLATTEST = 0.5
"""Smallest tail exponent a fit may give: flatter, and no value would be unusual."""


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tail(_Block):
    """One direction away from neutral.

    Attributes
    ----------
    knots: (distance from neutral in the scale's coordinate, share of windows that went at least so
        far); distances increase, shares fall.
    exponent: α of the power law beyond the last knot, p = p_K (d / d_K)^−α.
    """

    knots: tuple[tuple[Positive, Share], ...] = Field(min_length=1)
    exponent: Annotated[float, Field(ge=FLATTEST, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _monotone(self) -> Tail:
        distance, share = np.array(self.knots).T
        if (np.diff(distance) <= 0).any() or (np.diff(share) >= 0).any():
            raise ConfigError(
                f"knots of a plausibility scale are not monotone: {self.knots}",
                cure="Distances must increase and shares of windows fall.",
            )
        return self

    def z(self, distance: Float) -> Float:
        """Normal units of distances ≥ 0, the shape of `distance`."""
        from scipy.special import ndtri

        at, share = np.array(self.knots).T
        units = -ndtri(share)
        inside = np.interp(distance, np.concatenate([[0.0], at]), np.concatenate([[0.0], units]))
        far = np.maximum(distance, at[-1]) / at[-1]
        beyond = -ndtri(share[-1] * np.exp(-self.exponent * np.log(far)))
        return np.asarray(np.where(distance > at[-1], beyond, inside))

    def distance(self, z: Float) -> Float:
        """The inverse of `z`, for z ≥ 0."""
        from scipy.special import ndtr, ndtri

        at, share = np.array(self.knots).T
        units = -ndtri(share)
        inside = np.interp(z, np.concatenate([[0.0], units]), np.concatenate([[0.0], at]))
        beyond = at[-1] * np.exp(
            np.log(share[-1] / ndtr(-np.maximum(z, units[-1]))) / self.exponent
        )
        return np.asarray(np.where(z > units[-1], beyond, inside))


class Scale(_Block):
    """Plausibility of one parameter.

    Attributes
    ----------
    neutral: value at which z is 0.
    coordinate: in which distances are measured – ``linear`` v − neutral, ``log`` ln(v / neutral),
        ``return`` ln(1 + v), ``loss`` −ln(1 − v), ``fisher`` artanh(v).
    up, down: tails above and below neutral; None where the parameter does not go.
    windows: how many windows were looked at; window_days: how long each is, in trading days.
    source: what was measured, on which data.
    """

    neutral: float
    coordinate: Coordinate = "linear"
    up: Tail | None = None
    down: Tail | None = None
    windows: Annotated[int, Field(ge=1)]
    window_days: Positive
    source: Annotated[str, Field(min_length=1)]

    def z(self, value: Float | float) -> Float:
        """Signed normal units, 0 at neutral, strictly increasing in `value`; shape of `value`.

        A direction without a tail answers ±inf: history says nothing about it.
        """
        x = self.coordinate_of(np.asarray(value, dtype=np.float64))
        above, below = np.maximum(x, 0.0), np.maximum(-x, 0.0)
        up = np.where(above > 0, np.inf, 0.0) if self.up is None else self.up.z(above)
        down = np.where(below > 0, np.inf, 0.0) if self.down is None else self.down.z(below)
        return np.asarray(up - down)

    def value(self, z: Float | float) -> Float:
        """The inverse of `z`; raises ConfigError for a direction without a tail."""
        units = np.asarray(z, dtype=np.float64)
        for tail, side, asked in ((self.up, "above", units > 0), (self.down, "below", units < 0)):
            if tail is None and asked.any():
                raise ConfigError(
                    f"the plausibility scale has no tail {side} neutral",
                    cure="Ask for units of the other sign.",
                )
        zero = np.zeros_like(units)
        up = zero if self.up is None else self.up.distance(np.maximum(units, 0.0))
        down = zero if self.down is None else self.down.distance(np.maximum(-units, 0.0))
        return self._value(up - down)

    def probability(self, value: Float | float) -> Float:
        """Share of windows that went at least as far in the same direction; ½ at neutral."""
        from scipy.special import ndtr

        return np.asarray(ndtr(-np.abs(self.z(value))))

    def coordinate_of(self, value: Float) -> Float:
        """Signed distance from neutral, in the scale's coordinate."""
        with np.errstate(divide="ignore"):
            if self.coordinate == "log":
                return np.asarray(np.log(value / self.neutral))
            if self.coordinate == "return":
                return np.asarray(np.log1p(value))
            if self.coordinate == "loss":
                return np.asarray(-np.log1p(-value))
            if self.coordinate == "fisher":
                return np.asarray(np.arctanh(value))
        return np.asarray(value - self.neutral)

    def _value(self, x: Float) -> Float:
        if self.coordinate == "log":
            return np.asarray(self.neutral * np.exp(x))
        if self.coordinate == "return":
            return np.asarray(np.expm1(x))
        if self.coordinate == "loss":
            return np.asarray(-np.expm1(-x))
        if self.coordinate == "fisher":
            return np.asarray(np.tanh(x))
        return np.asarray(self.neutral + x)


SHARES = (0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
"""Tail shares at which a scale has knots, as far as the data goes."""
LEAST = 10
"""Windows that must lie beyond a knot, at least."""
THIN = 4.0
"""Exponent where nothing lies beyond the last knot to measure one on."""


def fit_tail(distance: Float, least: int = LEAST) -> Tail | None:
    """The tail of observed distances from neutral (n,), of which only the positive ones count.

    Knots are quantiles over all n windows; the exponent beyond is Hill's estimator above the last
    knot. None where fewer than `least` windows moved this way.

    least: windows that must lie beyond a knot. With windows that overlap, one event lies in as many
        as a window has bars: ask for no fewer.
    """
    n = len(distance)
    ordered = np.sort(distance)[::-1]
    least = max(LEAST, least)
    if n < 2 * least or ordered[least - 1] <= 0:
        return None
    # Where most windows do not move this way, quantiles at common shares are 0 and say nothing.
    shares = sorted({s for s in SHARES if s * n >= least} | {min(least / n, 0.49)}, reverse=True)
    knots: list[tuple[float, float]] = []
    for share in shares:
        at = float(ordered[int(np.ceil(share * n)) - 1])
        if at > 0 and (not knots or at > knots[-1][0]):
            knots.append((at, share))
    return Tail(knots=tuple(knots), exponent=_hill(ordered, knots[-1][0]))


def _hill(ordered: Float, threshold: float) -> float:
    """Hill's tail exponent of the values above `threshold`: 1 / mean ln(x / threshold)."""
    above = ordered[ordered > threshold]
    mean = float(np.mean(np.log(above / threshold))) if len(above) else 0.0
    return max(FLATTEST, 1.0 / mean) if mean > 0 else THIN
