"""The scorecard of one market as rows of text: the unhedged book first, then every strategy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backtester.metrics.inference import Estimate
from backtester.metrics.regime import ALL
from backtester.report.labels import MISSING, clean_text, count, money, number, percent, plural
from backtester.score import Difference, Score, Scorecard

UNHEDGED = "Unhedged"
INSUFFICIENT = "insufficient"


@dataclass(frozen=True)
class Column:
    """One column of the score table; `unhedged` says what the book without a hedge has there."""

    metric: str
    title: str
    unit: str
    show: Callable[[float], str]
    unhedged: str | float  # a metric of the unhedged book, or its value by definition
    better: str = ""  # "lower" or "higher": marks the best strategy of a regime
    ranged: bool = True


def _tenth(value: float) -> str:
    return number(value, 1)


def _whole(value: float) -> str:
    return number(value, 0)


COLUMNS = (
    Column("net_es", "Net shortfall", "% of capital", number, "unhedged_es", "lower"),
    Column(
        "certainty_equivalent",
        "Certainty equivalent",
        "bp of capital a year",
        _whole,
        "unhedged_certainty_equivalent",
        "higher",
    ),
    Column("effectiveness_net", "HE net", "% of variance", percent, 0.0, "higher"),
    Column("effectiveness_gross", "HE gross", "% of variance", percent, 0.0),
    Column(
        "residual_volatility",
        "Residual volatility",
        "money a year",
        money,
        "unhedged_volatility",
    ),
    Column("max_drawdown", "Drawdown", "% of capital", _tenth, "unhedged_drawdown", ranged=False),
    Column("residual_beta", "Residual beta", "per unit", number, 1.0, ranged=False),
    Column("turnover", "Turnover", "× exposure a year", number, 0.0, ranged=False),
    Column("cost_drag", "Cost drag", "bp of exposure a year", _tenth, 0.0, ranged=False),
    Column("carry", "Carry", "bp of exposure a year", _tenth, 0.0, ranged=False),
    Column("pnl_gross", "P&L gross", "bp of capital a year", _whole, "unhedged_pnl", ranged=False),
    Column("pnl_net", "P&L net", "bp of capital a year", _whole, "unhedged_pnl", ranged=False),
    Column(
        "price_of_volatility",
        "Price of volatility",
        "bp a year per 1 pp removed",
        _tenth,
        math.nan,
        ranged=False,
    ),
)

CONTRASTS = tuple(
    c for c in COLUMNS if c.metric in ("net_es", "certainty_equivalent", "effectiveness_net")
)


@dataclass(frozen=True)
class Cell:
    """One figure as shown."""

    text: str
    range: str = ""
    best: bool = False
    mark: str = ""  # of the footnote that says why something is missing


@dataclass(frozen=True)
class Row:
    """One strategy in one regime."""

    name: str
    cells: tuple[Cell, ...]
    unhedged: bool = False


@dataclass(frozen=True)
class Group:
    """The rows of one regime."""

    regime: str
    facts: str
    rows: tuple[Row, ...]
    insufficient: str  # why no row has an interval, or empty


@dataclass
class Footnotes:
    """Reasons given once each, marked a, b, c …"""

    reasons: list[str] = field(default_factory=list)

    def mark(self, reason: str) -> str:
        """The mark of `reason`, empty where there is none."""
        if not reason:
            return ""
        if reason not in self.reasons:
            self.reasons.append(reason)
        return letter(self.reasons.index(reason))

    def listed(self) -> tuple[tuple[str, str], ...]:
        """(mark, reason) in the order of their marks."""
        return tuple((letter(i), reason) for i, reason in enumerate(self.reasons))


def letter(i: int) -> str:
    """a … z, then aa, ab …"""
    text = chr(ord("a") + i % 26)
    return text if i < 26 else letter(i // 26 - 1) + text


def rows_of(card: Scorecard, market: str, regime: str) -> tuple[Score, ...]:
    """The scores of one market and regime in the order of the study."""
    return tuple(s for s in card.scores if s.market == market and s.regime == regime)


def regimes_of(card: Scorecard, market: str) -> tuple[str, ...]:
    """Regimes scored on a market, all bars first; alone where there is but one regime."""
    found = tuple(dict.fromkeys(s.regime for s in card.scores if s.market == market))
    return found if len(found) > 2 else found[:1]


def regime_title(regime: str) -> str:
    """What a reader calls a regime."""
    return "All bars" if regime == ALL else clean_text(regime, 40)


def score_groups(card: Scorecard, market: str, notes: Footnotes) -> tuple[Group, ...]:
    """The score table of one market: a group per regime, the unhedged book first in each."""
    groups = []
    for regime in regimes_of(card, market):
        scores = rows_of(card, market, regime)
        groups.append(score_group(scores, regime_title(regime), notes))
    return tuple(groups)


def score_group(scores: Sequence[Score], title: str, notes: Footnotes) -> Group:
    """The rows of one market and regime, the unhedged book first."""
    winners = [_winner(scores, column) for column in COLUMNS]
    rows = [_unhedged(scores[0], notes)]
    for i, s in enumerate(scores):
        cells = tuple(
            _cell(s.estimate(c.metric), c, notes, best=i == winners[k], row=s.insufficient)
            for k, c in enumerate(COLUMNS)
        )
        rows.append(Row(clean_text(s.strategy, 80), cells))
    head = scores[0]
    return Group(title, _facts(head), tuple(rows), head.insufficient)


def _facts(s: Score) -> str:
    parts = [f"{count(s.bars)} path-bars", f"{percent(s.share)} % of all"]
    if s.regime != ALL:
        parts.append(f"{plural(s.episodes, 'episode')} on {plural(s.paths, 'path')}")
    parts.append(f"{count(s.tail_observations)} tail observations")
    return ", ".join(parts)


def _unhedged(s: Score, notes: Footnotes) -> Row:
    cells = []
    for column in COLUMNS:
        if isinstance(column.unhedged, str):
            estimate = s.estimate(column.unhedged)
            cells.append(_cell(estimate, column, notes, best=False, row=s.insufficient))
        else:
            cells.append(Cell(column.show(column.unhedged)))
    return Row(UNHEDGED, tuple(cells), unhedged=True)


def _cell(e: Estimate, column: Column, notes: Footnotes, *, best: bool, row: str) -> Cell:
    missing = not math.isfinite(e.value) or (column.ranged and not math.isfinite(e.low))
    reason = e.note if missing and e.note != row else ""
    ranged = interval(e, column.show) if column.ranged else ""
    if not ranged and e.note.startswith(INSUFFICIENT):
        ranged = INSUFFICIENT
    return Cell(column.show(e.value), ranged, best, notes.mark(reason))


def interval(e: Estimate, show: Callable[[float], str]) -> str:
    """``[low, high]``, empty where there is none."""
    if not (math.isfinite(e.low) and math.isfinite(e.high)):
        return ""
    return f"[{show(e.low)}, {show(e.high)}]"


def _winner(scores: Sequence[Score], column: Column) -> int:
    """Index of the best strategy with enough data that is better than no hedge, else −1."""
    if not column.better or not scores:
        return -1
    sign = 1.0 if column.better == "higher" else -1.0
    bare = column.unhedged
    base = scores[0].estimate(bare).value if isinstance(bare, str) else bare
    best, at = sign * base, -1
    for i, s in enumerate(scores):
        e = s.estimate(column.metric)
        value = sign * e.value
        if e.note.startswith(INSUFFICIENT):
            continue
        if value > best + 1e-9 * max(1.0, abs(best)):
            best, at = value, i
    return at


@dataclass(frozen=True)
class Contrast:
    """One strategy: for each contrasted column the difference, its placebo and what is left."""

    name: str
    regime: str
    cells: tuple[Cell, ...]


def contrasts(card: Scorecard, market: str, notes: Footnotes) -> tuple[Contrast, ...]:
    """Crisis-minus-normal differences of one market beside their placebos."""
    found: dict[tuple[str, str], dict[str, Difference]] = {}
    for d in card.differences:
        if d.market == market:
            found.setdefault((d.regime, d.strategy), {})[d.metric] = d
    rows = []
    for (regime, strategy), metrics in found.items():
        reference = clean_text(next(iter(metrics.values())).reference, 40)
        cells: list[Cell] = []
        for column in CONTRASTS:
            d = metrics[column.metric]
            for e in (d.estimate, d.placebo, d.excess):
                cells.append(_signed(e, column, notes))
        rows.append(
            Contrast(
                clean_text(strategy, 80), f"{clean_text(regime, 40)} − {reference}", tuple(cells)
            )
        )
    return tuple(rows)


def _signed(e: Estimate | None, column: Column, notes: Footnotes) -> Cell:
    if e is None:
        return Cell(MISSING, mark=notes.mark("no placebo was run"))
    reason = e.note if not math.isfinite(e.low) else ""
    text = column.show(e.value)
    sign = "+" if e.value > 0 and text.strip("0.,") else ""
    return Cell(sign + text, interval(e, column.show), False, notes.mark(reason))
