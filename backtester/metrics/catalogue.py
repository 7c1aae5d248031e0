"""What every column of a scorecard is called, measured in and good for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """One column."""

    name: str
    unit: str
    better: str  # "lower", "higher", or "" where neither is
    meaning: str


METRICS = (
    Metric(
        "net_es",
        "% of capital",
        "lower",
        "expected shortfall of net P&L over 10 bars at 97.5 %; a loss is positive",
    ),
    Metric(
        "certainty_equivalent",
        "bp of capital a year",
        "higher",
        "sure income worth as much as the net P&L to exponential utility",
    ),
    Metric(
        "effectiveness_net",
        "fraction",
        "higher",
        "1 - sum of squared net P&L over that of the unhedged book, per unit of exposure",
    ),
    Metric(
        "effectiveness_gross",
        "fraction",
        "higher",
        "the same before trading costs; a steady cost leaves it untouched",
    ),
    Metric(
        "residual_volatility",
        "money a year",
        "lower",
        "root mean square P&L of the hedged book before trading costs",
    ),
    Metric(
        "volatility_removed",
        "percentage points of exposure a year",
        "higher",
        "unhedged less hedged volatility per unit of exposure, before trading costs",
    ),
    Metric(
        "max_drawdown",
        "% of capital",
        "lower",
        "largest fall of net P&L from a peak within an episode; median over paths, capped at 100",
    ),
    Metric("worst_drawdown", "% of capital", "lower", "the same on the worst path"),
    Metric(
        "residual_beta",
        "money per money",
        "",
        "slope of hedged on unhedged P&L, before trading costs; 0 is fully hedged",
    ),
    Metric("turnover", "x exposure a year", "lower", "money traded over exposure"),
    Metric("cost_drag", "bp of exposure a year", "lower", "trading costs; positive is paid"),
    Metric(
        "carry", "bp of exposure a year", "higher", "funding and borrow of the hedges; + received"
    ),
    Metric("pnl_gross", "bp of capital a year", "higher", "hedged P&L before trading costs"),
    Metric("pnl_net", "bp of capital a year", "higher", "hedged P&L after trading costs"),
    Metric("pnl_net_money", "money a year", "higher", "the same in money, mean over paths"),
    Metric(
        "price_of_volatility",
        "bp of exposure a year per percentage point",
        "lower",
        "cost less carry received, for each percentage point of yearly volatility removed",
    ),
    Metric(
        "net_es_change",
        "% of capital",
        "lower",
        "net_es less that of the unhedged (Naked) book on the same paths; below 0 the hedge helps",
    ),
    Metric("unhedged_es", "% of capital", "lower", "net_es of the unhedged book"),
    Metric(
        "unhedged_certainty_equivalent",
        "bp of capital a year",
        "higher",
        "certainty_equivalent of the unhedged book",
    ),
    Metric("unhedged_volatility", "money a year", "lower", "residual_volatility of the unhedged"),
    Metric("unhedged_drawdown", "% of capital", "lower", "max_drawdown of the unhedged book"),
    Metric("unhedged_pnl", "bp of capital a year", "higher", "P&L of the unhedged book"),
)
NAMES = tuple(m.name for m in METRICS)
UNITS = {m.name: m.unit for m in METRICS}
