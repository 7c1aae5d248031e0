"""Plots of the correlation sweep: every re-hedging strategy against correlation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backtester.arrays import Float
from backtester.comparison import BreakEven, Sweep
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
from backtester.report.scores import UNHEDGED


def effectiveness(sweeps: Sequence[Sweep], key: str, order: Sequence[str]) -> Figure:
    """Net effectiveness against correlation; each strategy re-hedges at every point.

    order: labels of the study's strategies, which keep their colours in every plot.
    """
    return _sweep(
        sweeps,
        key,
        order,
        [(100 * s.effectiveness, None) for s in sweeps],
        metric="effectiveness",
        title="Effectiveness after costs against correlation",
        axis="Share of variance removed (%)",
        note="Zero is the unhedged book. ◆ marks the break-even correlation of a strategy.",
    )


def shortfall(sweeps: Sequence[Sweep], key: str, order: Sequence[str]) -> Figure:
    """Net shortfall against correlation beside the unhedged book."""
    return _sweep(
        sweeps,
        key,
        order,
        [(s.net_es, s.unhedged_es) for s in sweeps],
        metric="net_es",
        title="Net expected shortfall against correlation",
        axis="Loss over 10 bars, 97.5 % (% of capital)",
        note="Below the dashed line the hedge helps. ◆ marks where it stops.",
    )


def _sweep(
    sweeps: Sequence[Sweep],
    key: str,
    order: Sequence[str],
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
        tint = order.index(s.strategy)
        known = np.isfinite(lines).all(axis=1)
        band: Trace = {
            "type": "scatter",
            "mode": "lines",
            "name": names[i],
            "x": _numbers(s.correlation[known]),
            "line": {"width": 0, "color": colour(tint)},
            "showlegend": False,
            "hoverinfo": "skip",
            "visible": i == 0,
        }
        traces.append({**band, "y": _numbers(lines[known, 1])})
        high = {"y": _numbers(lines[known, 2]), "fill": "tonexty"}
        traces.append({**band, **high, "fillcolor": faded(colour(tint), 0.18)})
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": names[i],
                "x": _numbers(s.correlation),
                "y": _numbers(lines[:, 0]),
                "line": {"color": colour(tint), "dash": dash(tint), "width": 1.8},
                "marker": {"size": 5, "symbol": symbol(tint)},
                "hovertemplate": "%{y:.2f}",
            }
        )
        owner += [i, i, -1]
        marks = [b for b in s.break_even if b.metric == metric and b.correlation is not None]
        if marks:
            traces.append(_marks(s, marks, names[i], colour(tint), bare))
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
