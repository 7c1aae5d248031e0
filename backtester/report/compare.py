"""`compare_html`: the report of a comparison as one self-contained file."""

from __future__ import annotations

from dataclasses import dataclass

from backtester.comparison import Comparison, MarketSummary
from backtester.market.quality import is_warning
from backtester.regimes.labelled import normal_index
from backtester.report import assumptions, head, plots_scores, plots_time
from backtester.report.evidence import EvidenceSection, evidence_section, walk_plots
from backtester.report.figure import Figure
from backtester.report.head import Fact
from backtester.report.labels import clean_text, count, money, number, percent, plural
from backtester.report.page import render
from backtester.report.scores import (
    COLUMNS,
    CONTRASTS,
    Column,
    Contrast,
    Footnotes,
    Group,
    contrasts,
    score_groups,
)
from backtester.report.verdict import Verdict, verdict
from backtester.score import Score

ONSETS = 12  # onset days listed before "and n more"

SCORE_NOTE = (
    "Brackets: 95 % intervals. ★: best strategy of the regime, where it beats the unhedged book. "
    "HE: hedging effectiveness, the share of variance removed. "
    "Costs are positive when paid, carry when received; P&L gross is before trading costs, net "
    "after. Price of volatility: cost less carry for each percentage point of volatility removed."
)


