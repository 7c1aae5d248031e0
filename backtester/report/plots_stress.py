"""Heat-maps of a stress report: scenario × book, net shortfall and benefit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.comparison import StressReport
from backtester.metrics.regime import ALL
from backtester.report.figure import Figure, Table, Trace, layout
from backtester.report.labels import clean_text, distinct_labels, number
from backtester.report.scores import UNHEDGED, rows_of

# Colour-blind safe: light is small; and vermilion – white – blue around zero.
SEQUENTIAL = [[0.0, "#f1f6fa"], [0.5, "#7fb3d5"], [1.0, "#08306b"]]
DIVERGING = [[0.0, "#D55E00"], [0.5, "#f7f7f7"], [1.0, "#0072B2"]]


@dataclass(frozen=True)
class Grid:
    """Net shortfall and benefit of every book in every scenario, % of capital."""

    scenarios: tuple[str, ...]
    books: tuple[str, ...]  # the unhedged book first
    shortfall: Float  # (S, B)
    benefit: Float  # (S, B) unhedged less net; NaN for the unhedged book
    sure: tuple[tuple[bool, ...], ...]  # whether the interval of the change excludes zero


def grid(report: StressReport) -> Grid:
    """The scenarios' scores over all bars as a grid."""
    card = report.scenarios.scorecard
    scenarios = tuple(m.name for m in report.scenarios.markets)
    books = (UNHEDGED, *(s.label for s in report.study.strategies))
    shortfall = np.full((len(scenarios), len(books)), np.nan)
    benefit = shortfall.copy()
    sure = []
    for i, scenario in enumerate(scenarios):
        rows = rows_of(card, scenario, ALL)
        shortfall[i, 0] = rows[0].unhedged_es.value
        certain = [True]
        for s in rows:
            b = books.index(s.strategy, 1)
            change = s.net_es_change
            shortfall[i, b], benefit[i, b] = s.net_es.value, -change.value
            certain.append(change.high < 0 or change.low > 0)
        sure.append(tuple(certain))
    return Grid(scenarios, books, shortfall, benefit, tuple(sure))


def heat_map(g: Grid, key: str) -> Figure:
    """Net shortfall, the unhedged book in the first column."""
    return _heat(
        g,
        g.shortfall,
        key,
        first=0,
        title="Net expected shortfall by scenario",
        unit="% of capital",
        scale=SEQUENTIAL,
        middle=None,
        note="Darker is worse. Mean loss over 10 bars in the worst 2.5 % of windows, after costs.",
    )


def benefit_map(g: Grid, key: str) -> Figure:
    """What each hedge takes off the unhedged shortfall."""
    return _heat(
        g,
        g.benefit,
        key,
        first=1,
        title="Benefit of the hedge: unhedged less net shortfall",
        unit="percentage points of capital",
        scale=DIVERGING,
        middle=0.0,
        note="Blue helps, orange harms; ≈ where the 95 % interval of the change includes zero or "
        "there is none.",
    )


def _heat(
    g: Grid,
    values: Float,
    key: str,
    *,
    first: int,
    title: str,
    unit: str,
    scale: list[list[object]],
    middle: float | None,
    note: str,
) -> Figure:
    books, shown = g.books[first:], values[:, first:]
    across, down = distinct_labels(books), distinct_labels(g.scenarios)
    unsure = [[middle is not None and not s for s in row[first:]] for row in g.sure]
    text = [
        [number(v) + (" ≈" if unsure[i][j] else "") for j, v in enumerate(row)]
        for i, row in enumerate(shown)
    ]
    trace: Trace = {
        "type": "heatmap",
        "z": [[float(v) if math.isfinite(v) else None for v in row] for row in shown],
        "x": list(range(len(books))),
        "y": list(range(len(g.scenarios))),
        "text": text,
        "texttemplate": "%{text}",
        "customdata": [[f"{d} · {a}" for a in across] for d in down],
        "hovertemplate": f"%{{customdata}}: %{{text}} {unit}<extra></extra>",
        "colorscale": scale,
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"title": {"text": unit, "side": "right"}, "thickness": 12},
    }
    if middle is not None:
        size = float(np.nanmax(np.abs(shown))) if np.isfinite(shown).any() else 1.0
        trace |= {"zmid": middle, "zmin": middle - size, "zmax": middle + size}
    return Figure(
        key=key,
        title=f"{title} ({unit})",
        alt=f"Heat map of {len(g.scenarios)} scenarios by {len(books)} books. "
        "The table that follows gives the numbers.",
        traces=[trace],
        layout=layout(
            "",
            "",
            xaxis={**_positions(across), "side": "top", "tickangle": -30},
            yaxis={**_positions(down), "autorange": "reversed"},
            margin={"t": 60, "b": 12},
            showlegend=False,
        ),
        table=Table(
            (f"Scenario ({unit})", *(clean_text(b, 60) for b in books)),
            tuple(
                (clean_text(name, 60), *row) for name, row in zip(g.scenarios, text, strict=True)
            ),
        ),
        note=note,
        height=160 + 42 * len(g.scenarios),
        wide=True,
    )


def _positions(names: Sequence[str]) -> dict[str, object]:
    return {
        "type": "linear",
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "showgrid": False,
        "fixedrange": True,
    }
