"""What pydantic finds wrong in a study, as one error that names the key, its line and the cure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from backtester.errors import ConfigError, did_you_mean
from backtester.yaml_files import line_in

_BRANCH = re.compile(r"^constrained-|^(float|str|dict)$|\[|^HistorySpec$")
"""Parts of a location that are not keys: branches of a union, such as ``dict[str,float]``."""


def explained(
    error: ValidationError,
    source: str,
    study: type[BaseModel],
    models: Mapping[str, type[BaseModel]],
    file: Path | None = None,
) -> ConfigError:
    """The first of the errors, a misspelt key before all others, in words.

    models: key → model of what stands below it, for advice. file: where to look up the line.
    """
    found = sorted(_news(error.errors()), key=lambda e: e["type"] != "extra_forbidden")
    first = found[0]
    trail = _keys(first["loc"])
    line = line_in(file, trail) if file is not None else None
    at = f"{source}, line {line}" if line else source
    where = ".".join(str(part) for part in trail) or "the study"
    if first["type"] == "extra_forbidden":
        below = next((models[str(p)] for p in reversed(trail[:-1]) if str(p) in models), study)
        return ConfigError(
            f"{at}: unknown key {where!r}", cure=did_you_mean(str(trail[-1]), below.model_fields)
        )
    given = first["input"]
    shown = "" if not isinstance(given, (str, int, float)) else f", got {given!r:.80}"
    if first["type"] == "value_error":  # words of our own say what was given
        shown = ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    message = first["msg"].removeprefix("Value error, ")
    return ConfigError(
        f"{at}: {where}: {message}{shown}{more}",
        cure="See docs/studies.md for the keys of a study and their units.",
    )


def _keys(loc: Sequence[str | int]) -> list[str | int]:
    return [part for part in loc if not _BRANCH.search(str(part))]


def _news(errors: Sequence[Any]) -> list[Any]:
    """The errors without the echoes that each leaves further up.

    What fits no branch of a union is reported for each branch, and a list whose items are wrong
    also as too short: what lies deepest is what was meant, and of one key the first is told.
    """
    keys = [_keys(e["loc"]) for e in errors]
    return [
        e
        for n, (e, mine) in enumerate(zip(errors, keys, strict=True))
        if mine not in keys[:n]
        and not any(len(k) > len(mine) and k[: len(mine)] == mine for k in keys)
    ]
