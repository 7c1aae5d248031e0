"""Plots of scores: effectiveness and net shortfall by regime with intervals, costs by term."""

from __future__ import annotations

import math
from collections.abc import Sequence

from backtester.comparison import Curve
from backtester.metrics.inference import Estimate
from backtester.report.figure import NEUTRAL, Figure, Table, Trace, colour, layout, pattern, symbol
from backtester.report.labels import (
    MISSING,
    clean_text,
    distinct_labels,
    number,
    safe_label,
)
from backtester.report.scores import UNHEDGED, interval, regime_title, regimes_of, rows_of
from backtester.score import Scorecard

ROW = 34  # pixels a strategy takes in a horizontal plot
FLOOR = -1.0  # effectiveness below this is named, not drawn: it would flatten everything else


def effectiveness(card: Scorecard, market: str, key: str) -> Figure:
    """Net effectiveness of every strategy in every regime; 0 is no better than no hedge."""
    points = _points(card, market, "effectiveness_net", 100.0)
    hidden = [name for name, _, e in points if e.value < 100 * FLOOR]
    note = "100 % is all removed, 0 % is the unhedged book; below 0 % the hedge adds risk."
    if hidden:
        note += f" Not drawn, below −100 %: {', '.join(dict.fromkeys(hidden))}; see the table."
    return _dots(
        card,
        market,
        key,
        points,
        title="Effectiveness after costs by regime, with 95 % intervals",
        axis="Share of variance removed (%)",
        note=note,
        references={"": 0.0},
        lowest=100 * FLOOR,
        digits=1,
    )


def shortfall(card: Scorecard, market: str, key: str) -> Figure:
    """Net expected shortfall of every strategy in every regime beside the unhedged book."""
    points = _points(card, market, "net_es", 1.0)
    references = {}
    for regime in regimes_of(card, market):
        rows = rows_of(card, market, regime)
        references[regime] = rows[0].unhedged_es.value
        points.append((UNHEDGED, regime, rows[0].unhedged_es))
    return _dots(
        card,
        market,
        key,
        points,
        title="Net expected shortfall by regime, with 95 % intervals",
        axis="Loss over 10 bars, 97.5 % (% of capital)",
        note="Left is better. Dotted lines: the unhedged book in the regime of that colour.",
        references=references,
        lowest=None,
        digits=2,
    )


def costs(curves: Sequence[Curve], key: str) -> Figure:
    """Trading cost by term and carry, stacked; what is earned stands left of zero."""
    names = distinct_labels(tuple(c.strategy for c in curves))
    terms = tuple(dict.fromkeys(term for c in curves for term in c.cost_bps))
    traces: list[Trace] = []
    for i, term in enumerate(terms):
        values = [_paid(c, term) for c in curves]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": safe_label(term),
                "x": values,
                "y": list(range(len(curves))),
                "marker": {"color": colour(i), "pattern": pattern(i)},
                "customdata": list(names),
                "hovertemplate": "%{customdata}: %{x:.1f} bp",
            }
        )
    rows = [
        (
            clean_text(c.strategy, 60),
            *(number(_paid(c, term), 1) for term in terms),
            number(math.fsum(_paid(c, term) for term in terms), 1),
        )
        for c in curves
    ]
    return Figure(
        key=key,
        title="What the hedge costs, by term",
        alt="Stacked bars of trading cost by term and carry for each strategy. "
        "The table that follows gives the numbers.",
        traces=traces,
        layout=layout(
            "Paid (bp of exposure a year; left of zero is earned)",
            "",
            legend_rows=1,
            barmode="relative",
            yaxis=_names_axis(names),
            xaxis={"zeroline": True, "zerolinecolor": "@neutral"},
            bargap=0.35,
        ),
        table=Table(
            ("Strategy (bp of exposure a year)", *(clean_text(t, 40) for t in terms), "Sum"),
            tuple(rows),
        ),
        note="Carry is funding and borrow of the hedges; what is received counts as negative.",
        height=_height(len(curves)),
        wide=True,
    )


def _paid(curve: Curve, term: str) -> float:
    value = curve.cost_bps.get(term, 0.0)
    if not math.isfinite(value):
        return 0.0
    return -value if term == "carry" else value


