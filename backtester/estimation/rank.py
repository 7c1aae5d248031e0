"""Rank correlations over a rolling window, as an online covariance.

Spearman's ρ_S (the correlation of ranks) and Kendall's τ (concordant less discordant pairs of bars)
are untouched by any monotone change of a margin: a jump counts as one large return, whatever its
size. They are mapped to the linear correlation of the copula,

    ρ = 2 sin(π ρ_S/6)   (normal copula: Pearson 1907; Kruskal 1958)
    ρ = sin(π τ/2)       (every elliptical copula: Lindskog, McNeil & Schmock 2003)

and the variances are those of the window. Mapped entry by entry the matrix need not be PSD: it is
then moved to the nearest correlation matrix, and `estimate` says on which paths.

Kendall's counts are whole numbers kept up to date at every event, exactly: O(N²) words of 64 bars.
Spearman's ranks all shift with every bar, so they are made when the estimate is asked for:
O(N·W log W + N²·W). On bars finer than window/256 days returns are compounded (`RollingWindow`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float, Int
from backtester.estimation.correlation import correlation
from backtester.estimation.nearest import Repairs, nearest_correlations
from backtester.estimation.shrinkage import sample_covariance
from backtester.estimation.window import RollingWindow, WindowState


@dataclass(frozen=True, slots=True)
class KendallState:
    """The window and the concordance of its bars."""

    window: WindowState
    counts: Int  # (P, N, N)


@dataclass(frozen=True)
class SpearmanCovariance:
    """Covariance from Spearman's rank correlation over the last `window` days."""

    window: float = 60.0

    def __post_init__(self) -> None:
        RollingWindow(self.window)

    def init(self, paths: int, assets: int) -> Any:
        """State before the first event."""
        return RollingWindow(self.window).init(paths, assets)

    def step(self, state: Any, returns: Float, elapsed: float) -> Any:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        return RollingWindow(self.window).step(state, returns, elapsed)

    def rank_correlation(self, state: Any) -> Float:
        """Spearman's ρ_S of every pair, (P, N, N); 0 for an asset that does not move."""
        from backtester.estimation.rank_kernels import centred_ranks

        return correlation(sample_covariance(centred_ranks(_rows(state).scaled()[0])))

    def estimate(self, state: Any) -> tuple[Float, Repairs]:
        """Covariance per day (P, N, N), and what was repaired in its correlations."""
        repairs = repaired(self._mapped(self.rank_correlation(state)))
        deviation = np.sqrt(_variance(_rows(state)))
        matrix = repairs.matrix * (deviation[:, :, None] * deviation[:, None, :])
        return matrix, repairs

    def covariance(self, state: Any) -> Float:
        """Estimate (P, N, N) per day; zero before the first return."""
        return self.estimate(state)[0]

    def _mapped(self, rank: Float) -> Float:
        return _unit(2.0 * np.sin(np.pi / 6.0 * rank))


@dataclass(frozen=True)
class KendallCovariance(SpearmanCovariance):
    """Covariance from Kendall's τ_b over the last `window` days."""

    def init(self, paths: int, assets: int) -> KendallState:
        """State before the first event."""
        window = RollingWindow(self.window).init(paths, assets)
        return KendallState(window, np.zeros((paths, assets, assets), dtype=np.int64))

    def step(self, state: KendallState, returns: Float, elapsed: float) -> KendallState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        after = RollingWindow(self.window).step(state.window, returns, elapsed)
        if after is state.window:
            return state
        old, kept = state.window, len(after.returns) - 1
        # A bar finer than the window resolves is compounded into the last row, which leaves too.
        grown = len(old.returns) > 0 and after.returns[-1] is not returns
        last = len(old.returns) - grown
        first = last - kept
        common = (old.returns[first:last], old.elapsed[first:last])
        leaving = [*range(first), *([last] if grown else [])]
        moved = [(old.returns[k], old.elapsed[k], -1) for k in leaving]
        counts = _compared(
            state.counts, [*moved, (after.returns[-1], after.elapsed[-1], 1)], common
        )
        for i in range(1, len(moved)):  # and the pairs among those that leave
            rest = leaving[:i]
            among = (tuple(old.returns[j] for j in rest), tuple(old.elapsed[j] for j in rest))
            counts = _compared(counts, [moved[i]], among)
        return KendallState(after, counts)

    def rank_correlation(self, state: KendallState) -> Float:
        """Kendall's τ_b of every pair, (P, N, N); 0 for an asset that does not move."""
        # the diagonal counts the untied pairs of bars, which is what τ_b divides by
        return correlation(state.counts.astype(np.float64))

    def _mapped(self, rank: Float) -> Float:
        return _unit(np.sin(np.pi / 2.0 * rank))


def repaired(matrix: Float) -> Repairs:
    """`nearest_correlations` of (P, N, N), without looking closely at what is surely PSD."""
    from backtester.estimation.rank_kernels import surely_positive

    fine = surely_positive(matrix)
    paths = len(matrix)
    smallest, distance = np.full(paths, np.nan), np.zeros(paths)
    changed = np.zeros(paths, dtype=np.bool_)
    doubtful = np.flatnonzero(~fine)
    if len(doubtful):
        part = nearest_correlations(matrix[doubtful])
        matrix = matrix.copy()
        matrix[doubtful] = part.matrix
        smallest[doubtful], distance[doubtful] = part.smallest, part.distance
        changed[doubtful] = part.repaired
    return Repairs(matrix, distance, changed, smallest)


def _rows(state: Any) -> WindowState:
    return state.window if isinstance(state, KendallState) else state


def _compared(
    counts: Int,
    others: Sequence[tuple[Float, float, int]],
    rows: tuple[tuple[Float, ...], tuple[float, ...]],
) -> Int:
    """`counts` and the concordance of `others`, (return, days, sign), with rows (returns, days)."""
    from backtester.estimation.rank_kernels import concordance

    returns, elapsed = rows
    if not returns:
        return counts
    moved = np.array([row for row, _, _ in others])
    days = np.array([d for _, d, _ in others])
    signs = np.array([sign for _, _, sign in others], dtype=np.int64)
    scales = 1.0 / np.sqrt(np.array(elapsed))
    return np.asarray(
        concordance(counts, moved, 1.0 / np.sqrt(days), signs, np.array(returns), scales)
    )


def _variance(window: WindowState) -> Float:
    """Mean squared return per day, (P, N)."""
    rows, _ = window.scaled()
    return np.asarray((rows * rows).sum(axis=-1) / max(rows.shape[2], 1))


def _unit(matrix: Float) -> Float:
    diagonal = np.arange(matrix.shape[-1])
    matrix[:, diagonal, diagonal] = 1.0
    return np.asarray(matrix)
