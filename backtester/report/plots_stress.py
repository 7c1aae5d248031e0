"""Plots of a stress report: scenario × book heat-maps, and every strategy against correlation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.comparison import BreakEven, StressReport, Sweep
from backtester.metrics.regime import ALL
from backtester.report.figure import (
    NEUTRAL,
    Choice,
    Figure,
    Table,
    Trace,
    colour,
    dash,
    faded,
    layout,
    legend_rows,
    symbol,
)
from backtester.report.labels import MISSING, clean_text, distinct_labels, number
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


def effectiveness(sweeps: Sequence[Sweep], key: str) -> Figure:
    """Net effectiveness against correlation; each strategy re-hedges at every point."""
    return _sweep(
        sweeps,
        key,
        [(100 * s.effectiveness, None) for s in sweeps],
        metric="effectiveness",
        title="Effectiveness after costs against correlation",
        axis="Share of variance removed (%)",
        note="Zero is the unhedged book. ◆ marks the break-even correlation of a strategy.",
    )


def shortfall(sweeps: Sequence[Sweep], key: str) -> Figure:
    """Net shortfall against correlation beside the unhedged book."""
    return _sweep(
        sweeps,
        key,
        [(s.net_es, s.unhedged_es) for s in sweeps],
        metric="net_es",
        title="Net expected shortfall against correlation",
        axis="Loss over 10 bars, 97.5 % (% of capital)",
        note="Below the dashed line the hedge helps. ◆ marks where it stops.",
    )


def _sweep(
    sweeps: Sequence[Sweep],
    key: str,
    values: list[tuple[Float, Float | None]],
    *,
    metric: str,
    title: str,
    axis: str,
    note: str,
) -> Figure:
    names = distinct_labels(tuple(s.strategy for s in sweeps))
    traces: list[Trace] = []
    owner: list[int] = []
    for i, (s, (lines, bare)) in enumerate(zip(sweeps, values, strict=True)):
        known = np.isfinite(lines).all(axis=1)
        band: Trace = {
            "type": "scatter",
            "mode": "lines",
            "name": names[i],
            "x": _numbers(s.correlation[known]),
            "line": {"width": 0, "color": colour(i)},
            "showlegend": False,
            "hoverinfo": "skip",
            "visible": i == 0,
        }
        traces.append({**band, "y": _numbers(lines[known, 1])})
        high = {"y": _numbers(lines[known, 2]), "fill": "tonexty"}
        traces.append({**band, **high, "fillcolor": faded(colour(i), 0.18)})
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": names[i],
                "x": _numbers(s.correlation),
                "y": _numbers(lines[:, 0]),
                "line": {"color": colour(i), "dash": dash(i), "width": 1.8},
                "marker": {"size": 5, "symbol": symbol(i)},
                "hovertemplate": "%{y:.2f}",
            }
        )
        owner += [i, i, -1]
        marks = [b for b in s.break_even if b.metric == metric and b.correlation is not None]
        if marks:
            traces.append(_marks(s, marks, names[i], colour(i), bare))
            owner.append(-1)
    reference = _reference(sweeps[0], values[0][1]) if sweeps else []
    traces += reference
    owner += [-1] * len(reference)
    options = tuple(
        (clean_text(s.strategy, 60), tuple(o in (-1, i) for o in owner))
        for i, s in enumerate(sweeps)
    )
    return Figure(
        key=key,
        title=title,
        alt=f"Line plot of {len(sweeps)} strategies over correlations from −1 to 1. "
        "The table that follows gives the numbers.",
        traces=traces,
        layout=layout(
            "Correlation of the exposure with its hedges",
            axis,
            legend_rows=legend_rows((*names, UNHEDGED)),
            hovermode="x unified",
            xaxis={"range": [-1.03, 1.03], "hoverformat": ".2f"},
            yaxis={"zeroline": True, "zerolinecolor": "@neutral"},
        ),
        table=_sweep_table(sweeps, values, axis),
        note=note,
        choice=Choice("Shaded 95 % interval of", options, 0) if options else None,
        height=430,
        wide=True,
    )


def _marks(s: Sweep, marks: list[BreakEven], name: str, tint: str, bare: Float | None) -> Trace:
    at = [float(b.correlation) for b in marks if b.correlation is not None]
    level = np.zeros(len(at)) if bare is None else np.interp(at, s.correlation, bare)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": at,
        "y": _numbers(level),
        "marker": {
            "symbol": "diamond",
            "size": 12,
            "color": tint,
            "line": {"width": 1.5, "color": "@page"},
        },
        "showlegend": False,
        "hovertemplate": "break-even %{x:.3f}",
    }


def _reference(s: Sweep, bare: Float | None) -> list[Trace]:
    ends = np.array([-1.0, 1.0])
    x, y = (ends, np.zeros(2)) if bare is None else (s.correlation, bare)
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": UNHEDGED,
            "legendrank": 1,
            "x": _numbers(x),
            "y": _numbers(y),
            "line": {"color": NEUTRAL, "dash": "dash", "width": 2},
            "hovertemplate": "%{y:.2f}",
        }
    ]


def _sweep_table(
    sweeps: Sequence[Sweep], values: list[tuple[Float, Float | None]], axis: str
) -> Table:
    if not sweeps:
        return Table((axis,), ())
    points = sweeps[0].correlation
    chosen = np.unique(np.linspace(0, len(points) - 1, min(11, len(points))).astype(np.int64))
    rows = []
    if values[0][1] is not None:
        rows.append((UNHEDGED, *(number(float(values[0][1][i])) for i in chosen)))
    for s, (lines, _) in zip(sweeps, values, strict=True):
        rows.append((clean_text(s.strategy, 60), *(_ranged(lines[i]) for i in chosen)))
    header = (f"{axis} at correlation", *(number(float(points[i])) for i in chosen))
    return Table(header, tuple(rows))


def _ranged(point: Float) -> str:
    value, low, high = (float(v) for v in point)
    if not math.isfinite(value):
        return MISSING
    ranged = f" [{number(low)}, {number(high)}]" if math.isfinite(low + high) else ""
    return number(value) + ranged


def _numbers(values: Float) -> list[float | None]:
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values]
