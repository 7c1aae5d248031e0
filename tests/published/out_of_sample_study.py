"""Writes docs/out_of_sample.md: hedges on real data, out of sample, net of costs.

``python -m tests.published.out_of_sample_study DATA``, DATA a folder with the files the page names:
about eight minutes on one core. Nothing is tuned: every strategy runs at its defaults, and every
estimate it makes uses the past alone.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import backtester as bt
from backtester.comparison import Comparison

from . import oos_tables as tables
from .oos_markets import CAPITAL, CASES, Case, prepare
from .oos_ranks import rank_cases, rank_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "out_of_sample.md"
PLOT = PAGE.with_suffix(".svg")
BASELINES = ("Naked", "StaticHedge", "OneToOne", "RollingOLS")
HEDGES = (
    "CrossAssetCorrelationHedge",
    "NegativeCorrelationPairs",
    "DeltaNeutralOffset",
    "RegimeHedge",
)
STRATEGIES = (*BASELINES, *HEDGES)
PLACEBO = {"strategies": ["StaticHedge", "CrossAssetCorrelationHedge"], "placebo_paths": 40}
"""The hedge whose regimes are set beside their placebo, and one whose warm-up is that of all."""
SEED = 1


def study_of(cases: Sequence[Case], folder: Path, **changes: Any) -> dict[str, Any]:
    """Every market, every strategy at its defaults."""
    return {
        "name": "out of sample",
        "exposure": {"positions": dict(cases[0].positions), "hold": "notional"},
        "capital": CAPITAL,
        "hedge_with": list(cases[0].hedge_with),
        "markets": [case.study(folder) for case in cases],
        "strategies": list(STRATEGIES),
        "placebo_paths": 0,
        "seed": SEED,
        **changes,
    }


def section(comparison: Comparison, market: str) -> str:
    """What the page says about one market."""
    parts = (tables.market_facts, tables.effectiveness_table, tables.shortfall_table)
    return "\n\n".join(part(comparison, market) for part in parts)


def replaced(text: str, name: str, content: str) -> str:
    """`text` with what stands between the marks of `name` replaced."""
    before, rest = text.split(f"<!-- {name} -->\n", 1)
    after = rest.split("<!-- end -->", 1)[1]
    return f"{before}<!-- {name} -->\n\n{content}\n\n<!-- end -->{after}"


def write(name: str, content: str) -> None:
    """Put `content` between the marks of `name` on the page."""
    text = replaced(PAGE.read_text(encoding="utf-8"), name, content)
    PAGE.write_text(text, encoding="utf-8")


def main(data: Path) -> None:
    """Run everything and write the page and the plot."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(data, folder)
        found = bt.compare(study_of(CASES, folder), audits=False)
        for case in CASES:
            write(case.name, section(found, case.name))
        write("summary", f"{tables.summary_table(found)}\n\n{tables.tested(found)}")
        PLOT.write_text(tables.forest(found), encoding="utf-8")
        found = bt.compare(study_of(CASES, folder, **PLACEBO), audits=False)
        write("placebo", tables.placebo_table(found, "CrossAssetCorrelationHedge"))
        for key, case in rank_cases().items():
            write(key, rank_table(case, folder))
            print(key, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.published.out_of_sample_study DATA")
    main(Path(sys.argv[1]))
