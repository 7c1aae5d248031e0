"""Tables and plot of docs/out_of_sample.md, from comparisons and rank cells."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from backtester.comparison import Comparison
from backtester.metrics.inference import Estimate
from backtester.metrics.records import Score

MINUS = "−"
ES = "Net ES, % of capital"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and the others numbers."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float, digits: int) -> str:
    """A number with a true minus sign; an en dash where there is none."""
    if math.isnan(value):
        return "–"
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def cell(estimate: Estimate, digits: int, *, bad: bool, scale: float = 1.0) -> str:
    """A figure and its interval; bold where the hedge made things worse."""
    text = number(scale * estimate.value, digits)
    text = f"**{text}**" if bad and text.strip("0.") else text
    if math.isnan(estimate.low):
        return text if math.isnan(estimate.value) else f"{text} (i)"
    low, high = (number(scale * x, digits) for x in (estimate.low, estimate.high))
    return f"{text} [{low}, {high}]"


def by_strategy(comparison: Comparison, market: str) -> dict[str, dict[str, Score]]:
    """Rows of one market, by strategy and regime."""
    found: dict[str, dict[str, Score]] = {}
    for row in comparison.scorecard.scores:
        if row.market == market:
            found.setdefault(row.strategy, {})[row.regime] = row
    return found


def regimes_of(comparison: Comparison, market: str) -> list[str]:
    """Regimes that the market visited, in label order, without "all"."""
    rows = next(iter(by_strategy(comparison, market).values()))
    return [name for name in rows if name != "all"]


def effectiveness_table(comparison: Comparison, market: str) -> str:
    """Hedging effectiveness in percent: gross over all bars, net over all and in each regime."""
    regimes = ["all", *regimes_of(comparison, market)]
    head = ["HE, %", "gross, all", *(f"net, {name}" for name in regimes)]
    rows = []
    for strategy, found in by_strategy(comparison, market).items():
        if strategy == "Naked":
            continue
        gross = found["all"].effectiveness_gross
        cells = [cell(gross, 1, bad=gross.value < 0, scale=100.0)]
        for name in regimes:
            net = found[name].effectiveness_net
            cells.append(cell(net, 1, bad=net.value < 0, scale=100.0))
        rows.append([strategy, *cells])
    return markdown(head, rows)


def shortfall_table(comparison: Comparison, market: str) -> str:
    """Net expected shortfall and its change against no hedge, cost, carry and what is earned."""
    regimes = regimes_of(comparison, market)
    head = [
        ES,
        "all",
        "change, all",
        *(f"change, {name}" for name in regimes),
        "cost, bp/y",
        "carry, bp/y",
        "P&L gross / net, %/y",
    ]
    rows = []
    for strategy, found in by_strategy(comparison, market).items():
        all_ = found["all"]
        cells = [cell(all_.net_es, 1, bad=False)]
        for name in ("all", *regimes):
            change = found[name].net_es_change
            shown = cell(change, 1, bad=change.value > 0) if strategy != "Naked" else ""
            if strategy == "Naked" and name != "all":
                shown = f"({number(found[name].net_es.value, 1)})"
            cells.append(shown)
        cells += [number(all_.cost_drag.value, 0), number(all_.carry.value, 0)]
        earned = (number(x.value / 100.0, 1) for x in (all_.pnl_gross, all_.pnl_net))
        cells.append(" / ".join(earned))
        rows.append([strategy, *cells])
    return markdown(head, rows)


def placebo_table(comparison: Comparison, strategy: str) -> str:
    """Regime minus normal in net effectiveness, the same on the placebo, and what is left."""
    head = ["market", "regime", "minus normal", "placebo", "excess"]
    rows = []
    for d in comparison.scorecard.differences:
        if d.strategy != strategy or d.metric != "effectiveness_net":
            continue
        none = Estimate(math.nan, note="no placebo")
        parts = (d.estimate, d.placebo or none, d.excess or none)
        shown = [cell(e, 1, bad=False, scale=100.0) for e in parts]
        rows.append([d.market, d.regime, *shown])
    return markdown(head, rows)


def market_facts(comparison: Comparison, name: str) -> str:
    """One paragraph: span, bars, crisis episodes and their first days."""
    market = next(m for m in comparison.markets if m.name == name)
    rows = by_strategy(comparison, name)["Naked"]
    parts = []
    for regime in regimes_of(comparison, name):
        row = rows[regime]
        days = ", ".join(row.onset_days) if regime != "normal" and row.onset_days else ""
        episodes = f"{row.episodes} episode{'s' if row.episodes != 1 else ''}"
        told = f"{regime} {100 * row.share:.1f} % of bars in {episodes}"
        parts.append(f"{told} (from {days})" if days else told)
    held = ", ".join(f"{asset} {amount:,.0f}" for asset, amount in market.exposure.items())
    return (
        f"Held: {held}. Hedges: {', '.join(market.instruments)}. {market.start} to {market.end}, "
        f"{market.bars:,} bars; {'; '.join(parts)}."
    )


def p_values(comparison: Comparison, market: str, strategy: str) -> str:
    """Of the change over all bars: alone, and among all comparisons with no hedge."""
    for row in comparison.evidence.comparisons:
        here = (row.family, row.market, row.regime) == ("unhedged", market, "all")
        if here and strategy in (row.first, row.second) and not math.isnan(row.p_adjusted):
            return " / ".join(f"{p:.3f}".lstrip("0") for p in (row.p_single, row.p_adjusted))
    return "–"


def tested(comparison: Comparison) -> str:
    """How many comparisons there were, and how many differ from luck alone."""
    parts = []
    for family, what in (("unhedged", "with no hedge"), ("strategies", "between strategies")):
        rows = [c for c in comparison.evidence.comparisons if c.family == family]
        rows = [c for c in rows if not math.isnan(c.p_adjusted)]
        alone = sum(c.p_single < 0.05 for c in rows)
        among = sum(c.p_adjusted < 0.05 for c in rows)
        parts.append(
            f"Of {len(rows)} comparisons {what} that allow a test, {alone} have p < .05 alone "
            f"and {among} among all of them."
        )
    return " ".join(parts)


def summary_table(comparison: Comparison) -> str:
    """Change of net expected shortfall, percent of the unhedged one, by market and strategy."""
    markets = [m.name for m in comparison.markets]
    names = [s for s in by_strategy(comparison, markets[0]) if s != "Naked"]
    head = ["market", "unhedged ES, %", *names]
    rows = []
    for market in markets:
        found = by_strategy(comparison, market)
        bare = found["Naked"]["all"].net_es.value
        cells = []
        for name in names:
            share = 100.0 * found[name]["all"].net_es_change.value / bare
            text = number(share, 0)
            text = f"**{text}**" if share > 0 and text != "0" else text
            cells.append(f"{text} ({p_values(comparison, market, name)})")
        rows.append([market, number(bare, 1), *cells])
    return markdown(head, rows)


STYLE = """text{font:12px sans-serif;fill:#333}.end{text-anchor:end}.mid{text-anchor:middle}
.zero{stroke:#888}.good{stroke:#1f4e79;fill:#1f4e79}.bad{stroke:#c0392b;fill:#c0392b}
line{stroke-width:1.5}.head{font-weight:bold}"""
LEFT, WIDTH, ROW = 205, 560, 15


def forest(comparison: Comparison) -> str:
    """Change of net shortfall with its interval, percent of the unhedged one, as SVG."""
    low, high = -105.0, 45.0

    def at(share: float) -> float:
        return LEFT + WIDTH * (min(max(share, low), high) - low) / (high - low)

    parts, y = [], 34
    for tick in range(-100, 41, 20):
        x = at(tick)
        parts.append(f'<text x="{x:.0f}" y="14" class="mid">{number(tick, 0)}</text>')
    for market in comparison.markets:
        found = by_strategy(comparison, market.name)
        bare = found["Naked"]["all"].net_es.value
        parts.append(f'<text x="4" y="{y + 4}" class="head">{escape(market.name)}</text>')
        y += ROW + 2
        for strategy, rows in found.items():
            if strategy == "Naked":
                continue
            change = rows["all"].net_es_change
            shares = [100.0 * v / bare for v in (change.value, change.low, change.high)]
            kind = "bad" if shares[0] > 0 else "good"
            parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" class="end">{escape(strategy)}</text>')
            if not math.isnan(shares[1]):
                parts.append(
                    f'<line x1="{at(shares[1]):.1f}" x2="{at(shares[2]):.1f}" y1="{y}" y2="{y}" '
                    f'class="{kind}"/>'
                )
            parts.append(f'<circle cx="{at(shares[0]):.1f}" cy="{y}" r="3.5" class="{kind}"/>')
            y += ROW
        y += 10
    zero = f'<line x1="{at(0):.1f}" x2="{at(0):.1f}" y1="20" y2="{y - 10}" class="zero"/>'
    size = f'viewBox="0 0 {LEFT + WIDTH + 20} {y}" width="{LEFT + WIDTH + 20}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        "<title>Change of net expected shortfall against no hedge, percent of it, with 95 % "
        f'intervals</title><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        + "\n".join([zero, *parts])
        + "</svg>\n"
    )
