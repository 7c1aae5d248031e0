"""Independent check of an answer: primal violation and a duality gap, from the data and h alone.

For multipliers λ (free) and μ, ν ≥ 0 of the rows and budgets, convexity gives, for every h' in
the box within a radius R of h,

    J(h) − J(h') ≤ [slackness of the rows at h] + Σₖ max_{h'ₖ} [rₖ(hₖ) − rₖ(h'ₖ)],

where rₖ is what is left when risk is replaced by its tangent at h: gradient and row multipliers
times h', ``(linear + μ)|h' − h0|``, the impact and ``ν|h'|``. Multipliers are witnesses:
wrong ones can only make the gap larger. It is divided by the size of the objective's own terms.
R keeps the bound finite on unbounded boxes: the largest of |h|, |h0| and of the moves each
instrument alone would make, at least; beyond R the bound grows in proportion (convexity).
Source of the form: Boyd & Vandenberghe, *Convex Optimization*, §5.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.elastic import unmovable
from backtester.hedging.kernels import jit

FEASIBLE = 1e-9
"""Largest violation of a limit, relative to the path's scale (for neutrality, times ‖A_j‖∞)."""

OPTIMAL = 1e-8
"""Largest duality gap, relative to the size of the objective's terms."""


@dataclass(frozen=True)
class Certificate:
    """What the check found, path by path."""

    gap: Float  # (P,) duality gap relative to the objective's terms; inf where h is not finite
    violation: Float  # (P,) largest scaled violation of any limit
    absolute: Float  # (P,) duality gap, money; below 0 the limits cannot all hold

    def holds(self, optimal: float = OPTIMAL, feasible: float = FEASIBLE) -> Bool:
        """Whether the answer of each path may be used."""
        result: Bool = (self.gap <= optimal) & (self.violation <= feasible)
        return result


@jit
def _rest(y: float, x0: float, slope: float, cost: float, impact: float, nu: float) -> float:
    z = abs(y - x0)
    value: float = slope * (y - x0) + (cost + impact * np.sqrt(z)) * z + nu * abs(y)
    return value


@jit
def _improvement(
    x: float, x0: float, low: float, high: float, slope: float, cost: float, impact: float,
    nu: float,
) -> float:  # fmt: skip
    """``r(x) − min r`` over [low, high] of one coordinate, from its corners and flat points."""
    now: float = _rest(x, x0, slope, cost, impact, nu)
    least: float = now
    for corner in range(4):
        y = low if corner == 0 else (high if corner == 1 else (x0 if corner == 2 else 0.0))
        least = min(least, _rest(min(max(y, low), high), x0, slope, cost, impact, nu))
    if impact > 0.0:
        for corner in range(4):
            side = 1.0 if corner < 2 else -1.0
            whole = slope + (nu if corner % 2 == 0 else -nu)
            root = (-side * whole - cost) / (1.5 * impact)
            if root > 0.0:
                y = min(max(x0 + side * root * root, low), high)
                least = min(least, _rest(y, x0, slope, cost, impact, nu))
    return now - least


