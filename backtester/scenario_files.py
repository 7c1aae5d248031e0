"""Scenarios by name, path or ``module:Class``; and the YAML files that describe one.

A file names its generator, the generator's parameters and where its figures come from. A file is
data: it can name a registered generator only, never a module or a path, so reading one that came
by mail runs nothing that was not installed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from backtester.errors import (
    BacktesterError,
    ConfigError,
    PluginError,
    ScenarioError,
    did_you_mean,
)
from backtester.provenance import Provenance, Text
from backtester.scenario import Scenario
from backtester.scenario_data import beside, with_files
from backtester.yaml_files import line_in, read_mapping

GENERATORS = {
    "CorrelatedReturns": "backtester_scenarios.correlated_returns:CorrelatedReturns",
    "CopulaGarch": "backtester_scenarios.copula_garch:CopulaGarch",
    "BlockBootstrap": "backtester_scenarios.block_bootstrap:BlockBootstrap",
    "HistoricalReplay": "backtester_scenarios.historical_replay:HistoricalReplay",
    "VineCopula": "backtester_scenarios.vine_copula:VineCopula",
    "Overlaid": "backtester_scenarios.overlaid:Overlaid",
}
"""Built-in generators; they need no registration and cannot be shadowed by one."""


class _Header(BaseModel):
    """The keys of a scenario file that are not parameters of its generator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    generator: Text
    provenance: Provenance


@dataclass(frozen=True)
class ScenarioFile:
    """A scenario and where its figures come from."""

    scenario: Scenario
    provenance: Provenance
    path: Path


def load_scenario(reference: str) -> Scenario:
    """The scenario `reference` names: registered name, path of a YAML or Python file, module:Class.

    Raises PluginError where nothing is found, ConfigError or ScenarioError where the file is wrong.
    """
    from backtester.plugins import load_scenario as find

    found = find(reference)
    if isinstance(found, Path):
        return read_scenario(found).scenario
    if isinstance(found, type):
        return _checked(_construct(found, {}, f"scenario {reference!r}", None), reference)
    return _checked(found, reference)


def read_scenario(path: Path) -> ScenarioFile:
    """The scenario in a YAML file; every error names the file, and the line where there is one."""
    data = read_mapping(path, "scenario")
    who = f"scenario file {path.name!r}"
    header_keys = set(_Header.model_fields)
    header = _construct(_Header, {k: v for k, v in data.items() if k in header_keys}, who, path)
    kind = generator_named(header.generator, who)
    parameters = {k: v for k, v in data.items() if k not in header_keys}
    parameters = with_files(kind, parameters, lambda given: str(beside(path, given)))
    scenario = _checked(_construct(kind, parameters, who, path, header_keys), path.name)
    return ScenarioFile(scenario, header.provenance, path)


def generator_named(generator: str, who: str) -> type:
    """The registered generator class `generator`; a file may name nothing else.

    Raises ConfigError, in which `who` names the file.
    """
    from backtester.plugins import load_scenario as find

    if not isinstance(generator, str) or not generator.isidentifier():
        raise ConfigError(
            f"{who}: generator {generator!r} is not a registered name",
            cure="A file may name a registered generator only. " + did_you_mean("", GENERATORS),
        )
    try:
        kind = find(GENERATORS.get(generator, generator))
    except PluginError as error:
        raise ConfigError(
            f"{who}: generator {generator!r} cannot be used: {error.what}",
            cure=did_you_mean(generator, GENERATORS),
        ) from error
    if not isinstance(kind, type):
        raise ConfigError(
            f"{who}: {generator!r} is a scenario, not a generator class",
            cure=did_you_mean(generator, GENERATORS),
        )
    return kind


def data_files(path: Path) -> tuple[Path, ...]:
    """The data files a scenario file names: their bytes decide what it draws.

    Empty where the scenario file cannot be used; the reason is told where it is read.
    """
    from backtester.plugins import load_scenario as find

    found: list[Path] = []

    def note(given: str) -> str:
        found.append(beside(path, given))
        return given

    try:
        data = read_mapping(path, "scenario")
        generator = data.get("generator")
        if isinstance(generator, str) and generator.isidentifier():
            with_files(find(GENERATORS.get(generator, generator)), data, note)
    except BacktesterError:
        return ()
    return tuple(found)


def _checked(found: object, reference: str) -> Scenario:
    if not isinstance(found, Scenario):
        raise PluginError(
            f"{reference!r} is no scenario: it needs `name`, `assets` and `draw`",
            cure="See backtester.scenario.Scenario.",
        )
    return found


def _construct(
    kind: type,
    values: Mapping[str, Any],
    who: str,
    path: Path | None,
    also: Iterable[str] = (),
) -> Any:
    """`kind(**values)`, with errors that name file, line, field and cure."""
    try:
        return kind(**values)
    except ValidationError as error:
        raise _explained(error, kind, values, who, path, also) from error
    except ScenarioError as error:
        raise ScenarioError(f"{who}: {error.what}", cure=error.cure, when=error.when) from error
    except TypeError as error:
        raise ConfigError(
            f"{who}: {kind.__name__} does not take these parameters ({error})",
            cure="See the docstring of the generator.",
        ) from error


def _explained(
    error: ValidationError,
    kind: type,
    values: Mapping[str, Any],
    who: str,
    path: Path | None,
    also: Iterable[str],
) -> ConfigError:
    errors = error.errors()
    # A misspelt key is also a missing one; the misspelling is what helps.
    first = next((e for e in errors if e["type"] == "extra_forbidden"), errors[0])
    trail = _trail(first["loc"], values)
    line = line_in(path, trail) if path is not None else None
    at = f"{who}, line {line}" if line else who
    field = ".".join(str(part) for part in trail) or "the file"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    cure = "See docs/scenarios.md for the fields and their units."
    if first["type"] == "extra_forbidden":
        known = set(_fields_at(kind, trail[:-1])) | (set(also) if len(trail) == 1 else set())
        return ConfigError(
            f"{at}: unknown key {field!r}{more}", cure=did_you_mean(str(trail[-1]), known)
        )
    if first["type"] == "missing":
        return ConfigError(f"{at}: key {field!r} is missing{more}", cure=f"Add it. {cure}")
    given = first["input"]
    if isinstance(given, str) and _is_number(given):
        cure = f"In quotes it is text; write {given} without quotes."
    shown = repr(given) if isinstance(given, (str, int, float)) else type(given).__name__
    return ConfigError(f"{at}: {field}: {first['msg']}, got {shown[:80]}{more}", cure=cure)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _trail(loc: Sequence[str | int], values: object) -> list[str | int]:
    """`loc` without pydantic's union tags: the parts that are keys or indices of the data."""
    trail: list[str | int] = []
    here = values
    for i, part in enumerate(loc):
        inside: Any = here if isinstance(here, (Mapping, list, tuple)) else ()
        known = part in inside if isinstance(inside, Mapping) else part in range(len(inside))
        if known:
            here = inside[part]
        if known or (i == len(loc) - 1 and part not in ("one", "map", "[key]")):
            trail.append(part)
    return trail


def _fields_at(kind: Any, trail: Sequence[str | int]) -> list[str]:
    """Field names of the model that `trail` leads to from `kind`."""
    for part in trail:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:
            kind = (get_args(kind) or (None,))[-1]
        while get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
    models = [kind, *(a for arg in get_args(kind) for a in (arg, *get_args(arg)))]
    for model in models:
        if isinstance(model, type) and issubclass(model, BaseModel):
            return list(model.model_fields)
    return []
