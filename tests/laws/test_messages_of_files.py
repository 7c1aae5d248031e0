"""Law 10, of errors themselves and of files: nothing is lost on the way, nothing half-written."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

import backtester.errors as errors
from backtester.errors import BacktesterError, ConfigError, Status, StoreError
from backtester.store import write_results
from backtester.study import Study

KINDS = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, BacktesterError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_keeps_its_parts_in_a_worker(kind: type[BacktesterError]) -> None:
    error = kind("thing is wrong", cure="Mend it.", when="2022-01-01")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.what, again.cure, again.when) == ("thing is wrong", "Mend it.", "2022-01-01")
    assert str(again) == "thing is wrong at 2022-01-01. Mend it."


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_advice(status: Status) -> None:
    assert len(status.advice) > 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b"name: a\nname: b\n", "stands twice"),
        (b"[1, 2", "line"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"- 1\n", "list"),
        (b"a: &x 1\nb: *x\n", "alias"),
    ],
)
def test_a_study_file_that_cannot_be_read(tmp_path: Path, text: bytes, words: str) -> None:
    file = tmp_path / "study.yaml"
    file.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        Study.read(file)
    assert "study.yaml" in caught.value.what and words in caught.value.what
    assert caught.value.cure


FAILURES = {
    errno.ENOSPC: "disk is full",
    errno.EROFS: "read-only",
    errno.EACCES: "permission",
}


@pytest.mark.parametrize("code", sorted(FAILURES))
@pytest.mark.parametrize("step", ["replace", "fsync", "chmod"])
def test_a_full_or_read_only_folder_keeps_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, step: str
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise OSError(code, os.strerror(code))

    write_results(tmp_path, "abc", {"report.html": "before"})
    with monkeypatch.context() as patch:
        patch.setattr(os, step, refuse)
        with pytest.raises(StoreError) as caught:
            write_results(tmp_path, "abc", {"report.html": "after", "more.json": "{}"})
    assert str(tmp_path) in caught.value.what
    assert FAILURES[code] in caught.value.cure
    assert [p.name for p in tmp_path.iterdir()] == ["abc"]
    assert (tmp_path / "abc" / "report.html").read_text() == "before"


def test_a_file_in_the_way_of_the_results(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("mine")
    with pytest.raises(StoreError, match="file is in the way"):
        write_results(tmp_path / "results", "abc", {"report.html": ""})
    assert (tmp_path / "results").read_text() == "mine"
