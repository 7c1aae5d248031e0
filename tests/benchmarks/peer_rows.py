"""Peers that back-test: vectorbt here, cvxportfolio in an environment of its own; and start-up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from machine_rows import round_of, shared_round
from table import Report
from workload import (
    ASSETS,
    CAPITAL,
    COST,
    MONEY,
    VARIANTS,
    best,
    panel_of,
    scenario,
    timed,
    weights,
)

from backtester.engine import run
from backtester.executor import ProcessExecutor

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parents[1] / ".venv-bench"
PEER = HERE / "peer_cvxportfolio.py"
START = 30  # first decision of both, days
TURNS = 5
"""How often ours and a peer take turns, so that a slow moment of the machine spoils neither."""


def vectorbt(report: Report, pool: ProcessExecutor, paths: int, bars: int) -> None:
    """Our optimised path-bar against vectorbt applying the weights that came out.

    Ours on the whole machine, each worker with its share of the paths, and on one core beside it;
    the peer runs in one process, which is all it knows.
    """
    key = "speedup_vs_vectorbt"
    try:
        import pandas as pd
        import vectorbt as vbt
    except ImportError as error:
        report.add(key, None, f"not measured: vectorbt cannot be imported ({error.name})")
        return
    panel, variant = panel_of(0.7, paths, bars, 0), VARIANTS[0]
    block = run(panel, variant.strategy, variant.setup)
    index = pd.DatetimeIndex(panel.times.astype("datetime64[ns]"))
    columns = pd.MultiIndex.from_product([range(paths), ASSETS], names=["path", "asset"])
    shape = (panel.bars, paths * len(ASSETS))
    close = pd.DataFrame(panel.prices.reshape(shape), index, columns)
    target = pd.DataFrame(weights(panel, block).reshape(shape), index, columns)

    def theirs() -> None:
        vbt.Portfolio.from_orders(
            close, size=target, size_type="targetpercent", fees=COST, group_by="path",
            cash_sharing=True, call_seq="auto", freq="D", engine="numba",
        ).value()  # fmt: skip

    def mine() -> None:
        run(panel, variant.strategy, variant.setup)

    theirs()
    ours, alone, peer = np.inf, np.inf, np.inf
    for _ in range(TURNS):
        ours = min(ours, shared_round(pool, 0.7, variant, paths, bars, rounds=2).seconds)
        alone, peer = min(alone, best(mine, 2)), min(peer, best(theirs, 1))
    ours, alone, peer = (seconds / (paths * bars) for seconds in (ours, alone, peer))
    many = report.values.get("us_per_path_bar")
    extra = {} if many is None else {f"{key}_ensemble": 1e6 * peer / many}
    report.add(
        key,
        peer / ours,
        f"times; {paths} paths × 8 assets; ours {1e6 * ours:.2f} µs with {pool.workers} workers, "
        f"{1e6 * alone:.2f} µs on one core; peer: µs a path-bar to apply given weights, no "
        "optimiser, one process",
        1e6 * peer,
        **{f"{key}_ours_us": 1e6 * ours, f"{key}_one_core": peer / alone},
        **extra,
    )


def cvxportfolio(report: Report, pool: ProcessExecutor, paths: int, bars: int) -> None:
    """One-period minimum variance plus cost: theirs on one history, ours on the ensemble."""
    key = "speedup_vs_cvxportfolio"
    panel = scenario(0.7).draw(first=0, paths=1, bars=bars, seed=4)
    try:
        told = ask_cvxportfolio(panel.prices[:, 0], START)
    except PeerMissing as error:
        report.add(key, None, f"not measured: {error}")
        return
    variant = replace(VARIANTS[0], key="one period", horizon=1.0)
    ours = round_of(pool, 0.7, variant, paths, bars).microseconds
    alone = timed([panel], variant, repeats=3).microseconds
    peer = 1e6 * told["seconds"] / told["bars"]
    hindsight = replace(variant.setup, execution="same_close")  # as the peer's simulator fills
    held = run(panel, variant.strategy, hindsight).ledger.hedges[:, 0]
    theirs = np.array(told["hedges"])
    mine = held[START:][: len(theirs)]
    apart = np.abs(mine - theirs).sum(axis=1) / np.maximum(np.abs(theirs).sum(axis=1), 1.0)
    report.add(
        key,
        peer / ours,
        f"times; cost-aware single-period policy, {told['bars']} bars of one history (cvxportfolio "
        f"{told['version']}) against our ensemble, {ours:.2f} µs; the first "
        f"hedges differ by {apart[0]:.0e} of gross, later ones by {np.median(apart):.0%} in the "
        "median, since its risk aversion follows equity and ours the capital; on one history and "
        f"one core ours takes {alone:.0f} µs a bar",
        peer,
        **{
            f"{key}_ours_us": ours,
            f"{key}_one_history": peer / alone,
            f"{key}_first_hedge": apart[0],
        },
    )


class PeerMissing(Exception):
    """Why the peer has no figure."""


def ask_cvxportfolio(prices: np.ndarray, start: int) -> dict[str, Any]:
    """What the peer's own process says; raises PeerMissing in words."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        raise PeerMissing("its environment is not there (make bench creates it)")
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "given.npz"
        exposed = slice(0, len(MONEY))
        held = MONEY * prices[start, exposed] / prices[0, exposed]  # units bought at the first bar
        np.savez(
            given, prices=prices, held=held, aversion=5.0, cost=COST, halflife=30.0, limit=3.0,
            capital=CAPITAL, start=start,
        )  # fmt: skip
        try:
            done = subprocess.run(
                [str(python), str(PEER), str(given)],
                capture_output=True, text=True, check=False, timeout=120, cwd=folder,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PeerMissing(f"it could not be run: {type(error).__name__}") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PeerMissing(f"it failed: {last[:120]}")
    try:
        told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise PeerMissing("what it printed cannot be read") from error
    return told


def start_up(report: Report, repeats: int) -> None:
    """What a user waits for before anything runs."""
    script = Path(sys.executable).with_name("backtester")
    helping = (
        [str(script), "--help"]
        if script.exists()
        else [sys.executable, "-m", "backtester", "--help"]
    )

    def timing(command: list[str]) -> float:
        spent = []
        for _ in range(repeats):
            before = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            spent.append(time.perf_counter() - before)
        return float(np.median(spent))

    bare = timing([sys.executable, "-c", "pass"])
    importing = timing([sys.executable, "-c", "import backtester"])
    what = f"s, median of {repeats}"
    report.add("import_s", importing, f"{what}; of which the interpreter {bare:.3f}")
    report.add("help_s", timing(helping), f"{what}; backtester --help")


def compilation(report: Report, cold: bool) -> None:
    """Loading every kernel from the cache; compiling them into an empty one."""
    code = "from backtester.hedging.solver import compile_kernels; compile_kernels()"

    def timing(environment: dict[str, str]) -> float:
        command = [sys.executable, "-c", code]
        return best(
            lambda: subprocess.run(command, env=environment, check=True, capture_output=True), 1
        )

    here = dict(os.environ)
    timing(here)
    note = "s; the solver's kernels from the cache, interpreter included"
    report.add("jit_warm_s", timing(here), note)
    if not cold:
        report.add("jit_cold_s", None, "left out by --no-cold")
        return
    with tempfile.TemporaryDirectory() as empty:
        report.add(
            "jit_cold_s",
            timing({**here, "NUMBA_CACHE_DIR": empty}),
            "s; the solver's kernels compiled; once an installation, kept on disk",
        )
