"""Drawing the richest ensemble through the executor the product uses, chunk by chunk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache

from backtester_scenarios.copula_garch import CopulaGarch
from peak import peak_mb
from table import Report

from backtester.executor import ProcessExecutor
from backtester.scenario import EnsembleMarket

ASSETS = tuple(f"A{i}" for i in range(10))
PERPETUALS = {"A0-PERP": "A0", "A1-PERP": "A1"}


@dataclass(frozen=True)
class Chunk:
    """Which paths to draw."""

    paths: int
    bars: int
    index: int


@lru_cache(maxsize=1)
def richest() -> CopulaGarch:
    """Three regimes, a t copula each, ten GARCH-t margins of their own, two perpetuals."""

    def regime(rho: float, volatility: float, nu: float, days: float) -> dict[str, object]:
        rate = {"level": 0.1, "volatility": 0.2, "half_life_days": 4.0, "clamp": 3.0}
        basis = {"volatility": 1e-3, "half_life_days": 1.3}
        return {
            "volatility": volatility,
            "correlation": {"default": rho},
            "degrees_of_freedom": nu,
            "duration_days": days,
            "half_spread_bp": 2.0 * volatility,
            "depth": 1e8 / volatility,
            "funding": dict.fromkeys(PERPETUALS, rate),
            "basis": dict.fromkeys(PERPETUALS, basis),
        }

    regimes = {
        "normal": regime(0.5, 0.6, 6.0, 100.0),
        "convergence": regime(0.9, 1.5, 3.0, 20.0),
        "decoupling": regime(0.2, 1.0, 4.0, 20.0),
    }
    margins = {
        a: {"alpha": 0.05 + 0.005 * i, "beta": 0.9 - 0.005 * i, "degrees_of_freedom": 3.5 + 0.5 * i}
        for i, a in enumerate(ASSETS)
    }
    return CopulaGarch(
        name="bench richest", prices=dict.fromkeys(ASSETS, 100.0), perpetuals=PERPETUALS,
        regimes=regimes, margins=margins, innovation_limit=12.0,
    )  # fmt: skip


def draw_chunk(chunk: Chunk) -> tuple[float, float]:
    """A number of the chunk, so that it was drawn, and the peak memory of this worker."""
    panel = EnsembleMarket(richest(), chunk.paths, chunk.bars, seed=1).at(chunk.index)
    return float(panel.prices[-1].mean()), peak_mb()


def ensemble(report: Report, workers: int, paths: int, bars: int) -> None:
    """Workers started and kernels loaded before; every chunk drawn, looked at and let go."""
    pool = ProcessExecutor(workers)
    chunks = [
        Chunk(paths, bars, i) for i in range(EnsembleMarket(richest(), paths, bars, seed=1).chunks)
    ]
    try:
        list(pool.map(draw_chunk, [Chunk(1, 2, 0)] * 4 * workers))
        _, first = next(iter(pool.map(draw_chunk, chunks[:1])))
        before = time.perf_counter()
        drawn = list(pool.map(draw_chunk, chunks))
        spent = time.perf_counter() - before
    finally:
        pool.close()
    report.add(
        "richest_ensemble_s",
        spent,
        f"s; {paths:,} paths × {bars} bars × {len(ASSETS)} assets and 2 perpetuals, 3 regimes, t "
        f"copulas, GARCH-t margins, funding, spread, depth; {workers} workers; a worker's peak is "
        f"{max(peak for _, peak in drawn):.0f} MB, {first:.0f} MB after its first chunk",
        richest_ensemble_peak_mb=max(peak for _, peak in drawn),
    )
