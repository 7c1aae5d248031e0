"""Passes of the active set on one path, from today's hedge to the optimum; see active_set.py."""

from __future__ import annotations

from backtester.arrays import Float, Int
from backtester.hedging.kernels import factor, inlined, part
from backtester.hedging.kernels_impact import first_model, next_model
from backtester.hedging.kernels_load import start_rows
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
    OFFSET,
    SHIFT,
    STEP,
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
"""Weight of ½‖h − h0‖² beside a normalised risk matrix of largest diagonal 1; none is needed where
the risk alone singles out one optimum."""

FLOOR = 2.5e-10
"""Smallest pivot of a factor; the proximal term keeps true pivots above it."""

PASSES = 60
"""Passes of the impact model: Newton for the first third, then the contracting majoriser."""


@inlined
def crash(
    K: int, m: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float, S: Float,
    turn: int, gross: int,
) -> int:  # fmt: skip
    """First working set: release every coordinate that gains by moving, drop those turning back.

    Nothing moves here, so the descent of the method is untouched. Returns the free count, or −1
    where no coordinate gains.
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
    if n == 0:
        return -1
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


@inlined
def minimise(
    K: int, m: int, n: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float,
    S: Float, turn: int, gross: int, stepped: bool,
) -> int:  # fmt: skip
    """Run the active set from the current point, whose factor is current; `stepped`: the step too.

    Returns the number of free coordinates at the optimum, or −1 when the iteration cap is met.
    """
    last = -1  # coordinate just released; if it is blocked at once it waits for progress
    for _ in range(30 + 12 * (K + m)):
        if n > 0:
            if not stepped:
                direction(n, m, V, N, W, L, C, Y, S, False)
            stepped = False
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


@inlined
def recentre(K: int, proximal: float, V: Float) -> float:
    """Move the centre of the proximal term from h0 to x; returns the largest change of slope."""
    change = 0.0
    for k in range(K):
        new = proximal * (V[X, k] - V[X0, k])
        change = max(change, abs(new - V[SHIFT, k]))
        V[OFFSET, k] += V[SHIFT, k] - new
        V[SHIFT, k] = new
    return change


@inlined
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


@part
def optimise(
    K: int, m: int, V: Float, N: Float, W: Int, Q: Float, L: Float, C: Float, Y: Float, S: Float,
    turn: int, gross: int, impact: bool, sound: bool,
) -> bool:  # fmt: skip
    """Passes of the active set: models of the impact, and the proximal bias taken out.

    `sound`: no instrument is nearly a combination of others, so that no proximal term is needed.
    """
    proximal = 0.0 if sound else PROXIMAL
    for k in range(K):
        V[COST, k] = V[LINEAR, k]
        V[DIAGONAL, k] = proximal
        V[SHIFT, k] = 0.0
    start_rows(K, m, Q, V, N, W, C, turn, gross)
    if impact:
        first_model(K, proximal, Q, V)
    n = crash(K, m, V, N, W, Q, L, C, Y, S, turn, gross)
    if n < 0:
        if not impact:
            return True  # no multiplier is outside its interval: the starting point is optimal
        n = 0
    for run in range(PASSES):
        n = minimise(K, m, n, V, N, W, Q, L, C, Y, S, turn, gross, run == 0 and n > 0)
        if n < 0:
            return False
        change = recentre(K, proximal, V)
        tolerance = rounding(K, m, V, N)
        if not impact:
            if n == 0 or run == 1 or change <= tolerance:
                break
        else:
            neutral, newton = neutral_rows(m, turn, gross), run < PASSES // 3
            change = max(
                change if run == 0 else 0.0,
                next_model(K, proximal, newton, Q, V, N, W, C, neutral, turn, gross),
            )
            if change <= 10.0 * tolerance:
                break
            factor(Q, V[DIAGONAL], W[FREE], n, 0, FLOOR, L)
        evaluate(K, m, Q, V, N, C, turn, gross)
    refine(K, m, n, V, N, W, Q, L, C, Y, S, turn, gross)
    return True
