"""`backtester calibrate` as a user meets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backtester.cli import app


def call(*arguments: object) -> Any:
    """Run a command in this process; `.stdout`, `.stderr` and `.exit_code` say what it did."""
    env = {"COLUMNS": "120", "NO_COLOR": "1"}
    return CliRunner(env=env).invoke(app, [str(a) for a in arguments])


def prices(folder: Path) -> Path:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(2)
    steps = 0.03 * rng.standard_t(5, size=(600, 1)) + 0.02 * rng.standard_normal((600, 2))
    index = pd.date_range("2021-01-01", periods=600, tz="UTC", name="date")
    frame = pd.DataFrame(100 * np.exp(np.cumsum(steps, axis=0)), index, ["AAA", "BBB"])
    frame.to_csv(folder / "prices.csv")
    return folder / "prices.csv"


def test_calibrate(tmp_path: Path) -> None:
    from backtester.scenario_files import load_scenario

    scenario = tmp_path / "mine.yaml"
    plain = ("--kind", "regime_switching")
    result = call("calibrate", prices(tmp_path), *plain, "--out", scenario, "--name", "mine")
    assert result.exit_code == 0, result.output
    assert type(load_scenario(str(scenario))).__name__ == "CorrelatedReturns"
    for words in ("2 assets, 2021-01-01", "AAA/BBB", "crisis episodes", f"scenario: {scenario}"):
        assert words in result.stdout
    assert load_scenario(str(scenario)).assets == ("AAA", "BBB")
    again = call("calibrate", prices(tmp_path), "--out", scenario)
    assert again.exit_code == 4
    assert "Nothing is overwritten" in again.stderr


def test_calibrate_a_copula_with_its_page(tmp_path: Path) -> None:
    from backtester.scenario_files import load_scenario

    data, scenario, copula = prices(tmp_path), tmp_path / "c.yaml", ("--generator", "CopulaGarch")
    result = call("calibrate", data, "--out", scenario, "--name", "<b>mine</b>")
    assert result.exit_code == 0, result.output
    page = tmp_path / "c.html"
    for words in ("GARCH-t", "joint tails", "Volatility.multiplier", f"plots: {page}"):
        assert words in result.stdout
    assert type(load_scenario(str(scenario))).__name__ == "CopulaGarch"
    assert "&lt;b&gt;mine&lt;/b&gt;" in page.read_text(encoding="utf-8")
    again = call("calibrate", data, *copula, "--out", tmp_path / "d.yaml", "--plots", page)
    assert again.exit_code == 4 and "Nothing is overwritten" in again.stderr
    assert not (tmp_path / "d.yaml").exists()
    bare = call("calibrate", data, *copula, "--out", tmp_path / "e.yaml", "--no-plots")
    assert bare.exit_code == 0 and not (tmp_path / "e.html").exists()
    old = call("calibrate", data, "--estimator", "sample", "--plots", tmp_path / "old.html")
    assert old.exit_code == 0 and "Does it fit?" in (tmp_path / "old.html").read_text("utf-8")


def test_calibrate_a_vine(tmp_path: Path) -> None:
    from backtester.scenario_files import load_scenario

    scenario = tmp_path / "v.yaml"
    result = call("calibrate", prices(tmp_path), "--generator", "VineCopula", "--out", scenario)
    assert result.exit_code == 0, result.output
    assert f"vine: {tmp_path / 'v.crisis.json'}" in result.stdout
    found = load_scenario(str(scenario))
    assert type(found).__name__ == "VineCopula"
    assert found.draw(first=0, paths=2, bars=9, seed=1).assets == ("AAA", "BBB")
    assert (tmp_path / "v.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--generator", "CopulaGrch"), "'CopulaGarch'"),
        (("--generator", "CopulaGarch", "--kind", "crisis"), "options of generator Correlated"),
        (("--exposure", "AAA=1"), "Give both"),
        (("--exposure", "AAA=1", "--kind", "crisis"), "--generator CopulaGarch"),
        (("--generator", "CopulaGarch", "--exposure", "AAA=x", "--hedge-with", "BBB"), "ETH=1"),
        (("--generator", "CopulaGarch", "--exposure", "AAA"), "ETH=1"),
        (("--generator", "CopulaGarch", "--assets", "AAA"), "two assets"),
        (("--assets", "AAA,CCC"), "CCC"),
        (("--estimator", "sampl"), "'sample'"),
        (("--kind", "criss"), "'crisis'"),
        (("--perpetual", "AAA"), "BTC-PERP=BTC"),
        (("--funding", "x.csv"), "--perpetual"),
        (("--calendar", "moon"), "moon"),
    ],
)
def test_calibrate_says_what_is_wrong(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = call("calibrate", prices(tmp_path), *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr and "cure:" in result.stderr


@pytest.mark.parametrize("content", [b"", b"date,A\n", b"\x00\xff\xfe", b"PAR1garbage"])
def test_calibrate_on_a_file_that_is_no_price_file(tmp_path: Path, content: bytes) -> None:
    for name in ("prices.csv", "prices.parquet"):
        (tmp_path / name).write_bytes(content)
        result = call("calibrate", tmp_path / name)
        assert result.exit_code == 2, result.output
        assert name in result.stderr
