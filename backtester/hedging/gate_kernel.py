"""Loops of the gate over paths, loaded lazily (numba); what they weigh is in gate.py."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float

DUST = 1e-10  # of the scale: trades that are rounding
SLACK = 1e-9  # of the scale: how far a limit may be missed, as in the certificate


# Arguments are whole arrays and a path: slices of them would cost more than the arithmetic.


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def keep_back(
    h: Float, gas: Float, planned: bool, F: Float, f: Float, risk_weight: Float, reward: Float,
    h0: Float, linear: Float, impact: Float, lower: Float, upper: Float, gross: Float, A: Float,
    b: Float, band: Float, scale: Float,
) -> int:  # fmt: skip
    """Take back in `h` (P, K), in place, what is not worth its gas (K,); paths held whole.

    The other arguments are the fields of a HedgeBatch.
    """
    paths, k = h.shape
    roots = F.shape[1]
    residual = np.empty(roots)
    square = np.empty(k)
    held = 0
    for p in range(paths):
        slack = SLACK * scale[p]
        trades, least = 0, np.inf
        for i in range(k):
            z = h[p, i] - h0[p, i]
            if z == 0.0:
                continue
            if abs(z) <= DUST * scale[p] and _may_return(
                p, i, h, h0, lower, upper, gross, A, b, band, slack
            ):
                h[p, i] = h0[p, i]
            else:
                trades += 1
                least = min(least, gas[i])
        if trades == 0 or not planned:
            continue
        for r in range(roots):
            total = f[p, r]
            for i in range(k):
                total += F[p, r, i] * h[p, i]
            residual[r] = total
        whole = _gain(p, h, h0, F, residual, risk_weight, reward, linear, impact)
        # No part of the decision gains more than the whole: h is the optimum.
        if (
            0.0 < least >= whole
            and _may_return(p, -1, h, h0, lower, upper, gross, A, b, band, slack)
        ):  # fmt: skip
            h[p] = h0[p]
            held += 1
            continue
        for i in range(k):
            square[i] = 0.0
            for r in range(roots):
                square[i] += F[p, r, i] * F[p, r, i]
        changed = False  # only then can a trade without gas be worth taking back
        while trades > 0:
            worst, saving = -1, -np.inf
            for i in range(k):
                z = h[p, i] - h0[p, i]
                if z == 0.0 or (gas[i] <= 0.0 and not changed):
                    continue
                slope = 0.0
                for r in range(roots):
                    slope += F[p, r, i] * residual[r]
                gain = risk_weight[p] * z * (0.5 * z * square[i] - slope)
                gain += reward[p, i] * z - _paid(z, linear[p, i], impact[p, i])
                saved = gas[i] - gain
                if (
                    0.0 <= saved > saving
                    and _may_return(p, i, h, h0, lower, upper, gross, A, b, band, slack)
                ):  # fmt: skip
                    worst, saving = i, saved
            if worst < 0:
                break
            z = h[p, worst] - h0[p, worst]
            for r in range(roots):
                residual[r] -= F[p, r, worst] * z
            h[p, worst] = h0[p, worst]
            trades -= 1
            changed = True
        if trades > 0:
            if changed:
                whole = _gain(p, h, h0, F, residual, risk_weight, reward, linear, impact)
            fixed = 0.0
            for i in range(k):
                if h[p, i] != h0[p, i]:
                    fixed += gas[i]
            if (
                whole <= fixed
                and (changed or fixed > 0.0)
                and _may_return(p, -1, h, h0, lower, upper, gross, A, b, band, slack)
            ):
                h[p] = h0[p]
                trades = 0
        if trades == 0:
            held += 1
    return held


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _gain(
    p: int, h: Float, h0: Float, F: Float, residual: Float, weight: Float, reward: Float,
    linear: Float, impact: Float,
) -> float:  # fmt: skip
    """J(h0) − J(h) on path p, money; residual (R,) is F h + f."""
    gain, k = 0.0, h.shape[1]
    for i in range(k):
        z = h[p, i] - h0[p, i]
        if z != 0.0:
            gain += reward[p, i] * z - _paid(z, linear[p, i], impact[p, i])
    for r in range(F.shape[1]):
        moved = 0.0
        for i in range(k):
            moved += F[p, r, i] * (h[p, i] - h0[p, i])
        gain += weight[p] * moved * (0.5 * moved - residual[r])
    return gain


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _paid(z: float, linear: float, impact: float) -> float:
    """Convex cost of a trade, money."""
    size = abs(z)
    paid: float = linear * size + impact * size * np.sqrt(size)
    return paid


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _may_return(
    p: int, which: int, h: Float, h0: Float, lower: Float, upper: Float, gross: Float, A: Float,
    b: Float, band: Float, slack: float,
) -> bool:  # fmt: skip
    """Whether instrument `which` (−1: all) may stay at `h0` with every limit kept as well."""
    now, then, k = 0.0, 0.0, h.shape[1]
    for i in range(k):
        back = which < 0 or i == which
        outside = h0[p, i] < lower[p, i] - slack or h0[p, i] > upper[p, i] + slack
        if back and outside and h[p, i] != h0[p, i]:
            return False
        now += abs(h[p, i])
        then += abs(h0[p, i]) if back else abs(h[p, i])
    if then > max(gross[p], now) + slack:
        return False
    for m in range(A.shape[1]):
        now, then, unit = -b[p, m], -b[p, m], 0.0
        for i in range(k):
            now += A[p, m, i] * h[p, i]
            then += A[p, m, i] * (h0[p, i] if which < 0 or i == which else h[p, i])
            unit = max(unit, abs(A[p, m, i]))
        if abs(then) > max(band[p, m], abs(now)) + slack * unit:
            return False
    return True
