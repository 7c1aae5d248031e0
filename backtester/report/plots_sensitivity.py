"""Correlation sensitivity of every book: analytic, frozen and re-hedged, in a table and a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backtester.comparison import BreakEven, Sweep
from backtester.metrics.sensitivity import BookSensitivity
from backtester.report.figure import (
    NEUTRAL,
    Choice,
    Figure,
    Table,
    Trace,
    colour,
    faded,
    layout,
    legend_rows,
)
from backtester.report.labels import MISSING, clean_text, distinct_labels, number
from backtester.report.scores import UNHEDGED

STEP = 0.1  # derivatives are shown for correlations this much higher
SIDES = ("negative", "positive")


def sensitivity_table(sweeps: Sequence[Sweep]) -> Table:
    """dσ/dρ of the unhedged book and of every strategy's, with its break-even correlations."""
    header = (
        "Book",
        "Volatility",
        "All ρ +0.1",
        "exposures",
        "across",
        "hedges",
        "Largest pair",
        "HE net 0 at ρ",
        "Benefit 0 at ρ",
    )
    if not sweeps:
        return Table(header, ())
    rows = [(UNHEDGED, *_slopes(sweeps[0].unhedged_book), MISSING, MISSING)]
    for s in sweeps:
        zero, none = (_break_even(s.break_even, metric) for metric in ("effectiveness", "net_es"))
        rows.append((clean_text(s.strategy, 60), *_slopes(s.book), zero, none))
    return Table(header, tuple(rows), texts=(6,))


def volatility_plot(sweeps: Sequence[Sweep], key: str, order: Sequence[str]) -> Figure:
    """Volatility against correlation: no hedge, the frozen book, and the book that re-hedges."""
    names = distinct_labels(tuple(s.strategy for s in sweeps))
    traces: list[Trace] = []
    owner: list[int] = []
    for i, s in enumerate(sweeps):
        tint = colour(order.index(s.strategy))
        known = np.isfinite(s.volatility).all(axis=1)
        shared: Trace = {"type": "scatter", "mode": "lines", "visible": i == 0}
        band = {
            **shared,
            "name": names[i],
            "x": _numbers(s.correlation[known]),
            "line": {"width": 0, "color": tint},
            "showlegend": False,
            "hoverinfo": "skip",
        }
        traces.append({**band, "y": _numbers(s.volatility[known, 1])})
        traces.append(
            {
                **band,
                "y": _numbers(s.volatility[known, 2]),
                "fill": "tonexty",
                "fillcolor": faded(tint, 0.18),
            }
        )
        traces.append(
            {
                **shared,
                "name": "Re-hedged, after costs",
                "x": _numbers(s.correlation),
                "y": _numbers(s.volatility[:, 0]),
                "line": {"color": tint, "width": 2},
                "hovertemplate": "%{y:.2f}",
            }
        )
        traces.append(
            {
                **shared,
                "name": "Frozen book of the base scenario",
                "x": _numbers(s.correlation),
                "y": _numbers(s.frozen_volatility),
                "line": {"color": tint, "width": 2, "dash": "dash"},
                "hovertemplate": "%{y:.2f}",
            }
        )
        owner += [i] * 4
    first = sweeps[0]
    traces.append(
        {
            "type": "scatter",
            "mode": "lines",
            "name": UNHEDGED,
            "x": _numbers(first.correlation),
            "y": _numbers(first.unhedged_volatility),
            "line": {"color": NEUTRAL, "dash": "dot", "width": 2},
            "hovertemplate": "%{y:.2f}",
        }
    )
    owner.append(-1)
    options = tuple(
        (clean_text(s.strategy, 60), tuple(o in (-1, i) for o in owner))
        for i, s in enumerate(sweeps)
    )
    return Figure(
        key=key,
        title="Volatility against correlation: frozen and re-hedged",
        alt=f"Line plot of {len(sweeps)} strategies: volatility of the unhedged, the frozen and "
        "the re-hedged book over correlations. The table that follows gives the numbers.",
        traces=traces,
        layout=layout(
            "Correlation of the exposure with its hedges",
            "Volatility (% of exposure a year)",
            legend_rows=legend_rows(
                ("Re-hedged, after costs", "Frozen book of the base", UNHEDGED)
            ),
            hovermode="x unified",
            xaxis={"range": [-1.03, 1.03], "hoverformat": ".2f"},
            yaxis={"rangemode": "tozero"},
        ),
        table=_table(sweeps),
        note="Frozen: the mean book of the base scenario, never traded again, before costs "
        "(analytic, from the covariance at each correlation). Re-hedged: the strategy run at "
        "every correlation, after costs, with its 95 % interval. The gap is what re-hedging is "
        "worth.",
        choice=Choice("Strategy", options, 0),
        height=430,
        wide=True,
    )


def _table(sweeps: Sequence[Sweep]) -> Table:
    points = sweeps[0].correlation
    chosen = np.unique(np.linspace(0, len(points) - 1, min(11, len(points))).astype(np.int64))
    rows = [(UNHEDGED, *(number(float(sweeps[0].unhedged_volatility[i])) for i in chosen))]
    for s in sweeps:
        name = clean_text(s.strategy, 60)
        rows.append((f"{name}, frozen", *(number(float(s.frozen_volatility[i])) for i in chosen)))
        rows.append((f"{name}, re-hedged", *(number(float(s.volatility[i, 0])) for i in chosen)))
    header = ("% of exposure a year at correlation", *(number(float(points[i])) for i in chosen))
    return Table(header, tuple(rows))


def _slopes(b: BookSensitivity) -> tuple[str, ...]:
    slopes = (b.total, b.exposures, b.across, b.hedges)
    pair = MISSING
    if b.pairs:
        p = b.pairs[0]
        pair = f"{clean_text(p.first, 30)} · {clean_text(p.second, 30)} (ρ {number(p.correlation)})"
        pair += f" {number(STEP * p.sensitivity, sign=True)}"
    return (number(b.volatility), *(number(STEP * x, sign=True) for x in slopes), pair)


def _break_even(found: Sequence[BreakEven], metric: str) -> str:
    """Both sides, negative first."""
    by_side = {b.side: b for b in found if b.metric == metric}
    values = [by_side[side].correlation for side in SIDES if side in by_side]
    shown = [MISSING if v is None or not math.isfinite(v) else number(v, 3) for v in values]
    return " and ".join(shown) if any(x != MISSING for x in shown) else MISSING


def _numbers(values: object) -> list[float | None]:
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in np.asarray(values)]
