"""Problems with a box and proportional cost alone, many paths side by side: the usual course.

What `kernels_path.solve_path` does where all goes well, with the same numbers in the same order
(rewards and impacts, which are zero, left out): from h0 the instruments that gain by trading are
released, those that would turn back are dropped, the rest goes to the optimum at once, no bound is
hit on the way and no other instrument gains there. A path on which anything else happens is not
answered here but by `solve_path`, from the start; nor is one whose risk does not single out one
optimum (`kernels_load.SOUND`).
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.hedging.kernels import inlined
from backtester.hedging.kernels_active import FLOOR
from backtester.hedging.kernels_load import SOUND
from backtester.hedging.kernels_path import DIVERGED
from backtester.hedging.lanes import add, clipped, copy, finite, largest, less, put, take, times

# rows of V (VECTORS, K, lanes); the first four are given, the fifth is the answer, in money
H0, LINEAR, LOWER, UPPER, HEDGE = 0, 1, 2, 3, 4
X0, COST, LOW, HIGH, OFFSET, GRADIENT, X, FREE, UP, STEP = 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
VECTORS = 15
# rows of S (NUMBERS, lanes); the first three are given
WEIGHT, SCALE, GOOD = 0, 1, 2
SIZE, QUADRATIC, UNIT, SLOPE, PER, LEVEL, CHANGED = 3, 4, 5, 6, 7, 8, 9
NUMBERS = 10

ROUNDS = 4
"""Rounds of dropping instruments that would turn back, before a path is left to `solve_path`."""


@inlined
def box_lanes(n: int, G: Float, V: Float, S: Float, Q: Float, C: Float) -> None:
    """Hedges V[HEDGE] (K, n) in money; S[GOOD] stays > 0 where the usual course was the whole.

    G (K + 1, K + 1, lanes) holds the factors as `risk_kernel.root_block` leaves them; Q and C
    (K, K, lanes) are scratch.
    """
    _load(n, G, V, S, Q)
    _gradient(n, V, Q)
    _release(n, V, S)
    _rounds(n, V, S, Q, C)
    _step(n, V, S)
    _gradient(n, V, Q)
    _resting(n, V, S)
    _unload(n, V, S)


@inlined
def _load(n: int, G: Float, V: Float, S: Float, Q: Float) -> None:
    """Normalised problem, see `kernels_load.load_box`; GOOD falls where the risk is not sound."""
    K = Q.shape[0]
    for i in range(K):
        put(n, V[OFFSET, i], 0.0)
        for j in range(i + 1):
            put(n, Q[i, j], 0.0)
    for r in range(K):
        for i in range(r, K):
            add(n, V[OFFSET, i], G[i, r], G[K, r])
            for j in range(r, i + 1):
                add(n, Q[i, j], G[i, r], G[j, r])
    size, weight, scale = S[SIZE], S[WEIGHT], S[SCALE]
    quadratic, unit, slope, per, good = S[QUADRATIC], S[UNIT], S[SLOPE], S[PER], S[GOOD]
    put(n, size, 0.0)
    for i in range(K):
        largest(n, size, Q[i, i])
    for p in range(n):
        whole = weight[p] * scale[p] * scale[p]
        value = whole * size[p]
        value = scale[p] if value == 0.0 else value
        unit[p] = scale[p] / value
        quadratic[p] = whole / value
        slope[p] = quadratic[p] / scale[p]
        per[p] = 1.0 / scale[p]
    for k in range(K):
        pivot = G[k, k]
        for p in range(n):
            good[p] = good[p] if quadratic[p] * pivot[p] * pivot[p] > SOUND else 0.0
        for j in range(k + 1):
            times(n, Q[k, j], quadratic)
        offset, cost, linear = V[OFFSET, k], V[COST, k], V[LINEAR, k]
        for p in range(n):
            offset[p] = slope[p] * offset[p]
            cost[p] = unit[p] * linear[p]
        x, x0, h0 = V[X, k], V[X0, k], V[H0, k]
        low, high, lower, upper = V[LOW, k], V[HIGH, k], V[LOWER, k], V[UPPER, k]
        for p in range(n):
            x0[p] = h0[p] * per[p]
            low[p] = lower[p] * per[p]
            high[p] = upper[p] * per[p]
        for p in range(n):
            x[p] = clipped(x0[p], low[p], high[p])


@inlined
def _gradient(n: int, V: Float, Q: Float) -> None:
    """Q x + offset, see `kernels_step.evaluate`."""
    K = Q.shape[0]
    for i in range(K):
        copy(n, V[GRADIENT, i], V[OFFSET, i])
        for k in range(K):
            add(n, V[GRADIENT, i], Q[max(i, k), min(i, k)], V[X, k])


@inlined
def _rounding(n: int, V: Float, S: Float) -> None:
    """LEVEL: rounding level of the slopes at x, see `kernels_step.rounding`."""
    level = S[LEVEL]
    put(n, level, 1e-300)
    for k in range(V.shape[1]):
        offset, x, x0, cost = V[OFFSET, k], V[X, k], V[X0, k], V[COST, k]
        for p in range(n):
            size = max(max(abs(offset[p]), abs(x[p])), max(abs(x0[p]), cost[p]))
            level[p] = max(level[p], size)
    for p in range(n):
        level[p] = 1e-13 * level[p]


@inlined
def _gain(at: float, start: float, low: float, high: float, slope: float, cost: float) -> float:
    """What leaving a breakpoint gains per unit, negative for downwards; see `kernels_step.pull`."""
    rise = -(slope + (cost if at >= start else -cost))
    fall = -((cost if at <= start else -cost) - slope)
    rise = rise if at < high and rise > 0.0 else 0.0
    fall = fall if at > low and fall > rise else 0.0
    return -fall if fall > 0.0 else rise


@inlined
def _release(n: int, V: Float, S: Float) -> None:
    """FREE and UP: the coordinates that gain by moving, and which way."""
    _rounding(n, V, S)
    level = S[LEVEL]
    for k in range(V.shape[1]):
        x, x0, low, high = V[X, k], V[X0, k], V[LOW, k], V[HIGH, k]
        slope, cost, free, up = V[GRADIENT, k], V[COST, k], V[FREE, k], V[UP, k]
        for p in range(n):
            gain = _gain(x[p], x0[p], low[p], high[p], slope[p], cost[p])
            free[p] = 1.0 if abs(gain) > level[p] else 0.0
            up[p] = 1.0 if gain > 0.0 else -1.0


@inlined
def _rounds(n: int, V: Float, S: Float, Q: Float, C: Float) -> None:
    """STEP to the optimum of the free coordinates; those that would turn back are dropped."""
    good, changed = S[GOOD], S[CHANGED]
    for _ in range(ROUNDS):
        _factor(n, V, Q, C)
        _direction(n, V, C)
        put(n, changed, 0.0)
        for k in range(V.shape[1]):
            free, up, step = V[FREE, k], V[UP, k], V[STEP, k]
            for p in range(n):
                step[p] = -step[p] if free[p] > 0.0 else 0.0
                back = (free[p] > 0.0) & ((step[p] > 0.0) != (up[p] > 0.0))
                changed[p] = 1.0 if back else changed[p]
                free[p] = 0.0 if back else free[p]
        total = 0.0
        for p in range(n):
            total += changed[p] * good[p]
        if total == 0.0:
            break
    for p in range(n):
        good[p] = 0.0 if changed[p] > 0.0 else good[p]


@inlined
def _factor(n: int, V: Float, Q: Float, C: Float) -> None:
    """Cholesky factor of the free part of Q, see `kernels.factor`; rows of others are zero."""
    for i in range(Q.shape[0]):
        free = V[FREE, i]
        for j in range(i):
            row, whole, inverse = C[i, j], Q[i, j], C[j, j]
            if j == 0:
                for p in range(n):
                    row[p] = whole[p] * inverse[p] if free[p] > 0.0 else 0.0
                continue
            less(n, row, whole, C[i, 0], C[j, 0])
            for m in range(1, j):
                take(n, row, C[i, m], C[j, m])
            for p in range(n):
                row[p] = row[p] * inverse[p] if free[p] > 0.0 else 0.0
        pivot = C[i, i]
        if i == 0:
            copy(n, pivot, Q[0, 0])
        else:
            less(n, pivot, Q[i, i], C[i, 0], C[i, 0])
        for m in range(1, i):
            take(n, pivot, C[i, m], C[i, m])
        for p in range(n):
            root = np.sqrt(max(pivot[p], FLOOR))
            pivot[p] = 1.0 / root if free[p] > 0.0 else 0.0


@inlined
def _direction(n: int, V: Float, C: Float) -> None:
    """STEP of the free coordinates, backwards, see `kernels_step.direction`."""
    K = C.shape[0]
    for i in range(K):
        step, slope, cost, up = V[STEP, i], V[GRADIENT, i], V[COST, i], V[UP, i]
        x, x0 = V[X, i], V[X0, i]
        for p in range(n):
            # the side of h0 on which the trade goes on
            away = (x[p] >= x0[p]) if up[p] > 0.0 else (x[p] > x0[p])
            step[p] = slope[p] + (cost[p] if away else -cost[p])
        for m in range(i):
            take(n, step, C[i, m], V[STEP, m])
        times(n, step, C[i, i])
    for i in range(K - 1, -1, -1):
        for m in range(i + 1, K):
            take(n, V[STEP, i], C[m, i], V[STEP, m])
        times(n, V[STEP, i], C[i, i])


@inlined
def _step(n: int, V: Float, S: Float) -> None:
    """x + STEP; GOOD falls where a breakpoint is in the way or nothing is free."""
    good, some = S[GOOD], S[CHANGED]
    put(n, some, 0.0)
    for k in range(V.shape[1]):
        x, x0, low, high = V[X, k], V[X0, k], V[LOW, k], V[HIGH, k]
        step, free, up = V[STEP, k], V[FREE, k], V[UP, k]
        for p in range(n):
            some[p] = 1.0 if free[p] > 0.0 else some[p]
            if up[p] > 0.0:
                end = x0[p] if x[p] < x0[p] < high[p] else high[p]
                room = max(end - x[p], 0.0)
            else:
                end = x0[p] if x[p] > x0[p] > low[p] else low[p]
                room = max(x[p] - end, 0.0)
            good[p] = 0.0 if (free[p] > 0.0) & (room < abs(step[p])) else good[p]
            x[p] += step[p]
    for p in range(n):
        good[p] = good[p] if some[p] > 0.0 else 0.0


@inlined
def _resting(n: int, V: Float, S: Float) -> None:
    """GOOD falls where a coordinate that is not free would gain by moving."""
    _rounding(n, V, S)
    level, good = S[LEVEL], S[GOOD]
    for k in range(V.shape[1]):
        x, x0, low, high = V[X, k], V[X0, k], V[LOW, k], V[HIGH, k]
        slope, cost, free = V[GRADIENT, k], V[COST, k], V[FREE, k]
        for p in range(n):
            gain = abs(_gain(x[p], x0[p], low[p], high[p], slope[p], cost[p]))
            good[p] = 0.0 if (free[p] == 0.0) & (gain > level[p]) else good[p]


@inlined
def _unload(n: int, V: Float, S: Float) -> None:
    """HEDGE in money; on a breakpoint the caller's own number, to the bit; see `solve_path`."""
    good, scale = S[GOOD], S[SCALE]
    for k in range(V.shape[1]):
        x, x0, low, high = V[X, k], V[X0, k], V[LOW, k], V[HIGH, k]
        h, h0, lower, upper = V[HEDGE, k], V[H0, k], V[LOWER, k], V[UPPER, k]
        for p in range(n):
            good[p] = good[p] if abs(x[p]) < DIVERGED else 0.0
            value = x[p] * scale[p]
            value = lower[p] if x[p] == low[p] else value
            value = upper[p] if x[p] == high[p] else value
            value = h0[p] if x[p] == x0[p] else value
            h[p] = clipped(value, lower[p], upper[p])


