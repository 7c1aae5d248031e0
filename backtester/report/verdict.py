"""What a market says in one sentence, and what a reader must know before believing it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backtester.comparison import Comparison, Curve
from backtester.errors import Status
from backtester.metrics.evaluate import RUINED
from backtester.metrics.paired import FAMILIES, PairedDifference
from backtester.metrics.regime import ALL
from backtester.report.labels import clean_text, count, number, percent, plural, sentence
from backtester.report.scores import regimes_of, rows_of
from backtester.score import Score

SURE = 0.05
"""Largest adjusted p-value of a hedge that is said to help."""


@dataclass(frozen=True)
class Verdict:
    """One market: whether any hedge helps, and by how much."""

    market: str
    kind: str  # "helps", "unsure" or "fails"
    badge: str
    text: str
    best: int  # index of the strategy with the least net shortfall


def verdict(comparison: Comparison, market: str) -> Verdict:
    """The best strategy of `market` by net expected shortfall against the unhedged book."""
    found = _verdict(comparison, market)
    ruin = ruined(rows_of(comparison.scorecard, market, ALL))
    return replace(found, text=f"{found.text} {ruin}") if ruin else found


def ruined(scores: Sequence[Score]) -> str:
    """Which books lost all the capital, and what that means for their scores; empty for none."""
    names = [clean_text(s.strategy, 60) for s in scores if RUINED in s.max_drawdown.note]
    if scores and RUINED in scores[0].unhedged_drawdown.note:
        names.insert(0, "the unhedged book")
    if not names:
        return ""
    what = "every book" if len(names) == len(scores) + 1 else sentence(names)
    return (
        f"Ruin: {what} lost all the capital on a path; nobody stops it here, so that its scores "
        "go on with money it no longer has. Give more capital or a smaller exposure."
    )


def _verdict(comparison: Comparison, market: str) -> Verdict:
    card = comparison.scorecard
    scores = rows_of(card, market, ALL)
    usable = [i for i, s in enumerate(scores) if math.isfinite(s.net_es.value)]
    if not usable:
        text = "No expected shortfall could be computed; the table says why."
        return Verdict(market, "unsure", "No verdict", text, 0)
    best = min(usable, key=lambda i: scores[i].net_es.value)
    s = scores[best]
    name = clean_text(s.strategy, 60)
    change = s.net_es_change
    es, bare = number(s.net_es.value), number(s.unhedged_es.value)
    if not change.value < -1e-9:
        text = (
            f"No hedge beats the unhedged book: its net 10-bar shortfall is {bare} % of capital; "
            f"the best strategy, {name}, has {es} %."
        )
        return Verdict(market, "fails", "No hedge helps", text, best)
    text = (
        f"{name} has the least net 10-bar shortfall: {es} % of capital against {bare} % unhedged"
        f"{_relative(s)}"
    )
    if math.isfinite(change.high):
        text += f"; change {number(change.value, sign=True)} [{number(change.low)}, "
        text += f"{number(change.high)}] percentage points"
    tested = _tested(comparison, market, s.strategy)
    if tested is not None:
        text += (
            f", p = {number(tested.p_adjusted, 3)} adjusted for "
            f"{plural(tested.comparisons, 'comparison')}"
        )
    text += "." + _by_regime(comparison, market, best) + _earned(s)
    lucky = tested is not None and not tested.p_adjusted <= SURE
    if math.isfinite(change.high) and change.high < 0 and not lucky:
        return Verdict(market, "helps", "Hedge helps", text, best)
    why = change.note or (
        f"the adjusted p-value is above {SURE}"
        if change.high < 0
        else "the interval of the change includes zero"
    )
    return Verdict(market, "unsure", "Not certain", f"{text} Not certain: {why}.", best)


def _tested(comparison: Comparison, market: str, strategy: str) -> PairedDifference | None:
    """The test of a strategy against the unhedged book over all bars, where it could be made."""
    key = (market, ALL, FAMILIES[0], strategy)
    for c in comparison.evidence.comparisons:
        if (c.market, c.regime, c.family, c.first) == key and math.isfinite(c.p_adjusted):
            return c
    return None


def _relative(s: Score) -> str:
    if not s.unhedged_es.value > 0:
        return ""
    return f" ({percent(s.net_es.value / s.unhedged_es.value - 1.0, 0, sign=True)} %)"


def _earned(s: Score) -> str:
    """What the hedge leaves of the P&L: a smaller risk may have been bought with all of it."""
    net, bare = s.pnl_net.value, s.unhedged_pnl.value
    if not (math.isfinite(net) and math.isfinite(bare)):
        return ""
    return (
        f" P&L after costs: {number(net, 0)} against {number(bare, 0)} bp of capital a year "
        "unhedged."
    )


def _by_regime(comparison: Comparison, market: str, best: int) -> str:
    parts = []
    for regime in regimes_of(comparison.scorecard, market)[1:] or (ALL,):
        rows = rows_of(comparison.scorecard, market, regime)
        if best >= len(rows):
            continue
        e = rows[best].effectiveness_net
        if math.isfinite(e.value):
            where = "" if regime == ALL else f" in {clean_text(regime, 40)}"
            short = " (insufficient data)" if rows[best].insufficient else ""
            parts.append(f"{percent(e.value)} %{where}{short}")
    return f" Variance removed after costs: {sentence(parts)}." if parts else ""


@dataclass(frozen=True)
class Outcome:
    """Path-decisions of one status over all strategies and markets."""

    status: str
    decisions: str
    share: str
    advice: str


def troubles(curves: Sequence[Curve]) -> tuple[Outcome, ...]:
    """Every outcome other than OK that occurred, with its advice, worst first."""
    totals = status_totals(curves)
    decided = sum(n for name, n in totals.items() if name != Status.NONE.name)
    order = [s for s in reversed(Status) if s not in (Status.NONE, Status.OK)]
    return tuple(
        Outcome(s.name, count(totals[s.name]), _share(totals[s.name], decided), s.advice)
        for s in order
        if totals.get(s.name, 0) > 0
    )


def status_totals(curves: Sequence[Curve]) -> dict[str, int]:
    """Path-decisions by status over all `curves`."""
    totals: dict[str, int] = {}
    for curve in curves:
        for name, n in curve.status.items():
            totals[name] = totals.get(name, 0) + n
    return totals


def _share(part: int, whole: int) -> str:
    if whole <= 0:
        return ""
    share = part / whole
    return "< 0.1 %" if 0 < share < 0.001 else f"{percent(share)} %"


def trials(comparison: Comparison) -> str:
    """How many results were looked at: the best of many is partly luck."""
    study, markets = comparison.study, len(comparison.markets)
    sets = study.tried - study.trials
    what = plural(len(study.strategies), "strategy", "strategies")
    if sets > len(study.strategies):
        what = f"{plural(sets, 'parameter set')} of {what}"
    if study.trials:
        what = f"{what}, and {count(study.trials)} earlier"
    return f"{plural(study.tried * markets, 'trial')} ({what}; on {plural(markets, 'market')})"
