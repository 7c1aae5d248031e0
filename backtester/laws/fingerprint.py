"""A digest of any value's content, to see whether something changed."""

from __future__ import annotations

import functools
import hashlib
import random
import sys
from dataclasses import fields, is_dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from pydantic import BaseModel

from backtester.strategy import Strategy

_DEEPEST = 8


def fingerprint(value: Any, depth: int = 0) -> str:
    """Equal for equal content; code and modules count by name, not by address."""
    return hashlib.blake2b(_text(value, depth).encode(), digest_size=12).hexdigest()


def instance_fields(strategy: Strategy[Any]) -> dict[str, str]:
    """Fingerprints of what an instance holds; values a cached property filled in are left out."""
    cached = {
        name
        for base in type(strategy).__mro__
        for name, value in vars(base).items()
        if isinstance(value, functools.cached_property)
    }
    held = {**strategy.__dict__, **(strategy.__pydantic_private__ or {})}
    return {k: fingerprint(v) for k, v in held.items() if k not in cached}


def class_attributes(kind: type[Strategy[Any]]) -> dict[str, str]:
    """Fingerprints of the data on the class and on the bases its author wrote."""
    found: dict[str, str] = {}
    for base in kind.__mro__:
        if base in (Strategy, BaseModel, object) or base.__module__.startswith("pydantic"):
            continue
        for name, value in vars(base).items():
            if _is_data(name, value):
                found.setdefault(name, fingerprint(value))
    return found


def module_globals(kind: type[Strategy[Any]]) -> dict[str, str]:
    """Fingerprints of the data in the module that defines the class."""
    module = sys.modules.get(kind.__module__)
    names = vars(module) if module is not None else {}
    return {name: fingerprint(value) for name, value in names.items() if _is_data(name, value)}


def _is_data(name: str, value: Any) -> bool:
    if name.startswith(("__", "model_", "_abc_", "__pydantic")):
        return False
    code = (FunctionType, MethodType, ModuleType, type, property, classmethod, staticmethod)
    return not isinstance(value, (*code, functools.cached_property)) and not callable(value)


def _text(value: Any, depth: int) -> str:
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, np.ndarray):
        content = hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array{value.shape}{value.dtype}{content}"
    if isinstance(value, np.random.Generator):
        return _text(value.bit_generator.state, depth + 1)
    if isinstance(value, np.random.RandomState):
        return _text(value.get_state(legacy=False), depth + 1)
    if isinstance(value, random.Random):
        return repr(value.getstate())
    if value is None or isinstance(value, bool | int | float | complex | str | bytes | np.generic):
        return repr(value)
    if isinstance(value, dict):
        pairs = [f"{_text(k, depth + 1)}:{_text(v, depth + 1)}" for k, v in value.items()]
        return "{" + ",".join(sorted(pairs)) + "}"
    if isinstance(value, set | frozenset):
        return "set" + ",".join(sorted(_text(v, depth + 1) for v in value))
    if isinstance(value, FunctionType | MethodType | ModuleType | type):
        return f"{type(value).__name__} {value.__name__}"
    name = type(value).__qualname__
    if is_dataclass(value):
        parts = [_text(getattr(value, f.name), depth + 1) for f in fields(value)]
        return f"{name}({','.join(parts)})"
    if isinstance(value, list | tuple) or type(value).__name__ == "deque":
        return f"{name}[" + ",".join(_text(v, depth + 1) for v in value) + "]"
    return name + _text(getattr(value, "__dict__", {}), depth + 1)
