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
from backtester.hedging.kernels import inlined, jit

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


@inlined
def _rest(y: float, x0: float, slope: float, cost: float, impact: float, nu: float) -> float:
    z = abs(y - x0)
    if impact > 0.0:
        cost += impact * np.sqrt(z)
    value: float = slope * (y - x0) + cost * z + nu * abs(y)
    return value


@inlined
def _improvement(
    x: float, x0: float, low: float, high: float, slope: float, cost: float, impact: float,
    nu: float,
) -> float:  # fmt: skip
    """``r(x) − min r`` over [low, high] of one coordinate, from its corners and flat points."""
    now: float = _rest(x, x0, slope, cost, impact, nu)
    least: float = now
    for corner in range(4 if nu > 0.0 else 3):  # 0 is a corner of ν|h| only
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


@inlined
def check_path(
    F: Float, f: Float, risk_weight: float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: float, turnover: float, A: Float, b: Float, band: Float,
    scale: float, h: Float, multipliers: Float, penalty: Float, elastic: bool, far: float,
    residual: Float, lam: Float, slope: Float, own: Float,
) -> tuple[float, float, float]:  # fmt: skip
    """Relative gap, violation and absolute gap of one path; the last four are scratch."""
    R, K = F.shape
    M = A.shape[0]
    w = risk_weight
    here, start, bare = 0.0, 0.0, 0.0
    for r in range(R):
        value, before = f[r], f[r]
        bare += value * value
        for k in range(K):
            value += F[r, k] * h[k]
            before += F[r, k] * h0[k]
        residual[r] = value
        here += value * value
        start += before * before
    total = 0.5 * w * (here + start + bare)
    # radius: what any instrument alone would do, so that a lazy h cannot hide
    radius, outside = 0.0, 0.0
    traded, held = 0.0, 0.0
    for k in range(K):
        value, square = 0.0, 0.0
        for r in range(R):
            value += F[r, k] * residual[r]
            square += F[r, k] * F[r, k]
        slope[k] = w * value - reward[k]
        radius = max(radius, abs(h[k]), abs(h0[k]))
        if square > 0.0 and w > 0.0:
            own[k] = abs(slope[k]) / (w * square)
        else:
            own[k] = scale
        z = h[k] - h0[k]
        traded += abs(z)
        held += abs(h[k])
        rate = linear[k]
        if impact[k] > 0.0:
            rate += impact[k] * np.sqrt(abs(z))
        total += rate * abs(z) + abs(reward[k] * h[k])
        outside = max(outside, max(lower[k] - h[k], h[k] - upper[k]))
    worst = outside / scale
    furthest = 10.0 * max(scale, radius)
    for k in range(K):
        radius = max(radius, min(own[k], furthest))
    radius *= far
    # rows
    mu, nu = max(float(multipliers[M]), 0.0), max(float(multipliers[M + 1]), 0.0)
    slack = 0.0
    if elastic:
        mu, nu = min(mu, penalty[0]), min(nu, penalty[1])
    for j in range(M):
        value, most = -b[j], 0.0
        for k in range(K):
            value += A[j, k] * h[k]
            most = max(most, abs(A[j, k]))
        lam[j] = multipliers[j]
        over = max(abs(value) - band[j], 0.0)
        fixed = unmovable(most, b[j], scale)
        worst = max(worst, over / (scale * (1.0 if fixed else most)))
        if elastic and fixed:
            lam[j] = 0.0
        elif elastic:
            limit = penalty[2] / most
            lam[j] = min(max(lam[j], -limit), limit)
            slack += limit * over
            total += limit * over
        if lam[j] != 0.0:
            slack += abs(lam[j]) * band[j] - lam[j] * value
            for k in range(K):
                slope[k] += lam[j] * A[j, k]
    worst = max(worst, (traded - turnover) / scale, (held - gross) / scale)
    if elastic:
        value = penalty[0] * max(traded - turnover, 0.0)
        value += penalty[1] * max(held - gross, 0.0)
        slack += value
        total += value
    if mu > 0.0:
        slack += mu * (turnover - traded)
    if nu > 0.0:
        slack += nu * (gross - held)
    for k in range(K):
        low = max(lower[k], h[k] - radius)
        high = min(upper[k], h[k] + radius)
        slack += _improvement(h[k], h0[k], low, high, slope[k], linear[k] + mu, impact[k], nu)
    if not (np.isfinite(slack) and np.isfinite(total) and np.isfinite(worst)):
        return np.inf, np.inf, np.inf
    relative = slack / total if total > 0.0 else (0.0 if slack <= 0.0 else np.inf)
    return relative, max(worst, 0.0), slack


@jit
def _check(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, h: Float, multipliers: Float, penalty: Float, elastic: bool, far: float,
    gap: Float, violation: Float, absolute: Float,
) -> None:  # fmt: skip
    P, R, K = F.shape
    residual, lam = np.zeros(R), np.zeros(A.shape[1])
    slope, own = np.zeros(K), np.zeros(K)
    for p in range(P):
        gap[p], violation[p], absolute[p] = check_path(
            F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p], lower[p],
            upper[p], gross[p], turnover[p], A[p], b[p], band[p], scale[p], h[p],
            multipliers[p], penalty[p], elastic, far, residual, lam, slope, own,
        )  # fmt: skip


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
