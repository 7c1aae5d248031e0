"""``make bench``: engine, solver and peers side by side, one process, warm; under five minutes.

Prints a table and writes ``results/benchmarks/latest.json``: one number a key, the peer's own
figure under ``<key>_peer``. Ratios compare two figures of this run only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import (
    ASSETS,
    CORRELATIONS,
    VARIANTS,
    Tally,
    Variant,
    best,
    chunks,
    scenario,
    timed,
    weights,
)

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "results" / "benchmarks" / "latest.json"
SCHEMA = "backtester.bench/1"


class Report:
    """Rows in the order they were measured."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.notes: dict[str, str] = {}

    def add(
        self, key: str, value: float | None, note: str, peer: float | None = None, **more: float
    ) -> None:
        """One figure, its peer's and what it is."""
        self.values[key] = value
        if peer is not None:
            self.values[f"{key}_peer"] = peer
        self.values.update(more)
        self.notes[key] = note
        shown = "–" if value is None else f"{value:,.4g}"
        print(f"  {key}: {shown}" + ("" if peer is None else f" (peer {peer:,.4g})"), flush=True)


def engine(report: Report, paths: int, bars: int) -> dict[str, Tally]:
    """The rows of the engine, the worst of three correlations each; and drawing, apart."""
    worst: dict[str, Tally] = {}
    at: dict[str, float] = {}
    every = Tally()
    drawn = []
    share = 0.0
    for rho in CORRELATIONS:
        before = time.perf_counter()
        panels = chunks(rho, paths, bars)
        drawn.append(1e6 * (time.perf_counter() - before) / (paths * bars))
        for variant in VARIANTS:
            tally = timed(panels, variant, repeats=2)
            every.decisions += tally.decisions
            every.reference += tally.reference
            every.not_ok += tally.not_ok
            if variant is VARIANTS[0] and rho == CORRELATIONS[0]:
                share = tally.trading / tally.decisions
            if variant.key not in worst or tally.microseconds > worst[variant.key].microseconds:
                worst[variant.key], at[variant.key] = tally, rho
    for variant in VARIANTS:
        note = f"µs; {variant.what}; worst of ρ = .7, .95, .995 (here {at[variant.key]:g})"
        report.add(variant.key, worst[variant.key].microseconds, note)
    report.add("share_trading", share, "of the decisions of the first row at ρ = .7")
    report.add(
        "reference_calls_per_million",
        1e6 * every.reference / every.decisions,
        f"path-decisions over all rows ({every.decisions:,}); not certified: {every.not_ok}",
    )
    report.add(
        "draw_us_per_path_bar", max(drawn), "µs; Student-t, 8 assets; not part of the rows above"
    )
    return worst


def single(report: Report) -> None:
    """One history of 1,000 daily bars."""
    panel = scenario(0.7).draw(first=0, paths=1, bars=1000, seed=2)
    variant = VARIANTS[0]
    timed([panel], variant)
    seconds = min(timed([panel], variant).seconds for _ in range(3))
    report.add("single_path_ms_per_1000_bars", 1e3 * seconds, "ms; daily decisions, ledger on")


def captured(variant: Variant, paths: int) -> Any:
    """The hedge problems of one day of a run: what the engine hands to the solvers."""
    from backtester import engine as module

    kept: list[Any] = []
    original = module.solve
    module.solve = lambda batch: (kept.append(batch), original(batch))[1]  # type: ignore[func-returns-value]
    try:
        timed([scenario(0.7).draw(first=0, paths=paths, bars=90, seed=3)], variant)
    finally:
        module.solve = original
    return kept[-1]


def solvers(report: Report) -> None:
    """The batched solver, certificate included, against ``problem.solve()`` on the same problem."""
    from backtester.hedging.problem import Shape, compiled
    from backtester.hedging.solver import solve

    for key, place in (("speedup_vs_cvxpy_dpp", 0), ("speedup_vs_cvxpy_dpp_gross", 3)):
        batch = captured(VARIANTS[place], 2000)
        ours = best(lambda batch=batch: solve(batch), 5) / batch.paths
        each = []
        for p in range(30):
            one = batch.select(np.array([p]))
            held = compiled(Shape.of(one))
            held._set(one, None)

            def reference(held: Any = held) -> None:
                held.problem.solve(solver="CLARABEL", warm_start=False)

            reference()
            each.append(best(reference, 2))
        theirs = float(np.median(each))
        extra = {f"{key}_ours_us": 1e6 * ours}
        what = VARIANTS[place].what
        note = f"times; {what}; peer: µs of problem.solve() (Clarabel, default tolerances)"
        report.add(key, theirs / ours, note, 1e6 * theirs, **extra)


