"""Scenario generators and the library of named scenarios (YAML files beside this module).

``backtester_scenarios.<name>`` is the path of ``<name>.yaml``; entry points refer to it.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def __getattr__(name: str) -> Path:
    path = _FOLDER / f"{name}.yaml"
    if name.isidentifier() and path.is_file():
        return path
    raise AttributeError(f"module {__name__!r} has no scenario {name!r}")


def __dir__() -> list[str]:
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))