Point = tuple[str, str, Estimate]


def _points(card: Scorecard, market: str, metric: str, scale: float) -> list[Point]:
    points = []
    for regime in regimes_of(card, market):
        for s in rows_of(card, market, regime):
            e = s.estimate(metric)
            note = e.note or ("undefined" if math.isnan(e.value) else "")
            scaled = Estimate(scale * e.value, scale * e.low, scale * e.high, note)
            points.append((s.strategy, regime, scaled))
    return points


def _dots(
    card: Scorecard,
    market: str,
    key: str,
    points: list[Point],
    *,
    title: str,
    axis: str,
    note: str,
    references: dict[str, float],
    lowest: float | None,
    digits: int,
) -> Figure:
    regimes = regimes_of(card, market)
    order = tuple(dict.fromkeys(name for name, _, _ in points))
    order = tuple(sorted(order, key=lambda n: n != UNHEDGED))
    labels = dict(zip(order, distinct_labels(order), strict=True))
    traces: list[Trace] = []
    for r, regime in enumerate(regimes):
        mine = [(n, e) for n, g, e in points if g == regime and math.isfinite(e.value)]
        if lowest is not None:
            mine = [(n, e) for n, e in mine if e.value >= lowest]
        shift = 0.22 * (r - (len(regimes) - 1) / 2)
        tint = NEUTRAL if r == 0 else colour(r - 1)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": safe_label(regime_title(regime)),
                "x": [e.value for _, e in mine],
                "y": [order.index(n) + shift for n, _ in mine],
                "customdata": [labels[n] for n, _ in mine],
                "marker": {"color": tint, "symbol": symbol(r), "size": 9},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_arm(e.high - e.value) for _, e in mine],
                    "arrayminus": [_arm(e.value - e.low) for _, e in mine],
                    "color": tint,
                    "thickness": 1.6,
                    "width": 4,
                },
                "hovertemplate": f"%{{customdata}}: %{{x:.{digits}f}}",
            }
        )
    lines = [
        {
            "type": "line",
            "x0": value,
            "x1": value,
            "y0": 0,
            "y1": 1,
            "yref": "paper",
            "line": {
                "color": "@neutral"
                if regime in ("", regimes[0])
                else colour(regimes.index(regime) - 1),
                "dash": "dot",
                "width": 1.3,
            },
        }
        for regime, value in references.items()
        if math.isfinite(value)
    ]
    x_axis = (
        {"range": [1.05 * lowest, 105.0]} if lowest is not None and _clipped(points, lowest) else {}
    )
    found = {(n, g): e for n, g, e in points}
    rows = tuple(
        (clean_text(name, 60), *(_cell(found.get((name, g)), digits) for g in regimes))
        for name in order
    )
    return Figure(
        key=key,
        title=title,
        alt=f"Dot plot with 95 % intervals: {len(order)} books in {len(regimes)} regimes. "
        "The table that follows gives the numbers.",
        traces=traces,
        layout=layout(
            axis,
            "",
            yaxis=_names_axis(tuple(labels[n] for n in order)),
            xaxis={"zeroline": True, "zerolinecolor": "@neutral", **x_axis},
            shapes=lines,
        ),
        table=Table((f"Book ({axis})", *(clean_text(regime_title(g), 40) for g in regimes)), rows),
        note=note,
        height=_height(len(order)),
    )


def _clipped(points: list[Point], lowest: float) -> bool:
    return any(e.value < lowest or e.low < lowest for _, _, e in points)


def _arm(length: float) -> float:
    """Length of one side of an interval; none is drawn where there is none."""
    return max(0.0, length) if math.isfinite(length) else 0.0


def _cell(e: Estimate | None, digits: int) -> str:
    if e is None or not math.isfinite(e.value):
        return MISSING
    ranged = interval(e, lambda v: number(v, digits))
    return f"{number(e.value, digits)} {ranged}".strip()


def _names_axis(names: Sequence[str]) -> dict[str, object]:
    """A vertical axis of names by position: a name that looks like a date stays a name."""
    return {
        "type": "linear",
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "fixedrange": True,
    }


def _height(rows: int) -> int:
    return 130 + ROW * max(rows, 3)
