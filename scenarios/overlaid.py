"""A scenario under overlays: named crises are a base market and a few shocks laid over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from backtester.arrays import Float
from backtester.errors import ScenarioError, did_you_mean
from backtester.market.moments import LEAST_BARS, Moments, moments_of
from backtester.market.panel import MarketPanel
from backtester.overlay import TIMING, Overlay, Values, apply_overlays
from backtester.overlay_files import overlay_of
from backtester.scenario import Scenario
from backtester.scenario_data import with_files
from backtester.scenario_files import generator_named, load_scenario

from .overlays.label import Label

PILOT_PATHS, PILOT_BARS, PILOT_SEED = 64, 256, 20_000_101
"""The draw on which the base market's moments are measured: the same whatever is asked for, so
that a path depends on (seed, path) alone and fewer bars are a prefix of more."""

_reading: ContextVar[tuple[str, ...]] = ContextVar("scenarios being read", default=())


class Overlaid(BaseModel):
    """A base scenario with a list of overlays laid over it.

    Attributes
    ----------
    base: a registered scenario by name, or one inline: ``{generator: NAME, …}``.
    overlays: ``{overlay: NAME, …}`` each; applied in the order of their kind (correlation,
        decoupling, volatility, jump, depeg, liquidity, funding, outage), then as listed.

    A path is a function of (seed, path). What the base offers beyond drawing – its placebo, its
    correlation sweep, other bar sizes – is offered here too, with the overlays on top; the placebo
    leaves out the overlays that move correlation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    description: str = ""
    base: Any
    overlays: tuple[Any, ...] = Field(min_length=1)

    @field_validator("base", mode="before")
    @classmethod
    def _base(cls, value: Any) -> Scenario:
        return base_of(value)

    @field_validator("overlays", mode="before")
    @classmethod
    def _overlays(cls, value: Any) -> tuple[Overlay, ...]:
        if not isinstance(value, (list, tuple)):
            raise ScenarioError(
                "overlays of a scenario are not a list", cure="Write - {overlay: NAME, …} lines."
            )
        return tuple(overlay_of(item, f"overlay {i}") for i, item in enumerate(value, start=1))

    def model_post_init(self, context: Any) -> None:
        """Lay the overlays over a few bars, so that what does not fit the base is said at once."""
        if not self.name.isprintable():
            raise ScenarioError(
                f"scenario name {self.name!r} cannot be used", cure="Use printable characters."
            )
        small = self.base.draw(first=0, paths=1, bars=2, seed=0)
        for overlay in self.overlays:
            at_once = overlay.model_copy(update={"start_days": 0.0, "ramp_days": 0.0})
            at_once.apply(small, perpetuals=self.perpetuals)

    @property
    def assets(self) -> tuple[str, ...]:
        """Columns of the panel."""
        return tuple(self.base.assets)

    @property
    def perpetuals(self) -> dict[str, str] | None:
        """Perpetual → spot as the base says; None where it does not say."""
        found: dict[str, str] | None = getattr(self.base, "perpetuals", None)
        return found

    @property
    def regime_names(self) -> tuple[str, ...]:
        """Regimes of the base, then those that overlays label."""
        names = list(getattr(self.base, "regime_names", ()))
        if names:
            names += [o.label for o in self.overlays if o.label is not None]
        return tuple(dict.fromkeys(names))

    @cached_property
    def moments(self) -> Moments:
        """Moments of the base market, measured once: on its history, or a fixed draw of it."""
        return moments_of(self._pilot(), perpetuals=self.perpetuals)

    def _pilot(self) -> MarketPanel:
        window = getattr(self.base, "window", None)
        if isinstance(window, MarketPanel):
            return window
        bars = PILOT_BARS
        while True:  # a base may have fewer bars to give
            try:
                drawn: MarketPanel = self.base.draw(
                    first=0, paths=PILOT_PATHS, bars=bars, seed=PILOT_SEED
                )
                return drawn
            except ScenarioError:
                bars //= 2
                if bars < LEAST_BARS:
                    raise

    @classmethod
    def resolve_files(
        cls, parameters: Mapping[str, Any], resolve: Callable[[str], str]
    ) -> dict[str, Any]:
        """`parameters` of a scenario file with the files of an inline base resolved."""
        base = parameters.get("base")
        if not isinstance(base, Mapping) or "generator" not in base:
            return dict(parameters)
        kind = generator_named(base["generator"], "base")
        rest = {str(k): v for k, v in base.items() if k != "generator"}
        inline = {"generator": base["generator"], **with_files(kind, rest, resolve)}
        return {**parameters, "base": inline}

    def draw(
        self,
        *,
        first: int,
        paths: int,
        bars: int,
        seed: int,
        values: tuple[Values | None, ...] | None = None,
        **options: Any,
    ) -> MarketPanel:
        """Paths [first, first + paths) of the base, under the overlays.

        values: one mapping of parameters per overlay, numbers or (paths,), or None for its own.
        options: what the base's own `draw` takes besides, e.g. `correlation`.
        """
        panel = self.base.draw(first=first, paths=paths, bars=bars, seed=seed, **options)
        shocked = apply_overlays(
            panel, self.overlays, values=values, first=first, seed=seed, moments=self.moments
        )
        return replace(shocked, name=self.name)

    def population(
        self,
        values: Sequence[Values | None],
        *,
        first: int,
        paths: int,
        bars: int,
        seed: int,
        **options: Any,
    ) -> MarketPanel:
        """Every candidate on the same `paths` paths, side by side: candidate-major, (C · paths).

        values: one mapping per overlay; a parameter is a number, or (C,) one per candidate. Block c
            of the result is what `draw` gives for candidate c alone, bit for bit.

        Raises ScenarioError where parameters give different numbers of candidates.
        """
        given = [{n: np.asarray(v, dtype=np.float64) for n, v in (o or {}).items()} for o in values]
        sizes = {v.size for own in given for v in own.values() if v.ndim}
        if len(sizes) != 1:
            raise ScenarioError(
                f"parameters of scenario {self.name!r} give {sorted(sizes)} candidates",
                cure="Give at least one parameter as (candidates,), and all of one length.",
            )
        count = sizes.pop()
        one = self.base.draw(first=first, paths=paths, bars=bars, seed=seed, **options)
        each = np.tile(np.arange(paths), count)
        spread = tuple(
            {n: np.repeat(v, paths) if v.ndim else v for n, v in own.items()} for own in given
        )
        shocked = apply_overlays(
            one.select(each),
            self.overlays,
            values=spread,
            seed=seed,
            moments=self.moments,
            ids=first + each,
        )
        return replace(shocked, name=self.name)

    @property
    def constant_correlation(self) -> Callable[[], Overlaid]:
        """The placebo twin: the base's own, with mere labels for what moves correlation."""
        twin = self._of_base("constant_correlation")
        same = tuple(labelled(o) if o.MOVES_CORRELATION else o for o in self.overlays)
        title = f"{self.name} (constant correlation)"[:80]
        return lambda: self._with(name=title, base=twin(), overlays=same)

    @property
    def with_days_per_bar(self) -> Callable[[float], Overlaid]:
        """The same law in clock time, in bars of another size."""
        change = self._of_base("with_days_per_bar")
        return lambda days: self._with(base=change(days))

    @property
    def with_exposure_correlation(self) -> Callable[..., Float]:
        """The base's correlation matrices of a sweep, for `draw(…, correlation=)`."""
        found: Callable[..., Float] = self._of_base("with_exposure_correlation")
        return found

    def _of_base(self, name: str) -> Any:
        if not hasattr(self.base, name):
            raise AttributeError(f"base scenario {self.base.name!r} has no {name}")
        return getattr(self.base, name)

    def _with(self, **changes: Any) -> Overlaid:
        return type(self)(**{n: getattr(self, n) for n in type(self).model_fields} | changes)


