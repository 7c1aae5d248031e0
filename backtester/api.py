"""The Python surface: run, compare and stress, in a notebook or behind the command line."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from backtester.accounting.exposure import Exposure
from backtester.comparison import SCHEMA, AuditLine, Comparison, Curve, MarketSummary
from backtester.costs.model import CostConfig
from backtester.engine import run as run_engine
from backtester.errors import ConfigError, did_you_mean
from backtester.evidence import Evidence, MarketEvidence, market_evidence
from backtester.executor import Executor, executor_of
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import Limits
from backtester.market.panel import MarketPanel
from backtester.markets import arena_of
from backtester.metrics.series import PathSeries
from backtester.progress import Progress, silent
from backtester.regimes.labels import labels_of
from backtester.results import RunResult
from backtester.runner import TaskResult, run_tasks, tasks_of
from backtester.score import Scorecard, scorecard
from backtester.setup import RunSetup
from backtester.store import json_text, parquet_bytes, write_results
from backtester.strategy import Strategy
from backtester.study import Study
from backtester.summary import curve_of, market_summary, versions
from backtester.walk_forward import Trail

if TYPE_CHECKING:
    import pandas as pd


def run(
    prices: pd.DataFrame | MarketPanel,
    strategy: Strategy[Any] | type[Strategy[Any]] | str,
    *,
    exposure: dict[str, float],
    hedge_with: list[str] | tuple[str, ...],
    capital: float | None = None,
    calendar: str = "24/7",
    unit: str = "notional",
    hold: str = "units",
    costs: CostConfig | dict[str, Any] | None = None,
    limits: Limits | None = None,
    risk_aversion: float = 5.0,
    horizon: float | None = None,
    rebalance: float = 1.0,
    execution: str = "next_event",
    delay: int = 1,
    funding: pd.DataFrame | None = None,
    assume_tz: str | None = None,
    missing: str = "error",
    labeller: str = "hedge",
    parameters: dict[str, Any] | None = None,
) -> RunResult:
    """Run one strategy on one market.

    Parameters
    ----------
    prices: wide frame of prices, DatetimeIndex × asset, or a `MarketPanel`.
    strategy: an instance, a class, or a name, ``module:Class`` or file.
    exposure: asset -> amount (money at the first stamp, or units with ``unit="units"``).
    hedge_with: names of the eligible hedge instruments.
    capital: money; default the gross exposure.
    Other arguments: see `backtester.study.Study`, `MarketPanel.from_frame`.

    Raises ConfigError, DataError, StrategyError; each names the object, the time and the cure.
    """
    panel = (
        prices
        if isinstance(prices, MarketPanel)
        else MarketPanel.from_frame(
            prices, calendar=calendar, funding=funding, assume_tz=assume_tz, missing=missing
        )
    )
    position = _position(exposure, unit, hold)
    if isinstance(hedge_with, str):
        raise ConfigError(
            f"hedge_with is the text {hedge_with!r}", cure=f"Give a list: [{hedge_with!r}]."
        )
    if capital is None:
        units = position.units(panel.prices[0], panel.indices(position.assets, "the exposure"))
        capital = float(np.abs(units * panel.prices[0]).sum(axis=-1).max())
    setup = RunSetup(
        exposure=position,
        instruments=tuple(hedge_with),
        costs=costs if isinstance(costs, CostConfig) else _costs(costs or {}),
        hedging=HedgeSettings(capital, risk_aversion, horizon, limits or Limits()),
        rebalance=rebalance,
        execution=execution,
        delay=delay,
    )
    chosen = _strategy(strategy, parameters)
    labels = labels_of(panel, position, setup.instruments, labeller)
    block = run_engine(panel, chosen, setup)
    return RunResult(type(chosen).__name__, panel, setup, block, labels.label, labels.names)


def _position(exposure: dict[str, float], unit: str, hold: str) -> Exposure:
    try:
        amounts = [float(amount) for amount in exposure.values()]
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the exposure {exposure!r} is not asset -> amount ({error})",
            cure='Give numbers by asset, such as {"SOL": 500_000}.',
        ) from error
    return Exposure(tuple(exposure), np.array(amounts), unit, hold)


def _costs(given: dict[str, Any]) -> CostConfig:
    for key in given:
        if key not in CostConfig.model_fields:
            raise ConfigError(
                f"costs have no key {key!r}", cure=did_you_mean(str(key), CostConfig.model_fields)
            )
    try:
        return CostConfig(**given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"costs.{first['loc'][0]} is {first['input']!r}: {first['msg']}",
            cure="Give basis points (gas: money), ≥ 0, or a mapping by instrument.",
        ) from error


def _strategy(
    strategy: Strategy[Any] | type[Strategy[Any]] | str, parameters: dict[str, Any] | None
) -> Strategy[Any]:
    if isinstance(strategy, Strategy):
        if parameters:
            raise ConfigError(
                "parameters were given beside a configured strategy",
                cure="Give the class or the name, or put the parameters into the instance.",
            )
        return strategy
    if isinstance(strategy, str):
        from backtester.plugins import load_strategy

        strategy = load_strategy(strategy)
    if not (isinstance(strategy, type) and issubclass(strategy, Strategy)):
        raise ConfigError(
            f"the strategy is a {type(strategy).__name__}",
            cure="Give an instance or a subclass of Strategy, or its name.",
        )
    return strategy.configured(parameters)


def compare(
    study: Study | dict[str, Any] | str | Path,
    *,
    out: Path | str | None = None,
    workers: int | Executor = 1,
    progress: Progress = silent,
    audits: bool = True,
) -> Comparison:
    """Run every strategy of a study on every market, score by regime, and write the results.

    out: folder in which ``<digest>/`` is written; None writes nothing.
    workers: number of processes, or an executor that is to stay open.
    """
    plan = study_of(study)
    digest = plan.digest("compare")  # before any work: a file that cannot be read stops here
    tasks = tasks_of(plan, audits=audits)
    with executor_of(workers) as executor:
        results = run_tasks(tasks, executor, progress)
        comparison = collect(plan, digest, results, [t.market for t in tasks])
    return comparison if out is None else save(comparison, Path(out))


def study_of(study: Study | dict[str, Any] | str | Path) -> Study:
    """A study from a path, plain data or itself."""
    if isinstance(study, (str, Path)):
        return Study.read(study)
    return Study.of(study)


def collect(plan: Study, digest: str, results: Any, order: list[int]) -> Comparison:
    """Reduce task results, one market at a time, so that only one market's series are held."""
    cards: list[Scorecard] = []
    curves: list[Curve] = []
    markets: list[MarketSummary] = []
    audits: list[AuditLine] = []
    notes: list[str] = []
    beside: list[MarketEvidence] = []
    for m, spec in enumerate(plan.markets):
        parts: dict[tuple[int, bool], list[TaskResult]] = {}
        for _ in range(order.count(m)):
            result = next(results)
            parts.setdefault((result.task.strategy, result.task.placebo), []).append(result)
        pairs = []
        trails = []
        for s in range(len(plan.strategies)):
            series = PathSeries.joined([r.series for r in parts[s, False]])
            placebo = parts.get((s, True))
            twin = PathSeries.joined([r.series for r in placebo]) if placebo else None
            curves.append(curve_of(series, parts[s, False]))
            audits += [r.audit for r in parts[s, False] if r.audit is not None]
            notes += [r.audit_note for r in parts[s, False] if r.audit_note]
            pairs.append((series, twin))
            found = [r.trail for r in parts[s, False] if r.trail is not None]
            trails.append(Trail.joined(found) if found else None)
        cards.append(scorecard(pairs, risk_aversion=plan.risk_aversion, seed=plan.seed))
        beside.append(market_evidence(plan, pairs, cards[-1].scores, trails))
        twin_paths = max((t.unhedged.shape[1] for _, t in pairs if t is not None), default=0)
        markets.append(market_summary(arena_of(plan, spec), twin_paths))
    return Comparison(
        study=plan,
        digest=digest,
        scorecard=Scorecard.merge(cards),
        markets=tuple(markets),
        curves=tuple(curves),
        audits=tuple(audits),
        audit_note=notes[0] if notes else "",
        manifest=manifest(plan, digest, "compare", markets),
        evidence=Evidence.of(beside, plan.tried),
    )


