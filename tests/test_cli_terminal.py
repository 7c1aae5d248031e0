"""The command line in awkward places: narrow, closed or missing terminals, and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from backtester.cli import app


def call(*arguments: object, **environment: str) -> Any:
    """Run a command in this process."""
    return CliRunner(env={"NO_COLOR": "1", **environment}).invoke(app, [str(a) for a in arguments])


def process(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    line = [sys.executable, "-m", "backtester", *map(str, arguments)]
    options.setdefault("capture_output", True)
    return subprocess.run(line, text=True, timeout=120, check=False, **options)


SLOW = """
from pathlib import Path
import numpy as np
from backtester.hedging.decision import HedgeDecision, Target
from backtester.strategy import Strategy

class Slow(Strategy[None]):
    def decide(self, view, book, state):
        Path({marker!r}).touch()
        import time
        time.sleep(0.05)
        return HedgeDecision(book.exposure, Target(np.zeros_like(book.hedges)))
"""


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    (tmp_path / "slow.py").write_text(SLOW.format(marker=str(marker)))
    plan = {
        "exposure": {"positions": {"SOL": 1_000_000}},
        "capital": 1_000_000,
        "hedge_with": ["BTC-PERP"],
        "markets": [{"scenario": "normal", "paths": 2, "bars": 1000}],
        "strategies": ["slow.py"],
        "placebo_paths": 0,
    }
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(plan))
    line = [sys.executable, "-m", "backtester", "compare", str(file), "--out", str(tmp_path / "o")]
    running = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if marker.exists() or running.poll() is not None:
            break
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, out + err
    assert "interrupted: nothing half-written is left" in err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists() or not list((tmp_path / "o").iterdir())


# Terminals


@pytest.mark.parametrize("columns", ["20", "59", "80", "400"])
def test_any_width(columns: str) -> None:
    for arguments in (("list",), ("check", "Naked")):
        result = call(*arguments, COLUMNS=columns)
        assert result.exit_code == 0
        assert "Naked" in result.stdout


def test_no_home_no_terminal_no_input_no_unicode() -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", ""),
        "PYTHONIOENCODING": "ascii",
        "TERM": "dumb",
    }
    environment = {name: value for name, value in environment.items() if value}
    done = process("check", "Naked", env=environment, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert "every law holds" in done.stdout
    assert "\x1b" not in done.stdout


def test_closed_streams() -> None:
    line = f"{sys.executable} -m backtester list"
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f"{line} {closed}"], capture_output=True, timeout=60)
        assert done.returncode == 0, (closed, done.stderr)


PLAN = {
    "exposure": {"positions": {"SOL": 1_000_000}},
    "capital": 1_000_000,
    "hedge_with": ["BTC-PERP"],
    "markets": [{"scenario": "normal", "paths": 2, "bars": 95}],
    "strategies": ["Naked", {"OneToOne": {"instrument": "BTC-PERP"}}],
    "placebo_paths": 0,
}


@pytest.fixture
def compare(tmp_path: Path) -> str:
    """A shell command that compares within seconds and writes to `out`."""
    plan = tmp_path / "study.yaml"
    plan.write_text(yaml.safe_dump(PLAN))
    return f"{sys.executable} -m backtester compare {plan} --out {tmp_path / 'out'}"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=120)


def unread(line: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose reader has already left."""
    read, write = os.pipe()
    os.close(read)
    try:
        words = line.split()
        return subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120)
    finally:
        os.close(write)


def test_a_reader_that_leaves_early_ends_it_quietly(compare: str, tmp_path: Path) -> None:
    for line in (compare, *(f"{sys.executable} -m backtester {c}" for c in ("--version", "list"))):
        done = unread(line)
        assert (done.returncode, done.stderr) == (141, "")
    (folder,) = (tmp_path / "out").iterdir()
    assert (folder / "report.html").exists()
    done = unread(f"{sys.executable} -m backtester check Nakd")
    assert done.returncode == 2 and "Did you mean 'Naked'" in done.stderr
    assert shell(f"{sys.executable} -m backtester list 2>&1 | head -1").stderr == ""


def test_output_that_cannot_be_written_is_said_and_results_are_saved(
    compare: str, tmp_path: Path
) -> None:
    done = shell(f"{compare} > /dev/full")
    (folder,) = (tmp_path / "out").iterdir()
    assert (folder / "report.html").exists()
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "error: the output cannot be written (No space left on device)",
        f"  its last line: results: {folder}",
        "  cure: send the output elsewhere; results are saved all the same",
    ]
    for command in ("--version", "--help", "list strategies", "verify --topic costs --markdown"):
        done = shell(f"{sys.executable} -m backtester {command} > /dev/full")
        assert done.returncode == 4, command
        assert "error: the output cannot be written" in done.stderr
        assert "internal error" not in done.stderr and "Traceback" not in done.stderr
    done = shell(f"{compare} --quiet 2> /dev/full")
    assert (done.returncode, done.stdout) == (0, f"results: {folder}\n")


def test_progress_without_a_terminal_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from backtester.commands import progress

    monkeypatch.setattr(progress, "EVERY", 0.0)
    with progress.shown_progress(quiet=False) as report:
        report(1, 4, "[/foo] on market")
    assert "1/4 done" in capsys.readouterr().err
    with progress.shown_progress(quiet=True) as report:
        report(1, 4, "nothing")
    assert capsys.readouterr().err == ""


def test_progress_on_a_terminal_survives_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    from backtester.commands import progress

    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress.shown_progress(quiet=False) as report:
        report(1, 4, "[/foo] on [red]market")
        report(4, 4, "done")
