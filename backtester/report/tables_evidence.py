"""What stands beside the scores, for the terminal: tests, stability, Sharpe, choices, dσ/dρ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backtester.comparison import Comparison, StressReport
from backtester.metrics.paired import FAMILIES
from backtester.metrics.regime import ALL
from backtester.report.evidence import p_value
from backtester.report.labels import MISSING, clean_text, number, percent, plural
from backtester.report.plots_sensitivity import STEP
from backtester.report.scores import UNHEDGED
from backtester.report.terminal import Figures, shown_line

if TYPE_CHECKING:
    from rich.console import RenderableType

_BESIDE = ("Net ES less\nunhedged", "p\nadj.", "HE spread\npp (placebo)", "Sharpe/y\n(DSR %)")


def evidence_tables(comparison: Comparison, market: str) -> list[RenderableType]:
    """Per strategy over all bars: test against no hedge, stability, deflated Sharpe; then walks."""
    found = comparison.evidence
    tests = {
        c.first: c
        for c in found.comparisons
        if (c.market, c.regime, c.family) == (market, ALL, FAMILIES[0])
    }
    steady = {s.strategy: s for s in found.stability if (s.market, s.regime) == (market, ALL)}
    sharpes = {s.strategy: s for s in found.sharpes if s.market == market}
    if not tests:
        return []
    out = Figures("Beside the scores, all bars", "Book", _BESIDE)
    for strategy, c in tests.items():
        spread, ratio = MISSING, MISSING
        if strategy in steady:
            s = steady[strategy]
            other = MISSING if s.placebo is None else percent(s.placebo.value)
            spread = f"{percent(s.spread.value)} ({other})"
        if strategy in sharpes:
            r = sharpes[strategy]
            ratio = f"{number(r.annual)} ({percent(r.deflated, 0)})"
        out.row(
            strategy,
            number(c.estimate.value, sign=True),
            p_value(c.p_adjusted),
            spread,
            ratio,
        )
    first = next(iter(tests.values()))
    parts: list[RenderableType] = [
        out,
        shown_line(
            f"p: adjusted for {plural(first.comparisons, 'comparison')} with the unhedged book; "
            f"Sharpe: deflated for {plural(found.trials, 'parameter set')} tried."
        ),
    ]
    for w in found.walks:
        if w.market == market:
            parts.append(
                shown_line(
                    f"{clean_text(w.strategy, 40)} chose among {plural(w.sets, 'set')}, "
                    f"{plural(len(w.folds), 'time')}: net ES "
                    f"{number(w.inside['net_es'])} in-sample, "
                    f"{number(w.outside['net_es'])} out-of-sample (unhedged "
                    f"{number(w.inside['unhedged_es'])}, {number(w.outside['unhedged_es'])})."
                )
            )
    return parts


def sensitivity_rows(report: StressReport) -> list[RenderableType]:
    """dσ/dρ of every book in the base scenario; nothing where nothing was swept."""
    if not report.sweeps:
        return []
    out = Figures(
        "Volatility, % of exposure a year, and its change for correlations +0.1",
        "Book",
        ("Volatility", "all", "exposures", "across", "hedges"),
    )
    books = [(UNHEDGED, report.sweeps[0].unhedged_book)]
    books += [(s.strategy, s.book) for s in report.sweeps]
    for label, b in books:
        slopes = (b.total, b.exposures, b.across, b.hedges)
        shown = (number(STEP * x, sign=True) for x in slopes)
        out.row(label, number(b.volatility), *shown)
    return [out]