def manifest(plan: Study, digest: str, kind: str, markets: list[MarketSummary]) -> dict[str, Any]:
    """What is needed to produce the same numbers again."""
    return {
        "schema": f"backtester.manifest/{SCHEMA}",
        "study": plan.name,
        "kind": kind,
        "digest": digest,
        "seed": plan.seed,
        "trials": plan.tried * len(plan.markets),
        "command": f"backtester {kind} study.yaml",
        "versions": versions(),
        "platform": sys.platform,
        "data": {m.name: m.data_hash for m in markets},
        "files": {Path(f).name: h for f, h in plan.file_hashes().items()},
    }


def save(comparison: Comparison, out: Path) -> Comparison:
    """Write a comparison to ``out/<digest>/`` and return it with its folder."""
    from backtester.report.compare import compare_html
    from backtester.report.documents import scorecard_json

    folder = write_results(
        out,
        comparison.digest,
        {
            "study.yaml": comparison.study.to_yaml(),
            "scorecard.json": json_text(scorecard_json(comparison)),
            "scorecard.parquet": parquet_bytes(comparison.to_frame()),
            "report.html": compare_html(comparison),
            "manifest.json": json_text(comparison.manifest),
            **{
                f"{name}.parquet": parquet_bytes(frame)
                for name, frame in comparison.evidence.frames().items()
                if len(frame)
            },
        },
    )
    return replace(comparison, folder=folder)
