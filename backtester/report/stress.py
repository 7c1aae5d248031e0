"""`stress_html`: the stress report as one self-contained file."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backtester.comparison import StressReport, Sweep
from backtester.metrics.regime import ALL
from backtester.report import assumptions, head, plots_sensitivity, plots_stress, plots_sweep
from backtester.report.compare import (
    SCORE_NOTE,
    ScoreSection,
    market_facts,
    notes_of,
    warnings_of,
)
from backtester.report.figure import Figure, Table
from backtester.report.head import Fact
from backtester.report.labels import MISSING, clean_text, number, plural, sentence
from backtester.report.page import render
from backtester.report.scores import COLUMNS, Footnotes, Group, rows_of, score_group
from backtester.report.verdict import Verdict
from backtester.score import Score

METRIC = {
    "effectiveness": "effectiveness after costs crosses zero",
    "net_es": "net shortfall no better than unhedged",
}


@dataclass(frozen=True)
class ScenarioFacts:
    """What a scenario is."""

    name: str
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]  # of the data
    notes: tuple[str, ...]


def stress_html(report: StressReport) -> str:
    """The report: verdict strip, heat-maps, scenario table, correlation sweep, break-evens.

    The file makes no request of any kind. Raises StoreError where plotly.js is not installed.
    """
    grid = plots_stress.grid(report)
    maps = (
        plots_stress.heat_map(grid, "s-shortfall"),
        plots_stress.benefit_map(grid, "s-benefit"),
    )
    sweeps: tuple[Figure, ...] = ()
    if report.sweeps:
        order = tuple(s.label for s in report.study.strategies)
        sweeps = (
            plots_sweep.effectiveness(report.sweeps, "w-effectiveness", order),
            plots_sweep.shortfall(report.sweeps, "w-shortfall", order),
            plots_sensitivity.volatility_plot(report.sweeps, "w-volatility", order),
        )
    study = report.study
    return render(
        "stress.html",
        title=f"{clean_text(study.name, 80)} – stress report",
        kicker="Stress report",
        head=head.header(study, report.digest, report.manifest, report.scenarios, verdicts(report)),
        scores=scenario_scores(report),
        score_note=SCORE_NOTE,
        maps=maps,
        sweeps=sweeps,
        sweep_text=sweep_text(report),
        sweep_note=report.sweep_note,
        sensitivity=plots_sensitivity.sensitivity_table(report.sweeps),
        break_even=break_even_table(report),
        scenarios=scenario_facts(report),
        figures=(*maps, *sweeps),
        solver=head.solver(report.scenarios),
        assumptions=(*assumptions.of_sweep(), *assumptions.of_runs(study, report.scenarios)),
        reproduce=head.reproduce(report.manifest),
        foot=head.footer(report.digest, report.manifest),
    )


def verdicts(report: StressReport) -> tuple[Verdict, ...]:
    """One line per strategy: its worst scenario, where it harms, and what would break it."""
    sweeps = {s.strategy: s for s in report.sweeps}
    return tuple(
        _verdict(report, i, spec.label, sweeps.get(spec.label))
        for i, spec in enumerate(report.study.strategies)
    )


def _verdict(report: StressReport, i: int, label: str, sweep: Sweep | None) -> Verdict:
    name = clean_text(label, 80)
    rows = [s for s in report.scenarios.scorecard.scores if s.strategy == label and s.regime == ALL]
    known = [s for s in rows if math.isfinite(s.net_es.value)]
    if not known:
        return Verdict(name, "unsure", "No verdict", "No shortfall could be computed.", i)
    worst = max(known, key=lambda s: s.net_es.value)
    text = (
        f"worst scenario {clean_text(worst.market, 60)}: net shortfall "
        f"{number(worst.net_es.value)} % of capital against "
        f"{number(worst.unhedged_es.value)} % unhedged."
    )
    kind, badge, more = _judged(known)
    return Verdict(name, kind, badge, f"{text} {more}{_breaks(sweep)}", i)


def _judged(rows: list[Score]) -> tuple[str, str, str]:
    if all(abs(s.net_es_change.value) <= 1e-9 for s in rows):
        return "unsure", "No hedge", "It is the unhedged book in every scenario."
    harms = [s for s in rows if s.net_es_change.low > 0]
    if harms:
        return "fails", "Fails", f"Worse than no hedge in {_listed(harms)}."
    unsure = [s for s in rows if not s.net_es_change.high < 0]
    if unsure:
        worse = [s for s in unsure if s.net_es_change.value > 0]
        how = f"; there it looks worse in {_listed(worse)}" if worse else ""
        return (
            "unsure",
            "Not certain",
            f"Not certain to help in {_listed(unsure)}: the interval includes zero{how}.",
        )
    return "helps", "Helps", "Better than no hedge in every scenario."


def _listed(rows: list[Score]) -> str:
    return sentence([clean_text(s.market, 60) for s in rows])


def _breaks(sweep: Sweep | None) -> str:
    """The correlations at which a strategy stops helping, by metric."""
    if sweep is None:
        return ""
    parts = []
    for metric, words in (("effectiveness", "effectiveness"), ("net_es", "net shortfall")):
        sides = [b for b in sweep.break_even if b.metric == metric]
        found = [number(b.correlation, 3) for b in sides if b.correlation is not None]
        none = [
            f"{clean_text(b.side, 20)} side: {clean_text(b.note, 80)}"
            for b in sides
            if b.correlation is None
        ]
        if len(found) == 2:
            none = ["harms in between"]
        if sides:
            why = f" ({'; '.join(none)})" if none else ""
            parts.append(f"{words} {sentence(found) or 'none'}{why}")
    return f" Break-even correlations: {'; '.join(parts)}." if parts else ""


def scenario_scores(report: StressReport) -> ScoreSection:
    """One group of rows per scenario, over all bars."""
    notes = Footnotes()
    groups: list[Group] = []
    for market in report.scenarios.markets:
        scores = rows_of(report.scenarios.scorecard, market.name, ALL)
        groups.append(score_group(scores, clean_text(market.name, 60), notes))
    return ScoreSection(COLUMNS, tuple(groups), notes.listed())


def sweep_text(report: StressReport) -> str:
    """What the sweep moves and what it holds, or why there is none."""
    if report.sweep_note:
        return f"Not swept: {clean_text(report.sweep_note, 400)}"
    return (
        f"The correlation between the exposure and its hedges is set to each value in turn in "
        f"scenario {clean_text(report.base, 60)}; volatilities, costs and funding stay as they "
        f"are. Each strategy runs again from the start at every point and re-hedges as it would, "
        f"on {plural(report.paths, 'path')} × {plural(report.bars, 'bar')} with the same shocks."
    )


def break_even_table(report: StressReport) -> Table:
    """Where each strategy stops helping."""
    rows = [
        (
            clean_text(s.strategy, 60),
            METRIC.get(b.metric, clean_text(b.metric, 60)),
            clean_text(b.side, 20),
            MISSING if b.correlation is None else number(b.correlation, 3),
            clean_text(b.note, 200),
        )
        for s in report.sweeps
        for b in s.break_even
    ]
    header = ("Strategy", "Stops helping where", "Side", "Correlation", "Note")
    return Table(header, tuple(rows), names=3, texts=(4,))


def scenario_facts(report: StressReport) -> tuple[ScenarioFacts, ...]:
    """What each scenario is, for the collapsible list."""
    return tuple(
        ScenarioFacts(
            clean_text(m.name, 80),
            market_facts(report.scenarios, m),
            warnings_of(m),
            notes_of(m),
        )
        for m in report.scenarios.markets
    )