@inlined
def certify_lanes(n: int, G: Float, V: Float, S: Float, T: Float, optimal: float,
                  feasible: float) -> None:  # fmt: skip
    """GOOD falls where `certificate.check_path` does not certify V[HEDGE]: the same numbers.

    T (2K + 9, lanes) is scratch.
    """
    K = V.shape[1]
    weight, scale, good = S[WEIGHT], S[SCALE], S[GOOD]
    here, start, bare, total, radius = T[0], T[1], T[2], T[3], T[4]
    worst, slack, before, value = T[5], T[6], T[7], T[8]
    residual, slopes = T[9:], T[K + 10 :]
    for row in range(7):
        put(n, T[row], 0.0)
    for r in range(K + 1):
        level, now = G[K, r], residual[r]
        copy(n, now, level)
        copy(n, before, level)
        for k in range(r, K):
            root, h, h0 = G[k, r], V[HEDGE, k], V[H0, k]
            for p in range(n):
                now[p] += root[p] * h[p]
                before[p] += root[p] * h0[p]
        for p in range(n):
            bare[p] += level[p] * level[p]
            here[p] += now[p] * now[p]
            start[p] += before[p] * before[p]
    for p in range(n):
        total[p] = 0.5 * weight[p] * (here[p] + start[p] + bare[p])
    own = before
    for k in range(K):
        largest(n, radius, V[HEDGE, k])
        largest(n, radius, V[H0, k])
    furthest = here
    for p in range(n):
        furthest[p] = 10.0 * max(scale[p], radius[p])
    for k in range(K):
        put(n, value, 0.0)
        square = start
        put(n, square, 0.0)
        for r in range(k + 1):
            root, now = G[k, r], residual[r]
            for p in range(n):
                value[p] += root[p] * now[p]
                square[p] += root[p] * root[p]
        slope, h, h0 = slopes[k], V[HEDGE, k], V[H0, k]
        linear, lower, upper = V[LINEAR, k], V[LOWER, k], V[UPPER, k]
        for p in range(n):
            slope[p] = weight[p] * value[p]
            curved = (square[p] > 0.0) & (weight[p] > 0.0)
            alone = abs(slope[p]) / (weight[p] * square[p]) if curved else scale[p]
            own[p] = min(alone, furthest[p])
        for p in range(n):
            radius[p] = max(radius[p], own[p])
            total[p] += linear[p] * abs(h[p] - h0[p])
            worst[p] = max(worst[p], max(lower[p] - h[p], h[p] - upper[p]))
    for k in range(K):
        slope, h, h0, linear = slopes[k], V[HEDGE, k], V[H0, k], V[LINEAR, k]
        lower, upper = V[LOWER, k], V[UPPER, k]
        for p in range(n):
            low = max(lower[p], h[p] - 2.0 * radius[p])
            high = min(upper[p], h[p] + 2.0 * radius[p])
            still = clipped(h0[p], low, high)
            now = slope[p] * (h[p] - h0[p]) + linear[p] * abs(h[p] - h0[p])
            least = min(now, slope[p] * (low - h0[p]) + linear[p] * abs(low - h0[p]))
            least = min(least, slope[p] * (high - h0[p]) + linear[p] * abs(high - h0[p]))
            least = min(least, slope[p] * (still - h0[p]) + linear[p] * abs(still - h0[p]))
            slack[p] += now - least
    for p in range(n):
        gap = slack[p] / total[p] if total[p] > 0.0 else (0.0 if slack[p] <= 0.0 else np.inf)
        right = (gap <= optimal) & (worst[p] / scale[p] <= feasible)
        good[p] = good[p] if right & finite(slack[p]) & finite(total[p]) else 0.0
