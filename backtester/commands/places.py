"""Where a command writes: tested before the work begins, and one file written whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from backtester.errors import StoreError


def writable(folder: Path) -> None:
    """StoreError, before any work is done, where nothing can be written to `folder`.

    The nearest folder that exists is tried, with a file that has no name: nothing is left behind.
    """
    try:
        place = folder.absolute()
        while not place.exists():
            place = place.parent
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        raise StoreError(
            f"results cannot be written to {str(folder)!r} ({error.strerror or error})",
            cure="Choose another folder with --out. Nothing was run or written.",
        ) from error


def free(path: Path) -> None:
    """StoreError where a new file would overwrite something."""
    if path.exists() or path.is_symlink():
        raise StoreError(
            f"file {str(path)!r} exists", cure="Nothing is overwritten: name another with --out."
        )


def write_file(path: Path, text: str) -> None:
    """Write a new file whole or not at all; StoreError where it exists or cannot be written."""
    free(path)
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise StoreError(
            f"file {str(path)!r} cannot be written ({error.strerror or error})",
            cure="Check the folder, or name another with --out. Nothing half-written was left.",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
