"""How often 95 % intervals of expected shortfall hold the truth on one history.

``python -m tests.published.interval_study`` writes the table of docs/scores.md; about four
minutes. *Before*: windows drawn in blocks of 20 bars, interval reflected about the value. *Now*:
what `backtester.metrics` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backtester.arrays import Float
from backtester.metrics.bootstrap import history_draws, tail_block_length
from backtester.metrics.evaluate import tail_freedom
from backtester.metrics.inference import Sample
from backtester.metrics.regime import ALL
from backtester.metrics.risk import LEVEL, Tail, expected_shortfall, windows
from backtester.rng import stream

PAGE = Path(__file__).resolve().parents[2] / "docs" / "scores.md"
MARKS = ("<!-- interval study -->", "<!-- end of interval study -->")
LAWS = ("normal", "t4", "GARCH-t5")
BARS = (750, 1500, 4500)
TRIALS = 200
OLD_LENGTH = 20.0


@dataclass(frozen=True)
class Coverage:
    """Share of trials in which an interval held the truth, and its median width over it."""

    before: float
    now: float
    width_before: float
    width_now: float


def returns(law: str, seed: int, paths: int, bars: int) -> Float:
    """Independent normal or t₄ returns, or GARCH(.05, .10, .85) with t₅ shocks; (paths, bars)."""
    generator = stream(seed, f"interval study/{law}", 0)
    if law == "normal":
        return generator.normal(size=(paths, bars))
    if law == "t4":
        return generator.standard_t(4, (paths, bars))
    burn = 500
    shocks = generator.standard_t(5, (paths, bars + burn)) / np.sqrt(5 / 3)
    out, variance = np.empty_like(shocks), np.ones(paths)
    for t in range(bars + burn):
        out[:, t] = np.sqrt(variance) * shocks[:, t]
        variance = 0.05 + 0.10 * out[:, t] ** 2 + 0.85 * variance
    return np.asarray(out[:, burn:])


def truth(law: str) -> float:
    """Shortfall of six million bars."""
    x = returns(law, 1, 2000, 3000)
    return expected_shortfall(windows(np.ascontiguousarray(x.T)))


def intervals(pnl: Float, seed: int) -> Iterator[tuple[float, float]]:
    """The interval as it was, then as it is, of one history (B,)."""
    bars = np.ones((pnl.size, 1), dtype=bool)
    sums = windows(pnl[:, None])
    unit = np.arange(len(sums))
    tail = Tail.of(-sums[:, 0], unit, pnl.size, LEVEL, whole=True)
    old = [tail.weighted(d.weights) for d in history_draws(bars[:, 0], ALL, seed, OLD_LENGTH)]
    yield Sample(tail.value, np.array(old), "bootstrap").interval()
    length = tail_block_length(-sums[:, 0])
    new = [
        expected_shortfall(windows(pnl[d.index, None]))
        for d in history_draws(bars[:, 0], ALL, seed, length)
    ]
    freedom = tail_freedom(len(sums), length)
    yield Sample(tail.value, np.array(new), "bootstrap", freedom=freedom).interval()


def coverage(law: str, bars: int, trials: int = TRIALS) -> Coverage:
    """Coverage and width of both intervals on histories of `bars` bars."""
    value = truth(law)
    sample = returns(law, 2, trials, bars)
    found = np.array([list(intervals(x, i)) for i, x in enumerate(sample)])  # (trials, 2, 2)
    held = (found[..., 0] <= value) & (value <= found[..., 1])
    width = np.median(found[..., 1] - found[..., 0], axis=0) / value
    hits = held.mean(axis=0)
    return Coverage(float(hits[0]), float(hits[1]), float(width[0]), float(width[1]))


def table() -> str:
    """The table of docs/scores.md."""
    lines = [
        "| returns | bars | held before | held now | width before | width now |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for law in LAWS:
        for bars in BARS:
            c = coverage(law, bars)
            lines.append(
                f"| {law} | {bars:,} | {c.before:.1%} | {c.now:.1%} "
                f"| {c.width_before:.0%} | {c.width_now:.0%} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Write the table between the marks of the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    PAGE.write_text(f"{before}{MARKS[0]}\n{table()}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