def labelled(overlay: Overlay) -> Overlay:
    """The label of an overlay at the same time, without its shock."""
    timing = {p.name: getattr(overlay, p.name) for p in TIMING}
    return Label(label=overlay.label, **timing)


def base_of(value: Any) -> Scenario:
    """The scenario `base` names or describes; raises ScenarioError."""
    if isinstance(value, str):
        if not value.isidentifier():
            raise ScenarioError(
                f"base {value!r} is not a registered name",
                cure="Name a registered scenario, or write it inline: {generator: NAME, …}.",
            )
        chain = _reading.get()
        if value in chain:
            raise ScenarioError(
                f"base {value!r} rests on itself: {' -> '.join((*chain, value))}",
                cure="Name another base.",
            )
        token = _reading.set((*chain, value))
        try:
            return load_scenario(value)
        finally:
            _reading.reset(token)
    if isinstance(value, Mapping):
        if "generator" not in value:
            raise ScenarioError(
                "the base written inline names no generator", cure="Write {generator: NAME, …}."
            )
        kind = generator_named(value["generator"], "base")
        fields = {str(k): v for k, v in value.items() if k != "generator"}
        fields.setdefault("name", "base")
        try:
            made: Scenario = kind(**fields)
        except ValidationError as error:
            first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
            key = ".".join(str(part) for part in first["loc"])
            known = getattr(kind, "model_fields", {})
            raise ScenarioError(
                f"base ({kind.__name__}): {key}: {first['msg']}",
                cure=did_you_mean(key, known)
                if first["type"] == "extra_forbidden"
                else "See docs/scenarios.md for the fields and their units.",
            ) from error
        return made
    if isinstance(value, Scenario):
        return value
    raise ScenarioError(
        f"base is {type(value).__name__}", cure="Name a scenario, or write one inline."
    )
