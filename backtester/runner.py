"""Run a study: markets × chunks × strategies as tasks, then scores, curves and summaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.audit import audit
from backtester.comparison import AuditLine
from backtester.engine import run as run_engine
from backtester.errors import PluginError
from backtester.executor import Executor
from backtester.market.panel import MarketPanel
from backtester.markets import Arena, arena_of, scenario_of
from backtester.metrics.series import PathSeries
from backtester.progress import Progress
from backtester.regimes.labelled import Labels
from backtester.regimes.placebo import placebo_panel
from backtester.results import RunResult
from backtester.scenario import EnsembleMarket, HistoryMarket
from backtester.strategy import Strategy
from backtester.study import StrategySpec, Study
from backtester.walk_forward import Trail, walk


@dataclass(frozen=True)
class Task:
    """One strategy on one chunk of one market, or of its placebo."""

    study: Study
    market: int
    chunk: int
    strategy: int
    placebo: bool
    start: float  # trading days before the first decision, common to the comparison
    audit: bool
    files: str  # hashes of the files the study reads: with it, caches never outlive a file


@dataclass(frozen=True)
class TaskResult:
    """What a task hands back: series to score, and the first path for plots."""

    task: Task
    series: PathSeries
    hedges: Float  # (T, K) path 0
    exposure: Float  # (T,) path 0
    instruments: tuple[str, ...]
    status: dict[str, int]
    routes: dict[str, int]
    signals: dict[str, int]
    relaxed: Float  # (3,)
    excess: float
    unfilled: int  # order-events that had to wait
    horizon: float  # median days
    audit: AuditLine | None
    audit_note: str
    trail: Trail | None  # of a strategy whose parameters were chosen; None on a placebo


Sets = tuple[tuple[str, Strategy[Any]], ...]
"""Parameter sets of one strategy, (label, strategy) each."""


def sets_of(spec: StrategySpec) -> Sets:
    """Every parameter set of a strategy; errors name the strategy and the parameter."""
    from backtester.plugins import load_strategy

    kind: type[Strategy[Any]] = load_strategy(spec.use)
    return tuple((label, kind.configured(parameters)) for label, parameters in spec.sets())


def strategies_of(study: Study) -> tuple[Strategy[Any], ...]:
    """The study's strategies, configured; where there is a grid, its first set."""
    return tuple(sets_of(spec)[0][1] for spec in study.strategies)


def common_start(study: Study) -> float:
    """Trading days before any scored decision, so that all start together.

    The longest warm-up and, where parameters are chosen, the first training window and embargo.
    """
    wait = 0.0 if study.walk_forward is None else study.walk_forward.wait
    return wait + max(s.warmup for spec in study.strategies for _, s in sets_of(spec))


def tasks_of(study: Study, *, audits: bool) -> list[Task]:
    """Every task of a comparison, markets first; placebos follow their market."""
    start = common_start(study)
    files = repr(study.file_hashes())
    tasks = []
    for m, spec in enumerate(study.markets):
        arena = arena_of(study, spec, start=start)
        for placebo in (False, True):
            chunks = placebo_chunks(study, arena) if placebo else arena.market.chunks
            tasks += [
                Task(
                    study, m, chunk, s, placebo, start, audits and not placebo and chunk == 0, files
                )
                for chunk in range(chunks)
                for s in range(len(study.strategies))
            ]
    return tasks


def placebo_chunks(study: Study, arena: Arena) -> int:
    """Chunks of the placebo of a market, without drawing it; 0 where there is none."""
    if isinstance(arena.market, HistoryMarket):
        return 1 if study.placebo_paths else 0
    market = placebo_market(study, arena)
    return 0 if market is None else market.chunks


def placebo_market(study: Study, arena: Arena) -> EnsembleMarket | HistoryMarket | None:
    """The constant-correlation twin of a market, where it has two regimes to compare."""
    if study.placebo_paths == 0:
        return None
    scenario = scenario_of(arena)
    if scenario is None:
        assert isinstance(arena.market, HistoryMarket)
        return HistoryMarket(
            placebo_panel(arena.market.panel, paths=study.placebo_paths, seed=study.seed)
        )
    twin = getattr(scenario, "constant_correlation", None)
    if twin is None or len(getattr(scenario, "regime_names", ())) < 2:
        return None
    assert isinstance(arena.market, EnsembleMarket)
    paths = min(study.placebo_paths, arena.market.paths)
    return replace(arena.market, scenario=twin(), paths=paths)


