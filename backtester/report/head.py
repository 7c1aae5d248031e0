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
            "Horizon (days)",
        ),
        tuple(
            (
                clean_text(c.strategy, 60),
                clean_text(c.market, 60),
                *(count(c.status.get(s.name, 0)) for s in states),
                *(money(r) for r in c.relaxed),
                percent(c.limit_excess, 2),
                number(c.horizon_days, 1),
            )
            for c in curves
        ),
        names=2,
        note="Limits hold at the price of the decision; the limit excess is the largest overshoot "
        "of hedge gross at the fill. Horizon: median holding horizon the optimiser planned for. "
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


def assumptions(study: Study, comparison: Comparison) -> tuple[str, ...]:
    """How the numbers came about and what they cannot say."""
    fill = (
        "Orders fill at the close the strategy has just seen (same_close): this looks ahead."
        if study.execution == "same_close"
        else "A decision sees prices up to its own stamp; its orders fill at the next event's "
        "price, and what does not fill is cancelled before the next decision."
    )
    texts = [
        fill,
        f"Costs: {costs_text(study)} A cost is planned by the optimiser and charged by the broker "
        "with the same formula. No market is moved by the hedge beyond the impact charged.",
        "Funding and borrow accrue at their stamp on the position held over the bar before it; a "
        "fill on a funding stamp neither pays nor receives that stamp.",
        f"The hedge is decided every {number(study.rebalance, 2)} trading days; limits hold at "
        "the decision's prices.",
        "Regime labels are ex post: they say, with hindsight, which bars were a crisis, and are "
        "independent of any hedge's P&L. Strategies never see them.",
        "Net expected shortfall is the mean loss over the worst 2.5 % of overlapping 10-bar "
        "windows, after trading costs and carry, in per cent of capital. A loss is positive.",
        "The certainty equivalent is the sure income worth as much as the net P&L to exponential "
        "utility with the study's risk aversion.",
        "Effectiveness is one minus the sum of squared hedged P&L over that of the unhedged book, "
        "per unit of exposure, uncentred and pooled over paths before dividing. A steady cost "
        "leaves it untouched, which is why it does not rank.",
        "Intervals are 95 %: a jackknife over paths for simulated markets; whole crisis episodes "
        "or stationary blocks resampled for history. Fewer than five episodes, or too few tail "
        "observations, are called insufficient rather than given an interval.",
        "Intervals hold the scenario or the history to be the right one: they say nothing of "
        "crises that neither contains, nor of the choice among many trials.",
    ]
    if any(not m.simulated for m in comparison.markets):
        texts.append(
            "A history is one path. Parameters were fixed before the run and estimators use the "
            "past only, so every scored bar is out of sample for the estimators; a person who "
            "chose the strategies after seeing this history is not."
        )
    if any(m.simulated for m in comparison.markets):
        texts.append(
            "A simulated market is only as good as its scenario file, which states assets, "
            "window, estimator and sample size of its calibration."
        )
    texts.append(
        "Plots hold at most 1,500 points a line; longer series keep the smallest and largest "
        "value of each stretch of time, in place. Tables and files hold every number."
    )
    return tuple(texts)


def costs_text(study: Study) -> str:
    """The study's cost settings in words."""
    c = study.costs
    parts = [f"fee {_bps(c.fee_bps)}", f"half-spread {_bps(c.half_spread_bps)} or the market's own"]
    impact = f"square-root impact × {number(c.impact, 2)}" if c.impact else "no market impact"
    parts.append(impact)
    parts.append(f"borrow {_bps(c.borrow_bps)} a year on shorts")
    own = " Markets with settings of their own differ." if _own_costs(study) else ""
    return ", ".join(parts) + "." + own


def _own_costs(study: Study) -> bool:
    return any(m.costs is not None for m in study.markets)


def _bps(value: float | dict[str, float]) -> str:
    if isinstance(value, dict):
        named = (f"{clean_text(k, 40)} {number(v, 2)}" for k, v in value.items())
        return f"in bp by instrument ({', '.join(named)})"
    return f"{number(value, 2)} bp"


def footer(digest: str, manifest: dict[str, Any]) -> str:
    """Who made the page; no time of day, so that the same study gives the same bytes."""
    versions = manifest.get("versions")
    own = versions.get("hedge-backtester", "") if isinstance(versions, dict) else ""
    made = f"hedge-backtester {clean_text(own, 40)}".strip()
    return f"Made by {made}; results {clean_text(digest, 64)}. This file makes no request."
