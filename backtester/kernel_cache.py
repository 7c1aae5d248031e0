"""Where compiled kernels are kept, where neither the installation nor the home can be written.

Numba keeps them beside the source, else in the user's cache folder, and fails where it can write to
neither: a read-only container, say. They then go to a folder of this run alone, which other users
cannot write to (what is kept there is executed), and the user is told what that costs.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"


def writable(folder: Path) -> bool:
    """Whether files can be made in `folder`, found out by making one: rights do not tell all."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def home_cache(environment: Mapping[str, str]) -> Path | None:
    """The user's cache folder, None where there is no home."""
    given = environment.get("XDG_CACHE_HOME") or environment.get("LOCALAPPDATA")
    if given:
        return Path(given)
    try:
        return Path.home() / ".cache"
    except RuntimeError:  # no home at all
        return None


def place(package: Path) -> None:
    """Choose a folder where numba would find none, for this process and its workers."""
    if os.environ.get(VARIABLE) or writable(package / "__pycache__"):
        return
    home = home_cache(os.environ)
    if home is not None and writable(home):
        return
    try:
        folder = tempfile.mkdtemp(prefix="backtester-kernels-")
    except OSError:
        return  # numba will say that there is no place
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[VARIABLE] = folder
    if "numba" in sys.modules:  # it has read its settings already
        sys.modules["numba"].config.CACHE_DIR = folder
    warnings.warn(
        f"kernels are compiled in every run, about a minute: neither {package} nor the home folder "
        f"can be written. Set {VARIABLE} to a folder of your own.",
        RuntimeWarning,
        stacklevel=2,
    )
