"""docs/out_of_sample.md is what the study writes; what ships with the package is run again."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import backtester as bt
from backtester.metrics.inference import Estimate

from . import oos_ranks, oos_tables
from .oos_markets import CASES
from .out_of_sample_study import HEDGES, PAGE, PLOT, STRATEGIES, replaced, section, study_of

SHIPPED = next(case for case in CASES if case.builtin)
TEXT = PAGE.read_text(encoding="utf-8")


def marked(name: str) -> str:
    """What the page says between the marks of `name`."""
    return TEXT.split(f"<!-- {name} -->\n", 1)[1].split("<!-- end -->", 1)[0].strip()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_market_shows_every_strategy_gross_and_net(case: object) -> None:
    text = marked(case.name)  # type: ignore[attr-defined]
    effectiveness, shortfall = text.split("\n\n")[1:]
    assert "gross, all" in effectiveness and "net, all" in effectiveness
    for strategy in STRATEGIES:
        assert f"\n| {strategy} |" in shortfall
        assert strategy == "Naked" or f"\n| {strategy} |" in effectiveness


def test_failures_are_bold() -> None:
    """Every negative effectiveness and every rise in shortfall, and nothing else."""
    seen = 0
    for case in CASES:
        effectiveness, shortfall = marked(case.name).split("\n\n")[1:]
        for line in effectiveness.splitlines()[2:]:
            for cell in line.split("|")[2:-1]:
                assert cell.strip().startswith("**") == cell.strip().lstrip("*").startswith("−")
                seen += cell.count("**")
        for line in shortfall.splitlines()[3:]:
            for cell in line.split("|")[3:-4]:
                rise = not cell.strip().lstrip("*").startswith(("−", "0.0", "–"))
                assert cell.strip().startswith("**") == rise, cell
    assert seen > 0


def test_the_summary_names_every_market_and_strategy() -> None:
    summary = marked("summary")
    for case in CASES:
        assert f"\n| {case.name} |" in summary
    assert all(name in summary.splitlines()[0] for name in (*STRATEGIES[1:],))
    assert set(HEDGES) < set(STRATEGIES)
    assert PLOT.stat().st_size <= 100_000


@pytest.mark.parametrize("name", oos_ranks.NAMES)
def test_every_cell_of_the_model_risk_table_is_there(name: str) -> None:
    table = marked(f"ranks: {name}").splitlines()
    cells = [line.split("|")[1].strip() for line in table[2:]]
    assert cells == [cell.name for cell in oos_ranks.CELLS]
    for line in table[2:]:
        ranks = [int(re.match(r"\d+", c.strip())[0]) for c in line.split("|")[2:10]]  # type: ignore[index]
        assert sorted(ranks) == list(range(1, 9))


def test_ranks_and_their_correlation() -> None:
    one = oos_ranks.ranks(np.array([3.0, 1.0, 2.0, 9.0]))
    assert one.tolist() == [3, 1, 2, 4]
    assert oos_ranks.spearman(one, one) == 1.0
    assert oos_ranks.spearman(one, 5 - one) == -1.0
    assert oos_ranks.spearman(one, np.array([3, 2, 1, 4])) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("estimate", "bad", "text"),
    [
        (Estimate(-1.25, -2.0, 0.04), False, "−1.2 [−2.0, 0.0]"),
        (Estimate(1.25, 0.5, 2.0), True, "**1.2** [0.5, 2.0]"),
        (Estimate(1.0, note="insufficient"), False, "1.0 (i)"),
        (Estimate(math.nan, note="nothing"), False, "–"),
        (Estimate(-0.01, -0.02, -0.01), False, "0.0 [0.0, 0.0]"),
    ],
)
def test_how_a_figure_is_written(estimate: Estimate, bad: bool, text: str) -> None:
    assert oos_tables.cell(estimate, 1, bad=bad) == text


def test_only_what_is_marked_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\nkept\n<!-- end -->\n"
    assert replaced(text, "x", "new") == text.replace("old", "\nnew\n")


@pytest.mark.slow
def test_the_shipped_market_gives_the_same_page_again(tmp_path: Path) -> None:
    comparison = bt.compare(study_of([SHIPPED], tmp_path), audits=False)
    assert section(comparison, SHIPPED.name) == marked(SHIPPED.name)


@pytest.mark.slow
def test_the_shipped_market_gives_the_same_ranks_again(tmp_path: Path) -> None:
    few = tuple(c for c in oos_ranks.CELLS if c.name in ("base", "delay 2 bars"))
    table = oos_ranks.rank_table(SHIPPED, tmp_path, few).splitlines()
    page = marked(f"ranks: {SHIPPED.name}").splitlines()
    assert [line for line in page if line.split("|")[1].strip() in {c.name for c in few}] == (
        table[2:]
    )
