"""``make bench``: engine, solvers and peers side by side, warm, in one run of about five minutes.

Prints a table and writes ``results/benchmarks/latest.json``: one number a key, the peer's own
figure under ``<key>_peer``, null with a note where a figure could not be had. Ratios compare two
figures of this run only.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import ensemble_rows
import generic_rows
import machine_rows
import peer_rows
import scaling_rows
import solver_rows
from table import TARGETS, Report, met, write
from workload import VARIANTS, built, panel_of, timed

from backtester.executor import ProcessExecutor
from backtester.scenario import CHUNK

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "benchmarks" / "latest.json"
SCHEMA = "backtester.bench/2"

__all__ = ["OUT", "TARGETS", "main", "met", "write"]


@dataclass(frozen=True)
class Sizes:
    """How much of everything; the defaults are those of docs/benchmarks.md."""

    paths: int = 2000
    bars: int = 252
    hours: int = 43_800
    parity: int = 14_700
    problems: int = 2000
    scale_paths: tuple[int, ...] = (100, 1000, 10_000, 100_000)
    scale_bars: tuple[int, ...] = (100, 1000, 10_000)
    scale_hedges: tuple[int, ...] = (2, 4, 8, 15, 30)
    peak: tuple[int, int] = (2000, 10_000)
    peak_large: int | None = 100_000
    ensemble: tuple[int, int] = (10_000, 365)
    vectorbt: int = 200
    repeats: int = 7
    cold: bool = True

    @classmethod
    def tiny(cls) -> Sizes:
        """Seconds instead of minutes: shows that every row works, measures nothing."""
        return cls(
            paths=8, bars=40, hours=24 * 34, parity=24, problems=16, scale_paths=(4, 8),
            scale_bars=(4, 8), scale_hedges=(2, 4), peak=(4, 8), peak_large=None,
            ensemble=(4, 8), vectorbt=4, repeats=1, cold=False,
        )  # fmt: skip


def machine(workers: int) -> dict[str, Any]:
    """Where it was measured."""
    from backtester.summary import versions

    return {
        "cpus": os.cpu_count(),
        "load_1m_at_start": round(os.getloadavg()[0], 2),
        "workers": workers,
        "platform": platform.platform(),
        "versions": versions(),
    }


def measure(size: Sizes, workers: int, rows: tuple[str, ...] = ()) -> Report:
    """Every figure, or those of the groups named."""
    report, pool = Report(), ProcessExecutor(workers)
    groups: dict[str, Callable[[], None]] = {
        "start": lambda: peer_rows.start_up(report, size.repeats),
        "jit": lambda: peer_rows.compilation(report, size.cold),
        "engine": lambda: machine_rows.engine(report, pool, size.paths, size.bars),
        "cvxportfolio": lambda: peer_rows.cvxportfolio(report, pool, size.paths, size.bars),
        "vectorbt": lambda: peer_rows.vectorbt(report, pool, min(size.vectorbt, CHUNK), size.bars),
        "single": lambda: scaling_rows.single(report),
        "hourly": lambda: scaling_rows.hourly(report, size.hours),
        "solver": lambda: solver_rows.speed(report, size.problems),
        "generic": lambda: generic_rows.generic(report, size.problems),
        "scaling": lambda: scaling_rows.scaling(
            report, list(size.scale_paths), list(size.scale_bars), list(size.scale_hedges)
        ),
        "parity": lambda: solver_rows.parity(report, pool, size.parity),
        "ensemble": lambda: ensemble_rows.ensemble(report, workers, *size.ensemble),
        "memory": lambda: scaling_rows.memory(report, *size.peak, size.peak_large, size.bars),
    }
    unknown = set(rows) - set(groups)
    if unknown:
        raise SystemExit(f"no rows {sorted(unknown)}; there are {', '.join(groups)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peers' own
            for variant in VARIANTS:  # warm: kernels loaded, buffers grown
                if built(variant):
                    timed([panel_of(0.7, 16, 40, 0)], variant)
            for name, group in groups.items():
                if not rows or name in rows:
                    before = time.perf_counter()
                    group()
                    print(f"{name}: {time.perf_counter() - before:.1f} s", flush=True)
    finally:
        pool.close()
    return report


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print, write; returns what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="only show that every row works")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rows", nargs="*", default=[], help="some groups; needs --out")
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args(arguments)
    if (given.rows or given.tiny) and given.out is None:
        parser.error("--rows and --tiny would replace the full results: name another file by --out")
    size = Sizes.tiny() if given.tiny else Sizes()
    where, before = machine(given.workers), time.perf_counter()
    report = measure(size, given.workers, tuple(given.rows))
    where["load_1m_at_end"] = round(os.getloadavg()[0], 2)
    document = {
        "schema": SCHEMA,
        "paths": size.paths,
        "bars": size.bars,
        **report.values,
        "targets": report.targets(),
        "notes": report.notes,
        "machine": where,
        "seconds": round(time.perf_counter() - before, 1),
    }
    report.show(f"make bench: {given.workers} workers, load {where['load_1m_at_start']} at start")
    out = given.out or OUT
    write(document, out)
    print(f"{document['seconds']} s; wrote {out}")
    return document


if __name__ == "__main__":
    main()
