"""`backtester verify`: every number holds, and docs/verify.md is what it prints."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from backtester.cli import app
from backtester.errors import ConfigError, DataError
from backtester.verify import catalogue, table
from backtester.verify.benchmark import returns_of
from backtester.verify.claim import Claim, Row, checked

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verify.md"


@pytest.fixture(scope="module")
def rows() -> tuple[Row, ...]:
    return checked(catalogue.claims())


def call(*arguments: str, **environment: str) -> Any:
    return CliRunner(env={"NO_COLOR": "1", **environment}).invoke(app, ["verify", *arguments])


def test_every_number_holds(rows: tuple[Row, ...]) -> None:
    assert len(rows) >= 60
    assert not [(row.claim.what, row.ours, row.problem) for row in rows if not row.holds]


def test_every_row_can_fail(rows: tuple[Row, ...]) -> None:
    """No tolerance so wide that a wrong sign, half or twice the number would pass."""
    for row in rows:
        wrong = (-row.claim.value, 2.0 * row.claim.value, 0.5 * row.claim.value)
        for value in wrong if row.claim.value else (0.1,):
            assert not Row(row.claim, value).holds, row.claim.what


def test_rows_are_told_apart_and_name_their_source(rows: tuple[Row, ...]) -> None:
    keys = Counter((r.claim.topic, r.claim.what, r.claim.source) for r in rows)
    keys = Counter({k: n for k, n in keys.items() if n > 1})
    assert not keys
    assert all(len(row.claim.source) > 10 for row in rows)


def cells(line: str) -> list[str]:
    return [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_page_is_what_the_command_prints(rows: tuple[Row, ...]) -> None:
    """Word for word, but for digits of our own numbers that a platform may change."""
    page, fresh = (
        PAGE.read_text("utf-8").splitlines(),
        table.markdown(rows, data=False).splitlines(),
    )
    assert len(page) == len(fresh), "run: backtester verify --markdown > docs/verify.md"
    lines = iter(rows)
    for shown, now in zip(page, fresh, strict=True):
        if not now.startswith("| ") or now.startswith("| what"):
            assert shown == now
            continue
        row = next(lines)
        stored, expected = cells(shown), cells(now)
        for column in (0, 1, 4, 5, 6):
            assert stored[column] == expected[column], row.claim.what
        number = float(re.sub(r"[^\d.−]", "", stored[2].partition(" ")[0]).replace("−", "-"))
        digits = len(row.claim.published.partition(".")[2]) + 2
        assert number == pytest.approx(
            row.ours, abs=0.51 * 10.0**-digits + row.claim.within * (abs(row.claim.value) or 1.0)
        )


def test_json(rows: tuple[Row, ...]) -> None:
    result = call("--json", "--topic", "costs")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["schema_version"] == 1
    assert found["rows"] == found["hold"] == len(found["claims"]) > 5
    first = found["claims"][0]
    assert first["topic"] == "Costs" and first["holds"] is True and first["problem"] is None
    assert first["published"] == pytest.approx(first["ours"], rel=first["within"])
    whole = table.document(rows, data=False)
    assert "1,974" in whole["not_counted"]
    json.dumps(whole, allow_nan=False)


def test_the_table_on_a_pipe() -> None:
    result = call("--topic", "minimum")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    lines = result.stdout.splitlines()
    head = next(line for line in lines if line.startswith("what"))
    hull = next(line for line in lines if line.startswith("hedge ratio h*"))
    for name, value in (("published", "0.78"), ("ours", "0.7777")):
        assert head.index(name) + len(name) == hull.index(f" {value} ") + len(value) + 1
    assert lines[-1] == "5 of 5 hold"
    assert result.stdout.count("Hull, Options") == 2  # and a ditto mark where it is the same


def test_narrow_terminals_get_lines() -> None:
    result = call("--topic", "minimum", COLUMNS="50")
    assert "  hedge ratio h*: 0.78, ours 0.7777, error 3e-03: holds" in result.stdout


def test_quiet_prints_the_verdict_alone() -> None:
    assert call("--topic", "minimum", "-q").stdout == "5 of 5 hold\n"


def test_a_number_that_does_not_hold_ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Claim("Costs", "a fee", "5", lambda: 6.0, "a venue's page", 1e-3, "bp")
    monkeypatch.setattr(catalogue, "topics", lambda: {"Costs": (wrong,)})
    for option in ("--json", "--markdown", "-q"):
        assert call(option).exit_code == 1
    result = call()
    assert result.exit_code == 1
    assert (
        "does not hold: Costs: a fee: published 5 bp, ours 6.00 bp, within 1e-03" in result.stdout
    )
    assert result.stdout.endswith("0 of 1 hold\n")
    assert "backtester verify --data FILE adds its rows" in result.stdout


def test_one_form_at_a_time() -> None:
    result = call("--json", "--markdown")
    assert result.exit_code == 2
    assert "both given" in result.stderr


def test_an_unknown_topic_says_what_there_is() -> None:
    result = call("--topic", "cots")
    assert result.exit_code == 2
    assert "no topic begins with 'cots'" in result.stderr
    with pytest.raises(ConfigError):
        catalogue.claims("bogus")


# The file of the GARCH benchmark


def test_the_file_must_hold_the_series(tmp_path: Path) -> None:
    short = tmp_path / "short.csv"
    short.write_text("DEM2GBP\n" + "\n".join("0.1" for _ in range(100)))
    with pytest.raises(DataError, match="holds 100 returns, not 1974"):
        returns_of(short)
    words = tmp_path / "words.csv"
    words.write_text("a\nb\nc\n")
    for bad in (words, tmp_path / "missing.csv", tmp_path):
        with pytest.raises(DataError, match="cannot be read as a column of returns"):
            returns_of(bad)
    assert call("--data", str(short)).exit_code == 2


def test_the_file_adds_rows(tmp_path: Path) -> None:
    """On a simulated series of the same length: the rows appear, and fail as they must."""
    rng = np.random.default_rng(5)
    variance, returns = 0.2, []
    for _ in range(1974):
        returns.append(np.sqrt(variance) * rng.standard_normal())
        variance = 0.02 + 0.1 * returns[-1] ** 2 + 0.8 * variance
    file = tmp_path / "series.csv"
    file.write_text("DEM2GBP\n" + "\n".join(f"    {r:.8f}" for r in returns) + "\n")
    assert returns_of(file) == pytest.approx(np.array(returns), abs=1e-8)
    result = call("--data", str(file), "--topic", "garch")
    assert result.exit_code == 1
    assert result.stdout.endswith(" of 8 hold\n")
    assert "standard error of β" in result.stdout
