"""Where kernels are kept when neither the installation nor the home can be written."""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

import pytest

from backtester.kernel_cache import VARIABLE, home_cache, place, writable


def test_what_can_be_written_is_found_out_by_writing(tmp_path: Path) -> None:
    assert writable(tmp_path / "new" / "folder") and (tmp_path / "new" / "folder").is_dir()
    (tmp_path / "file").touch()
    assert not writable(tmp_path / "file" / "folder")
    assert not writable(Path("/proc/no/such/folder"))
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_the_home_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert home_cache({"XDG_CACHE_HOME": "/somewhere"}) == Path("/somewhere")
    monkeypatch.setenv("HOME", "/nowhere/me")
    assert home_cache({}) == Path("/nowhere/me/.cache")

    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    assert home_cache({}) is None


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is cleaned up at exit, numba keeps its settings; what would have been removed."""
    import numba

    removed: list[str] = []
    monkeypatch.setattr(numba.config, "CACHE_DIR", numba.config.CACHE_DIR)
    monkeypatch.setattr(atexit, "register", lambda call, folder, **_: removed.append(folder))
    monkeypatch.delenv(VARIABLE, raising=False)
    return removed


def test_a_folder_of_this_run_alone_is_the_last_resort(
    left: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numba

    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/no/cache")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="compiled in every run.*Set NUMBA_CACHE_DIR to a fold"):
        place(Path("/proc/no/package"))
    folder = Path(os.environ[VARIABLE])
    assert left == [str(folder)] and folder.parent == tmp_path
    assert str(folder) == numba.config.CACHE_DIR
    assert folder.stat().st_mode & 0o077 == 0, "what is kept there is executed"
    place(Path("/proc/no/package"))  # a worker takes its parent's
    assert left == [str(folder)]


@pytest.mark.parametrize("place_of", ["package", "home"])
def test_nothing_is_chosen_where_there_is_a_place(
    left: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place_of: str
) -> None:
    package, cache = Path("/proc/no/package"), "/proc/no/cache"
    if place_of == "package":
        package = tmp_path
    else:
        cache = str(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    place(package)
    assert VARIABLE not in os.environ and left == []
