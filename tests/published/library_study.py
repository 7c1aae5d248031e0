"""What the named scenarios draw against what the events were: docs/scenarios_library.md.

``python tests/published/library_study.py`` writes the page. Every figure of an event stands in its
file; here it is measured on paths drawn from the scenario, beside the same paths of its base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtester.api import compare
from backtester.comparison import Comparison
from backtester.market.panel import MarketPanel
from backtester.provenance import Figure
from backtester.scenario_files import ScenarioFile, read_scenario

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "scenarios_library.md"
PATHS, BARS, SEED = 256, 365, 11
COMPARED = 64
CRYPTO_BOOK: dict[str, Any] = {
    "exposure": {"positions": {"SOL": 500_000, "LINK": 500_000}, "hold": "notional"},
    "capital": 1_000_000,
    "hedge_with": ["BTC-PERP", "ETH-PERP", "LTC", "PAXG"],
    "costs": {"fee_bps": 5.0, "half_spread_bps": 2.0, "impact": 1.0},
}
EQUITY_BOOK: dict[str, Any] = {
    "exposure": {"positions": {"SPY": 1_000_000}, "hold": "notional"},
    "capital": 1_000_000,
    "hedge_with": ["UST10"],
    "costs": {"fee_bps": 0.5, "half_spread_bps": 1.0, "impact": 1.0},
}
STRATEGIES = ["Naked", "StaticHedge", "RollingOLS", "CrossAssetCorrelationHedge"]


@dataclass(frozen=True)
class Measured:
    """One figure on the drawn paths: mean over paths, and its standard error."""

    value: float
    error: float


def library() -> list[ScenarioFile]:
    """The named events and hypotheticals, in the order of their names."""
    files = [read_scenario(path) for path in sorted((ROOT / "scenarios").glob("*.yaml"))]
    return [f for f in files if f.provenance.figures]


@dataclass(frozen=True)
class Drawn:
    """A scenario, its base, and the scenario without its depegs, on the same shocks."""

    panel: MarketPanel
    base: MarketPanel
    pegged: MarketPanel


def drawn(file: ScenarioFile, paths: int = PATHS) -> Drawn:
    """Paths of a named scenario."""
    scenario: Any = file.scenario
    asked = {"first": 0, "paths": paths, "bars": BARS, "seed": SEED}
    held = tuple({"depth": 0.0} if type(o).__name__ == "Depeg" else None for o in scenario.overlays)
    return Drawn(
        scenario.draw(**asked), scenario.base.draw(**asked), scenario.draw(**asked, values=held)
    )


def measured(figure: Figure, market: Drawn) -> Measured:
    """`figure` on the drawn paths."""
    panel = market.panel
    first, last = (int(np.searchsorted(panel.trading_days, day - 1e-9)) for day in figure.days)
    if figure.measure == "correlation":
        assert figure.pair is not None
        columns = panel.indices(figure.pair.split("/"))
        steps = np.diff(np.log(panel.prices[first : last + 1][:, :, columns]), axis=0)
        steps -= steps.mean(axis=(0, 1))
        cross, squares = (steps[..., 0] * steps[..., 1]).sum(axis=0), (steps**2).sum(axis=0)
        a, b = squares[:, 0].mean(), squares[:, 1].mean()
        rho = float(cross.mean() / np.sqrt(a * b))
        moved = cross / np.sqrt(a * b) - rho / 2.0 * (squares[:, 0] / a + squares[:, 1] / b)
        return Measured(rho, ratio_of(moved, 1.0).error)
    assert figure.asset is not None
    each = by_path(figure.measure, market, panel.index(figure.asset), first, last)
    found = ratio_of(each, 1.0)
    if figure.measure == "volatility":
        root = float(np.sqrt(found.value))
        return Measured(root, found.error / (2.0 * root))
    return found


def ratio_of(each: np.ndarray, by: float) -> Measured:
    """Mean over paths divided by a number, and its standard error."""
    error = float(np.std(each, ddof=1) / np.sqrt(len(each)))
    return Measured(float(np.mean(each)) / by, error / by)


def by_path(measure: str, market: Drawn, n: int, first: int, last: int) -> np.ndarray:
    """The measure of each path, (P,); a variance a year for a volatility."""
    panel, base = market.panel, market.base
    price = panel.prices[:, :, n]
    year = panel.calendar.days_per_year
    if measure == "move":
        return np.asarray(price[last] / price[first] - 1.0)
    if measure == "volatility":
        steps = np.diff(np.log(price[first : last + 1]), axis=0)
        return np.asarray(((steps - steps.mean()) ** 2).mean(axis=0) * year)
    if measure == "funding":
        assert panel.funding is not None
        return np.asarray(panel.funding[first : last + 1, :, n].mean(axis=0) * year)
    if measure == "quote":  # what other assets rise by is what the money has lost
        return np.asarray(market.pegged.prices[last, :, n] / price[last] - 1.0)
    field = {"depth": "depth", "spread": "half_spread"}[measure]
    ours, theirs = getattr(panel, field)[last], getattr(base, field)[last]
    wide = (panel.paths, len(panel.assets))
    ratio = (np.broadcast_to(ours, wide) / np.broadcast_to(theirs, wide))[:, n]
    return np.asarray(ratio - 1.0 if measure == "depth" else ratio)


def compared(file: ScenarioFile) -> Comparison:
    """A book of the scenario's kind, hedged, on `COMPARED` paths."""
    book = EQUITY_BOOK if "SPY" in file.scenario.assets else CRYPTO_BOOK
    market = {"scenario": file.scenario.name, "paths": COMPARED, "bars": BARS}
    study = {
        "name": "library",
        "markets": [market],
        "strategies": STRATEGIES,
        "placebo_paths": 0,
        "seed": SEED,
        **book,
    }
    return compare(study, audits=False)


