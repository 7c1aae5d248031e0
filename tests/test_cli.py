"""The command line as a user meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from backtester.cli import app

ZOO = Path(__file__).parent / "laws" / "zoo"
WRITTEN = ["manifest.json", "report.html", "scorecard.json", "scorecard.parquet", "study.yaml"]
STUDY: dict[str, Any] = {
    "name": "small",
    "exposure": {"positions": {"SOL": 1_000_000}},
    "capital": 1_000_000,
    "hedge_with": ["BTC-PERP", "ETH-PERP"],
    "markets": [{"scenario": "regime_switching", "paths": 4, "bars": 95}],
    "strategies": ["Naked", {"RollingOLS": {"window": 20}}],
    "placebo_paths": 0,
    "stress": {"scenarios": ["normal"], "points": 3, "paths": 2, "bars": 95, "scenario_paths": 4},
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study file that runs in a second."""
    return write(tmp_path, STUDY)


def write(folder: Path, plan: dict[str, Any]) -> Path:
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(plan, sort_keys=False))
    return file


def call(*arguments: object, **environment: str) -> Any:
    """Run a command in this process; `.stdout`, `.stderr` and `.exit_code` say what it did."""
    env = {"COLUMNS": "120", "NO_COLOR": "1", **environment}
    return CliRunner(env=env).invoke(app, [str(a) for a in arguments])


# Starting


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option: str) -> None:
    result = call(option)
    assert result.exit_code == 0
    for name in ("demo", "compare", "stress", "list", "calibrate", "check", "new", "verify"):
        assert f"\n  {name} " in result.stdout
        assert call(name, "--help").exit_code == 0


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'pandas', 'cvxpy', 'numba', 'scipy', 'yaml', 'plotly', 'pyarrow'}"
    program = (
        "import sys; from backtester.cli import app; "
        "from typer.testing import CliRunner; result = CliRunner().invoke(app, ['-h']); "
        "assert result.exit_code == 0; "
        f"found = {heavy} & set(sys.modules); assert not found, found"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_version() -> None:
    result = call("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith("backtester 0.")


@pytest.mark.parametrize("arguments", [("bogus",), ("compare",), ("compare", "a", "--bogus")])
def test_a_wrong_call_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


# list


def test_list() -> None:
    result = call("list")
    assert result.exit_code == 0
    for text in ("NegativeCorrelationPairs", "regime_switching", "hedge-backtester"):
        assert text in result.stdout
    assert "No hedge: the book every other strategy" in result.stdout


def test_list_one_group() -> None:
    assert "Naked" not in call("list", "scenarios").stdout
    assert "correlation_breakdown" not in call("list", "strategies").stdout
    assert call("list", "nothing").exit_code == 2


def test_list_shows_a_broken_plugin_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    from backtester import plugins

    fine = plugins.available("strategies")[:1]
    bad = plugins.Plugin("[/foo]", "x:Y", "other 1.0", "[red]no module 'x'[/red]\x1b[31m")
    monkeypatch.setattr(plugins, "available", lambda group: (*fine, bad))
    result = call("list", "strategies")
    assert result.exit_code == 0, result.output
    assert "[/foo]" in result.stdout
    assert "cannot be used: [red]no module 'x'[/red]\\x1b[31m" in result.stdout
    assert "\x1b" not in result.stdout


# check


def test_check_a_builtin() -> None:
    result = call("check", "StaticHedge", "--parameters", '{"ratio": {"GOLD": 0.5}}')
    assert result.exit_code == 0, result.output
    assert "StaticHedge: every law holds" in result.stdout
    for law in ("causality: cut", "ensemble", "determinism", "state", "inputs", "contract"):
        assert law in result.stdout


def test_check_a_cheat() -> None:
    result = call("check", f"{ZOO / 'cheats.py'}:FundingPeeker")
    assert result.exit_code == 1
    text = " ".join(result.stdout.split())
    assert "FundingPeeker: broken: causality: cut, causality: scramble" in text
    assert "It comes from funding" in text


def test_check_a_strategy_that_raises() -> None:
    result = call("check", f"{ZOO / 'cheats.py'}:Moody")
    assert result.exit_code == 1
    assert "cheats.py" in result.stdout and "2021-03-01" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("RolingOLS",), "'RollingOLS'"),
        (("./nowhere.py",), "nowhere.py"),
        (("Naked", "--parameters", '{"a": 1}'), "no parameter 'a'"),
        (("Naked", "--parameters", "{a"), "cannot be read"),
        (("Naked", "--parameters", "lost.yaml"), "lost.yaml"),
        (("[/foo]",), "[/foo]"),
        (("a\x1b[31mb",), "\\x1b[31m"),
    ],
)
def test_check_what_cannot_be_checked(arguments: tuple[str, ...], words: str) -> None:
    result = call("check", *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr and "cure:" in result.stderr
    assert "\x1b" not in result.output and "Traceback" not in result.output


def test_parameters_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"ratio": {"GOLD": 0.5}}')
    result = call("check", "StaticHedge", "--quiet", "--parameters", tmp_path / "p.json")
    assert result.exit_code == 0
    assert result.stdout == "StaticHedge: every law holds\n"


