"""Results on disk: written whole or not at all, in a folder named by the study's digest."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backtester.errors import StoreError


def write_results(root: Path, name: str, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` as the folder ``root/name`` in one step, replacing an earlier one.

    The folder appears complete or not at all: files are written and flushed to a temporary folder
    beside it, which then takes its place. What others put into the earlier folder stays. Raises
    StoreError naming the folder and the cure.
    """
    if not name or not all(c in "0123456789abcdefghijklmnopqrstuvwxyz-_" for c in name):
        raise StoreError(f"results cannot be called {name!r}", cure="A digest is expected.")
    target = root / name
    temporary: Path | None = None
    try:
        root.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
        for file, content in {**files, WRITTEN: "".join(f"{file}\n" for file in files)}.items():
            _write(temporary / file, content)
        os.chmod(temporary, 0o755)
        _swap(temporary, target)
    except OSError as error:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise StoreError(
            f"results cannot be written to {str(root)!r} ({error.strerror or error})",
            cure=_CURES.get(error.errno or 0, "Check the folder, or choose another with --out.")
            + " Nothing half-written was left.",
        ) from error
    except BaseException:  # Ctrl-C included: no half-written folder stays behind
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    return target


WRITTEN = ".written"
"""Names of the files of a folder of results that are ours, one a line: the others stay."""


def _own(folder: Path) -> list[Path]:
    """What somebody else put into a folder of results; nothing where it does not say."""
    try:
        ours = {WRITTEN, *(folder / WRITTEN).read_text(encoding="utf-8").splitlines()}
    except (OSError, UnicodeDecodeError):
        return []
    return [found for found in folder.iterdir() if found.name not in ours]


_CURES = {
    errno.ENOSPC: "The disk is full: free some space or choose another folder with --out.",
    errno.EROFS: "The file system is read-only: choose another folder with --out.",
    errno.EACCES: "No permission to write there: choose another folder with --out.",
    errno.EPERM: "No permission to write there: choose another folder with --out.",
    errno.ENOTDIR: "A file is in the way: choose another folder with --out.",
    errno.EEXIST: "A file is in the way: choose another folder with --out.",
}


def _write(path: Path, content: str | bytes) -> None:
    data = content.encode() if isinstance(content, str) else content
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _swap(temporary: Path, target: Path) -> None:
    """Put the finished folder in place; a folder cannot replace a full one in one step on POSIX."""
    if target.is_symlink():
        raise OSError(errno.ENOTDIR, "a link is in the way", str(target))
    if not target.exists():
        os.replace(temporary, target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    try:
        os.replace(target, old / "old")
        try:
            os.replace(temporary, target)
        except BaseException:  # Ctrl-C included: the earlier results go back where they were
            os.replace(old / "old", target)
            raise
        for found in _own(old / "old"):
            if not (target / found.name).exists():
                os.replace(found, target / found.name)
    except BaseException:
        if not any(old.iterdir()):  # else what is in `old` is nowhere else
            shutil.rmtree(old, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def json_text(document: Any) -> str:
    """Strict JSON, indented, keys in the order given; NaN is refused."""
    return json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def parquet_bytes(frame: Any) -> bytes:
    """A pandas frame as Parquet with page checksums, so that bit rot is found on reading."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, sink, write_page_checksum=True)
    return sink.getvalue()


def read_parquet(path: Path) -> Any:
    """A frame from Parquet, checksums verified; raises StoreError naming the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, page_checksum_verification=True).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"results file {path.name!r} cannot be read ({error})", cure="Run the study again."
        ) from error
