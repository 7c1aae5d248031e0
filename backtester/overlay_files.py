"""Overlays by name, and from the plain data of a scenario file.

A file is data: it can name a registered overlay only, never a module or a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from backtester.errors import PluginError, ScenarioError, did_you_mean
from backtester.overlay import Overlay

OVERLAYS = {
    name: f"backtester_scenarios.overlays.{module}:{name}"
    for name, module in {
        "CorrelationPath": "correlation_path",
        "Decoupling": "decoupling",
        "Depeg": "depeg",
        "FundingShock": "funding",
        "Jump": "jump",
        "Label": "label",
        "Liquidity": "liquidity",
        "Outage": "outage",
        "Volatility": "volatility",
    }.items()
}
"""Built-in overlays; they need no registration and cannot be shadowed by one."""


def overlay_named(name: str) -> type[Overlay]:
    """The registered overlay class `name`; a file may name nothing else. Raises ScenarioError."""
    from backtester.plugins import load_overlay

    if not isinstance(name, str) or not name.isidentifier():
        raise ScenarioError(
            f"overlay {name!r} is not a registered name", cure=did_you_mean("", OVERLAYS)
        )
    try:
        return load_overlay(OVERLAYS.get(name, name))
    except PluginError as error:
        raise ScenarioError(
            f"overlay {name!r} cannot be used: {error.what}", cure=did_you_mean(name, OVERLAYS)
        ) from error


def overlay_of(data: Any, who: str = "overlay") -> Overlay:
    """An overlay from plain data, ``{overlay: NAME, …}``; raises ScenarioError naming the key."""
    if isinstance(data, Overlay):
        return data
    if not isinstance(data, Mapping) or "overlay" not in data:
        raise ScenarioError(
            f"{who}: {str(data)[:80]!r} names no overlay", cure="Write {overlay: NAME, …}."
        )
    kind = overlay_named(data["overlay"])
    title = f"{who} ({kind.__name__})"
    try:
        return kind(**{str(k): v for k, v in data.items() if k != "overlay"})
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ScenarioError(
                f"{title}: unknown key {key!r}", cure=did_you_mean(key, kind.model_fields)
            ) from error
        shown = f", got {str(first['input'])[:60]!r}" if first["type"] != "missing" else ""
        raise ScenarioError(
            f"{title}: {key}: {first['msg']}{shown}", cure="See docs/overlays.md for its fields."
        ) from error
    except ScenarioError as error:
        raise ScenarioError(f"{who}: {error.what}", cure=error.cure) from error
