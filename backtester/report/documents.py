"""The JSON documents of a results folder: versioned, strict, with units; NaN becomes null."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.comparison import SCHEMA, Comparison, Curve, MarketSummary, StressReport, Sweep
from backtester.metrics.catalogue import METRICS, UNITS
from backtester.metrics.walk import FIGURES

if TYPE_CHECKING:
    import pandas as pd

UNDEFINED = "null: not defined for this row; the note beside it, where there is one, says why"

_MARKET_UNITS = {
    "exposure": "as exposure_unit says: money at the first stamp, or units",
    "crisis_share": "fraction of bars of the first path",
    "days_per_year": "trading days",
}
_RUN_UNITS = {
    "cost_bps": "bp of exposure a year by term, positive when paid; carry positive when earned",
    "status": "path-decisions",
    "routes": "path-decisions",
    "signals": "path-events",
    "relaxed": "money, largest relaxation of each limit",
    "limit_excess": "fraction of the gross limit",
    "unfilled": "order-events that waited for an instrument to be tradable",
    "horizon_days": "trading days, median",
    "final_equity": "money; one value on history, else quantiles 5 %, 50 %, 95 % over paths",
}
_EVIDENCE_UNITS = {
    "comparisons.estimate": "% of capital: net shortfall of first less that of second",
    "comparisons.p_adjusted": "two-sided, adjusted for all comparisons of the family (Romano-Wolf)",
    "sharpe": "per bar; *_annual times the root of bars_per_year",
    "stability.spread": "fraction: standard deviation of effectiveness over episodes or quarters",
    **{f"walk_forward.{name}": unit for name, unit in FIGURES.items()},
}
_SWEEP_UNITS = {
    "correlation": "-1 to 1, exposure with its hedges",
    "effectiveness": "fraction, net of costs",
    "net_es": "% of capital, 10 bars at 97.5 %; a loss is positive",
    "unhedged_es": "% of capital",
    "cost_bps": "bp of exposure a year",
    "volatility": "% of exposure a year, after costs, re-hedged at each correlation",
    "unhedged_volatility": "% of exposure a year",
    "frozen_volatility": "% of exposure a year, before costs: the mean book of the base scenario",
    "sensitivity": "% of exposure a year for all correlations of a kind rising by 1",
    "break_even": "correlation at which the metric stops helping",
}


def scorecard_json(comparison: Comparison) -> dict[str, Any]:
    """``scorecard.json``: scores, differences, markets, runs and audits of a comparison.

    Every number is finite or null; `json.dumps(..., allow_nan=False)` accepts the result.
    """
    card = comparison.scorecard.to_dict()
    document: dict[str, Any] = plain(
        {
            "schema": f"backtester.scorecard/{SCHEMA}",
            "study": comparison.study.name,
            "digest": comparison.digest,
            "seed": comparison.study.seed,
            "trials": comparison.study.tried * len(comparison.markets),
            "undefined": UNDEFINED,
            "units": {**UNITS, **_MARKET_UNITS, **_RUN_UNITS, "audit.difference": "of capital"},
            "metrics": {
                m.name: {"unit": m.unit, "better": m.better, "meaning": m.meaning} for m in METRICS
            },
            "rows": card["scores"],
            "differences": card["differences"],
            "evidence": {**comparison.evidence.to_dict(), "units": _EVIDENCE_UNITS},
            "markets": [_market(m) for m in comparison.markets],
            "runs": [_run(c) for c in comparison.curves],
            "audit": {
                "lines": [
                    {
                        "strategy": a.strategy,
                        "market": a.market,
                        "path": a.path,
                        "difference": a.difference,
                        "fills": a.fills,
                    }
                    for a in comparison.audits
                ],
                "note": comparison.audit_note,
            },
        }
    )
    return document


def stress_json(report: StressReport) -> dict[str, Any]:
    """``stress.json``: the correlation sweep of every strategy and its break-even correlations."""
    document: dict[str, Any] = plain(
        {
            "schema": f"backtester.stress/{SCHEMA}",
            "study": report.study.name,
            "digest": report.digest,
            "seed": report.study.seed,
            "undefined": UNDEFINED,
            "units": _SWEEP_UNITS,
            "base": report.base,
            "paths": report.paths,
            "bars": report.bars,
            "scenarios": [m.name for m in report.scenarios.markets],
            "not_swept": report.sweep_note,
            "rows": [row for sweep in report.sweeps for row in _points(sweep)],
            "sensitivity": _sensitivities(report),
            "break_even": [
                {
                    "strategy": s.strategy,
                    "metric": b.metric,
                    "side": b.side,
                    "correlation": b.correlation,
                    "note": b.note,
                }
                for s in report.sweeps
                for b in s.break_even
            ],
        }
    )
    return document


def scorecard_frame(comparison: Comparison) -> pd.DataFrame:
    """The scorecard as a tidy frame: strategy × market × regime; what ``scorecard.parquet`` holds.

    Figures keep NaN where they are undefined; ``<metric>_note`` says why.
    """
    return comparison.to_frame()


def scorecard_csv(comparison: Comparison) -> str:
    """The tidy frame as CSV that a spreadsheet cannot take for formulas.

    Text that begins with ``= + - @``, a tab or a line end gets an apostrophe in front, names of
    columns included; numbers are left as they are.
    """
    frame = scorecard_frame(comparison)
    for column in frame.columns:
        if not np.issubdtype(np.asarray(frame[column]).dtype, np.number):
            frame[column] = [inert(v) if isinstance(v, str) else v for v in frame[column]]
    frame.columns = [inert(str(c)) for c in frame.columns]
    text: str = frame.to_csv(index=False, lineterminator="\n")
    return text


def inert(text: str) -> str:
    """`text`, quoted with an apostrophe where a spreadsheet would run it."""
    return "'" + text if text.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else text


def plain(value: Any) -> Any:
    """`value` of nothing but JSON's own types; NaN and infinities as None."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")  # no unpaired surrogates
    if isinstance(value, Sequence):
        return [plain(v) for v in value]
    return None if value is None else str(value)


