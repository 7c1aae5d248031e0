"""Writes the tables of docs/regimes.md: detectors on known regimes, and labels on real crises.

``python -m tests.published.regime_study [--data FOLDER]``: about five minutes. FOLDER holds
``crypto_daily_close.csv.gz``, a wide table of daily closes by UTC date; without it the crypto table
is left as it stands.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from backtester.accounting.exposure import Exposure
from backtester.arrays import Bool, Byte, Float, Int
from backtester.market.loaders.builtin import indices
from backtester.market.panel import MarketPanel
from backtester.regimes.detector import HedgeRegimeDetector
from backtester.regimes.detector_labels import COMMON, run_detector
from backtester.regimes.episodes import spells
from backtester.regimes.hedge_labels import hedge_label
from backtester.regimes.labelled import STATES

from .regime_benchmark import WORLDS, Marks, decisions, draw, marks, matched
from .regime_peers import LEAST, PEERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "regimes.md"
BARS, PATHS, SEED = 2500, 16, 20
DAY = 86_400_000_000_000
CRYPTO_EVENTS = {
    "March 2020": "2020-03-12",
    "May 2021": "2021-05-19",
    "May 2022 (UST)": "2022-05-11",
    "November 2022 (FTX)": "2022-11-09",
    "March 2023 (USDC)": "2023-03-11",
}
EQUITY_EVENTS = {
    "October 2008": "2008-10-10",
    "March 2009": "2009-03-06",
    "August 2011": "2011-08-08",
    "August 2015": "2015-08-24",
    "February 2018": "2018-02-05",
}


def _ours(**settings: Any) -> Callable[[Float], Int]:
    def called(returns: Float) -> Int:
        return decisions(HedgeRegimeDetector(**settings), returns)

    return called


DETECTORS: dict[str, Callable[[Float], Bool | Int]] = {
    "**ours: jump model** (default)": _ours(),
    "ours: jump model, no hysteresis": _ours(enter=0.501, leave=0.499, dwell=1),
    "ours: HMM": _ours(model="markov"),
    "ours: threshold score": _ours(model="score"),
    **PEERS,
}


def benchmark(paths: int = PATHS, bars: int = BARS) -> dict[str, dict[str, Marks]]:
    """World → detector → marks, from the first fit on."""
    found: dict[str, dict[str, Marks]] = {}
    for world in WORLDS.values():
        truth, returns = draw(world, bars, paths, SEED)
        found[world.title] = {}
        for name, detector in DETECTORS.items():
            called = matched(detector(returns)[LEAST:], truth[LEAST:])
            found[world.title][name] = marks(called, truth[LEAST:])
            print(world.title, name, found[world.title][name], flush=True)
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first aligned right."""
    lines = [list(head), ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def benchmark_text(found: dict[str, dict[str, Marks]]) -> str:
    """One table a world."""
    parts = []
    head = ("detector", "balanced accuracy", "delay, bars", "false alarms a year", "found")
    for title, rows in found.items():
        lines = [
            (name, f"{m.accuracy:.3f} ± {m.error:.3f}", f"{m.delay:.0f}", f"{m.false_alarms:.2f}",
             f"{m.found:.0%}")
            for name, m in rows.items()
        ]  # fmt: skip
        parts.append(f"**{title[0].upper()}{title[1:]}**\n\n{table(head, lines)}")
    return "\n\n".join(parts)


def crypto(folder: Path) -> dict[str, tuple[MarketPanel, dict[str, float]]]:
    """Books of coins hedged with BTC, 2017-11-09 to 2023-12-31."""
    import pandas as pd

    frame = pd.read_csv(folder / "crypto_daily_close.csv.gz", index_col=0, parse_dates=True)
    frame = frame["2017-11-09":"2023-12-31"].tz_localize("UTC")  # type: ignore[misc]
    coins = ["ETH", "XRP", "BNB", "LTC", "LINK"]
    books = {c: {c: 1e6} for c in coins} | {"all five": dict.fromkeys(coins, 1e6)}
    return {
        name: (
            MarketPanel.from_frame(
                frame[[*book, "BTC"]].dropna(), calendar="24/7", name=f"{name} hedged with BTC"
            ),
            book,
        )
        for name, book in books.items()
    }


def events_text(
    books: dict[str, tuple[MarketPanel, dict[str, float]]],
    hedges: tuple[str, ...],
    events: dict[str, str],
) -> str:
    """For each book and event: the state with hindsight, and when the detector called."""
    columns, shares, spans = [], [], []
    for name, (panel, book) in books.items():
        exposure = Exposure(tuple(book), np.array(list(book.values())))
        label = hedge_label(panel, exposure, hedges).label[:, 0]
        causal, state = run_detector(panel, exposure, hedges, HedgeRegimeDetector(common=COMMON))
        days = panel.times // DAY
        columns.append([_event(label, causal[:, 0], days, day) for day in events.values()])
        cells = [f"{np.mean(label[1:] == k):.1%}" for k in (1, 2)]
        cells += [f"{np.mean(causal[LEAST:, 0] == k):.1%}" for k in (1, 2)]
        shares.append([name, *cells, str(int(state.overrides[0]))])
        spans.append(f"- **{name}**: {_spans(label, days)}")
    rows = [[event, *(c[i] for c in columns)] for i, event in enumerate(events)]
    head = ("book", "convergence", "decoupling", "detector: convergence", "decoupling", "overrides")
    return "\n\n".join(
        [
            table(("with hindsight; detector", *books), rows),
            table(head, shares),
            "Decouplings with hindsight:\n\n" + "\n".join(spans),
        ]
    )


def _event(label: Byte, causal: Byte, days: Int, day: str) -> str:
    """``convergence; +2``: the state with hindsight, and days until the detector is in a crisis."""
    t = int(np.searchsorted(days, np.datetime64(day).astype(np.int64)))
    hit = np.flatnonzero(causal[t : t + 11] != 0)
    if not hit.size:
        when = "missed"
    else:
        first, kind = int(hit[0]), STATES[causal[t + int(hit[0])]]
        before = t
        while first == 0 and before > 0 and causal[before - 1] != 0:
            before -= 1
        lag = int(days[t + first] - days[t]) if first else int(days[before] - days[t])
        when = f"{kind} {lag:+d}" if lag else f"{kind} 0"
    state = STATES[label[t]]
    return f"{'*normal*' if state == 'normal' else state}; {when}"


def _spans(label: Byte, days: Int) -> str:
    found = [
        f"{np.datetime64(int(days[b]), 'D')} to {np.datetime64(int(days[e - 1]), 'D')}"
        for b, e in zip(*spells(label == 2), strict=True)
    ]
    return ", ".join(found) or "none"


def equities() -> dict[str, tuple[MarketPanel, dict[str, float]]]:
    """The built-in index history: the NASDAQ hedged with the S&P 500."""
    return {"NASDAQ": (indices(), {"NASDAQ": 1e6})}


def put(text: str, name: str) -> None:
    """Replace what stands in the page between the marks of `name`."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, _, rest = page.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"{PAGE.name} has no {begin} … {end}")
    PAGE.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}", encoding="utf-8")


def main() -> None:
    """Write every table that can be written."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path)
    options.add_argument("--only", choices=["benchmark", "events"])
    chosen = options.parse_args()
    if chosen.only != "events":
        put(benchmark_text(benchmark()), "benchmark")
    if chosen.only != "benchmark":
        put(events_text(equities(), ("SP500",), EQUITY_EVENTS), "equities")
        if chosen.data is not None:
            put(events_text(crypto(chosen.data), ("BTC",), CRYPTO_EVENTS), "crypto")
    sys.stdout.write(f"wrote {PAGE}\n")


if __name__ == "__main__":
    main()
