"""Plots through time: equity, drawdown, correlation with its regimes, and hedge notionals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.comparison import Curve, MarketSummary
from backtester.regimes.labelled import normal_index
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
)
from backtester.report.labels import (
    clean_text,
    distinct_labels,
    money,
    number,
    plural,
)
from backtester.report.sampling import keep_extremes, keep_shared, packed, points_for, stamps

Show = Callable[[float], str]

DATES = 8  # columns of the table beside a plot through time
MEDIAN = 1  # column of the median among the quantiles 5 %, 50 %, 95 %


def equity(market: MarketSummary, curves: Sequence[Curve], key: str, best: int) -> Figure:
    """Equity net of costs beside the unhedged book; an ensemble as median and 5–95 % band.

    best: index of the strategy whose band is shown first.
    """
    lines = [("Unhedged", curves[0].equity_unhedged)]
    lines += [(c.strategy, c.equity_net) for c in curves]
    return _lines(
        curves[0].times,
        lines,
        key,
        best,
        title="Equity after costs" + _of_paths(market),
        axis="Equity (money)",
        shown=money,
        note="The table gives the same curves at eight dates.",
    )


def drawdown(market: MarketSummary, curves: Sequence[Curve], key: str, best: int) -> Figure:
    """Fall of equity net of costs below its running peak."""
    lines = [("Unhedged", 100 * curves[0].drawdown_unhedged)]
    lines += [(c.strategy, 100 * c.drawdown_net) for c in curves]
    return _lines(
        curves[0].times,
        lines,
        key,
        best,
        title="Drawdown after costs" + _of_paths(market),
        axis="Drawdown (% of the running peak)",
        shown=lambda v: number(v, 1),
        note="Zero is a new peak. The score table states falls in % of capital instead.",
    )


def correlation(market: MarketSummary, key: str) -> Figure:
    """Rolling correlation of the exposure with each hedge; crises shaded as labelled ex post."""
    names = distinct_labels(market.instruments)
    traces = regime_shading(market.times, market.label, market.label_names)
    points = points_for(len(names))
    for k, name in enumerate(names):
        values = market.correlation[:, k]
        traces.append(_line(market.times, values, name, colour(k), dash(k), points, ".2f"))
    columns: list[tuple[str, Float, Show]] = [
        (name, market.correlation[:, k], number) for k, name in enumerate(market.instruments)
    ]
    low, high = _bounds(market.correlation)
    return Figure(
        key=key,
        title="Rolling 60-bar correlation of the exposure with each hedge" + _one_path(market),
        alt=f"Line plot of correlation through time with regimes shaded; it ranges from "
        f"{number(low)} to {number(high)}. The table that follows gives the numbers.",
        traces=traces,
        layout=layout(
            "Time (UTC)",
            "Correlation",
            time=True,
            legend_rows=legend_rows(names),
            yaxis={"range": [-1.05, 1.05]},
            yaxis2={
                "overlaying": "y",
                "side": "right",
                "range": [0, 1],
                "visible": False,
                "fixedrange": True,
            },
        ),
        table=_at_dates(market.times, columns, "Correlation with"),
        note="Shaded: bars labelled ex post, as stated above; the strategies never see this label.",
    )


def hedges(market: MarketSummary, curves: Sequence[Curve], key: str, best: int) -> Figure:
    """Hedge notionals of one strategy at a time, chosen in a drop-down, beside the exposure."""
    count = len(market.instruments)
    names = distinct_labels(market.instruments)
    times, points = curves[0].times, points_for(len(curves) * count)
    exposed = _line(times, curves[0].exposure, "Gross exposure", NEUTRAL, "dash", points, ",.0f")
    traces: list[Trace] = [exposed]
    for s, curve in enumerate(curves):
        for k in range(count):
            line = _line(times, curve.hedges[:, k], names[k], colour(k), dash(k), points, ",.0f")
            line["line"]["shape"] = "hv"  # held until the next fill
            traces.append({**line, "visible": s == best})
    options = tuple(
        (
            clean_text(curve.strategy, 60),
            (True, *(s == i for s in range(len(curves)) for _ in range(count))),
        )
        for i, curve in enumerate(curves)
    )
    columns: list[tuple[str, Float, Show]] = [
        (f"{curve.strategy} · {name}", curve.hedges[:, k], money)
        for curve in curves
        for k, name in enumerate(market.instruments)
    ]
    return Figure(
        key=key,
        title="Hedge notionals" + _one_path(market),
        alt="Line plot of the notional held in each hedge instrument; negative is short. "
        "The table that follows gives the numbers for every strategy.",
        traces=traces,
        layout=layout("Time (UTC)", "Notional (money)", time=True, legend_rows=legend_rows(names)),
        table=_at_dates(times, columns, "Strategy · instrument (money)"),
        note="Negative notionals are short positions.",
        choice=Choice("Strategy", options, best),
    )


def _lines(
    times: Int,
    lines: list[tuple[str, Float]],
    key: str,
    best: int,
    *,
    title: str,
    axis: str,
    shown: Show,
    note: str,
) -> Figure:
    banded = lines[0][1].shape[1] == 3
    middle = MEDIAN if banded else 0
    names = distinct_labels(tuple(name for name, _ in lines))
    points = points_for(len(lines) * (3 if banded else 1))
    traces: list[Trace] = []
    owner: list[int] = []  # which line a band belongs to, −1 for a line itself
    for i, (_, values) in enumerate(lines):
        tint = NEUTRAL if i == 0 else colour(i - 1)
        style = "dash" if i == 0 else dash(i - 1)
        if banded:
            visible = i in (0, best + 1)
            traces += _band(times, values, names[i], tint, points, visible)
            owner += [i, i]
        line = _line(times, values[:, middle], names[i], tint, style, points, ",.4~g")
        if i == 0:
            bare = {**line, "legendrank": 1}
        else:
            traces.append(line)
            owner.append(-1)
    traces.append(bare)  # on top: a strategy that does not hedge would hide it
    owner.append(-1)
    choice = None
    if banded:
        options = [
            (clean_text(name, 60), tuple(o in (-1, 0, i) for o in owner))
            for i, (name, _) in enumerate(lines)
        ]
        choice = Choice("Shaded 5–95 % of paths: unhedged and", tuple(options[1:]), best)
    columns: list[tuple[str, Float, Show]] = [
        (name, values[:, middle], shown) for name, values in lines
    ]
    final = [float(values[-1, middle]) for _, values in lines]
    return Figure(
        key=key,
        title=title,
        alt=f"Line plot of {plural(len(lines), 'curve')}; at the end the unhedged book stands at "
        f"{number(final[0], 1)} and the strategies between {number(min(final[1:]), 1)} and "
        f"{number(max(final[1:]), 1)}. The table that follows gives the numbers.",
        traces=traces,
        layout=layout("Time (UTC)", axis, time=True, legend_rows=legend_rows(names)),
        table=_at_dates(times, columns, f"{axis}{', median' if banded else ''}"),
        note=note,
        choice=choice,
        wide=True,
    )


def _line(
    times: Int, values: Float, name: str, tint: str, style: str, points: int, shown: str
) -> Trace:
    chosen = keep_extremes(values, points)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": stamps(times, chosen),
        "y": packed(values[chosen]),
        "line": {"color": tint, "dash": style, "width": 1.6},
        "hovertemplate": f"%{{y:{shown}}}",
    }


def _band(
    times: Int, values: Float, name: str, tint: str, points: int, visible: bool
) -> list[Trace]:
    chosen = keep_shared(values, points)
    common: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": stamps(times, chosen),
        "line": {"width": 0, "color": tint},
        "showlegend": False,
        "hoverinfo": "skip",
        "visible": visible,
    }
    low = {**common, "y": packed(values[chosen, 0])}
    high = {**common, "y": packed(values[chosen, 2])}
    return [low, {**high, "fill": "tonexty", "fillcolor": faded(tint, 0.15)}]


def regime_shading(times: Int, label: Byte, names: Sequence[str]) -> list[Trace]:
    """One step area per regime other than the normal one, on a hidden axis 0 … 1."""
    traces: list[Trace] = []
    for index in range(len(names)):
        if index == normal_index(names):
            continue
        inside = (label == index).astype(np.int64)
        if not inside.any():
            continue
        changes = np.flatnonzero(np.diff(inside)) + 1
        at = np.unique(np.concatenate([[0], changes, [len(inside) - 1]]))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": distinct_labels(tuple(names))[index],
                "x": stamps(times, at),
                "y": packed(inside[at], "u1"),
                "yaxis": "y2",
                "line": {"width": 0, "shape": "hv", "color": colour(index)},
                "fill": "tozeroy",
                "fillcolor": faded(colour(index), 0.18),
                "hoverinfo": "skip",
            }
        )
    return traces


def _at_dates(times: Int, columns: Sequence[tuple[str, Float, Show]], what: str) -> Table:
    at = np.unique(np.linspace(0, len(times) - 1, min(DATES, len(times))).astype(np.int64))
    stamped = times[at].astype("datetime64[ns]")
    daily = bool((np.diff(stamped) >= np.timedelta64(1, "D")).all())
    header = [str(s.astype("datetime64[D]" if daily else "datetime64[m]")) for s in stamped]
    rows = []
    for name, values, shown in columns:
        rows.append((clean_text(name, 60), *(shown(float(values[i])) for i in at)))
    return Table((what, *header), tuple(rows))


def _bounds(values: Float) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)


def _of_paths(market: MarketSummary) -> str:
    return f" (median of {plural(market.paths, 'path')})" if market.paths > 1 else ""


def _one_path(market: MarketSummary) -> str:
    return f" (the first of {plural(market.paths, 'path')})" if market.paths > 1 else ""
