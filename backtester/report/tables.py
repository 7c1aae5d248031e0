"""Tables for the terminal. Names are `Text`, never markup: `[/foo]` is a name like any other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backtester.comparison import Comparison, StressReport
from backtester.metrics.inference import Estimate
from backtester.metrics.regime import ALL
from backtester.plugins import Plugin
from backtester.report.labels import MISSING, clean_text, number, percent
from backtester.report.scores import UNHEDGED, regime_title, regimes_of, rows_of
from backtester.report.verdict import troubles, trials, verdict
from backtester.score import Score

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

NAME = 26  # characters of a name at 80 columns


def comparison_table(comparison: Comparison) -> RenderableType:
    """Per market a verdict and a table of the ranking figures; fits 80 columns."""
    from rich.console import Group

    parts: list[RenderableType] = []
    for market in comparison.markets:
        table = _table(market.name)
        for title in (
            "Book",
            "Regime",
            "Net ES\n% capital",
            "CE bp\ncapital/y",
            "HE net\n%",
            "Cost bp\nexposure/y",
        ):
            _column(table, title, left=title in ("Book", "Regime"))
        for regime in regimes_of(comparison.scorecard, market.name):
            rows = rows_of(comparison.scorecard, market.name, regime)
            table.add_row(*_unhedged(rows[0], regime), style="dim")
            for i, s in enumerate(rows):
                table.add_row(*_score(s), end_section=i == len(rows) - 1)
        v = verdict(comparison, market.name)
        parts += [table, _line(f"{v.badge}: {v.text}"), _line("")]
    parts += _footer(comparison)
    return Group(*parts)


def stress_table(report: StressReport) -> RenderableType:
    """Net shortfall by scenario, then break-even correlations; fits 80 columns."""
    from rich.console import Group

    table = _table("Net shortfall by scenario, % of capital")
    for title in ("Scenario", "Book", "Net ES", "Unhedged", "Change", "HE net %"):
        _column(table, title, left=title in ("Scenario", "Book"))
    for market in report.scenarios.markets:
        rows = rows_of(report.scenarios.scorecard, market.name, ALL)
        for i, s in enumerate(rows):
            table.add_row(
                _name(market.name),
                _name(s.strategy),
                _figure(s.net_es),
                _figure(s.unhedged_es),
                number(s.net_es_change.value, sign=True),
                percent(s.effectiveness_net.value),
                end_section=i == len(rows) - 1,
            )
    even = _table(f"Break-even correlation (sweep of scenario {clean_text(report.base, 40)})")
    for title in ("Book", "Metric", "Side", "Correlation", "Note"):
        _column(even, title, left=title != "Correlation")
    for sweep in report.sweeps:
        for b in sweep.break_even:
            found = MISSING if b.correlation is None else number(b.correlation, 3)
            texts = (_name(sweep.strategy), _text(b.metric), _text(b.side), found, _text(b.note))
            even.add_row(*texts)
    return Group(table, even, *_footer(report.scenarios))


def list_table(plugins: Sequence[Plugin]) -> RenderableType:
    """Registered plugins with their origin; a broken one with its reason."""
    table = _table("")
    for title in ("Name", "Origin", "State"):
        _column(table, title, left=True)
    for p in plugins:
        state = "ready" if p.error is None else f"cannot be used: {p.error}"
        table.add_row(_name(p.name), _text(p.origin), _text(state, 400))
    return table


def _footer(comparison: Comparison) -> list[RenderableType]:
    lines: list[RenderableType] = [
        _line(f"{trials(comparison)}; the best of many trials is partly luck.")
    ]
    if comparison.study.execution == "same_close":
        lines.append(_line("Looks ahead: execution is same_close."))
    lines += [
        _line(f"{t.status} {t.decisions} ({t.share}): {t.advice}.")
        for t in troubles(comparison.curves)
    ]
    if comparison.audits:
        worst = max(a.difference for a in comparison.audits)
        lines.append(_line(f"Audit through vectorbt: largest difference {worst:.1e} of capital."))
    elif comparison.audit_note:
        lines.append(_line(f"No audit: {clean_text(comparison.audit_note, 300)}"))
    if comparison.folder is not None:
        lines.append(_line(f"Written to {clean_text(comparison.folder, 300)}"))
    return lines


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(
        title=_text(title, 70) if title else None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        highlight=False,
    )


def _column(table: Table, title: str, *, left: bool) -> None:
    from rich.text import Text

    table.add_column(
        Text(title),
        justify="left" if left else "right",
        no_wrap=not left,
        overflow="fold" if left else "ellipsis",
    )


def _unhedged(s: Score, regime: str) -> tuple[Any, ...]:
    return (
        _text(UNHEDGED),
        _text(regime_title(regime)),
        _figure(s.unhedged_es),
        number(s.unhedged_certainty_equivalent.value, 0),
        number(0.0, 1),
        number(0.0, 1),
    )


def _score(s: Score) -> tuple[Any, ...]:
    return (
        _name(s.strategy),
        _text(regime_title(s.regime)),
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


def _name(name: str) -> Text:
    return _text(name, NAME)


def _text(text: object, limit: int = 200) -> Text:
    from rich.text import Text

    return Text(clean_text(text, limit))


def _line(text: str) -> Text:
    return _text(text, 600)
