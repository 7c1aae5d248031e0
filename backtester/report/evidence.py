"""What stands beside the scores of a market, as tables: tests, stability, walk-forward, Sharpe."""

from __future__ import annotations

import math
from dataclasses import dataclass

from backtester.comparison import Comparison
from backtester.evidence import Evidence
from backtester.metrics.paired import PairedDifference
from backtester.metrics.regime import ALL
from backtester.metrics.sharpe import Sharpe, least_years
from backtester.metrics.stability import LEAST_BARS, Stability
from backtester.metrics.walk import FoldScore, WalkScore
from backtester.report.figure import Figure, Table
from backtester.report.labels import MISSING, clean_text, count, number, percent, plural
from backtester.report.plots_walk import walk_plot
from backtester.report.scores import interval, regime_title

NAME = 80


@dataclass(frozen=True)
class WalkSection:
    """One walk-forward evaluation."""

    title: str
    text: str
    summary: Table
    folds: Table


@dataclass(frozen=True)
class EvidenceSection:
    """Everything beside the scores of one market; tables without rows are not shown."""

    against: Table  # every strategy against the unhedged book
    between: Table  # strategies against one another, all bars
    between_regimes: Table  # the same by regime
    tests_text: str
    stability: Table
    walks: tuple[WalkSection, ...]
    sharpe: Table
    sharpe_text: str


def evidence_section(comparison: Comparison, market: str) -> EvidenceSection:
    """The section of one market."""
    found = comparison.evidence
    rows = [c for c in found.comparisons if c.market == market]
    between = [c for c in rows if c.family == "strategies"]
    sharpes = [s for s in found.sharpes if s.market == market]
    return EvidenceSection(
        against=_pairs([c for c in rows if c.family == "unhedged"], against=True),
        between=_pairs([c for c in between if c.regime == ALL]),
        between_regimes=_pairs([c for c in between if c.regime != ALL]),
        tests_text=_tests_text(rows),
        stability=_stability([s for s in found.stability if s.market == market]),
        walks=tuple(_walk(w) for w in found.walks if w.market == market),
        sharpe=_sharpe(sharpes),
        sharpe_text=_sharpe_text(sharpes, found),
    )


def walk_plots(comparison: Comparison, market: str, key: str) -> tuple[Figure, ...]:
    """A plot for each walk-forward evaluation on a market."""
    walks = [w for w in comparison.evidence.walks if w.market == market]
    return tuple(walk_plot(w, f"{key}-walk{i}") for i, w in enumerate(walks))


def p_value(p: float) -> str:
    """Three decimals; the smallest a test can give is shown as such."""
    if not math.isfinite(p):
        return MISSING
    return number(p, 3)


def _ranged(value: str, low: str) -> str:
    return f"{value} {low}".strip()


def _pairs(rows: list[PairedDifference], *, against: bool = False) -> Table:
    books = ("Strategy",) if against else ("Strategy", "less")
    header = (
        *books,
        "Regime",
        "Net shortfall, difference (pp of capital)",
        "p alone",
        "p adjusted",
        "Note",
    )
    lines = []
    for c in rows:
        names = (c.first,) if against else (c.first, c.second)
        lines.append(
            (
                *(clean_text(n, NAME) for n in names),
                regime_title(c.regime),
                _ranged(number(c.estimate.value, sign=True), interval(c.estimate, number)),
                p_value(c.p_single),
                p_value(c.p_adjusted),
                clean_text(c.estimate.note, 120),
            )
        )
    return Table(header, tuple(lines), names=len(books) + 1, texts=(len(header) - 1,))


def _tests_text(rows: list[PairedDifference]) -> str:
    sizes = {c.family: c.comparisons for c in rows}
    parts = [
        f"{count(sizes[family])} {words}"
        for family, words in (
            ("unhedged", "with the unhedged book"),
            ("strategies", "between strategies"),
        )
        if family in sizes
    ]
    return (
        "Below zero the first book loses less. All books run on the same paths, so the noise they "
        "share cancels. p alone: two-sided, of this comparison by itself, as is the bracket. "
        "p adjusted: stepdown of Romano and Wolf among all comparisons of the study of its kind – "
        f"{' and '.join(parts)} – so that the chance of even one false finding stays at its level."
    )


