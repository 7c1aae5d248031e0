"""One path, five years of hours, and how time and memory grow with the work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from backtester_scenarios.correlated_returns import CorrelatedReturns
from table import Report
from workload import HALF_SPREAD_BPS, HELD, VARIANTS, best, scenario, timed

from backtester.accounting.exposure import Exposure
from backtester.engine import run
from backtester.scenario import CHUNK, EnsembleMarket

PEAK = Path(__file__).with_name("peak.py")


def single(report: Report) -> None:
    """One history of 1,000 daily bars."""
    panel = scenario(0.7).draw(first=0, paths=1, bars=1000, seed=2)
    timed([panel], VARIANTS[0])
    seconds = min(timed([panel], VARIANTS[0]).seconds for _ in range(3))
    report.add(
        "single_path_ms_per_1000_bars", 1e3 * seconds, "ms; daily decisions, 8 assets, ledger on"
    )


def hourly_market() -> CorrelatedReturns:
    """Four assets and their perpetuals, funding accrued every hour."""
    spots = ("A", "B", "C", "D")
    perpetuals = {f"{a}-PERP": a for a in spots}
    regime = {
        "volatility": dict.fromkeys(spots, 0.6),
        "correlation": {"default": 0.7},
        "degrees_of_freedom": 4.0,
        "half_spread_bp": HALF_SPREAD_BPS,
        "depth": 2e8,
        "funding": {
            p: {"level": 0.1, "volatility": 0.2, "half_life_days": 4.0} for p in perpetuals
        },
        "basis": {p: {"level": 0.0, "volatility": 5e-4, "half_life_days": 1.0} for p in perpetuals},
    }
    return CorrelatedReturns(
        name="bench hourly", prices=dict.fromkeys(spots, 100.0), perpetuals=perpetuals,
        regimes={"normal": regime}, days_per_bar=1 / 24,
    )  # fmt: skip


def hourly(report: Report, bars: int) -> None:
    """Hourly bars, funding and marks; a decision a day; one path."""
    market = hourly_market()
    panel = market.draw(first=0, paths=1, bars=bars, seed=2)
    spots, perpetuals = market.spots, tuple(market.perpetuals)
    setup = replace(
        VARIANTS[0].setup_with(perpetuals),
        exposure=Exposure(spots, np.full(4, 2.5e5)), rebalance=1.0,
    )  # fmt: skip
    run(panel.until(min(bars, 24 * 40)), VARIANTS[0].strategy, setup)
    seconds = best(lambda: run(panel, VARIANTS[0].strategy, setup), 1)
    report.add(
        "hourly_5y_s",
        seconds,
        f"s; {bars:,} hourly bars with funding, 4 assets and 4 perpetuals, decisions every 24 h",
    )


def slope(sizes: list[int], seconds: list[float]) -> tuple[float, float]:
    """Least-squares slope of log time on log size, and that of the last two points."""
    x, y = np.log(sizes), np.log(seconds)
    return float(np.polyfit(x, y, 1)[0]), float((y[-1] - y[-2]) / (x[-1] - x[-2]))


def _exponent(
    report: Report, key: str, sizes: list[int], spent: Callable[[int], float], what: str
) -> None:
    seconds = [spent(n) for n in sizes]
    whole, last = slope(sizes, seconds)
    times = ", ".join(f"{n:,}: {s:.3g} s" for n, s in zip(sizes, seconds, strict=True))
    report.add(key, whole, f"{what}; {times}; last step {last:.2f}", **{f"{key}_last": last})


def scaling(report: Report, paths: list[int], bars: list[int], hedges: list[int]) -> None:
    """Slopes over paths, bars and instruments; one core, drawing left out."""
    variant, days = VARIANTS[0], 90

    def over_paths(n: int) -> float:
        source = EnsembleMarket(scenario(0.7), n, days, seed=1)
        repeats = 3 if n <= CHUNK else 2
        return sum(
            timed([source.at(i)], variant, repeats=repeats).seconds for i in range(source.chunks)
        )

    def over_bars(n: int) -> float:
        # the warm-up, which decides nothing, is timed alone and taken off
        market, repeats = scenario(0.7), 3
        warm, full = (
            market.draw(first=0, paths=64, bars=b, seed=1) for b in (31, 30 + n)
        )  # fmt: skip
        off = timed([warm], variant, repeats=3).seconds
        return max(timed([full], variant, repeats=repeats).seconds - off, 1e-9)

    def over_hedges(n: int) -> float:
        names = tuple(f"A{i}" for i in range(len(HELD) + n))
        panel = scenario(0.7, names).draw(first=0, paths=128, bars=days, seed=1)
        setup = variant.setup_with(names[len(HELD) :])
        return best(lambda: run(panel, variant.strategy, setup), 2)

    _exponent(report, "scaling_exponent_paths", paths, over_paths, f"paths × {days} bars")
    _exponent(report, "scaling_exponent_bars", bars, over_bars, "64 paths, bars that decide")
    _exponent(
        report, "scaling_exponent_instruments", hedges, over_hedges,
        f"hedges beside {len(HELD)} exposed assets, 128 paths × {days} bars",
    )  # fmt: skip


def peak(paths: int, bars: int) -> float:
    """Peak memory of a process of its own that streams an ensemble, MB."""
    command = [sys.executable, str(PEAK), str(paths), str(bars)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout)["peak_mb"])


def memory(report: Report, small: int, middle: int, large: int | None, bars: int) -> None:
    """Peak memory at two sizes, and at 10⁵ paths unless left out."""
    least, at = peak(small, bars), peak(middle, bars)
    what = f"MB; {middle:,} paths × {bars} bars in chunks of {CHUNK}, engine and ledger"
    report.add("peak_mb_10k", at, f"{what}; {small:,} paths: {least:.0f}", peak_mb_2k=least)
    report.add("peak_mb_ratio_10k_2k", at / least, f"{middle:,} paths over {small:,}")
    if large is None:
        for key in ("peak_mb_100k", "peak_mb_ratio"):
            report.add(key, None, "left out at these sizes")
        return
    most = peak(large, bars)
    report.add("peak_mb_100k", most, f"MB; {large:,} paths × {bars} bars")
    report.add("peak_mb_ratio", most / at, f"peak at {large:,} paths over {middle:,}")