@dataclass(frozen=True)
class ScoreSection:
    """The score table of a market."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ContrastSection:
    """The table of differences between regimes; `empty` says why it has no rows."""

    columns: tuple[Column, ...]
    rows: tuple[Contrast, ...]
    notes: tuple[tuple[str, str], ...]
    empty: str


@dataclass(frozen=True)
class MarketSection:
    """One market of the page."""

    anchor: str
    name: str
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]  # of the data
    notes: tuple[str, ...]
    scores: ScoreSection
    contrasts: ContrastSection
    evidence: EvidenceSection
    figures: tuple[Figure, ...]


def compare_html(comparison: Comparison) -> str:
    """The report: verdicts, then per market scores and plots, then solver and assumptions.

    The file makes no request of any kind. Raises StoreError where plotly.js is not installed.
    """
    study = comparison.study
    verdicts = tuple(verdict(comparison, m.name) for m in comparison.markets)
    sections = market_sections(comparison, verdicts)
    named = tuple(_named(v) for v in verdicts)
    return render(
        "compare.html",
        title=f"{clean_text(study.name, 80)} – hedge comparison",
        kicker="Hedge comparison",
        head=head.header(study, comparison.digest, comparison.manifest, comparison, named),
        markets=sections,
        figures=tuple(f for s in sections for f in s.figures),
        score_note=SCORE_NOTE,
        solver=head.solver(comparison),
        assumptions=assumptions.of_runs(study, comparison),
        reproduce=head.reproduce(comparison.manifest),
        foot=head.footer(comparison.digest, comparison.manifest),
    )


def market_sections(
    comparison: Comparison, verdicts: tuple[Verdict, ...]
) -> tuple[MarketSection, ...]:
    """The sections of all markets, with plots whose ids number market and plot."""
    return tuple(
        _section(comparison, market, i, verdicts[i].best)
        for i, market in enumerate(comparison.markets)
    )


def _named(v: Verdict) -> Verdict:
    return Verdict(clean_text(v.market, 80), v.kind, v.badge, v.text, v.best)


def _section(comparison: Comparison, market: MarketSummary, i: int, best: int) -> MarketSection:
    card = comparison.scorecard
    curves = [c for c in comparison.curves if c.market == market.name]
    notes, other = Footnotes(), Footnotes()
    groups = score_groups(card, market.name, notes)
    rows = contrasts(card, market.name, other)
    key = f"m{i}"
    figures = (
        plots_time.equity(market, curves, f"{key}-equity", best),
        plots_time.drawdown(market, curves, f"{key}-drawdown", best),
        plots_scores.effectiveness(card, market.name, f"{key}-effectiveness"),
        plots_scores.shortfall(card, market.name, f"{key}-shortfall"),
        plots_time.correlation(market, f"{key}-correlation"),
        plots_time.hedges(market, curves, f"{key}-hedges", best),
        plots_scores.costs(curves, f"{key}-costs"),
        *walk_plots(comparison, market.name, key),
    )
    return MarketSection(
        anchor=f"market-{i}",
        name=clean_text(market.name, 80),
        facts=market_facts(comparison, market),
        warnings=warnings_of(market),
        notes=notes_of(market),
        scores=ScoreSection(COLUMNS, groups, notes.listed()),
        contrasts=ContrastSection(CONTRASTS, rows, other.listed(), _why_empty(market)),
        evidence=evidence_section(comparison, market.name),
        figures=figures,
    )


def warnings_of(market: MarketSummary) -> tuple[str, ...]:
    """The notes of a market that warn of its data, to be shown where they are seen."""
    return tuple(clean_text(n, 300) for n in market.notes if is_warning(n))


def notes_of(market: MarketSummary) -> tuple[str, ...]:
    """The other notes: repairs and assumptions."""
    return tuple(clean_text(n, 300) for n in market.notes if not is_warning(n))


def _why_empty(market: MarketSummary) -> str:
    names = ", ".join(clean_text(n, 40) for n in market.label_names)
    return f"Only one regime was visited (of: {names}), so there is no difference to take."


def market_facts(comparison: Comparison, market: MarketSummary) -> tuple[Fact, ...]:
    """What the market is, in the words and units of the study."""
    how = (
        "parameters fixed before the run"
        if comparison.study.walk_forward is None
        else "parameters fixed before the run, or chosen on past windows"
    )
    source = (
        "simulated: an ensemble of independent paths"
        if market.simulated
        else f"real history: one path; {how}; estimators use the past only"
    )
    unit = "units" if market.exposure_unit == "units" else "money at the first stamp"
    hold = "units held constant" if market.exposure_hold == "units" else "money held constant"
    book = ", ".join(f"{clean_text(a, 40)} {money(x)}" for a, x in market.exposure.items())
    sizes = f"{plural(market.paths, 'path')} × {plural(market.bars, 'bar')}"
    return (
        Fact("Kind", source),
        Fact("Dates", f"{market.start[:10]} to {market.end[:10]} (UTC)"),
        Fact("Size", sizes),
        Fact(
            "Calendar",
            f"{clean_text(market.calendar, 40)}, {number(market.days_per_year, 0)} days a year",
        ),
        Fact("Exposure", f"{book} ({unit}; {hold})", wide=len(market.exposure) > 3),
        Fact("Hedge instruments", ", ".join(clean_text(a, 40) for a in market.instruments)),
        Fact("Execution", _execution(market.execution, comparison.study.delay)),
        Fact("Placebo", _placebo(market)),
        Fact("Data hash", clean_text(market.data_hash, 64)[:16]),
        Fact("Regime labels, ex post", clean_text(market.label_description, 400), wide=True),
        *_crises(comparison, market),
    )


def _execution(name: str, delay: int) -> str:
    if name == "same_close":
        return "same close: looks ahead"
    if name != "next_event":
        return clean_text(name, 40)
    return "fills at the next event" if delay == 1 else f"fills {delay} events later"


def _placebo(market: MarketSummary) -> str:
    if market.placebo_paths == 0:
        return "none"
    return f"{plural(market.placebo_paths, 'path')} of constant correlation"


def _crises(comparison: Comparison, market: MarketSummary) -> tuple[Fact, ...]:
    """One fact for every regime but the normal one."""
    found = {
        s.regime: s for s in comparison.scorecard.scores if s.market == market.name
    }  # counts are the same for every strategy
    names = market.label_names
    facts = []
    for i, name in enumerate(names):
        if i != normal_index(names):
            text = _extent(found[name], market) if name in found else "no scored bar"
            facts.append(Fact(f"In {clean_text(name, 40)}", text, wide=True))
    return tuple(facts)


def _extent(s: Score, market: MarketSummary) -> str:
    """Share, episodes and, on a history, first days of a regime."""
    text = f"{percent(s.share)} % of the scored bars, {plural(s.episodes, 'episode')}"
    if market.paths > 1:
        return f"{text} on {plural(s.paths, 'path')}"
    days = s.onset_days
    listed = ", ".join(clean_text(day, 30) for day in days[:ONSETS])
    more = f" and {count(len(days) - ONSETS)} more" if len(days) > ONSETS else ""
    return f"{text}; first days: {listed}{more}" if listed else text