@jit
def _check(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, h: Float, multipliers: Float, penalty: Float, elastic: bool, far: float,
    gap: Float, violation: Float, absolute: Float,
) -> None:  # fmt: skip
    P, R, K = F.shape
    M = A.shape[1]
    residual, lam = np.zeros(R), np.zeros(M)
    slope, own = np.zeros(K), np.zeros(K)
    for p in range(P):
        w = risk_weight[p]
        here, start, bare = 0.0, 0.0, 0.0
        for r in range(R):
            value, before = f[p, r], f[p, r]
            bare += value * value
            for k in range(K):
                value += F[p, r, k] * h[p, k]
                before += F[p, r, k] * h0[p, k]
            residual[r] = value
            here += value * value
            start += before * before
        total = 0.5 * w * (here + start + bare)
        # radius: what any instrument alone would do, so that a lazy h cannot hide
        radius, furthest, worst = 0.0, scale[p], 0.0
        traded, held = 0.0, 0.0
        for k in range(K):
            value, square = 0.0, 0.0
            for r in range(R):
                value += F[p, r, k] * residual[r]
                square += F[p, r, k] * F[p, r, k]
            slope[k] = w * value - reward[p, k]
            radius = max(radius, abs(h[p, k]), abs(h0[p, k]))
            if square > 0.0 and w > 0.0:
                own[k] = abs(slope[k]) / (w * square)
            else:
                own[k] = scale[p]
            z = h[p, k] - h0[p, k]
            traded += abs(z)
            held += abs(h[p, k])
            root = np.sqrt(abs(z))
            total += (linear[p, k] + impact[p, k] * root) * abs(z) + abs(reward[p, k] * h[p, k])
            outside = max(lower[p, k] - h[p, k], h[p, k] - upper[p, k])
            worst = max(worst, outside / scale[p])
        furthest = 10.0 * max(scale[p], radius)
        for k in range(K):
            radius = max(radius, min(own[k], furthest))
        radius *= far
        # rows
        mu, nu = max(multipliers[p, M], 0.0), max(multipliers[p, M + 1], 0.0)
        slack = 0.0
        if elastic:
            mu, nu = min(mu, penalty[p, 0]), min(nu, penalty[p, 1])
        for j in range(M):
            value, most = -b[p, j], 0.0
            for k in range(K):
                value += A[p, j, k] * h[p, k]
                most = max(most, abs(A[p, j, k]))
            lam[j] = multipliers[p, j]
            over = max(abs(value) - band[p, j], 0.0)
            fixed = unmovable(most, b[p, j], scale[p])
            worst = max(worst, over / (scale[p] * (1.0 if fixed else most)))
            if elastic and fixed:
                lam[j] = 0.0
            elif elastic:
                limit = penalty[p, 2] / most
                lam[j] = min(max(lam[j], -limit), limit)
                slack += limit * over
                total += limit * over
            if lam[j] != 0.0:
                slack += abs(lam[j]) * band[p, j] - lam[j] * value
                for k in range(K):
                    slope[k] += lam[j] * A[p, j, k]
        worst = max(worst, (traded - turnover[p]) / scale[p], (held - gross[p]) / scale[p])
        if elastic:
            value = penalty[p, 0] * max(traded - turnover[p], 0.0)
            value += penalty[p, 1] * max(held - gross[p], 0.0)
            slack += value
            total += value
        if mu > 0.0:
            slack += mu * (turnover[p] - traded)
        if nu > 0.0:
            slack += nu * (gross[p] - held)
        for k in range(K):
            low = max(lower[p, k], h[p, k] - radius)
            high = min(upper[p, k], h[p, k] + radius)
            slack += _improvement(
                h[p, k], h0[p, k], low, high, slope[k], linear[p, k] + mu, impact[p, k], nu
            )
        absolute[p] = slack
        gap[p] = slack / total if total > 0.0 else (0.0 if slack <= 0.0 else np.inf)
        violation[p] = max(worst, 0.0)
        if not (np.isfinite(slack) and np.isfinite(total) and np.isfinite(worst)):
            gap[p], violation[p], absolute[p] = np.inf, np.inf, np.inf


def certify(
    batch: HedgeBatch,
    h: Float,
    multipliers: Float | None = None,
    penalty: Float | None = None,
    far: float = 2.0,
) -> Certificate:
    """Check `h` (P, K) against `batch`.

    Parameters
    ----------
    multipliers: (P, M + 2) of ``A h − b``, turnover and gross; without them they are
        reconstructed path by path (`backtester.hedging.certificate_dual`), which is slow.
    penalty: (P, 3), to check the elastic problem instead (`backtester.hedging.elastic`).
    far: multiple of the radius within which no better hedge may exist.
    """
    if multipliers is None:
        from backtester.hedging.certificate_dual import reconstruct

        multipliers = reconstruct(batch, h, penalty, far)
    P = batch.paths
    gap, violation, absolute = np.empty(P), np.empty(P), np.empty(P)
    _check(
        batch.F, batch.f, batch.risk_weight, batch.reward, batch.h0, batch.linear, batch.impact,
        batch.lower, batch.upper, batch.gross, batch.turnover, batch.A, batch.b, batch.band,
        batch.scale, h, multipliers, np.empty((P, 3)) if penalty is None else penalty,
        penalty is not None, far, gap, violation, absolute,
    )  # fmt: skip
    return Certificate(gap, violation, absolute)
