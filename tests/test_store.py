"""Results are written whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from backtester.errors import StoreError
from backtester.store import WRITTEN, json_text, parquet_bytes, read_parquet, write_results


def test_files_appear_together_and_replace_an_earlier_run(tmp_path: Path) -> None:
    write_results(tmp_path, "abc", {"a.txt": "1", "old.txt": "x"})
    folder = write_results(tmp_path, "abc", {"a.txt": "2", "b.bin": b"\0"})
    found = {f.name: f.read_bytes() for f in folder.iterdir() if f.name != WRITTEN}
    assert found == {"a.txt": b"2", "b.bin": b"\0"}
    assert [p.name for p in tmp_path.iterdir()] == ["abc"]


def test_what_the_user_put_among_the_results_stays(tmp_path: Path) -> None:
    folder = write_results(tmp_path, "abc", {"a.txt": "1", "old.txt": "x"})
    (folder / "notes.txt").write_text("mine")
    (folder / "figures").mkdir()
    (folder / "figures" / "one.png").write_bytes(b"png")
    for _ in range(2):
        again = write_results(tmp_path, "abc", {"a.txt": "2"})
        names = {f.name for f in again.iterdir()}
        assert names == {"a.txt", "notes.txt", "figures", WRITTEN}
        assert (again / "notes.txt").read_text() == "mine"
        assert (again / "figures" / "one.png").read_bytes() == b"png"
    (again / WRITTEN).unlink()  # results of an earlier version do not say what is theirs
    assert {f.name for f in write_results(tmp_path, "abc", {"a.txt": "3"}).iterdir()} == {
        "a.txt", WRITTEN,
    }  # fmt: skip
    assert [p.name for p in tmp_path.iterdir()] == ["abc"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, r"No space left.*disk is full.*Nothing half-written"),
        (errno.EROFS, r"Read-only file system.*read-only: choose another"),
        (errno.EACCES, r"Permission denied.*No permission"),
    ],
)
def test_a_full_or_read_only_folder_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    before = write_results(tmp_path, "abc", {"a.txt": "1"})

    def fail(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match=words):
        write_results(tmp_path, "abc", {"a.txt": "2"})
    assert (before / "a.txt").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["abc"]


def test_a_failed_swap_puts_the_earlier_results_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = write_results(tmp_path, "abc", {"a.txt": "1"})
    real, calls = os.replace, []

    def second_fails(source: Any, target: Any) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", second_fails)
    with pytest.raises(StoreError, match="No space left"):
        write_results(tmp_path, "abc", {"a.txt": "2"})
    assert (before / "a.txt").read_text() == "1"
    assert [p.name for p in tmp_path.iterdir()] == ["abc"]


def test_an_interrupt_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_results(tmp_path, "abc", {"a.txt": "2"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_or_link_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(StoreError, match=r"cannot be written to .*taken.*file is in the way"):
        write_results(tmp_path / "taken", "abc", {"a.txt": "1"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "abc").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="a link is in the way"):
        write_results(tmp_path, "abc", {"a.txt": "1"})
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["../up", "a/b", "", "A B", "x\0"])
def test_a_name_cannot_escape_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match="results cannot be called"):
        write_results(tmp_path, name, {"a.txt": "1"})


def test_json_is_strict() -> None:
    assert json_text({"é": 1}) == '{\n "é": 1\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": float("nan")})


def test_parquet_carries_checksums_that_find_bit_rot(tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": range(5000), "name": ["a"] * 5000})
    data = parquet_bytes(frame)
    file = tmp_path / "f.parquet"
    file.write_bytes(data)
    pd.testing.assert_frame_equal(read_parquet(file), frame)
    found = 0
    for place in range(100, 2000, 190):
        rotten = bytearray(data)
        rotten[place] ^= 0x10
        file.write_bytes(bytes(rotten))
        try:
            read = read_parquet(file)
        except StoreError:
            found += 1
        else:  # a flip outside the pages must not change the numbers
            pd.testing.assert_frame_equal(read, frame)
    assert found >= 8
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(StoreError, match=r"f.parquet.*cannot be read.*Run the study again"):
        read_parquet(file)
