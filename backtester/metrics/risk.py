"""Value at risk, expected shortfall, certainty equivalent and drawdown of P&L samples.

Losses are positive. With X a P&L sample and m cash: VaR, ES and the entropic risk are monotone
and cash-invariant, ρ(X + m) = ρ(X) − m; ES and entropic risk are convex; ES ≥ VaR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Float, Int

HORIZON = 10
"""Bars of an expected-shortfall window."""
LEVEL = 0.975
"""Confidence level of expected shortfall."""


def value_at_risk(pnl: Float, level: float, weights: Float | None = None) -> float:
    """The loss exceeded with probability at most 1 − level: lower quantile of the losses.

    pnl: any shape; weights: same shape, non-negative. NaN on an empty sample.
    """
    losses, mass = _descending(pnl, weights)
    total = mass.sum()
    if not total > 0.0:
        return float("nan")
    # The first loss, from the largest down, at which more than 1 − level of the mass is reached.
    at = np.searchsorted(np.cumsum(mass), (1.0 - level) * total * (1.0 + 1e-12), side="right")
    return float(losses[min(int(at), len(losses) - 1)])


def expected_shortfall(pnl: Float, level: float = LEVEL, weights: Float | None = None) -> float:
    """Mean loss in the worst 1 − level of the mass, a boundary observation counted in part.

    This is min_c { c + E[(L − c)⁺] / (1 − level) } of Rockafellar & Uryasev (2002) solved
    exactly on the empirical distribution. pnl: any shape; weights: same shape, non-negative.
    NaN on an empty sample.
    """
    if weights is None:
        losses = -np.asarray(pnl, dtype=np.float64).ravel()
        mass = (1.0 - level) * losses.size
        count = min(int(np.ceil(mass)), losses.size)
        if count == 0:
            return float("nan")
        top = np.partition(losses, losses.size - count)[losses.size - count :]
        # The boundary loss is the smallest of the top; the fraction beyond the mass is taken off.
        return float((np.sum(top) - (count - mass) * top.min()) / mass)
    losses, heights = _descending(pnl, weights)
    return tail_mean(losses, heights, level, float(heights.sum()))


def influence(losses: Float, level: float = LEVEL) -> Float:
    """First-order share of each of n losses in the error of their expected shortfall, (n,).

    (max(L − q, 0)/(1 − level) + q − ES) / n with q the boundary loss; they sum to zero, and the
    shortfall of a sample in which loss i occurs w_i times is near ES + Σ (w_i − 1) · share_i.
    """
    count = int(np.ceil((1.0 - level) * losses.size))
    if count == 0:
        return np.empty(0)
    boundary = float(np.partition(losses, losses.size - count)[losses.size - count])
    excess = np.maximum(losses - boundary, 0.0) / (1.0 - level)
    return np.asarray((excess - np.mean(excess)) / losses.size)


def tail_mean(losses: Float, mass: Float, level: float, total: float) -> float:
    """Expected shortfall of losses sorted from the largest down, carrying `mass`.

    The list may stop short of the whole sample as long as it holds (1 − level) of `total`.
    NaN where there is no mass.
    """
    tail = (1.0 - level) * total
    if not tail > 0.0:
        return float("nan")
    reach = np.cumsum(mass)
    stop = int(np.searchsorted(reach, tail, side="left")) + 1
    part = np.minimum(mass[:stop], tail - (reach[:stop] - mass[:stop]))
    return float(np.sum(losses[:stop] * part) / tail)


def _descending(pnl: Float, weights: Float | None) -> tuple[Float, Float]:
    losses = -np.asarray(pnl, dtype=np.float64).ravel()
    mass = np.ones(losses.size) if weights is None else np.asarray(weights, float).ravel()
    order = np.argsort(-losses, kind="stable")
    return losses[order], mass[order]


def windows(pnl: Float, horizon: int = HORIZON) -> Float:
    """Sums over every `horizon` consecutive bars of a path, (B − horizon + 1, P).

    Windows overlap and never cross a path; row b starts at bar b, whose regime is the window's.
    Empty where there are fewer bars than the horizon.
    """
    bars, paths = pnl.shape
    if bars < horizon:
        return np.empty((0, paths))
    reach = np.zeros((bars + 1, paths))
    np.cumsum(pnl, axis=0, out=reach[1:])
    return np.asarray(reach[horizon:] - reach[:-horizon])


@dataclass(frozen=True)
class Tail:
    """The worst part of a loss sample, sorted once so that deletions and reweightings are cheap."""

    losses: Float  # (m,) largest first
    unit: Int  # (m,) what the observation belongs to: a group of paths, or its first bar
    sizes: Float  # (U,) observations of each unit in the whole sample
    level: float

    @classmethod
    def of(cls, losses: Float, unit: Int, units: int, level: float, whole: bool) -> Tail:
        """`losses` and `unit` are (n,); keep all if `whole`, else what one deletion can reach."""
        sizes = np.bincount(unit, minlength=units).astype(np.float64)
        reach = int(np.ceil((1.0 - level) * losses.size) + sizes.max(initial=0.0)) + 1
        if whole or reach >= losses.size:
            order = np.argsort(-losses, kind="stable")
        else:
            top = np.argpartition(losses, losses.size - reach)[losses.size - reach :]
            order = top[np.argsort(-losses[top], kind="stable")]
        return cls(losses[order], unit[order], sizes, level)

    @property
    def value(self) -> float:
        """Expected shortfall of the whole sample."""
        return self.weighted(np.ones(self.sizes.size))

    def weighted(self, weights: Float) -> float:
        """Expected shortfall with each unit (U,) weighted; NaN where no mass is left."""
        total = float(np.sum(self.sizes * weights))
        return tail_mean(self.losses, weights[self.unit], self.level, total)

    def without_each(self) -> Float:
        """Expected shortfall with one unit left out at a time, (U,)."""
        out, total = np.empty(self.sizes.size), float(self.sizes.sum())
        for u in range(self.sizes.size):
            kept = self.losses[self.unit != u]
            left = total - self.sizes[u]
            out[u] = tail_mean(kept, np.ones(kept.size), self.level, left)
        return out


def tail_counts(losses: Float, bars: Bool, level: float, horizon: int) -> tuple[int, int]:
    """Observations in the tail, and how many of them are distinct events.

    losses: (W, P) of overlapping windows; bars: which count. Windows of one path that share a bar
    with an event already counted are the same event.
    """
    sample = losses[bars]
    count = int(np.ceil((1.0 - level) * sample.size - 1e-9))
    if count == 0:
        return 0, 0
    threshold = np.partition(sample, sample.size - count)[sample.size - count]
    path, bar = np.nonzero((bars & (losses >= threshold)).T)
    events, last = 0, (-1, 0)
    for where in zip(path.tolist(), bar.tolist(), strict=True):
        if where[0] != last[0] or where[1] - last[1] >= horizon:
            events, last = events + 1, where
    return count, events


def entropic_risk(pnl: Float, risk_aversion: float, weights: Float | None = None) -> float:
    """(1/λ) ln E exp(−λ X): minus the certainty equivalent of exponential utility.

    pnl in the unit in which λ is dimensionless, i.e. P&L / capital. Computed about the largest
    exponent, so that ruinous losses do not overflow. NaN on an empty sample.
    """
    exponents = -risk_aversion * np.asarray(pnl, dtype=np.float64).ravel()
    if exponents.size == 0:
        return float("nan")
    mass = np.ones(exponents.size) if weights is None else np.asarray(weights, float).ravel()
    peak = float(exponents.max())
    mean = np.sum(mass * np.exp(exponents - peak)) / np.sum(mass)
    return float((peak + np.log(mean)) / risk_aversion)


def certainty_equivalent(pnl: Float, capital: float, risk_aversion: float) -> float:
    """Sure money per bar worth as much as the P&L sample to u(x) = −exp(−λ x / capital)."""
    return -capital * entropic_risk(np.asarray(pnl) / capital, risk_aversion)


def max_drawdown(pnl: Float, bars: Bool | None = None) -> Float:
    """Largest fall from a peak of cumulated P&L, money ≥ 0.

    pnl: (B, ...), bars: same shape, which bars count; returns pnl.shape[1:]. The peak starts anew
    wherever `bars` is broken, so a regime's drawdown lies inside one of its episodes. By Lindley's
    recursion D ← max(D − pnl, 0), which never subtracts two large sums.
    """
    fall = np.zeros(pnl.shape[1:])
    worst = np.zeros(pnl.shape[1:])
    for b in range(pnl.shape[0]):
        fall -= pnl[b]
        np.maximum(fall, 0.0, out=fall)
        if bars is not None:
            fall *= bars[b]
        np.maximum(worst, fall, out=worst)
    return worst


def drawdown_fraction(money: Float, capital: float) -> Float:
    """Drawdown as a fraction of capital, capped at 1: more than all of it cannot be lost.

    The book does not compound, so the base is the stated capital and not a running peak; losses
    beyond it are someone else's (methods: ruin), and the money figure still shows them.
    """
    return np.minimum(money / capital, 1.0)