def _stability(rows: list[Stability]) -> Table:
    header = (
        "Strategy",
        "Regime",
        "Episodes or quarters",
        "Spread of HE net (pp)",
        "Placebo",
        "Lowest HE (%)",
        "Below 0 (%)",
        "Note",
    )
    lines = []
    for s in rows:
        at = f" ({clean_text(s.lowest_at, 20)})" if s.lowest_at else ""
        short = f"{count(s.short)} shorter than {LEAST_BARS} bars left out" if s.short else ""
        placebo = MISSING
        if s.placebo is not None:
            placebo = _ranged(percent(s.placebo.value), interval(s.placebo, percent))
        lines.append(
            (
                clean_text(s.strategy, NAME),
                regime_title(s.regime),
                count(s.units),
                _ranged(percent(s.spread.value), interval(s.spread, percent)),
                placebo,
                percent(s.lowest) + at,
                percent(s.negative),
                clean_text("; ".join(x for x in (s.spread.note, short) if x), 120),
            )
        )
    return Table(header, tuple(lines), names=2, texts=(len(header) - 1,))


_SHOWN = (
    ("net_es", "Net shortfall (% of capital)", 1.0, 2),
    ("unhedged_es", "Unhedged shortfall, same bars (% of capital)", 1.0, 2),
    ("effectiveness_net", "HE net (%)", 100.0, 1),
    ("certainty_equivalent", "Certainty equivalent (bp of capital a bar)", 1.0, 2),
    ("pnl_net", "P&L net (bp of capital a bar)", 1.0, 2),
)


def _walk(w: WalkScore) -> WalkSection:
    summary = [
        (title, *(number(scale * x[name], digits) for x in (w.inside, w.outside, w.best)))
        for name, title, scale, digits in _SHOWN
    ]
    folds = [
        (
            f"{f.number}",
            f"{f.train[0]} – {f.train[1]}",
            f"{f.test[0]} – {f.test[1]}",
            clean_text(f.chosen, NAME) + ("" if f.share == 1 else f" ({percent(f.share, 0)} %)"),
            *(cell for name in ("net_es", "effectiveness_net") for cell in _both(f, name)),
        )
        for f in w.folds
    ]
    best = clean_text(w.hindsight, NAME)
    return WalkSection(
        title=f"{clean_text(w.strategy, NAME)}, walk-forward",
        text=(
            f"{plural(w.sets, 'parameter set')}, {plural(len(w.folds), 'choice')}. In-sample: "
            "the chosen sets on their training windows, which chose them. Out-of-sample: the book "
            "that followed the choices, switches paid for; this is what the scores are made of. "
            f"Hindsight: the set that would have been best there, {best}."
        ),
        summary=Table(("", "In-sample", "Out-of-sample", "Hindsight"), tuple(summary)),
        folds=Table(
            (
                "Choice",
                "Training",
                "Test",
                "Chosen",
                "Shortfall in",
                "out (% of capital)",
                "HE net in",
                "out (%)",
            ),
            tuple(folds),
            names=4,
        ),
    )


def _both(fold: FoldScore, name: str) -> tuple[str, str]:
    scale, digits = next((s, d) for n, _, s, d in _SHOWN if n == name)
    return number(scale * fold.inside[name], digits), number(scale * fold.outside[name], digits)


def _sharpe(rows: list[Sharpe]) -> Table:
    header = (
        "Strategy",
        "Sharpe a year",
        "Skewness",
        "Kurtosis",
        "Chance above 0 (%)",
        "Luck of the best, a year",
        "Chance above it (%)",
        "Note",
    )
    lines = [
        (
            clean_text(s.strategy, NAME),
            number(s.annual),
            number(s.figures.skewness, 1),
            number(s.figures.kurtosis, 1),
            percent(s.probability),
            number(s.benchmark * math.sqrt(s.bars_per_year)),
            percent(s.deflated),
            clean_text(s.note, 120),
        )
        for s in rows
    ]
    return Table(header, tuple(lines), texts=(len(header) - 1,))


def _sharpe_text(rows: list[Sharpe], found: Evidence) -> str:
    if not rows:
        return ""
    years = rows[0].figures.bars / rows[0].bars_per_year
    return (
        "A hedge pays a premium for a smaller loss, so a Sharpe ratio near or below zero is what "
        "insurance costs and no reason to drop it; nothing here is ranked by it. Where one is "
        f"quoted, it is deflated for {plural(found.trials, 'parameter set')} tried: “luck of the "
        "best” is what the best of so many without skill shows (Bailey and López de Prado 2014). "
        f"With so many, {number(least_years(max(found.trials, 2)), 1)} years are needed before an "
        f"annual ratio of 1 is more than luck; there are {number(years, 1)} path-years here."
    )
