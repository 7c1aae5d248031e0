"""The batched twin: an exact primal active set in the K hedge variables, one path after another.

The problem (see `backtester.hedging.batch`) is minimised as a convex piecewise quadratic over the
box: trading cost and the budgets kink at h0 and 0, limit rows are exact penalties with bounded
multipliers (turnover < gross < neutrality, which is also the order in which limits give way when
they cannot all hold). Starting from today's hedge, every step goes to the minimiser of the current
piece or to the nearest kink, then the multiplier furthest outside its interval is released:
a monotone active set (Nocedal & Wright, *Numerical Optimization*, §16.5; Fletcher, *Practical
Methods of Optimization*, §14). A small proximal term pulls to h0, so that ties go to the hedge
nearest today's; its bias is removed at the end on the final active set.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.kernels import factor, jit
from backtester.hedging.kernels_impact import first_model, next_model
from backtester.hedging.kernels_load import load_box, load_rows, start_rows
from backtester.hedging.kernels_step import (
    COST,
    DIAGONAL,
    FLAG,
    FREE,
    FULL,
    HIGH,
    LINEAR,
    LOW,
    MULTIPLIER,
    NUMBERS,
    OFFSET,
    ROW_SCALE,
    SHIFT,
    SOURCE,
    STEP,
    VECTORS,
    X0,
    X,
    active_rows,
    blocking,
    direction,
    evaluate,
    fix,
    neutral_rows,
    open_piece,
    pull,
    reached_state,
    released_state,
    remove,
    rounding,
    set_state,
    worst,
)

PROXIMAL = 1e-9
"""Weight of ½‖h − h0‖² beside a normalised risk matrix of largest diagonal 1."""

FLOOR = 2.5e-10
"""Smallest pivot of a factor; the proximal term keeps true pivots above it."""

DIVERGED = 1e7
"""A hedge of this many times the scale has run off along an unbounded direction."""

PASSES = 60
"""Passes of the impact model: Newton for the first third, then the contracting majoriser."""


@jit
def crash(
    K: int, m: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float, S: Float,
    turn: int, gross: int,
) -> int:  # fmt: skip
    """First working set: release every coordinate that gains by moving, drop those turning back.

    Nothing moves here, so the descent of the method is untouched. Returns the free count.
    """
    tolerance = rounding(K, m, V, N)
    trading = N[MULTIPLIER, turn] if turn >= 0 else 0.0
    holding = N[MULTIPLIER, gross] if gross >= 0 else 0.0
    neutral = neutral_rows(m, turn, gross)
    n = 0
    for k in range(K):
        gain, up = pull(k, neutral, V, N, C, trading, holding)
        if gain > tolerance:
            open_piece(k, up, V, C, turn, gross)
            W[FREE, n] = k
            W[FLAG, k] = 1
            n += 1
    kept = 0
    while n > 0:
        factor(Q, V[DIAGONAL], W[FREE], n, kept, FLOOR, L)
        direction(n, m, V, N, W, L, C, Y, S, False)
        kept = n
        count = 0
        for i in range(n):
            k = W[FREE, i]
            if (V[STEP, i] > 0.0) == (V[X, k] == V[LOW, k]):
                W[FREE, count] = k
                count += 1
            else:
                kept = min(kept, i)
                W[FLAG, k] = 0
                fix(k, V[X, k], V, C, turn, gross)
        if count == n:
            break
        n = count
    return n


@jit
def minimise(
    K: int, m: int, n: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float,
    S: Float, turn: int, gross: int,
) -> int:  # fmt: skip
    """Run the active set from the current point, whose factor is current.

    Returns the number of free coordinates at the optimum, or −1 when the iteration cap is met.
    """
    last = -1  # coordinate just released; if it is blocked at once it waits for progress
    for _ in range(30 + 12 * (K + m)):
        if n > 0:
            direction(n, m, V, N, W, L, C, Y, S, False)
            t, hit = blocking(n, m, V, N, W, C)
            if t > 0.0:
                for i in range(n):
                    V[X, W[FREE, i]] += t * V[STEP, i]
            if hit >= n:
                r = hit - n
                set_state(r, reached_state(r, N, W), N, W)
            elif hit != FULL:
                k = W[FREE, hit]
                at = V[HIGH, k] if V[STEP, hit] > 0.0 else V[LOW, k]
                fix(k, at, V, C, turn, gross)
                n = remove(hit, n, FLOOR, V, W, Q, L, -1 if t == 0.0 and k == last else 0)
            if t > 0.0:
                evaluate(K, m, Q, V, N, C, turn, gross)
                for k in range(K):
                    W[FLAG, k] = max(W[FLAG, k], 0)
            if hit != FULL:
                continue
        which, up = worst(K, m, V, N, W, C, turn, gross, rounding(K, m, V, N))
        if which < 0:
            return n
        last = which
        if which >= K:
            r = which - K
            set_state(r, released_state(r, up, N, W), N, W)
        else:
            open_piece(which, up, V, C, turn, gross)
            W[FREE, n] = which
            W[FLAG, which] = 1
            factor(Q, V[DIAGONAL], W[FREE], n + 1, n, FLOOR, L)
            n += 1
    return -1


@jit
def recentre(K: int, V: Float) -> float:
    """Move the centre of the proximal term from h0 to x; returns the largest change of slope."""
    change = 0.0
    for k in range(K):
        new = PROXIMAL * (V[X, k] - V[X0, k])
        change = max(change, abs(new - V[SHIFT, k]))
        V[OFFSET, k] += V[SHIFT, k] - new
        V[SHIFT, k] = new
    return change


@jit
def refine(
    K: int, m: int, n: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float,
    S: Float, turn: int, gross: int,
) -> None:  # fmt: skip
    """Iterative refinement of x and the multipliers on the final active set."""
    if n == 0 or active_rows(m, W) == 0:
        return
    for _ in range(2):
        direction(n, m, V, N, W, L, C, Y, S, True)
        for i in range(n):
            k = W[FREE, i]
            V[X, k] = min(max(V[X, k] + V[STEP, i], V[LOW, k]), V[HIGH, k])
        evaluate(K, m, Q, V, N, C, turn, gross)


@jit
def optimise(
    K: int, m: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float, S: Float,
    turn: int, gross: int, impact: bool,
) -> bool:  # fmt: skip
    """Passes of the active set: models of the impact, and the proximal bias taken out."""
    for k in range(K):
        V[COST, k] = V[LINEAR, k]
        V[DIAGONAL, k] = PROXIMAL
        V[SHIFT, k] = 0.0
    start_rows(K, m, Q, V, N, W, C, turn, gross)
    if impact:
        first_model(K, PROXIMAL, Q, V)
    n = crash(K, m, V, N, W, Q, L, C, Y, S, turn, gross)
    for run in range(PASSES):
        n = minimise(K, m, n, V, N, W, Q, L, C, Y, S, turn, gross)
        if n < 0:
            return False
        change = recentre(K, V)
        tolerance = rounding(K, m, V, N)
        if not impact:
            if n == 0 or run == 1 or change <= tolerance:
                break
        else:
            neutral, newton = neutral_rows(m, turn, gross), run < PASSES // 3
            change = max(
                change if run == 0 else 0.0,
                next_model(K, PROXIMAL, newton, Q, V, N, W, C, neutral, turn, gross),
            )
            if change <= 10.0 * tolerance:
                break
            factor(Q, V[DIAGONAL], W[FREE], n, 0, FLOOR, L)
        evaluate(K, m, Q, V, N, C, turn, gross)
    refine(K, m, n, V, N, W, Q, L, C, Y, S, turn, gross)
    return True


@jit
def solve_paths(
    F: Float, f: Float, risk_weight: Float, reward: Float, h0: Float, linear: Float, impact: Float,
    lower: Float, upper: Float, gross: Float, turnover: Float, A: Float, b: Float, band: Float,
    scale: Float, penalty: Float, h: Float, multipliers: Float, solved: Byte,
) -> None:  # fmt: skip
    """Every path in turn; fills `h` (P, K), `multipliers` (P, M + 2) and `solved` (P,).

    `penalty` (P, 3) bounds the multipliers of turnover, gross and neutrality. Multipliers belong
    to ``A h − b``, ``‖z‖₁`` and ``‖h‖₁`` in that order, per unit of money.
    """
    P, _, K = F.shape
    M = A.shape[1]
    rows, most = M + 2, max(K, M + 2)
    V, N = np.zeros((VECTORS, K)), np.zeros((NUMBERS, most))
    W = np.zeros((4, most), dtype=np.int64)
    Q, L = np.zeros((K, K)), np.zeros((K, K))
    C, Y, S = np.zeros((rows, K)), np.zeros((rows, K)), np.zeros((rows, rows))
    limits = np.zeros(3)
    for p in range(P):
        size, curved = load_box(
            F[p], f[p], risk_weight[p], reward[p], h0[p], linear[p], impact[p],
            lower[p], upper[p], scale[p], V, W, Q,
        )  # fmt: skip
        slope = size / scale[p]
        for r in range(3):
            limits[r] = penalty[p, r] / slope
        m, turn, whole = load_rows(
            A[p], b[p], band[p], turnover[p], gross[p], scale[p], limits, V, N, W, C
        )
        if m == 1 and turnover[p] == 0.0:
            curved = False  # no trade, no impact
        ok = optimise(K, m, V, N, W, Q, L, C, Y, S, turn, whole, curved)
        for r in range(rows):
            multipliers[p, r] = 0.0
        for r in range(m):
            target = M if r == turn else (M + 1 if r == whole else W[SOURCE, r])
            multipliers[p, target] = N[MULTIPLIER, r] * slope / N[ROW_SCALE, r]
        for k in range(K):
            value = V[X, k]
            if not abs(value) < DIVERGED:
                ok = False
                value = 0.0
            # on a breakpoint the caller's own number comes back, to the bit
            held = value == V[X0, k]
            value = h0[p, k] if held else value * scale[p]
            h[p, k] = min(max(value, lower[p, k]), upper[p, k])
        solved[p] = ok


def solve_batch(batch: HedgeBatch, penalty: Float) -> tuple[Float, Float, Byte]:
    """The twin on a batch: ``(h (P, K), multipliers (P, M + 2), solved (P,))``.

    An answer is a candidate only; `backtester.hedging.certificate` decides.
    """
    P, K = batch.paths, batch.instruments
    h, solved = np.empty((P, K)), np.empty(P, dtype=np.int8)
    multipliers = np.empty((P, batch.A.shape[1] + 2))
    solve_paths(
        batch.F, batch.f, batch.risk_weight, batch.reward, batch.h0, batch.linear, batch.impact,
        batch.lower, batch.upper, batch.gross, batch.turnover, batch.A, batch.b, batch.band,
        batch.scale, penalty, h, multipliers, solved,
    )  # fmt: skip
    return h, multipliers, solved
