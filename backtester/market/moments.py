"""What is usual in a market: mean, volatility and correlation of its spots, by regime.

An overlay needs them to move a correlation without moving a volatility. They are measured once, on
a panel that does not change with the paths asked for, or path by path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.errors import DataError, did_you_mean
from backtester.market.panel import MarketPanel

SUFFIX = "-PERP"
LEAST_BARS = 30
"""Bars a regime needs to have moments of its own; below, it takes those of the whole sample."""
SMALLEST = 1e-8
"""Eigenvalue of a correlation matrix taken as zero: a direction in which nothing moves."""


def perpetuals_of(
    panel: MarketPanel, perpetuals: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Perpetual → spot; by name (``BTC-PERP`` follows ``BTC``) unless given. Raises DataError."""
    if perpetuals is None:
        named = {a: a.removesuffix(SUFFIX) for a in panel.assets if a.endswith(SUFFIX)}
        return {p: spot for p, spot in named.items() if spot in panel.assets}
    for name in (*perpetuals, *perpetuals.values()):
        if name not in panel.assets:
            raise DataError(
                f"market {panel.name!r} has no asset {name!r}, named as a perpetual or its spot",
                cure=did_you_mean(name, panel.assets),
            )
    return dict(perpetuals)


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of log returns; Q is 1 (shared by all paths) or P, row S is the whole sample.

    `whitening` maps standardised returns to uncorrelated ones of unit variance; `rank` is the mean
    squared length of its result, the number of directions that move at all.
    """

    spots: tuple[str, ...]  # F
    perpetuals: dict[str, str]
    regime_names: tuple[str, ...]  # S
    mean: Float  # (S + 1, Q, F) a day
    volatility: Float  # (S + 1, Q, F) per √day
    correlation: Float  # (S + 1, Q, F, F)
    whitening: Float  # (S + 1, Q, F, F)
    root: Float  # (S + 1, Q, F, F) root rootᵀ = correlation
    rank: Float  # (S + 1, Q)

    def rows(self, panel: MarketPanel) -> Int | None:
        """Row of each bar's regime, (T − 1, P); None where every bar has the last, whole one."""
        if panel.regime is None or len(self.regime_names) < 1:
            return None
        whole = len(self.regime_names)
        known = {name: i for i, name in enumerate(self.regime_names)}
        table = np.array([known.get(name, whole) for name in panel.regime_names], dtype=np.int64)
        state = np.broadcast_to(panel.regime, panel.prices.shape[:2])
        return np.asarray(table[state[1:]])

    def betas(self, leader: str) -> Float:
        """Sensitivity of each spot's log return to `leader`'s over the whole sample, (Q, F)."""
        i = self.spots.index(leader)
        spread = self.volatility[-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.correlation[-1, :, i] * spread / spread[:, i : i + 1]
        return np.where(np.isfinite(ratio), ratio, 0.0)


def moments_of(
    panel: MarketPanel, *, perpetuals: Mapping[str, str] | None = None, by_path: bool = False
) -> Moments:
    """Moments of `panel`, pooled over its paths, or of each path alone.

    A regime with fewer than `LEAST_BARS` bars takes the moments of the whole sample. A panel
    without known regimes has only those.
    """
    pairs = perpetuals_of(panel, perpetuals)
    if by_path and panel.paths > 1:
        each = [moments_of(panel.path(p), perpetuals=pairs) for p in range(panel.paths)]
        stacked: dict[str, Any] = {
            name: np.concatenate([getattr(m, name) for m in each], axis=1)
            for name in ("mean", "volatility", "correlation", "whitening", "root", "rank")
        }
        return replace(each[0], **stacked)
    spots = tuple(a for a in panel.assets if a not in pairs)
    columns = panel.indices(spots, "an overlay")
    elapsed = np.diff(panel.trading_days)
    steps = np.diff(np.log(panel.prices[:, :, columns]), axis=0)
    names = panel.regime_names if panel.regime is not None else ()
    state = None if panel.regime is None else np.broadcast_to(panel.regime, panel.prices.shape[:2])
    rows = [_row(steps, elapsed, _of(state, s), len(spots)) for s in (*range(len(names)), None)]
    usable = [row if row is not None else rows[-1] for row in rows]
    means, spreads, correlations = (np.array([r[k] for r in usable if r]) for k in range(3))
    values, vectors = np.linalg.eigh(correlations)
    moving = values > SMALLEST
    whitening = np.where(moving, 1.0 / np.sqrt(np.where(moving, values, 1.0)), 0.0)[
        ..., None
    ] * np.swapaxes(vectors, -1, -2)
    return Moments(
        spots,
        pairs,
        names,
        means[:, None],
        spreads[:, None],
        correlations[:, None],
        whitening[:, None],
        (correlations @ np.swapaxes(whitening, -1, -2))[:, None],
        moving.sum(axis=-1).astype(np.float64)[:, None],
    )


def _of(state: Byte | None, regime: int | None) -> np.ndarray | None:
    return None if regime is None or state is None else state[1:] == regime


def _row(
    steps: Float, elapsed: Float, mask: np.ndarray | None, size: int
) -> tuple[Float, Float, Float] | None:
    """Mean a day, volatility per √day and correlation of the bars in `mask`; None if too few."""
    days = np.broadcast_to(elapsed[:, None], steps.shape[:2])
    chosen = steps.reshape(-1, size) if mask is None else steps[mask]
    length = days.reshape(-1) if mask is None else days[mask]
    if mask is not None and len(chosen) < max(LEAST_BARS, 3 * size):
        return None
    mean = chosen.sum(axis=0) / length.sum()
    scaled = (chosen - mean * length[:, None]) / np.sqrt(length)[:, None]
    covariance = scaled.T @ scaled / len(scaled)  # one panel's own figures: paths are not mixed
    spread = np.sqrt(np.diagonal(covariance))
    safe = np.where(spread > 0, spread, 1.0)
    correlation = covariance / np.outer(safe, safe)
    np.fill_diagonal(correlation, (spread > 0).astype(np.float64))  # what never moves has rank 0
    return mean, spread, correlation