def vectorbt(report: Report, paths: int = 200, bars: int = 252) -> None:
    """Our optimised path-bar against vectorbt applying the weights that came out."""
    try:
        import pandas as pd
        import vectorbt as vbt
    except ImportError:
        report.add("speedup_vs_vectorbt", None, "vectorbt is not installed")
        return
    from backtester.engine import run

    panel = chunks(0.7, paths, bars)[0]
    variant = VARIANTS[0]
    block = run(panel, variant.strategy, variant.setup)
    ours = best(lambda: run(panel, variant.strategy, variant.setup), 3) / (paths * bars)
    index = pd.DatetimeIndex(panel.times.astype("datetime64[ns]"))
    columns = pd.MultiIndex.from_product([range(paths), ASSETS], names=["path", "asset"])
    shape = (panel.bars, paths * len(ASSETS))
    close = pd.DataFrame(panel.prices.reshape(shape), index, columns)
    target = pd.DataFrame(weights(panel, block).reshape(shape), index, columns)

    def theirs() -> None:
        vbt.Portfolio.from_orders(
            close, size=target, size_type="targetpercent", fees=7e-4, group_by="path",
            cash_sharing=True, call_seq="auto", freq="D", engine="numba",
        ).value()  # fmt: skip

    theirs()
    peer = best(theirs, 2) / (paths * bars)
    report.add(
        "speedup_vs_vectorbt",
        peer / ours,
        "times; 200 paths × 8 assets; peer: µs a path-bar to apply given weights, no optimiser",
        1e6 * peer,
        speedup_vs_vectorbt_ours_us=1e6 * ours,
    )


def start_up(report: Report) -> None:
    """What a user waits for before anything runs."""
    script = Path(sys.executable).with_name("backtester")
    importing = [sys.executable, "-c", "import backtester"]
    helping = (
        [str(script), "--help"] if script.exists() else [sys.executable, "-m", "backtester", "-h"]
    )

    def timing(command: list[str]) -> float:
        return best(lambda: subprocess.run(command, capture_output=True, check=True), 4)

    bare = timing([sys.executable, "-c", "pass"])
    report.add("import_s", timing(importing), f"s; of which the interpreter {bare:.3f}")
    report.add("help_s", timing(helping), "s; backtester --help")


def compilation(report: Report) -> None:
    """Cold compilation of every kernel, in a process with an empty cache."""
    code = "from backtester.hedging.solver import compile_kernels; compile_kernels()"
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, "NUMBA_CACHE_DIR": empty}
        command = [sys.executable, "-c", code]
        spent = []
        for _ in range(2):
            before = time.perf_counter()
            subprocess.run(command, env=environment, check=True, capture_output=True)
            spent.append(time.perf_counter() - before)
    report.add("jit_cold_s", spent[0], "s; once an installation, kept on disk")
    report.add("jit_warm_s", spent[1], "s; the same from the cache, interpreter included")


def machine() -> dict[str, Any]:
    """Where it was measured."""
    from backtester.summary import versions

    return {
        "cpus": os.cpu_count(),
        "load_1m_at_start": round(os.getloadavg()[0], 2),
        "processes": 1,
        "platform": platform.platform(),
        "versions": versions(),
    }


def write(document: dict[str, Any], path: Path) -> None:
    """In one step: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".json")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, allow_nan=False, ensure_ascii=False)
        file.write("\n")
    os.chmod(name, 0o644)
    os.replace(name, path)


def show(report: Report) -> None:
    """The table at the end."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title="make bench: one process, warm")
    for name, side in (("figure", "left"), ("ours", "right"), ("peer", "right"), ("what", "left")):
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for key, note in report.notes.items():
        cells = [report.values[key], report.values.get(f"{key}_peer")]
        table.add_row(key, *("" if v is None else f"{v:,.4g}" for v in cells), note)
    Console(width=130).print(table)


def measure(paths: int, bars: int) -> Report:
    """Every figure."""
    report = Report()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers' own
        compilation(report)
        for variant in VARIANTS:  # warm: kernels loaded, buffers grown
            timed(chunks(0.7, 64, 40), variant)
        engine(report, paths, bars)
        single(report)
        solvers(report)
        vectorbt(report)
        start_up(report)
    report.add("speedup_vs_cvxportfolio", None, "not measured: cvxportfolio (GPL) is not installed")
    return report


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Measure, print, write; returns what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=2000)
    parser.add_argument("--bars", type=int, default=252)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    where, before = machine(), time.perf_counter()
    report = measure(given.paths, given.bars)
    document = {
        "schema": SCHEMA,
        "paths": given.paths,
        "bars": given.bars,
        **report.values,
        "notes": report.notes,
        "machine": where,
        "seconds": round(time.perf_counter() - before, 1),
    }
    show(report)
    write(document, given.out)
    print(f"{document['seconds']} s; wrote {given.out}")
    return document


if __name__ == "__main__":
    main()
