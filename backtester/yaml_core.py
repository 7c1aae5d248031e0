"""YAML with the meaning of its version 1.2 (core schema); imported only where YAML is read.

Version 1.1, PyYAML's own, reads ``yes`` as true, ``1:30`` as 90, ``010`` as 8 and ``1e6`` as text.
Here only true and false are booleans, dates are text, and a number that begins with a zero is an
error, since the versions differ on it. Underscores between digits are read, as in ``1_000_000``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode
from yaml.resolver import BaseResolver

DEEPEST = 100
"""Levels of lists and mappings within each other."""

_TAG = "tag:yaml.org,2002:"
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_INT = re.compile(rf"[-+]?{_DIGITS}|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_ZERO = re.compile(r"[-+]?0_?[0-9]")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL = ("", "~", "null", "Null", "NULL")

RESOLVERS = (
    ("bool", re.compile("(?:" + "|".join(_BOOL) + r")\Z"), "tTfF"),
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("int", re.compile(rf"(?:{_INT.pattern})\Z"), "-+0123456789"),
    ("float", re.compile(rf"(?:{_FLOAT.pattern})\Z"), "-+.0123456789"),
)
"""What unquoted text is not text: tag, pattern, first characters."""


def _add(kind: type[BaseResolver]) -> None:
    for tag, pattern, first in RESOLVERS:
        kind.add_implicit_resolver(_TAG + tag, pattern, list(first))  # type: ignore[no-untyped-call]


def _scalar(
    read: Callable[[str], Any], what: str
) -> Callable[[Loader, Node], bool | int | float | None]:
    """A constructor of scalars; text that `read` does not take is an error with its line."""

    def construct(loader: Loader, node: Node) -> Any:
        if not isinstance(node, ScalarNode):
            raise _error(f"a list or mapping stands where {what} is announced", node)
        try:
            return read(node.value)
        except (KeyError, ValueError, OverflowError) as error:
            reason = str(error) if isinstance(error, _LeadingZero) else f"is not {what}"
            raise _error(f"{node.value[:40]!r} {reason}", node) from error

    return construct


class _LeadingZero(ValueError):
    pass


def _error(problem: str, node: Node) -> ConstructorError:
    return ConstructorError(None, None, problem, node.start_mark)


def _decimal(text: str) -> str:
    if _ZERO.match(text):
        raise _LeadingZero(
            "begins with a zero: write the number without it, or quotes around a name"
        )
    return text.replace("_", "")


def _int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError(text)
    if text[:2] in ("0o", "0x"):
        return int(text, 0)
    return int(_decimal(text))


def _float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise ValueError(text)
    word = text.lower()
    if word.endswith(("inf", "nan")):
        return float(word.replace(".", ""))
    return float(_decimal(text))


def _null(text: str) -> None:
    if text not in _NULL:
        raise ValueError(text)


class Loader(yaml.SafeLoader):
    """Reads scalars, lists and mappings; refuses duplicate keys, aliases and great depth."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        None: SafeConstructor.yaml_constructors[None],
        **{
            _TAG + kind: SafeConstructor.yaml_constructors[_TAG + kind]
            for kind in ("str", "seq", "map")
        },
        _TAG + "bool": _scalar(_BOOL.__getitem__, "true or false"),
        _TAG + "null": _scalar(_null, "null"),
        _TAG + "int": _scalar(_int, "a whole number"),
        _TAG + "float": _scalar(_float, "a number"),
    }
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise ConstructorError(None, None, "aliases are not read", event.start_mark)
        if self.depth > DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = f"lists and mappings stand in each other more than {DEEPEST} deep"
            raise ConstructorError(None, None, problem, mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        if not isinstance(node, MappingNode):
            raise _error("a mapping is announced, and none stands there", node)
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, ScalarNode):
                raise _error("a list or mapping stands as a key; a key is a name", key_node)
            key = self.construct_object(key_node, deep=True)  # type: ignore[no-untyped-call]
            if key in seen:
                raise _error(f"key {key!r} stands twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def flatten_mapping(self, node: Any) -> None:
        """`<<` is a key like any other: there are no aliases to merge."""


class Dumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would read as something else."""


_add(Loader)
_add(Dumper)