def shown(measure: str, value: float) -> str:
    """A value in the unit of its measure."""
    if measure in ("move", "depth", "quote"):
        return f"{100 * value:+.1f} %"
    if measure == "volatility":
        return f"{100 * value:.0f} %"
    if measure == "funding":
        return f"{100 * value:+.0f} % a year"
    return f"{value:.2f}" if measure == "correlation" else f"× {value:.3g}"


def error_shown(measure: str, error: float) -> str:
    """A standard error in the unit of its measure; nothing where the figure is exact."""
    if error < 1e-9:
        return "exact"
    scale = 1.0 if measure in ("correlation", "spread") else 100.0
    return f"± {scale * error:.2g}"


def figures_table(file: ScenarioFile) -> list[str]:
    """Rows of one scenario: the event beside what is drawn."""
    market = drawn(file)
    rows = ["| figure | the event | drawn | s.e. | source |", "|---|---|---|---|---|"]
    for f in file.provenance.figures:
        found = measured(f, market)
        days = (
            f"day {f.days[0]:g}" if f.days[0] == f.days[1] else f"days {f.days[0]:g}–{f.days[1]:g}"
        )
        what = f"{f.measure} {f.asset or f.pair}, {days}"
        cells = (
            what,
            shown(f.measure, f.value),
            shown(f.measure, found.value),
            error_shown(f.measure, found.error),
            f.source,
        )
        rows.append("| " + " | ".join(cells) + " |")
    return rows


def hedged_rows(files: Sequence[ScenarioFile]) -> list[str]:
    """Net expected shortfall and effectiveness of a book of each kind, by scenario."""
    head = ["scenario", "book", *(f"{s} ES" for s in STRATEGIES)]
    head += [f"{s} effectiveness" for s in STRATEGIES[1:]]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for file in files:
        frame = compared(file).to_frame()
        all_bars = frame[frame["regime"] == "all"].set_index("strategy")
        book = "SPY | " if "SPY" in file.scenario.assets else "SOL, LINK | "
        cells = [f"{all_bars.loc[s, 'net_es']:.1f} %" for s in STRATEGIES]
        cells += [f"{all_bars.loc[s, 'effectiveness_net']:.2f}" for s in STRATEGIES[1:]]
        rows.append(f"| `{file.scenario.name}` | {book}" + " | ".join(cells) + " |")
    return rows


HEAD = f"""# The library of named scenarios

Written by `python tests/published/library_study.py`: {PATHS} paths of {BARS} bars a scenario, seed
{SEED}. Events begin on day 90, after every built-in strategy has warmed up. *The event* is the
published or measured figure in the scenario's file, with its source; *drawn* is the same measure on
the drawn paths, with its standard error. A drawn move holds the noise of the days it spans. Daily
bars cannot show a minute: where the worst minute matters it is taken to fall on a stamp, and the
file says so under `choices`.

"""


def page() -> str:
    """The text of the page."""
    files = library()
    parts = [HEAD]
    for file in files:
        scenario: Any = file.scenario
        parts.append(f"## `{scenario.name}`\n\n{scenario.description}\n\n")
        parts.append("\n".join(figures_table(file)) + "\n\n")
        choices = [f"*{c.what}*: {c.how} ({c.source})" for c in file.provenance.choices]
        parts.append("Choices: " + "; ".join(choices) + ".\n\n")
    parts.append(
        f"## A hedged book in each\n\nExpected shortfall (10 bars, 97.5 %) net of costs in % of "
        f"capital, and net effectiveness over all scored bars; {COMPARED} paths. Crypto: SOL and "
        "LINK hedged with perpetuals on BTC and ETH, LTC and PAXG. Equity: SPY hedged with a "
        "ten-year Treasury.\n\n"
    )
    parts.append("\n".join(hedged_rows(files)) + "\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
