"""`stress`: every named scenario, and the correlation sweep of the re-hedging strategies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backtester.api import collect, manifest, study_of
from backtester.comparison import StressReport, Sweep
from backtester.errors import ConfigError, ScenarioError
from backtester.executor import Executor, executor_of
from backtester.markets import arena_of, exposure_of
from backtester.progress import Progress, silent
from backtester.runner import common_start, run_tasks, strategies_of, tasks_of
from backtester.scenario_files import load_scenario
from backtester.store import json_text, parquet_bytes, write_results
from backtester.stresses.sweep import SweepSetup, sweep_strategy, sweepable
from backtester.study import MarketSpec, Study


@dataclass(frozen=True)
class _SweepTask:
    study: Study
    strategy: int


def stress(
    study: Study | dict[str, Any] | str | Path,
    *,
    out: Path | str | None = None,
    workers: int | Executor = 1,
    progress: Progress = silent,
) -> StressReport:
    """Stress every strategy of a study: its named scenarios, and correlation from −1 to 1.

    The study's own markets are replaced by ``stress.scenarios``; its exposure, hedges, costs and
    limits stay. `out` as in `compare`.
    """
    whole = study_of(study)
    digest = whole.digest("stress")
    plan = whole.fixed()  # a stress is no place to choose parameters
    spec = plan.stress
    fitting(plan)
    named = plan.model_copy(
        update={
            "markets": tuple(
                MarketSpec(scenario=s, paths=spec.scenario_paths, bars=spec.bars)
                for s in spec.scenarios
            ),
            "placebo_paths": 0,  # the stress page compares books, not regimes
        }
    )
    tasks = tasks_of(named, audits=False)
    note = unswept(plan)
    hedging = [i for i, s in enumerate(strategies_of(plan)) if _hedges(type(s).__name__)]
    swept = [] if note else [_SweepTask(plan, i) for i in hedging]
    everything = len(tasks) + len(swept)

    def first(done: int, total: int, what: str) -> None:
        progress(done, everything, what)

    sweeps = []
    with executor_of(workers) as executor:
        results = run_tasks(tasks, executor, first)
        comparison = collect(named, digest, results, [t.market for t in tasks])
        for done, sweep in enumerate(executor.map(run_sweep, swept), start=len(tasks) + 1):
            progress(done, everything, f"{sweep.strategy}: correlation −1 … 1")
            sweeps.append(sweep)
    report = StressReport(
        study=whole,
        digest=digest,
        scenarios=comparison,
        base=spec.base,
        sweeps=tuple(sweeps),
        paths=spec.paths,
        bars=spec.bars,
        manifest=manifest(plan, digest, "stress", list(comparison.markets)),
        sweep_note=note,
    )
    return report if out is None else save(report, Path(out))


def fitting(study: Study) -> None:
    """Raise ConfigError where a stressed scenario lacks an asset of the study; before any work."""
    needed = dict.fromkeys((*exposure_of(study.exposure).assets, *study.hedge_with))
    for name in dict.fromkeys((*study.stress.scenarios, study.stress.base)):
        known = load_scenario(name).assets
        lacking = [asset for asset in needed if asset not in known]
        if lacking:
            raise ConfigError(
                f"stress scenario {name!r} has no {lacking[0]!r}, which study {study.name!r} holds "
                "or hedges with",
                cure="Under `stress`, set `scenarios` and `base` to scenarios with the study's "
                "assets: `backtester list scenarios` shows them, `backtester calibrate` makes one "
                "of your prices.",
            )


def unswept(study: Study) -> str:
    """Why the exposure and its hedges cannot be swept in the base scenario, or nothing.

    Found before any work; the scenarios are still run, and the report says it.
    """
    sweep = sweep_setup(study, start=0.0)
    exposed, hedges = sweep.setup.exposure.assets, sweep.setup.instruments
    try:
        sweep.scenario.with_exposure_correlation(np.zeros(1), exposed, hedges)
    except ScenarioError as error:
        return str(error)
    return ""


def sweep_setup(study: Study, *, start: float) -> SweepSetup:
    """The market side of a study's sweep."""
    spec = study.stress
    market = MarketSpec(scenario=spec.base, paths=spec.paths, bars=spec.bars)
    arena = arena_of(study, market, start=start)
    scenario = sweepable(load_scenario(spec.base))
    return SweepSetup(scenario, arena.setup, spec.paths, spec.bars, study.seed)


def run_sweep(task: _SweepTask) -> Sweep:
    """The sweep of one strategy; pure, so that it may run in any process."""
    study = task.study
    sweep = sweep_setup(study, start=common_start(study))
    grid = np.linspace(-1.0, 1.0, study.stress.points)
    strategy = strategies_of(study)[task.strategy]
    return sweep_strategy(strategy, study.strategies[task.strategy].label, sweep, grid)


def _hedges(name: str) -> bool:
    """Whether a strategy hedges at all; the unhedged book is on every plot anyway."""
    return name != "Naked"


def save(report: StressReport, out: Path) -> StressReport:
    """Write a stress report to ``out/<digest>/`` and return it with its folder."""
    from backtester.report.documents import scorecard_json, stress_json
    from backtester.report.stress import stress_html

    folder = write_results(
        out,
        report.digest,
        {
            "study.yaml": report.study.to_yaml(),
            "scorecard.json": json_text(scorecard_json(report.scenarios)),
            "scorecard.parquet": parquet_bytes(report.scenarios.to_frame()),
            "stress.json": json_text(stress_json(report)),
            "report.html": stress_html(report),
            "manifest.json": json_text(report.manifest),
        },
    )
    return replace(report, folder=folder)
