"""Comparisons and stress reports made of seeded random numbers, with any names one likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from backtester.comparison import (
    AuditLine,
    BreakEven,
    Comparison,
    Curve,
    MarketSummary,
    StressReport,
    Sweep,
)
from backtester.evidence import Evidence, market_evidence
from backtester.folds import WalkForward, folds_of
from backtester.metrics.sensitivity import BookSensitivity, book_sensitivity
from backtester.metrics.series import PathSeries
from backtester.score import scorecard
from backtester.study import Study
from backtester.walk_forward import Trail

DAY = 86_400_000_000_000
CAPITAL = 1_000_000.0


@dataclass(frozen=True)
class Names:
    """Every name a user can choose."""

    study: str = "Fake study"
    strategies: tuple[str, ...] = ("Naked", "OneToOne", "RollingOLS")
    markets: tuple[str, ...] = ("history", "switching")
    assets: tuple[str, ...] = ("SPX", "NDX", "WTI")
    regimes: tuple[str, ...] = ("normal", "crisis")


def _labels(rng: np.random.Generator, bars: int, paths: int, regimes: int) -> Any:
    label = np.zeros((bars, paths), dtype=np.int8)
    if regimes > 1:
        for p in range(paths):
            for start in rng.integers(0, max(1, bars - 25), max(2, bars // 120)):
                label[start : start + int(rng.integers(8, 25)), p] = 1
    return label


def _series(
    rng: np.random.Generator, strategy: str, market: str, names: Names, ratio: float, base: Any
) -> PathSeries:
    bare, factor, label, ends = base
    bars, paths = bare.shape
    hedge = -ratio * factor * 0.9
    cost = np.abs(rng.normal(0, 60.0, (bars, paths, 2))) * ratio * np.array([1.0, 0.4])
    return PathSeries(
        strategy=strategy,
        market=market,
        unhedged=bare,
        hedge_pnl=hedge,
        hedge_carry=np.full((bars, paths), 12.0 * ratio),
        costs=cost,
        terms=("fee", "spread"),
        traded=cost.sum(axis=-1) * 1000,
        exposure=np.full((bars, paths), CAPITAL),
        hedge_gross=np.full((bars, paths), ratio * CAPITAL),
        label=label,
        label_names=names.regimes,
        days=np.ones(bars),
        ends=ends,
        days_per_year=365.0,
        capital=CAPITAL,
    )


def _trail(series: PathSeries, names: Names) -> Trail:
    """Three parameter sets, called after what a user may write, over bars before and in the run."""
    before = 30
    bars, paths = series.unhedged.shape
    bare, exposure, net = (
        np.concatenate([x[:before], x]) for x in (series.unhedged, series.exposure, series.net)
    )
    start = series.ends[0] - DAY * (before + 1)
    times = start + DAY * np.arange(bars + before + 1)
    plan = WalkForward(train=20, test=bars / 4)
    folds = folds_of(np.arange(float(bars + before + 1)), 30.0, plan, series.market)
    choice = np.arange(len(folds) * paths).reshape(len(folds), paths) % 3
    sets = tuple(f"x={names.strategies[i % len(names.strategies)]}" for i in range(3))
    tried = np.stack([0.9 * net, net, 1.1 * net])
    return Trail(folds, sets, choice, tried, bare, exposure, times)


def _quantiles(values: Any) -> Any:
    if values.shape[1] == 1:
        return values
    return np.quantile(values, (0.05, 0.5, 0.95), axis=1).T


def _fall(equity: Any) -> Any:
    return equity / np.maximum.accumulate(equity, axis=0) - 1.0


def _curve(rng: np.random.Generator, s: PathSeries, names: Names, k: int, ratio: float) -> Curve:
    bars, paths = s.unhedged.shape
    net = CAPITAL + np.cumsum(s.net, axis=0)
    bare = CAPITAL + np.cumsum(s.unhedged, axis=0)
    walk = -ratio * CAPITAL * (1 + 0.1 * np.cumsum(rng.normal(0, 0.05, (bars, k)), axis=0))
    relaxed = (0.0, 1250.5 if ratio > 0.9 else 0.0, 0.0)
    trouble = {"ELASTIC": 3, "HELD": 1} if ratio > 0.9 else {}
    return Curve(
        strategy=s.strategy,
        market=s.market,
        times=s.ends,
        equity_net=_quantiles(net),
        equity_gross=_quantiles(CAPITAL + np.cumsum(s.gross, axis=0)),
        equity_unhedged=_quantiles(bare),
        drawdown_net=_quantiles(_fall(net)),
        drawdown_unhedged=_quantiles(_fall(bare)),
        hedges=walk / k,
        exposure=np.full(bars, CAPITAL),
        instruments=names.assets[1:],
        cost_bps={"fee": 40.0 * ratio, "spread": 16.0 * ratio, "carry": 44.0 * ratio},
        status={"OK": bars * paths - 4, **trouble},
        routes={"batched": bars * paths} if ratio else {},
        signals={"correlation_break": 4} if ratio > 0.9 else {},
        relaxed=relaxed,
        limit_excess=0.004 * ratio,
        unfilled=3,
        horizon_days=12.5 if ratio > 0.9 else float("nan"),
    )


def make_comparison(
    names: Names | None = None,
    *,
    bars: int = 320,
    paths: int = 24,
    seed: int = 7,
    execution: str = "next_event",
    delay: int = 1,
    audits: bool = True,
) -> Comparison:
    """The first market is a history, the others are ensembles."""
    names = names or Names()
    rng = np.random.default_rng(seed)
    pairs, curves, markets, lines, trails = [], [], [], [], []
    ratios = np.linspace(0.0, 1.0, len(names.strategies))
    for m, market in enumerate(names.markets):
        size, count = (bars, paths) if m else (3 * bars, 1)
        label = _labels(rng, size, count, len(names.regimes))
        vol = np.where(label == 1, 22_000.0, 9_000.0)
        factor = rng.standard_t(4, (size, count)) * vol / 1.4
        bare = factor + rng.normal(0, 4_000.0, (size, count))
        ends = np.int64(1_500_000_000) * 1_000_000_000 // DAY * DAY + DAY * np.arange(1, size + 1)
        base = (bare, factor, label, ends)
        for strategy, ratio in zip(names.strategies, ratios, strict=True):
            series = _series(rng, strategy, market, names, float(ratio), base)
            twin = replace(series, unhedged=series.unhedged * 0.98)
            pairs.append((series, twin if len(names.regimes) > 1 else None))
            chosen = strategy == names.strategies[-1]
            trails.append(_trail(series, names) if chosen else None)
            curves.append(_curve(rng, series, names, len(names.assets) - 1, float(ratio)))
            lines.append(AuditLine(strategy, market, 0, 3.1e-13 * float(ratio), int(300 * ratio)))
        rho = np.tanh(
            np.cumsum(rng.normal(0, 0.02, (size + 1, len(names.assets) - 1)), axis=0) + 0.8
        )
        rho[:60] = np.nan
        markets.append(
            MarketSummary(
                name=market,
                simulated=m > 0,
                paths=count,
                bars=size,
                start="2017-07-14T00:00:00Z",
                end="2020-02-29T00:00:00Z",
                calendar="24/7",
                days_per_year=365.0,
                assets=names.assets,
                exposure={names.assets[0]: CAPITAL},
                exposure_unit="notional",
                exposure_hold="units",
                instruments=names.assets[1:],
                execution=execution,
                label_description="crisis where a 21-bar centred volatility exceeds its 85 % "
                "quantile; known only afterwards",
                episodes=5,
                onsets=("2018-01-16T00:00:00Z", "2018-11-14T00:00:00Z"),
                crisis_share=float((label == 1).mean()),
                times=np.concatenate([[ends[0] - DAY], ends]),
                correlation=rho,
                label=np.concatenate([label[:1, 0], label[:, 0]]),
                label_names=names.regimes,
                notes=("2 duplicate stamps dropped", "constant half-spread of 1 bp assumed"),
                data_hash="ab" * 32,
                placebo_paths=24 if len(names.regimes) > 1 else 0,
            )
        )
    study = Study.of(
        {
            "name": names.study,
            "exposure": {"positions": {names.assets[0]: CAPITAL}},
            "capital": CAPITAL,
            "hedge_with": list(names.assets[1:]),
            "markets": [{"name": m, "scenario": "normal"} for m in names.markets],
            "strategies": [
                *({"use": "Naked", "label": s} for s in names.strategies[:-1]),
                {"use": "Naked", "label": names.strategies[-1], "grid": {"x": [1, 2, 3]}},
            ],
            "walk_forward": {"train": 20, "test": 15},
            "trials": 12,
            "execution": execution,
            "delay": delay,
        }
    )
    card = scorecard(pairs, risk_aversion=5.0, seed=seed)
    each = len(names.strategies)
    beside = [
        market_evidence(
            study,
            pairs[m * each : (m + 1) * each],
            [s for s in card.scores if s.market == market],
            trails[m * each : (m + 1) * each],
        )
        for m, market in enumerate(names.markets)
    ]
    return Comparison(
        study=study,
        digest="0123456789abcdef",
        scorecard=card,
        evidence=Evidence.of(beside, study.tried),
        markets=tuple(markets),
        curves=tuple(curves),
        audits=tuple(lines) if audits else (),
        audit_note="" if audits else "vectorbt is not installed",
        manifest={
            "command": "backtester compare study.yaml",
            "versions": {"python": "3.11.7", "numpy": "2.4.6", "hedge-backtester": "0.1.0"},
            "data": dict.fromkeys(names.markets, "ab" * 32),
            "files": {},
        },
    )


def _book(names: Names, ratio: float) -> BookSensitivity:
    """Long the first asset, short the others, one correlation of .7 between all."""
    n = len(names.assets) - 1
    covariance = 0.36 * (0.7 + 0.3 * np.eye(n + 1))
    hedges = np.full(n, -ratio / n)
    return book_sensitivity(
        names.assets[:1], np.ones(1), names.assets[1:], hedges, names.assets, covariance
    )


def make_stress(names: Names | None = None, *, bars: int = 320, paths: int = 24) -> StressReport:
    """Scenarios as the markets of a comparison, and a sweep of 21 correlations."""
    names = names or Names()
    comparison = make_comparison(names, bars=bars, paths=paths)
    rho = np.linspace(-1.0, 1.0, 21)
    sweeps = []
    for i, strategy in enumerate(names.strategies):
        ratio = i / max(1, len(names.strategies) - 1)
        he = ratio * (rho**2 - 0.12)
        bare = np.full(21, 9.0)
        es = bare * np.sqrt(np.maximum(1.0 - he, 0.02))
        unknown = BreakEven("net_es", "negative", None, "helps at every negative correlation")
        known = BreakEven("effectiveness", "positive", 0.346, "bracket narrowed to 0.002")
        sweeps.append(
            Sweep(
                strategy=strategy,
                correlation=rho,
                effectiveness=np.stack([he, he - 0.05, he + 0.05], axis=1),
                net_es=np.stack([es, es - 0.4, es + 0.4], axis=1),
                unhedged_es=bare,
                cost_bps=np.full(21, 30.0 * ratio),
                volatility=60.0 * np.sqrt(1.0 - np.stack([he, he + 0.05, he - 0.05], axis=1)),
                unhedged_volatility=np.full(21, 60.0),
                frozen_volatility=60.0 * np.sqrt(1.0 + 0.64 * ratio**2 - 1.6 * ratio * rho),
                unhedged_book=_book(names, 0.0),
                book=_book(names, ratio),
                break_even=(known, unknown) if ratio else (),
            )
        )
    return StressReport(
        study=comparison.study,
        digest="fedcba9876543210",
        scenarios=comparison,
        base="normal",
        sweeps=tuple(sweeps),
        paths=50,
        bars=365,
        manifest={**comparison.manifest, "command": "backtester stress study.yaml"},
    )


@pytest.fixture(scope="session")
def names() -> type[Names]:
    """The names of a fake study."""
    return Names


@pytest.fixture(scope="session")
def comparison_of() -> Callable[..., Comparison]:
    """Builds comparisons."""
    return make_comparison


@pytest.fixture(scope="session")
def stress_of() -> Callable[..., StressReport]:
    """Builds stress reports."""
    return make_stress


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    """A comparison with ordinary names."""
    return make_comparison()


@pytest.fixture(scope="session")
def stress() -> StressReport:
    """A stress report with ordinary names."""
    return make_stress()
