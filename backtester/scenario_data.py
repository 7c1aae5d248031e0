"""Data files that a scenario file names: found beside it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from backtester.errors import ConfigError


def beside(path: Path, given: str) -> Path:
    """The file `given`, named in the scenario file `path`: in its folder or below; ConfigError.

    A scenario file may come from anybody; it cannot reach out of the folder it was put in.
    """
    who = f"scenario file {path.name!r} names data file {given!r}"
    if PureWindowsPath(given).anchor or PurePosixPath(given).is_absolute():
        raise ConfigError(f"{who}, an absolute path", cure="Name it relative to the scenario file.")
    folder = path.resolve().parent
    file = (folder / given).resolve()
    if ".." in PureWindowsPath(given).parts or not file.is_relative_to(folder):
        raise ConfigError(
            f"{who}, which is outside its folder", cure="Put the data beside the scenario file."
        )
    if not file.is_file():
        raise ConfigError(f"{who}, which does not exist", cure="Put it beside the scenario file.")
    return file


def with_files(
    kind: object, parameters: dict[str, Any], resolve: Callable[[str], str]
) -> dict[str, Any]:
    """`parameters` of a scenario file with the data files they name resolved.

    A generator that reads files has a class method ``resolve_files(parameters, resolve)``, which
    returns the parameters with `resolve` applied to each name of a file; others read none.
    """
    hook = getattr(kind, "resolve_files", None)
    return parameters if hook is None else dict(hook(parameters, resolve))