# new


def test_a_new_strategy_passes_its_own_test(tmp_path: Path) -> None:
    result = call("new", "strategy", "TailHedge", "--folder", tmp_path / "mine")
    assert result.exit_code == 0, result.output
    test = tmp_path / "mine" / "test_tail_hedge.py"
    assert str(test) in result.stdout.replace("\n", "")
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    again = call("new", "strategy", "TailHedge", "--folder", tmp_path / "mine")
    assert again.exit_code == 4
    assert "nothing is ever overwritten" in again.stderr


@pytest.mark.parametrize("name", ["../x", "class", "[/foo]", "a b", ""])
def test_a_strategy_that_cannot_be_called_that(name: str, tmp_path: Path) -> None:
    result = call("new", "strategy", name, "--folder", tmp_path)
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


# compare and stress


def test_compare(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call("compare", study, "--out", out)
    assert result.exit_code == 0, result.output
    (folder,) = out.iterdir()
    frames = [f"{name}.parquet" for name in ("comparisons", "sharpe", "stability")]
    assert sorted(p.name for p in folder.iterdir()) == sorted([".written", *WRITTEN, *frames])
    assert f"results: {folder}" in result.stdout
    assert "RollingOLS" in result.stdout
    assert json.loads((folder / "manifest.json").read_text())["digest"] == folder.name

    before = (folder / "scorecard.json").read_bytes()
    again = call("compare", study, "--out", out, "--quiet")
    assert again.stdout == f"results: {folder}\n"
    assert [p.name for p in out.iterdir()] == [folder.name]
    assert (folder / "scorecard.json").read_bytes() == before

    other = call("compare", study, "--out", out, "--seed", 5, "--quiet")
    assert other.exit_code == 0
    assert len(list(out.iterdir())) == 2


def test_stress(study: Path, tmp_path: Path) -> None:
    result = call("stress", study, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    (folder,) = (tmp_path / "out").iterdir()
    assert sorted(p.name for p in folder.iterdir()) == sorted([".written", *WRITTEN, "stress.json"])
    assert f"results: {folder}" in result.stdout


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"captial": 1}, "'capital'"),
        ({"strategies": ["Nakd"]}, "'Naked'"),
        ({"strategies": [{"RollingOLS": {"windw": 1}}]}, "'window'"),
        ({"markets": [{"scenario": "norml"}]}, "'normal'"),
        ({"markets": [{"scenario": "normal", "paths": 0}]}, "paths"),
        ({"hedge_with": ["BTC-PREP"]}, "'BTC-PERP'"),
        ({"hedge_with": ["SOL"]}, "both exposed and a hedge"),
        ({"costs": {"fee_bps": -1}}, "fee_bps"),
        ({"strategies": [{"RollingOLS": {"window": 900}}]}, "RollingOLS"),
        ({"exposure": "lost.csv"}, "lost.csv"),
        ({"name": "[/foo]", "markets": []}, "markets"),
    ],
)
def test_a_bad_study_ends_in_one_message_and_writes_nothing(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    result = call("compare", write(tmp_path, STUDY | changes), "--out", tmp_path / "out")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ") and "  cure: " in result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = call("compare", tmp_path / "lost.yaml", "--debug")
    assert result.exit_code == 2
    assert "error: study file 'lost.yaml'" in result.stderr


def test_a_strategy_of_ones_own_that_raises_has_its_own_exit_code(tmp_path: Path) -> None:
    plan = STUDY | {"strategies": [str(ZOO / "cheats.py") + ":WrongShape"]}
    result = call("compare", write(tmp_path, plan), "--out", tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert "WrongShape" in result.stderr and "time:" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["compare", "stress"])
def test_a_file_in_place_of_the_results_folder(command: str, study: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    result = call(command, study, "--out", tmp_path / "out")
    assert result.exit_code == 4
    assert "Nothing was run or written" in result.stderr
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    result = call("compare", study, "--out", tmp_path / "out")
    assert result.exit_code == 4, result.output
    assert "No space left on device" in result.stderr and "disk is full" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unexpected_error_is_called_a_defect(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backtester import api

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("[/oops]")

    monkeypatch.setattr(api, "compare", broken)
    result = call("compare", study, "--out", tmp_path / "out")
    assert result.exit_code == 70
    assert "internal error: RuntimeError: [/oops]" in result.stderr
    assert "Traceback" not in result.output


# demo


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    result = call("demo", "--out", tmp_path, "--paths", 8, "--bars", 100)
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.iterdir())) == 2
    assert "NegativeCorrelationPairs" in result.stdout
