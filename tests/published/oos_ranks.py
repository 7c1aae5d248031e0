"""Does the ranking survive? The model-risk part of docs/out_of_sample.md.

One thing is changed at a time: costs, the delay from decision to fill, the covariance estimator,
the labeller of crises. In each cell the strategies are ranked by net expected shortfall.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backtester.markets import Arena, arena_of
from backtester.metrics.series import PathSeries
from backtester.regimes.labelled import crisis_mask
from backtester.runner import common_start, run_one, strategies_of
from backtester.score import score
from backtester.study import Study

from .oos_markets import CAPITAL, CASES, Case
from .oos_tables import markdown, number

NAMES = ("ETH with BTC", "coins of 2021 with BTC ETH gold", "SPY with TLT GLD UUP", "XLE with USO",
         "S&P 500 with NASDAQ WTI")  # fmt: skip
STRATEGIES = ("Naked", "StaticHedge", "OneToOne", "RollingOLS", "CrossAssetCorrelationHedge",
              "NegativeCorrelationPairs", "DeltaNeutralOffset", "RegimeHedge")  # fmt: skip
SHORT = ("Naked", "Static", "1:1", "OLS", "Cross", "Pairs", "Neutral", "Regime")


@dataclass(frozen=True)
class Cell:
    """One set-up: what differs from the base."""

    name: str
    costs: float = 1.0
    delay: int = 1
    estimator: str = "ewma"
    labeller: str = "hedge"


CELLS = (
    Cell("base"),
    Cell("costs −50 %", costs=0.5),
    Cell("costs +50 %", costs=1.5),
    Cell("delay 0 (looks ahead)", delay=0),
    Cell("delay 2 bars", delay=2),
    Cell("ledoit_wolf", estimator="ledoit_wolf"),
    Cell("dcc", estimator="dcc"),
    Cell("labeller volatility", labeller="volatility"),
    Cell("labeller detector", labeller="detector"),
)


def study_of(case: Case, folder: Path, cell: Cell) -> Study:
    """The base study with the change of `cell`."""
    cross: dict[str, Any] = {"estimator": cell.estimator}
    plain = [{"use": s, "label": s} for s in STRATEGIES]
    for entry in plain:
        if entry["use"] == "CrossAssetCorrelationHedge":
            entry["parameters"] = cross  # type: ignore[assignment]
    timing = {"execution": "same_close"} if cell.delay == 0 else {"delay": cell.delay}
    study = Study.of(
        {
            "name": "model risk",
            "exposure": {"positions": dict(case.positions), "hold": "notional"},
            "capital": CAPITAL,
            "hedge_with": list(case.hedge_with),
            "markets": [case.study(folder)],
            "strategies": plain,
            "labeller": cell.labeller,
            "placebo_paths": 0,
            "seed": 1,
            **timing,
        }
    )
    costs = study.markets[0].costs
    assert costs is not None
    market = study.markets[0].model_copy(update={"costs": costs.scaled(cell.costs)})
    return study.model_copy(update={"markets": (market,)})


def shortfalls(arena: Arena, runs: Sequence[PathSeries], label: Any) -> np.ndarray:
    """Net expected shortfall of each strategy over all bars and over every crisis bar, (2, S)."""
    out = []
    for series in runs:
        both = replace(series, label=label, label_names=("normal", "crisis"))
        rows = {r.regime: r for r in score(both, risk_aversion=5.0, seed=1)}
        crisis = rows["crisis"].net_es.value if "crisis" in rows else math.nan
        out.append((rows["all"].net_es.value, crisis))
    return np.array(out).T


def table_of(
    case: Case, folder: Path, cells: tuple[Cell, ...]
) -> tuple[tuple[Cell, np.ndarray], ...]:
    """Every cell of one market; a cell that differs by its labeller alone re-uses the base runs."""
    found: list[tuple[Cell, np.ndarray]] = []
    kept: tuple[Study, list[PathSeries]] | None = None
    # The same first bar in every cell, whichever are asked for.
    every = {replace(cell, labeller="hedge") for cell in CELLS}
    start = max(common_start(study_of(case, folder, cell)) for cell in every)
    for cell in cells:
        study = study_of(case, folder, cell)
        arena = arena_of(study, study.markets[0], start=start)
        panel = arena.market.at(0)
        labels = arena.labels(panel)
        if cell.labeller == "hedge" or kept is None:
            runs = [
                run_one(panel, strategy, arena, spec.label, labels).series()
                for strategy, spec in zip(strategies_of(study), study.strategies, strict=True)
            ]
            if kept is None:
                kept = study, runs
        else:
            runs = kept[1]
        crisis = crisis_mask(labels.label, labels.names)[-len(runs[0].label) :]
        found.append((cell, shortfalls(arena, runs, crisis.astype(np.int8))))
    return tuple(found)


def ranks(values: np.ndarray) -> np.ndarray:
    """1 for the least shortfall."""
    return np.asarray(np.argsort(np.argsort(values)) + 1)


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Rank correlation of two rankings without ties."""
    n = len(one)
    return float(1.0 - 6.0 * np.sum((one - other) ** 2) / (n * (n * n - 1)))


def rank_table(case: Case, folder: Path, cells: tuple[Cell, ...] = CELLS) -> str:
    """Ranks of every strategy in every cell, over all bars and in crises."""
    head = ["cell", *SHORT, "leader", "ρ to base", "leader in crisis", "ρ in crisis"]
    found = table_of(case, folder, cells)
    base = [ranks(row) for row in found[0][1]]
    rows = []
    for cell, values in found:
        here = [ranks(row) for row in values]
        tail = []
        for now, then, row in zip(here, base, values, strict=True):
            leader = SHORT[int(np.argmin(row))]
            changed = leader != SHORT[int(np.argmin(then))]
            tail += [f"**{leader}**" if changed else leader, number(spearman(now, then), 2)]
        shown = [f"{r} ({number(v, 1)})" for r, v in zip(here[0], values[0], strict=True)]
        rows.append([cell.name, *shown, *tail])
    return markdown(head, rows)


def rank_cases() -> dict[str, Case]:
    """Markets of the model-risk tables by the mark that each replaces."""
    cases = {case.name: case for case in CASES}
    return {f"ranks: {name}": cases[name] for name in NAMES}
