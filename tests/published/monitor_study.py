"""False alarms, detection and delay of the monitors: the tables of docs/monitors.md.

``python -m tests.published.monitor_study`` measures all and writes them, in about two minutes;
with ``--calibrate`` it prints the bounds of `backtester.monitors.calibration` instead.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from backtester.monitors.trigger import latch

from .monitor_worlds import (
    MONITORS,
    WORLDS,
    codes,
    detection,
    returns,
    starts,
    watch,
    with_bound,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "monitors.md"
CHANGES = ((0.8, 0.4), (0.8, 0.2), (0.5, 0.9))
CALM = 300  # bars before a change
WITHIN = 60


def markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table whose first column is text."""
    lines = [head, ("---", *("---:",) * (len(head) - 1)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def false_alarms(name: str, world: str, rho: float, *, paths: int, bars: int, seed: int) -> float:
    """Breaks begun a year on one pair without a change, at the default setting."""
    code = codes(MONITORS[name](), returns(world, rho, bars=bars, paths=paths, seed=seed))
    return starts(code) / (paths * (bars - 100) / 365.0)  # nothing is said in the first 100 bars


def found(
    name: str, world: str, before: float, after: float, *, paths: int, seed: int
) -> tuple[float, float]:
    """Share seen within 60 bars and the median delay, of a change from `before` to `after`."""
    moves = returns(world, before, bars=CALM + WITHIN, paths=paths, seed=seed, change=(CALM, after))
    sign = 1 if abs(after) > abs(before) else -1
    return detection(codes(MONITORS[name](), moves), CALM, sign, WITHIN)


def alarm_table(*, paths: int = 200, bars: int = 2200, seed: int = 21) -> str:
    """False alarms a year by world, at ρ = .3 and .8."""
    rows = []
    for name in MONITORS:
        cells = []
        for rho in (0.3, 0.8):
            for world in WORLDS:
                rate = false_alarms(name, world, rho, paths=paths, bars=bars, seed=seed)
                cells.append(f"{rate:.2f}")
        rows.append((f"`{name}`", *cells))
    head = ("monitor", *(f"ρ = {rho}, {world}" for rho in (".3", ".8") for world in WORLDS))
    return markdown(head, rows)


def delay_table(*, paths: int = 600, seed: int = 22) -> str:
    """Detection within 60 days and median delay by change, of normal and of t₄ returns."""
    rows = []
    for name in MONITORS:
        cells = []
        for world in ("normal", "t4"):
            for before, after in CHANGES:
                share, delay = found(name, world, before, after, paths=paths, seed=seed)
                days = f"{delay:.0f} d" if np.isfinite(delay) else "> 60 d"
                cells.append(f"{100 * share:.0f} %, {days}")
        rows.append((f"`{name}`", *cells))
    names = [f"{w}: {b:g} → {a:g}" for w in ("normal", "t4") for b, a in CHANGES]
    return markdown(("monitor", *names), rows)


def write(page: str, name: str, table: str) -> str:
    """`page` with the table between the marks of `name` replaced."""
    head, mark, rest = page.partition(f"<!-- {name} -->")
    assert mark, f"docs/monitors.md has no place for {name}"
    _, end, tail = rest.partition("<!-- end -->")
    return f"{head}{mark}\n\n{table}\n\n{end}{tail}"


def calibrate(*, paths: int = 200, bars: int = 2200, seed: int = 11) -> None:
    """Print observations between false alarms over the bound, averaged over correlations."""
    levels = (0.0, 0.3, 0.6, 0.8, 0.95)
    for name, bounds in (
        ("FisherMonitor", np.arange(1.4, 3.7, 0.2)),
        ("CusumMonitor", np.arange(1.6, 3.7, 0.2)),
    ):
        rates = np.zeros(len(bounds))
        for rho in levels:
            moves = returns("normal", rho, bars=bars, paths=paths, seed=seed)
            seen = [s.statistic.copy() for s, event in watch(MONITORS[name](), moves) if event]
            for i, bound in enumerate(bounds):
                code, begun = np.zeros((paths, 1), np.int8), 0
                for statistic in seen:
                    now = latch(code, statistic, bound)
                    begun += int(((now != 0) & (now != code)).sum())
                    code = now
                rates[i] += begun / (paths * len(seen)) / len(levels)
        print(
            name, [(round(1 / r), round(float(b), 2)) for r, b in zip(rates, bounds, strict=True)]
        )
    for bound in np.arange(4.0, 13.1):
        monitor, rate = with_bound(MONITORS["SurpriseMonitor"](), bound), 0.0
        for rho in levels[1:]:
            code = codes(monitor, returns("normal", rho, bars=1400, paths=paths, seed=seed))
            rate += starts(code) / (paths * (1400 - 65)) / len(levels[1:])
        print("SurpriseMonitor", (round(1 / rate), float(bound)))


def main() -> None:
    """Measure and write, or calibrate."""
    if "--calibrate" in sys.argv:
        calibrate()
        return
    page = PAGE.read_text(encoding="utf-8")
    page = write(page, "alarms", alarm_table())
    PAGE.write_text(write(page, "delays", delay_table()), encoding="utf-8")


if __name__ == "__main__":
    main()
