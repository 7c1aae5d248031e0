"""Read YAML safely: no objects, no duplicate keys, no alias bombs; errors name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backtester.errors import ConfigError

LARGEST = 2_000_000  # bytes


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """The mapping a YAML file holds; raises ConfigError naming the file, the line and the cure.

    what: what the file is, e.g. ``"study"``, for messages.
    """
    try:
        size = path.stat().st_size
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(
            f"{what} file {path.name!r} cannot be read ({reason})",
            cure="Check the path and that it is a YAML text file.",
        ) from error
    if size > LARGEST:
        raise ConfigError(
            f"{what} file {path.name!r} has {size} bytes", cure=f"At most {LARGEST} are read."
        )
    return parse_mapping(text, what, path.name)


def parse_mapping(text: str, what: str, name: str) -> dict[str, Any]:
    """The mapping in YAML `text`; see `read_mapping`."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Refuses duplicate keys and aliases."""

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()  # type: ignore[no-untyped-call]
                raise yaml.constructor.ConstructorError(
                    None, None, "aliases are not read", event.start_mark
                )
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key!r} stands twice", key_node.start_mark
                    )
                seen.add(key)
            return super().construct_mapping(node, deep)

    try:
        data = yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "not YAML"
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
