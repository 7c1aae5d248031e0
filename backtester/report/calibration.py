"""`calibration_html`: data against simulation, one self-contained file."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from backtester.calibration.fit_check import TAILS, FitCheck, outside
from backtester.clock import iso
from backtester.report import plots_calibration as plots
from backtester.report.figure import Table
from backtester.report.head import Fact, Head
from backtester.report.labels import clean_text, number, percent, plural
from backtester.report.page import render

EXPECTED = 0.10
"""Share of points outside a band of 5 to 95 % if the model were the truth."""


def calibration_html(check: FitCheck, name: str, estimates: str) -> str:
    """The page: a verdict in numbers, four plots, and `estimates` as text.

    The file makes no request of any kind. Raises StoreError where plotly.js is not installed.
    """
    margins = (plots.quantiles(check, "c-quantiles"), plots.squares(check, "c-squares"))
    dependence = (plots.correlation(check, "c-correlation"), plots.tails(check, "c-tails"))
    start, end = iso(int(check.times[0])), iso(int(check.times[-1]))
    facts = (
        Fact("Data", f"{start} to {end}, {plural(len(check.times), 'bar')}"),
        Fact("Assets", clean_text(", ".join(check.assets), 300), wide=True),
        Fact("Simulation", f"{plural(check.paths, 'path')} of as many bars"),
    )
    return render(
        "calibration.html",
        title=f"{clean_text(name, 80)} – calibration",
        kicker="Calibration: data against simulation",
        head=Head(clean_text(name, 80), facts, (), (), (), ""),
        summary=summary(check),
        tables=(margin_table(check), pair_table(check)),
        margins=margins,
        dependence=dependence,
        figures=(*margins, *dependence),
        estimates=estimates,
        foot=f"Made by hedge-backtester {clean_text(version('hedge-backtester'), 40)}. "
        "This file makes no request.",
    )


def summary(check: FitCheck) -> str:
    """What the tables say, in a few sentences."""
    shares = [
        f"{name} {percent(float(outside(data, model).mean()), 0)}\u00a0%"
        for name, data, model in (
            ("quantiles", check.quantile, check.quantile_model),
            ("autocorrelation of squares", check.squares, check.squares_model),
            ("joint lower tails", check.lower, check.lower_model),
            ("joint upper tails", check.upper, check.upper_model),
        )
    ]
    at = TAILS.index(0.05)
    above = int((check.lower[:, at] > check.lower_model[:, at, 2]).sum())
    below = int((check.upper[:, at] < check.upper_model[:, at, 0]).sum())
    return (
        "Share of what the data shows that lies outside the 5–95 % band of the simulated paths: "
        f"{', '.join(shares)}. Were the model the truth, about {100 * EXPECTED:.0f}\u00a0% would; "
        "points of one series move together, so one row far above it can be chance, most rows "
        "cannot. At the "
        f"5 % threshold {above} of {plural(len(check.pairs), 'pair')} fall together more often "
        f"than the band allows, and {below} rise together less often."
    )


def margin_table(check: FitCheck) -> Table:
    """Each asset: outside the band, and the extremes."""
    quantile = outside(check.quantile, check.quantile_model)
    squares = outside(check.squares, check.squares_model)
    rows = tuple(
        (
            clean_text(asset, 60),
            percent(float(quantile[n])),
            percent(float(squares[n])),
            percent(float(np.expm1(check.quantile[n, 0]))),
            percent(float(np.expm1(check.quantile_model[n, 0, 1]))),
        )
        for n, asset in enumerate(check.assets)
    )
    return Table(
        (
            "Asset",
            "Quantiles outside (%)",
            "Squares outside (%)",
            "Worst bar, data (%)",
            "Worst bar, median path (%)",
        ),
        rows,
    )


def pair_table(check: FitCheck) -> Table:
    """Each pair: rolling correlation and tails outside the band."""
    low, high = check.rolling_model[:, :1], check.rolling_model[:, 2:]
    beyond = ((check.rolling < low) | (check.rolling > high)).mean(axis=1)
    tails = (outside(check.lower, check.lower_model), outside(check.upper, check.upper_model))
    at = TAILS.index(0.05)
    rows = tuple(
        (
            clean_text("/".join(pair), 60),
            percent(float(beyond[m])),
            percent(float(tails[0][m])),
            percent(float(tails[1][m])),
            number(float(check.lower[m, at])),
            number(float(check.upper[m, at])),
            number(float(check.lower_model[m, at, 1])),
        )
        for m, pair in enumerate(check.pairs)
    )
    return Table(
        (
            "Pair", "Correlation outside (%)", "Lower tails outside (%)",
            "Upper tails outside (%)", "Lower 5 %, data", "Upper 5 %, data",
            "5 %, median path",
        ),
        rows,
    )  # fmt: skip