@lru_cache(maxsize=2)
def _arena(text: str, files: str, market: int, start: float) -> Arena:
    study = Study.model_validate_json(text)
    return arena_of(study, study.markets[market], start=start)


@lru_cache(maxsize=2)
def _panel(
    text: str, files: str, market: int, placebo: bool, chunk: int, start: float
) -> MarketPanel:
    """One drawn chunk, kept for the next strategy: a cache, never state."""
    arena = _arena(text, files, market, start)
    study = Study.model_validate_json(text)
    source = placebo_market(study, arena) if placebo else arena.market
    assert source is not None
    return source.at(chunk)


@lru_cache(maxsize=2)
def _labels(text: str, files: str, market: int, placebo: bool, chunk: int, start: float) -> Labels:
    """The regimes of one chunk, kept for the next strategy: a cache, never state."""
    panel = _panel(text, files, market, placebo, chunk, start)
    return _arena(text, files, market, start).labels(panel)


def run_task(task: Task) -> TaskResult:
    """Run one task; pure, so that it may run in any process and in any order."""
    study, spec = task.study, task.study.strategies[task.strategy]
    text = study.model_dump_json()
    arena = _arena(text, task.files, task.market, task.start)
    panel = _panel(text, task.files, task.market, task.placebo, task.chunk, task.start)
    sets = sets_of(spec)
    labels = _labels(text, task.files, task.market, task.placebo, task.chunk, task.start)
    trail = None
    if spec.grid is None or study.walk_forward is None:
        results = [run_one(panel, sets[0][1], arena, spec.label, labels)]
        series = results[0].series()
    else:
        walked = walk(panel, sets, arena.setup, study.walk_forward, spec.label, labels)
        results = [result for _, result in walked.runs]
        series, trail = walked.series(), None if task.placebo else walked.trail
    result = results[0]  # holds the first path
    led = result.block.ledger
    line, note = None, ""
    if task.audit:
        try:
            found = audit(result)
            line = AuditLine(spec.label, arena.name, 0, found.difference, found.fills)
        except PluginError as error:
            note = str(error)
    signals: dict[str, int] = {}
    for signal in (x for r in results for x in r.signals):
        signals[signal.name] = signals.get(signal.name, 0) + int(signal.mask.sum())
    used = np.concatenate([r.block.horizon[np.isfinite(r.block.horizon)] for r in results])
    return TaskResult(
        task=task,
        series=replace(series, market=arena.name),
        hedges=led.hedges[:, 0].copy(),
        exposure=led.gross_exposure[:, 0].copy(),
        instruments=arena.setup.instruments,
        status=added([r.status() for r in results]),
        routes=added([r.block.routes for r in results]),
        signals=signals,
        relaxed=np.max([r.block.relaxed for r in results], axis=0),
        excess=max(r.block.excess for r in results),
        unfilled=sum(r.unfilled for r in results),
        horizon=float(np.median(used)) if used.size else float("nan"),
        audit=line,
        audit_note=note,
        trail=trail,
    )


def added(parts: Sequence[dict[str, int]]) -> dict[str, int]:
    """Counts by name, added up."""
    total: dict[str, int] = {}
    for part in parts:
        for key, count in part.items():
            total[key] = total.get(key, 0) + count
    return total


def run_one(
    panel: MarketPanel, strategy: Strategy[Any], arena: Arena, label: str, labels: Labels
) -> RunResult:
    """One strategy on one panel, split by `labels`."""
    block = run_engine(panel, strategy, arena.setup)
    return RunResult(label, panel, arena.setup, block, labels.label, labels.names)


def run_tasks(tasks: list[Task], executor: Executor, progress: Progress) -> Iterator[TaskResult]:
    """Results in the order of the tasks, reporting progress."""
    for done, result in enumerate(executor.map(run_task, tasks), start=1):
        what = f"{result.series.strategy} on {result.series.market}"
        progress(done, len(tasks), what + (" (placebo)" if result.task.placebo else ""))
        yield result
