"""Plots of a calibration: the data as a line, simulated paths as a median and a 5–95 % band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.calibration.fit_check import TAILS, WINDOW, FitCheck
from backtester.report.figure import Choice, Figure, Table, Trace, colour, faded, layout
from backtester.report.labels import clean_text, distinct_labels, number
from backtester.report.plots_time import regime_shading
from backtester.report.sampling import keep_extremes, packed, stamps

MODEL, DATA, OTHER = 0, 1, 2  # colours
NOTE = "Median and 5–95 % band of the simulated paths, each as long as the data."


def quantiles(check: FitCheck, key: str) -> Figure:
    """Quantile against quantile, one asset at a time."""
    traces: list[Trace] = []
    for n in range(len(check.assets)):
        data, model = 100 * check.quantile[n], 100 * check.quantile_model[n]
        middle = model[:, 1]
        traces += _banded(middle, model, n == 0)
        traces.append(_line(middle, middle, "Model median", MODEL, n == 0) | {"hoverinfo": "skip"})
        traces.append(
            _line(middle, data, "Data", DATA, n == 0)
            | {"mode": "markers", "marker": {"size": 5, "color": colour(DATA)}}
        )
    size = check.quantile.shape[1]
    picks = sorted({0, size // 10, size // 4, size // 2, -1 - size // 4, -1 - size // 10, size - 1})
    rows = tuple(
        (
            clean_text(asset, 60),
            *(
                f"{number(100 * check.quantile[n, k])} "
                f"({number(100 * check.quantile_model[n, k, 1])})"
                for k in picks
            ),
        )
        for n, asset in enumerate(check.assets)
    )
    return Figure(
        key=key,
        title="Quantiles of log returns",
        alt="Quantiles of the data against those of the median simulated path; on the diagonal "
        "they agree. The table that follows gives some of them.",
        traces=traces,
        layout=layout("Model quantile (%)", "Data quantile (%)"),
        table=Table(
            ("Asset: data (model), %", "lowest", *("·" for _ in picks[1:-1]), "highest"), rows
        ),
        note=NOTE,
        choice=_choice("Asset", check.assets, 4),
    )


def squares(check: FitCheck, key: str) -> Figure:
    """Autocorrelation of squared returns, one asset at a time."""
    lags = np.arange(1.0, check.squares.shape[1] + 1)
    traces: list[Trace] = []
    for n in range(len(check.assets)):
        model = check.squares_model[n]
        traces += _banded(lags, model, n == 0)
        traces.append(_line(lags, model[:, 1], "Model median", MODEL, n == 0))
        traces.append(_line(lags, check.squares[n], "Data", DATA, n == 0, dots=True))
    shown = [k for k in (1, 2, 5, 10, 20, 40) if k <= len(lags)]
    return Figure(
        key=key,
        title="Autocorrelation of squared log returns",
        alt="Autocorrelation by lag, data beside the simulated band. The table gives some lags.",
        traces=traces,
        layout=layout("Lag (bars)", "Autocorrelation"),
        table=Table(
            ("Asset: data (model)", *(f"lag {k}" for k in shown)),
            _cells(check.assets, check.squares, check.squares_model, [k - 1 for k in shown]),
        ),
        note=NOTE + " One extreme day lowers every other lag: the median of a heavy tail is low.",
        choice=_choice("Asset", check.assets, 4),
    )


def correlation(check: FitCheck, key: str) -> Figure:
    """Rolling correlation of the data through time, with the band any simulated window has."""
    window = len(check.times) - check.rolling.shape[1] + 1
    times = check.times[window - 1 :]
    traces = regime_shading(check.times, check.label, check.label_names)
    shades = len(traces)
    for m in range(len(check.pairs)):
        low, middle, high = (float(v) for v in check.rolling_model[m])
        ends = stamps(times, np.array([0, len(times) - 1]))
        flat = np.array([1.0, 1.0])
        band = _banded(ends, np.outer(flat, [low, middle, high]), m == 0)
        chosen = keep_extremes(check.rolling[m], 800)
        traces += band
        traces.append(_line(ends, flat * middle, "Model median", MODEL, m == 0))
        traces.append(_line(stamps(times, chosen), check.rolling[m][chosen], "Data", DATA, m == 0))
    rows = tuple(
        (
            clean_text("/".join(pair), 60),
            *(number(float(v)) for v in np.quantile(check.rolling[m], (0.05, 0.5, 0.95))),
            *(number(float(v)) for v in check.rolling_model[m]),
        )
        for m, pair in enumerate(check.pairs)
    )
    return Figure(
        key=key,
        title=f"Correlation of the {WINDOW if window == WINDOW else window} bars before",
        alt="Rolling correlation of the data through time beside the band of simulated windows.",
        traces=traces,
        layout=layout(
            "Time (UTC)",
            "Correlation",
            time=True,
            legend_rows=2,
            yaxis={"range": [-1.05, 1.05]},
            yaxis2={"overlaying": "y", "side": "right", "range": [0, 1], "visible": False},
        ),
        table=Table(("Pair", "data 5 %", "median", "95 %", "model 5 %", "median", "95 %"), rows),
        note="Shaded: regimes as labelled. The band is over all windows of all simulated paths.",
        choice=_choice("Pair", ["/".join(p) for p in check.pairs], 4, shades),
        wide=True,
    )


def tails(check: FitCheck, key: str) -> Figure:
    """Joint tails against the threshold, one pair at a time."""
    x = 100 * np.array(TAILS)
    traces: list[Trace] = []
    for m in range(len(check.pairs)):
        model = check.lower_model[m]
        traces += _banded(x, model, m == 0)
        traces.append(_line(x, model[:, 1], "Model median, lower", MODEL, m == 0))
        traces.append(_line(x, check.lower[m], "Data, lower tail", DATA, m == 0, dots=True))
        traces.append(_line(x, check.upper[m], "Data, upper tail", OTHER, m == 0, dots=True))
    names = ["/".join(p) for p in check.pairs]
    return Figure(
        key=key,
        title="Joint tails of log returns",
        alt="Share of one asset's extreme bars that are among the other's, by threshold.",
        traces=traces,
        layout=layout(
            "Threshold (% of bars)", "Share in both tails", yaxis={"range": [-0.02, 1.02]}
        ),
        table=Table(
            ("Pair: lower tail, data (model)", *(f"{100 * q:g} %" for q in TAILS)),
            _cells(names, check.lower, check.lower_model, range(len(TAILS))),
        ),
        note=NOTE + " The band is of the lower tail; at 1 % a few bars decide.",
        choice=_choice("Pair", names, 5),
        wide=True,
    )


def _banded(x: Any, model: Float, visible: bool) -> list[Trace]:
    common: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": x if isinstance(x, dict) else packed(x),
        "line": {"width": 0, "color": colour(MODEL)},
        "showlegend": False,
        "hoverinfo": "skip",
        "visible": visible,
    }
    high = {**common, "y": packed(model[:, 2]), "fill": "tonexty"}
    return [{**common, "y": packed(model[:, 0])}, {**high, "fillcolor": faded(colour(MODEL), 0.18)}]


def _line(x: Any, y: Float, name: str, tint: int, visible: bool, *, dots: bool = False) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers" if dots else "lines",
        "name": name,
        "x": x if isinstance(x, dict) else packed(x),
        "y": packed(y),
        "line": {"color": colour(tint), "width": 1.6, "dash": "dash" if tint == MODEL else "solid"},
        "hovertemplate": "%{x:.3~g}: %{y:.3~f}" if not isinstance(x, dict) else "%{y:.2f}",
        "visible": visible,
    }


def _choice(label: str, names: Sequence[str], each: int, always: int = 0) -> Choice:
    shown = distinct_labels(tuple(names))
    options = tuple(
        (name, (*(True,) * always, *(k // each == i for k in range(each * len(names)))))
        for i, name in enumerate(shown)
    )
    return Choice(label, options)


def _cells(
    names: Sequence[str], data: Float, model: Float, at: Sequence[int] | range
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            clean_text(name, 60),
            *(f"{number(float(data[n, k]))} ({number(float(model[n, k, 1]))})" for k in at),
        )
        for n, name in enumerate(names)
    )
