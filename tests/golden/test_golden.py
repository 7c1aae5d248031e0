"""Golden runs: the ledgers of three small runs, event by event, as they were when last read.

A change here is a change of meaning. Read the diff; if it is intended, write the tables anew with
``python tests/golden/refresh.py`` and say why in the changelog.
"""

from __future__ import annotations

import difflib
import math
from pathlib import Path

import pytest

from .runs import RUNS, table

TABLES = Path(__file__).parent / "tables"
RELATIVE = 1e-9
MONEY = 1e-7  # rounding in figures that cancel


def same(one: str, other: str) -> bool:
    """Whether two cells agree: numbers within rounding, words exactly."""
    try:
        a, b = float(one), float(other)
    except ValueError:
        return one == other
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=MONEY)


def differs(kept: str, now: str) -> bool:
    """Whether two tables say different things."""
    one = [line.split() for line in kept.splitlines()]
    other = [line.split() for line in now.splitlines()]
    if [len(row) for row in one] != [len(row) for row in other]:
        return True
    return not all(
        same(a, b)
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("name", RUNS)
def test_golden_run(name: str) -> None:
    kept, now = (TABLES / f"{name}.txt").read_text(encoding="utf-8"), table(name)
    if differs(kept, now):
        lines = difflib.unified_diff(
            kept.splitlines(), now.splitlines(), "kept", "now", lineterm=""
        )
        pytest.fail(f"golden run {name} changed:\n" + "\n".join(lines))


def test_no_table_without_a_run() -> None:
    assert {p.stem for p in TABLES.glob("*.txt")} == set(RUNS)


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        ("# a\nt  1.0000000001  OK\n", False),
        ("# a\nt  1.000001  OK\n", True),
        ("# a\nt  1  HELD\n", True),
        ("# a\nt  1\n", True),
        ("# a\nt  nan  OK\n", True),
    ],
)
def test_the_comparison_itself(now: str, changed: bool) -> None:
    assert differs("# a\nt  1  OK\n", now) is changed


def test_the_static_run_by_hand() -> None:
    """The second and third lines of ``static_hedge.txt`` recomputed in plain arithmetic."""
    rows = [line.split() for line in table("static_hedge").splitlines()[1:]]
    head = rows[0]
    second, third = (dict(zip(head, row, strict=True)) for row in rows[2:4])
    units = -0.8 * 1e6 / 50.0  # decided on the first day at 50, filled on the second at 51.5
    paid = abs(units) * 51.5 * 7e-4
    assert float(second["costs"]) == pytest.approx(paid, rel=1e-11)
    assert float(second["equity"]) == pytest.approx(1e6 + 4.0 * 1e4 - paid, rel=1e-11)
    assert float(third["hedge_pnl"]) == pytest.approx(units * (50.5 - 51.5), rel=1e-11)
