"""The engine on the whole machine, through the executor the product uses, and on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from table import Report
from workload import (
    CORRELATIONS,
    VARIANTS,
    Piece,
    Share,
    Tally,
    Variant,
    best,
    built,
    panel_of,
    run_piece,
    run_share,
    scenario,
    timed,
)

from backtester.arrays import Int
from backtester.errors import Status
from backtester.executor import ProcessExecutor
from backtester.scenario import CHUNK, EnsembleMarket

PASSES = 2
"""Times the whole table is gone through: a burst of other work then spoils one of them only."""


def round_of(pool: ProcessExecutor, rho: float, variant: Variant, paths: int, bars: int) -> Tally:
    """Least wall time of a row, in the chunks the product runs."""
    chunks = EnsembleMarket(scenario(rho), paths, bars, seed=1).chunks
    pieces = [Piece(rho, variant, paths, bars, i) for i in range(chunks)]
    return _least(pool, run_piece, pieces, rounds=2)


def shared_round(
    pool: ProcessExecutor, rho: float, variant: Variant, paths: int, bars: int, rounds: int
) -> Tally:
    """Least wall time of one chunk dealt out to all workers in equal shares of its paths."""
    edges = np.linspace(0, paths, min(pool.workers, paths) + 1).astype(int).tolist()
    shares = [Share(rho, variant, paths, bars, a, b - a) for a, b in pairwise(edges)]
    return _least(pool, run_share, shares, rounds)


def _least(
    pool: ProcessExecutor, work: Callable[[Any], tuple[Tally, bool]], pieces: list[Any], rounds: int
) -> Tally:
    """The fastest of some rounds in which no worker had to draw first; its wall time is kept."""
    least, clean, tally = np.inf, 0, Tally()
    for _ in range(2 * rounds + 2 * len(pieces)):
        before = time.perf_counter()
        done = list(pool.map(work, pieces))
        spent = time.perf_counter() - before
        if any(drew for _, drew in done):
            continue
        clean += 1
        if spent < least:
            least, tally = spent, Tally()
            for part, _ in done:
                tally += part
            tally.seconds = spent
        if clean == rounds:
            return tally
    raise RuntimeError(f"workers kept drawing {pieces[0]}")


def engine(report: Report, pool: ProcessExecutor, paths: int, bars: int) -> None:
    """Each row at three correlations, the worst of them; one core beside it; drawing apart."""
    rows = [v for v in VARIANTS if built(v)]
    whole: dict[str, dict[float, Tally]] = {v.key: {} for v in rows}
    alone: dict[str, dict[float, Tally]] = {v.key: {} for v in rows}
    drawn: dict[float, float] = {}
    one = min(paths, CHUNK)
    for _ in range(PASSES):
        for rho in CORRELATIONS:
            source = EnsembleMarket(scenario(rho), one, bars, seed=1)
            spent = 1e6 * best(partial(source.at, 0), 2) / (one * bars)
            drawn[rho] = min(spent, drawn.get(rho, np.inf))
            panel = panel_of(rho, one, bars, 0)
            for variant in rows:
                for table, tally in (
                    (whole[variant.key], round_of(pool, rho, variant, paths, bars)),
                    (alone[variant.key], timed([panel], variant, repeats=2)),
                ):
                    if rho not in table or tally.seconds < table[rho].seconds:
                        table[rho] = tally
    panel_of.cache_clear()
    every = Tally()
    for variant in VARIANTS:
        key = variant.key
        if key not in whole:
            report.add(key, None, f"not built: {variant.what}")
            continue
        for tally in whole[key].values():
            every += tally
        at = max(CORRELATIONS, key=lambda rho: whole[key][rho].microseconds)
        tally = whole[key][at]
        report.add(
            key,
            tally.microseconds,
            f"µs; {variant.what}; {pool.workers} workers; worst ρ of .7, .95, .995 is {at:g}; one "
            f"core {max(t.microseconds for t in alone[key].values()):.2f}",
            **{
                f"{key}_one_core": max(t.microseconds for t in alone[key].values()),
                f"{key}_per_decision": 1e6 * tally.seconds / max(tally.decisions, 1),
            },
        )
    first = whole[rows[0].key][CORRELATIONS[0]]
    changes = active_set_changes(min(paths, 256), bars)
    report.add(
        "share_trading",
        first.trading / max(first.decisions, 1),
        f"of the decisions of the first row at ρ = .7; the active set (which hedges trade, which "
        f"way, which sit at 0 or a limit) differs from the day before in {changes:.2f} of them",
        active_set_changes=changes,
    )
    report.add(
        "reference_calls_per_million",
        1e6 * every.reference / max(every.decisions, 1),
        f"path-decisions over all rows ({every.decisions:,}); not certified: {every.not_ok}",
    )
    report.add(
        "draw_us_per_path_bar",
        max(drawn.values()),
        "µs; Student-t, 8 assets, one core; not part of the rows above",
    )


@contextmanager
def watching() -> Iterator[list[tuple[Any, Any]]]:
    """Every (problem, solution) of a run; the one-pass kernel, which poses none, is left out."""
    import backtester.hedging.answer

    module: Any = backtester.hedging.answer
    seen: list[tuple[Any, Any]] = []
    original, direct = module.solve, module.direct

    def keep(batch: Any) -> Any:
        seen.append((batch, original(batch)))
        return seen[-1][1]

    module.solve, module.direct = keep, lambda *_: None
    try:
        yield seen
    finally:
        module.solve, module.direct = original, direct


def active_set_changes(paths: int, bars: int) -> float:
    """Share of the decisions whose active set is not that of the path's decision before."""
    with watching() as seen:
        timed([panel_of(CORRELATIONS[0], paths, bars, 0)], VARIANTS[0])
    changed, count, before = 0, 0, None
    for batch, solution in seen:
        h = solution.h
        state: Int = np.where(h == 0.0, 9, 0) + np.sign(h - batch.h0).astype(np.int64)
        state = state + np.where(h <= batch.lower, 100, 0) + np.where(h >= batch.upper, 200, 0)
        state[solution.status != Status.OK] = -1
        if before is not None:
            changed += int((state != before).any(axis=1).sum())
            count += paths
        before = state
    return changed / max(count, 1)
