"""The statistical jump model: k-means whose path of states pays for every jump (numba).

Objective: Σ_t ½‖x_t − μ_{s_t}‖² + λ·#{t: s_t ≠ s_{t−1}}, minimised by turns over the centres
(means) and the path (dynamic programming). Each turn cannot raise it, so the turns end.

Source: Bemporad, Breschi, Piga & Boyd, Automatica 96 (2018); Nystrup, Lindström & Madsen, Expert
Systems with Applications 150 (2020).
"""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float, Int


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def cheapest_path(loss: Float, penalty: float) -> tuple[Int, float]:
    """States (T,) that minimise Σ loss[t, s_t] + penalty·jumps, and the minimum; loss (T, K)."""
    bars, states = loss.shape
    came = np.zeros((bars, states), np.int64)
    value = loss[0].copy()
    fresh = np.empty(states)
    for t in range(1, bars):
        best = 0
        for k in range(1, states):
            if value[k] < value[best]:
                best = k
        for k in range(states):
            if value[best] + penalty < value[k]:
                came[t, k] = best
                fresh[k] = value[best] + penalty + loss[t, k]
            else:
                came[t, k] = k
                fresh[k] = value[k] + loss[t, k]
        value[:] = fresh
    path = np.empty(bars, np.int64)
    last = 0
    for k in range(1, states):
        if value[k] < value[last]:
            last = k
    path[bars - 1] = last
    for t in range(bars - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path, value[last]


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def fit_jump(x: Float, starts: Float, penalty: float, turns: int) -> tuple[Float, Int, float, bool]:
    """Centres (K, d), states (T,), objective and whether the turns ended, of the best start.

    x (T, d); starts (I, K, d). A centre without bars stays where it was and may win some later.
    """
    bars, width = x.shape
    tries, states = starts.shape[0], starts.shape[1]
    best_value, best_ended = np.inf, False
    best_centres, best_path = starts[0].copy(), np.zeros(bars, np.int64)
    loss = np.empty((bars, states))
    for i in range(tries):
        centres = starts[i].copy()
        path = np.full(bars, -1, np.int64)
        value, ended = np.inf, False
        for _ in range(turns):
            for t in range(bars):
                for k in range(states):
                    total = 0.0
                    for j in range(width):
                        gap = x[t, j] - centres[k, j]
                        total += gap * gap
                    loss[t, k] = 0.5 * total
            fresh, reached = cheapest_path(loss, penalty)
            same = True
            for t in range(bars):
                if fresh[t] != path[t]:
                    same = False
                    break
            path, value = fresh, reached
            if same:
                ended = True
                break
            counts = np.zeros(states)
            sums = np.zeros((states, width))
            for t in range(bars):
                counts[path[t]] += 1.0
                for j in range(width):
                    sums[path[t], j] += x[t, j]
            for k in range(states):
                if counts[k] > 0.0:
                    for j in range(width):
                        centres[k, j] = sums[k, j] / counts[k]
        if value < best_value:
            best_value, best_ended = value, ended
            best_centres, best_path = centres, path
    return best_centres, best_path, best_value, best_ended