def _market(m: MarketSummary) -> dict[str, Any]:
    names = (
        "name simulated paths bars start end calendar days_per_year assets exposure exposure_unit "
        "exposure_hold instruments execution label_description episodes onsets crisis_share "
        "label_names notes data_hash placebo_paths"
    )
    return {name: getattr(m, name) for name in names.split()}


def _run(c: Curve) -> dict[str, Any]:
    names = "strategy market cost_bps status routes signals limit_excess unfilled horizon_days"
    turnover, gross, neutrality = c.relaxed
    return {name: getattr(c, name) for name in names.split()} | {
        "relaxed": {"turnover": turnover, "gross": gross, "neutrality": neutrality},
        "final_equity": {
            "net": c.equity_net[-1],
            "gross": c.equity_gross[-1],
            "unhedged": c.equity_unhedged[-1],
        },
    }


def _points(s: Sweep) -> list[dict[str, Any]]:
    return [
        {
            "strategy": s.strategy,
            "correlation": s.correlation[i],
            "effectiveness": _estimate(s.effectiveness[i]),
            "net_es": _estimate(s.net_es[i]),
            "unhedged_es": s.unhedged_es[i],
            "cost_bps": s.cost_bps[i],
            "volatility": _estimate(s.volatility[i]),
            "unhedged_volatility": s.unhedged_volatility[i],
            "frozen_volatility": s.frozen_volatility[i],
        }
        for i in range(len(s.correlation))
    ]


def _sensitivities(report: StressReport) -> list[dict[str, Any]]:
    """dσ/dρ of the unhedged book, then of every strategy's."""
    if not report.sweeps:
        return []
    unhedged = {"strategy": None, **report.sweeps[0].unhedged_book.to_dict()}
    return [unhedged, *({"strategy": s.strategy, **s.book.to_dict()} for s in report.sweeps)]


def _estimate(values: Any) -> dict[str, Any]:
    value, low, high = (float(v) for v in values)
    note = ""
    if not math.isfinite(value):
        note = "undefined at this correlation"
    elif not (math.isfinite(low) and math.isfinite(high)):
        note = "no interval: undefined on some replicates"
    return {"value": value, "low": low, "high": high, "note": note}
