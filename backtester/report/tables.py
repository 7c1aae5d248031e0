"""Tables for the terminal. Names are `Text`, never markup: `[/foo]` is a name like any other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from backtester.comparison import Comparison, StressReport
from backtester.market.quality import is_warning
from backtester.metrics.inference import Estimate
from backtester.metrics.regime import ALL
from backtester.report.labels import MISSING, clean_text, number, percent
from backtester.report.scores import UNHEDGED, regime_title, regimes_of, rows_of
from backtester.report.tables_evidence import evidence_tables, sensitivity_rows
from backtester.report.terminal import Figures, shown_line
from backtester.report.verdict import trials, troubles, verdict
from backtester.score import Score

if TYPE_CHECKING:
    from rich.console import RenderableType

_SCORES = ("Net ES\n% of capital", "CE\nbp capital/y", "HE net\n%", "Cost\nbp exp./y")
_SHORTFALLS = ("Net ES\n% of capital", "Unhedged\n% of capital", "Change\npp", "HE net\n%")
_METRIC = {"effectiveness": "HE net", "net_es": "Net ES"}
_SIDE = {"negative": "ρ < 0", "positive": "ρ > 0"}


def comparison_table(comparison: Comparison) -> RenderableType:
    """Per market a verdict and a table of the ranking figures; fits 80 columns, lines on fewer."""
    from rich.console import Group

    parts: list[RenderableType] = []
    for market in comparison.markets:
        table = Figures(market.name, "Book", _SCORES)
        for regime in regimes_of(comparison.scorecard, market.name):
            rows = rows_of(comparison.scorecard, market.name, regime)
            table.section(regime_title(regime))
            table.row(*_unhedged(rows[0]))
            for i, s in enumerate(rows):
                table.row(*_score(s), last=i == len(rows) - 1)
        v = verdict(comparison, market.name)
        parts += [table, shown_line(f"{v.badge}: {v.text}")]
        parts += [shown_line(n) for n in market.notes if is_warning(n)]
        parts += [*evidence_tables(comparison, market.name), shown_line("")]
    return Group(*parts, *_footer(comparison))


def stress_table(report: StressReport) -> RenderableType:
    """Net shortfall by scenario, then break-even correlations; fits 80 columns, lines on fewer."""
    from rich.console import Group

    table = Figures("Net shortfall by scenario", "Book", _SHORTFALLS)
    for market in report.scenarios.markets:
        rows = rows_of(report.scenarios.scorecard, market.name, ALL)
        table.section(market.name)
        for i, s in enumerate(rows):
            table.row(
                s.strategy,
                _figure(s.net_es),
                _figure(s.unhedged_es),
                number(s.net_es_change.value, sign=True),
                percent(s.effectiveness_net.value),
                last=i == len(rows) - 1,
            )
    note = f"Correlation not swept: {clean_text(report.sweep_note, 300)}"
    warned = [
        shown_line(f"{clean_text(m.name, 40)}: {n}")
        for m in report.scenarios.markets
        for n in m.notes
        if is_warning(n)
    ]
    swept = shown_line(note) if report.sweep_note else _break_even(report)
    beside = sensitivity_rows(report)
    return Group(table, *warned, swept, *beside, shown_line(""), *_footer(report.scenarios))


def _break_even(report: StressReport) -> Figures:
    found = [(s.strategy, b) for s in report.sweeps for b in s.break_even]
    kinds = tuple(dict.fromkeys((b.metric, b.side) for _, b in found))
    headings = [
        f"{_METRIC.get(metric, clean_text(metric, 12))}\n{_SIDE.get(side, clean_text(side, 10))}"
        for metric, side in kinds
    ]
    table = Figures(f"Break-even correlation ρ, {clean_text(report.base, 24)}", "Book", headings)
    at = {(name, b.metric, b.side): b.correlation for name, b in found}
    for name in dict.fromkeys(name for name, _ in found):
        values = (at.get((name, *kind)) for kind in kinds)
        table.row(name, *(MISSING if v is None else number(v, 3) for v in values))
    return table


def _footer(comparison: Comparison) -> list[RenderableType]:
    lines: list[RenderableType] = [
        shown_line(f"{trials(comparison)}; the best of many trials is partly luck.")
    ]
    if comparison.study.execution == "same_close":
        lines.append(shown_line("Looks ahead: execution is same_close."))
    lines += [
        shown_line(f"{t.status} {t.decisions} ({t.share}): {t.advice}.")
        for t in troubles(comparison.curves)
    ]
    if any(s.insufficient or math.isnan(s.net_es.low) for s in comparison.scorecard.scores):
        lines.append(
            shown_line("? no 95 % interval: too few observations; report.html says how many.")
        )
    if comparison.audits:
        worst = max(a.difference for a in comparison.audits)
        lines.append(
            shown_line(f"Audit through vectorbt: largest difference {worst:.1e} of capital.")
        )
    elif comparison.audit_note:
        lines.append(shown_line(f"No audit: {clean_text(comparison.audit_note, 300)}"))
    return lines


def _unhedged(s: Score) -> tuple[str, ...]:
    return (
        UNHEDGED,
        _figure(s.unhedged_es),
        number(s.unhedged_certainty_equivalent.value, 0),
        number(0.0, 1),
        number(0.0, 1),
    )


def _score(s: Score) -> tuple[str, ...]:
    return (
        s.strategy,
        _figure(s.net_es),
        number(s.certainty_equivalent.value, 0),
        percent(s.effectiveness_net.value),
        number(s.cost_drag.value, 1),
    )


def _figure(e: Estimate) -> str:
    """The figure; a question mark where it has no interval."""
    if not math.isfinite(e.value):
        return MISSING
    return number(e.value) + ("" if math.isfinite(e.low) else " ?")
