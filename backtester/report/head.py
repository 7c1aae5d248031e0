"""The parts every report shares: header, warnings, solver, assumptions, how to reproduce."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backtester.comparison import Comparison
from backtester.errors import Status
from backtester.report.figure import Table
from backtester.report.labels import clean_text, count, money, number, percent, plural, scientific
from backtester.report.verdict import Outcome, Verdict, trials, troubles
from backtester.study import Study


@dataclass(frozen=True)
class Fact:
    """A named value of a definition list."""

    name: str
    value: str
    wide: bool = False
    code: bool = False


@dataclass(frozen=True)
class Head:
    """Header, verdicts and warnings of a page."""

    study: str
    facts: tuple[Fact, ...]
    verdicts: tuple[Verdict, ...]
    warnings: tuple[str, ...]
    troubles: tuple[Outcome, ...]
    trials: str


@dataclass(frozen=True)
class Solver:
    """Outcomes, routes and the audit."""

    outcomes: Table
    routes: Table
    audits: Table
    audit_text: str


@dataclass(frozen=True)
class Reproduce:
    """Command, versions and hashes."""

    command: str
    tables: tuple[Table, ...]


def header(
    study: Study,
    digest: str,
    manifest: dict[str, Any],
    comparison: Comparison,
    verdicts: tuple[Verdict, ...],
) -> Head:
    """What stands above the results."""
    facts = (
        Fact("Digest", clean_text(digest, 64), code=True),
        Fact("Seed", str(study.seed)),
        Fact("Capital", f"{money(study.capital)} (money in the numeraire)"),
        Fact("Risk aversion", f"λ = {number(study.risk_aversion, 2)}"),
        Fact("Trials", trials(comparison)),
        Fact("Command", command(manifest), code=True),
    )
    warnings = []
    if study.execution == "same_close" or any(
        m.execution == "same_close" for m in comparison.markets
    ):
        warnings.append(
            "Looks ahead: execution is same_close, so orders fill at the price the strategy has "
            "just seen. Real orders cannot; set execution: next_event before trusting a number."
        )
    return Head(
        study=clean_text(study.name, 80),
        facts=facts,
        verdicts=verdicts,
        warnings=tuple(warnings),
        troubles=troubles(comparison.curves),
        trials=trials(comparison),
    )


def command(manifest: dict[str, Any]) -> str:
    """The command line that produces the report again."""
    return clean_text(manifest.get("command", "not recorded"), 400)


def solver(comparison: Comparison) -> Solver:
    """Status counts, routes, relaxations and limit excess per strategy, and the audit."""
    curves = comparison.curves
    present = {name for c in curves for name in c.status}
    states = [s for s in Status if s.name in present and s is not Status.NONE]
    outcomes = Table(
        (
            "Strategy",
            "Market",
            *(s.name for s in states),
            "Relaxed turnover (money)",
            "gross (money)",
            "neutrality (money)",
            "Limit excess (%)",
            "Orders that waited",
            "Horizon (days)",
        ),
        tuple(
            (
                clean_text(c.strategy, 60),
                clean_text(c.market, 60),
                *(count(c.status.get(s.name, 0)) for s in states),
                *(money(r) for r in c.relaxed),
                percent(c.limit_excess, 2),
                count(c.unfilled),
                number(c.horizon_days, 1),
            )
            for c in curves
        ),
        names=2,
        note="Limits hold at the price of the decision; the limit excess is the largest overshoot "
        "of hedge gross at the fill. Orders wait where their instrument is not tradable, counted "
        "per event. "
        "Horizon: median holding horizon the optimiser planned for. "
        + " ".join(f"{s.name}: {s.advice}." for s in states),
    )
    routes = Table(
        ("Strategy", "Market", "Solver routes (path-decisions)", "Signals (path-events)"),
        tuple(
            (
                clean_text(c.strategy, 60),
                clean_text(c.market, 60),
                _counted(c.routes) or "none: states its hedge itself",
                _counted(c.signals) or "none",
            )
            for c in curves
        ),
        names=2,
        texts=(2, 3),
    )
    return Solver(outcomes, routes, _audits(comparison), _audit_text(comparison))


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{clean_text(name, 60)} {count(n)}" for name, n in counts.items() if n)


def _audits(comparison: Comparison) -> Table:
    return Table(
        ("Strategy", "Market", "Path", "Fills", "Largest difference (of capital)"),
        tuple(
            (
                clean_text(a.strategy, 60),
                clean_text(a.market, 60),
                count(a.path + 1),
                count(a.fills),
                scientific(a.difference),
            )
            for a in comparison.audits
        ),
        names=2,
    )


def _audit_text(comparison: Comparison) -> str:
    note = clean_text(comparison.audit_note, 300)
    if not comparison.audits:
        return f"No replay was made: {note or 'the study was run without audits'}."
    worst = max(a.difference for a in comparison.audits)
    fills = sum(a.fills for a in comparison.audits)
    text = (
        f"The fills of {plural(len(comparison.audits), 'run')} ({plural(fills, 'fill')}) were "
        "replayed through vectorbt, which keeps its own cash and positions. The largest "
        f"difference in equity before carry is {scientific(worst)} of capital."
    )
    return f"{text} Some runs were not replayed: {note}." if note else text


def reproduce(manifest: dict[str, Any]) -> Reproduce:
    """Command, versions and data hashes from the manifest."""
    tables = [
        Table((title, what), _pairs(manifest.get(key)))
        for key, title, what in (
            ("versions", "Package", "Version"),
            ("data", "Market", "Data hash (first block)"),
            ("files", "File", "sha256"),
        )
        if _pairs(manifest.get(key))
    ]
    return Reproduce(command(manifest), tuple(tables))


def _pairs(values: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, dict):
        return ()
    return tuple((clean_text(k, 80), clean_text(v, 80)) for k, v in values.items())


def footer(digest: str, manifest: dict[str, Any]) -> str:
    """Who made the page; no time of day, so that the same study gives the same bytes."""
    versions = manifest.get("versions")
    own = versions.get("hedge-backtester", "") if isinstance(versions, dict) else ""
    made = f"hedge-backtester {clean_text(own, 40)}".strip()
    return f"Made by {made}; results {clean_text(digest, 64)}. This file makes no request."
