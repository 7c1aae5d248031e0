"""Plot of a walk-forward evaluation: what each choice promised and what it held."""

from __future__ import annotations

import math

from backtester.metrics.walk import FoldScore, WalkScore
from backtester.report.figure import NEUTRAL, Figure, Table, Trace, colour, layout
from backtester.report.labels import clean_text, number, safe_label

_LINES = (
    ("In-sample", "inside", "net_es", 1, "circle", "dash"),
    ("Out-of-sample", "outside", "net_es", 0, "square", "solid"),
)


def walk_plot(w: WalkScore, key: str) -> Figure:
    """Net shortfall of every choice on its training window and on its test window."""
    traces: list[Trace] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": name,
            "x": [f.test[0] for f in w.folds],
            "y": [_value(f, side, figure) for f in w.folds],
            "customdata": [safe_label(f.chosen) for f in w.folds],
            "line": {"color": colour(tint), "dash": dash, "width": 1.8},
            "marker": {"symbol": marker, "size": 8, "color": colour(tint)},
            "hovertemplate": "%{y:.2f} (%{customdata})",
        }
        for name, side, figure, tint, marker, dash in _LINES
    ]
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Unhedged, out-of-sample",
            "x": [f.test[0] for f in w.folds],
            "y": [_value(f, "outside", "unhedged_es") for f in w.folds],
            "line": {"color": NEUTRAL, "dash": "dot", "width": 1.8},
            "hovertemplate": "%{y:.2f}",
        }
    )
    rows = tuple(
        (
            f.test[0],
            clean_text(f.chosen, 80),
            *(number(x) for x in (f.inside["net_es"], f.outside["net_es"])),
            number(f.outside["unhedged_es"]),
        )
        for f in w.folds
    )
    return Figure(
        key=key,
        title=f"Walk-forward of {clean_text(w.strategy, 60)}: promised and held",
        alt=f"Line plot over {len(w.folds)} choices: net shortfall in-sample and out-of-sample. "
        "The table that follows gives the numbers.",
        traces=traces,
        layout=layout(
            "First day of the test window",
            "Loss over 10 bars, 97.5 % (% of capital)",
            time=True,
        ),
        table=Table(
            (
                "Test from (% of capital)",
                "Chosen",
                "In-sample",
                "Out-of-sample",
                "Unhedged, out-of-sample",
            ),
            rows,
            names=2,
        ),
        note="A choice that is worth something keeps out of sample what it showed in sample. The "
        "markets of the two windows differ: the unhedged book says by how much.",
        wide=True,
    )


def _value(fold: FoldScore, side: str, figure: str) -> float | None:
    values: dict[str, float] = getattr(fold, side)
    value = values[figure]
    return float(f"{value:.6g}") if math.isfinite(value) else None
