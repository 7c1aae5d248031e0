"""Load one Python file as a private module, without touching `sys.path`.

The module's name is made from the file's path and content, so it can neither shadow an installed
module nor be shadowed by one, and an edited file is a new module.
"""

from __future__ import annotations

import hashlib
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType

from backtester.errors import PluginError, did_you_mean

_LARGEST = 1 << 20
"""Bytes; a plugin is written by hand, and a wrong file should not be read into memory."""


def read_source(path: Path, kind: str) -> bytes:
    """The bytes of a plugin file; PluginError if it is missing, no file, empty or too large.

    Parameters
    ----------
    path: the file.
    kind: "strategy" or "scenario", for the message.
    """
    title = f"{kind} file {_shown(path)!r}"
    try:
        if path.is_dir():
            raise PluginError(f"{title} is a folder", cure="Name one file in it.")
        if not path.exists():
            folder = path.parent
            siblings = [p.name for p in folder.glob("*" + path.suffix)] if folder.is_dir() else []
            cure = (
                did_you_mean(path.name, siblings)
                if siblings
                else f"The folder {_shown(folder)!r} has no such file: check the path."
            )
            raise PluginError(f"{title} does not exist", cure=cure)
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise PluginError(
                f"{title} is not an ordinary file of at most 1 MiB", cure="Name a source file."
            )
        source = path.read_bytes()
    except (OSError, ValueError) as error:  # no permission, name too long, NUL
        raise PluginError(
            f"{title} cannot be read: {getattr(error, 'strerror', None) or error}",
            cure="Check the path and its permissions.",
        ) from error
    if not source.strip():
        raise PluginError(
            f"{title} is empty", cure="Start one with `backtester new strategy NAME`."
        )
    return source


def load_module(path: Path, kind: str) -> ModuleType:
    """The module of a Python file, run once per content; PluginError with file and line.

    Parameters
    ----------
    path: a `.py` file.
    kind: "strategy" or "scenario", for the message.
    """
    source = read_source(path, kind)
    path = path.resolve()
    digest = hashlib.sha256(str(path).encode("utf-8", "surrogateescape") + b"\0" + source)
    name = f"_backtester_file_{re.sub(r'[^A-Za-z0-9_]', '_', path.stem)}_{digest.hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    title = f"{kind} file {_shown(path)!r}"
    try:
        # compiled from the bytes just digested, so that the digest is that of what runs
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:  # ValueError: a NUL byte
        at = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        raise PluginError(f"{title}{at} is not valid Python: {text}", cure="Mend it.") from error
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # before it runs: pydantic looks annotations up there
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception | SystemExit):
            raise
        raise _raised(error, path, title) from error
    return module


def _raised(error: BaseException, path: Path, title: str) -> PluginError:
    """The error of a file that raised while it was imported, with the line of the file itself."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    at = f", line {lines[-1]}" if lines else ""
    cure = "Mend the file: it must import without an error."
    if isinstance(error, ModuleNotFoundError):
        beside = (error.name or "").partition(".")[0]
        if beside and ((path.parent / f"{beside}.py").exists() or (path.parent / beside).is_dir()):
            cure = (
                f"A plugin file does not see its neighbours: move what it needs from {beside!r} "
                "into it, or make a package of both, install it, and select it as 'module:Class'."
            )
        else:
            cure = f"Install {beside!r}, or correct the import."
    text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return PluginError(f"{title}{at} raised while it was imported: {text}", cure=cure)


def _shown(path: Path) -> str:
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(path))
    return text if len(text) <= 200 else "..." + text[-197:]
