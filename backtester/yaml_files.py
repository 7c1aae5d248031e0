"""Read YAML 1.2 safely: no objects, duplicate keys or aliases; errors name file and line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backtester.errors import ConfigError

LARGEST = 2_000_000  # bytes


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """The mapping a YAML file holds; raises ConfigError naming the file, the line and the cure.

    what: what the file is, e.g. ``"study"``, for messages.
    """
    name = path.name or str(path)  # that of "." is empty
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"{what} file {name!r} cannot be read ({reason})",
            cure="Name the YAML file in that folder."
            if isinstance(error, IsADirectoryError)
            else "Check the path and that it is a YAML text file.",
        ) from error
    if size > LARGEST:
        raise ConfigError(
            f"{what} file {name!r} has {size} bytes", cure=f"At most {LARGEST} are read."
        )
    return parse_mapping(text, what, name)


def parse_mapping(text: str, what: str, name: str) -> dict[str, Any]:
    """The mapping in YAML `text`, with the meaning of YAML 1.2; see `read_mapping`."""
    import yaml

    from backtester.yaml_core import Loader

    try:
        data = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        line = _line_of(error, text)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise ConfigError(
            f"{what} file {name!r}{line}: {problem}", cure="Correct the YAML there."
        ) from error
    if data is None:
        raise ConfigError(
            f"{what} file {name!r} is empty", cure="Write at least the required keys."
        )
    if not isinstance(data, dict) or not all(isinstance(k, str) for k in data):
        raise ConfigError(
            f"{what} file {name!r} holds a {type(data).__name__}, not a mapping of names",
            cure="A YAML mapping `key: value` is expected at the top.",
        )
    return data


def _line_of(error: Any, text: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return f" line {mark.line + 1}"
    position = getattr(error, "position", None)  # of a character that YAML does not allow
    return "" if position is None else f" line {text.count(chr(10), 0, position) + 1}"


def line_in(path: Path, trail: Sequence[str | int]) -> int | None:
    """Line, from 1, of the deepest part of `trail` (keys and indices) that stands in a file.

    The file was read before: it is YAML.
    """
    import yaml

    node: Any = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    line: int | None = None
    for part in trail:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if str(part) not in pairs:
                break
            key, node = pairs[str(part)]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
