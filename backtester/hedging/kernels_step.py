"""Moves of the active set on one path: fix, release, direction, step to the nearest kink.

Everything is normalised: money by the path's scale, the objective by its own size. The arrays of
a path travel as workspaces, allocated once per call and never carrying information between paths:

``V`` (vectors, K)  the vectors named below, one per row;
``N`` (numbers, m)  per limit row: value, limits, multiplier, penalty;
``W`` (4, K or m)   the free coordinates in order of release; flags (1 free, 0 on a breakpoint,
                    −1 on a breakpoint and not to be released before progress); row states.

A *limit row* is a neutrality row, ``‖z‖₁ ≤ turnover`` or ``‖h‖₁ ≤ gross``. On the piece the point
is on, all of them are linear, with coefficients ``C``. The state of a row is 0 inside its limits,
±1 active at the upper / lower one, ±2 beyond it, where an exact penalty acts: multipliers are
bounded by the penalties. Breakpoints of a coordinate are its bounds, h0 and, with a gross limit, 0.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.hedging.kernels import backward, factor, forward, inlined, solve_rows

# rows of V
X, X0, LOWER, UPPER, LINEAR, OFFSET, GRADIENT, STEP = 0, 1, 2, 3, 4, 5, 6, 7
LOW, HIGH, TRADE, HEDGE, DIAGONAL, IMPACT, POINT, COST = 8, 9, 10, 11, 12, 13, 14, 15
SHIFT = 16
VECTORS = 17
# rows of N
VALUE, ROW_LOW, ROW_HIGH, MULTIPLIER, PENALTY, RATE, ROW_SCALE = 0, 1, 2, 3, 4, 5, 6
NUMBERS = 7
# rows of W
FREE, FLAG, STATE, SOURCE = 0, 1, 2, 3

FULL = -1
"""Outcome of a step that reached the minimiser of its piece."""


@inlined
def sign(value: float) -> float:
    """−1, 0 or 1."""
    return 1.0 if value > 0.0 else (-1.0 if value < 0.0 else 0.0)


@inlined
def set_signs(
    k: int, trade: float, hedge: float, V: Float, C: Float, turn: int, gross: int
) -> None:
    """Signs of h − h0 and of h on the piece of coordinate k, here and in the budget rows."""
    V[TRADE, k] = trade
    V[HEDGE, k] = hedge
    if turn >= 0:
        C[turn, k] = trade
    if gross >= 0:
        C[gross, k] = hedge


@inlined
def fix(k: int, at: float, V: Float, C: Float, turn: int, gross: int) -> None:
    """Put coordinate k on the breakpoint `at`."""
    V[X, k] = at
    set_signs(k, sign(at - V[X0, k]), sign(at), V, C, turn, gross)


@inlined
def open_piece(k: int, up: bool, V: Float, C: Float, turn: int, gross: int) -> None:
    """Let coordinate k leave its breakpoint upwards or downwards: signs and next breakpoints."""
    at, start = V[X, k], V[X0, k]
    if up:
        low, high = at, V[UPPER, k]
        if at < start < high:
            high = start
        if gross >= 0 and at < 0.0 < high:
            high = 0.0
        set_signs(k, 1.0 if at >= start else -1.0, 1.0 if at >= 0.0 else -1.0, V, C, turn, gross)
    else:
        low, high = V[LOWER, k], at
        if at > start > low:
            low = start
        if gross >= 0 and at > 0.0 > low:
            low = 0.0
        set_signs(k, -1.0 if at <= start else 1.0, -1.0 if at <= 0.0 else 1.0, V, C, turn, gross)
    V[LOW, k] = low
    V[HIGH, k] = high


@inlined
def evaluate(K: int, m: int, Q: Float, V: Float, N: Float, C: Float, turn: int, gross: int) -> None:
    """From scratch at x: gradient ``Q x + offset + diagonal (x − x0)`` and values of the rows."""
    for i in range(K):
        value = V[OFFSET, i] + V[DIAGONAL, i] * (V[X, i] - V[X0, i])
        for k in range(K):
            value += Q[i, k] * V[X, k]
        V[GRADIENT, i] = value
    for r in range(m):
        value = 0.0
        for k in range(K):
            if r == turn:
                value += abs(V[X, k] - V[X0, k])
            elif r == gross:
                value += abs(V[X, k])
            else:
                value += C[r, k] * V[X, k]
        N[VALUE, r] = value


@inlined
def set_state(r: int, state: int, N: Float, W: Int) -> None:
    """State of a row; outside its active states the multiplier is the slope of the penalty."""
    W[STATE, r] = state
    if state == 0:
        N[MULTIPLIER, r] = 0.0
    elif abs(state) == 2:
        N[MULTIPLIER, r] = np.sign(state) * N[PENALTY, r]


@inlined
def remove(
    position: int, n: int, floor: float, V: Float, W: Int, Q: Float, L: Float, flag: int
) -> int:
    """Take the free coordinate at `position` out of the working order; returns the new count."""
    W[FLAG, W[FREE, position]] = flag
    for i in range(position, n - 1):
        W[FREE, i] = W[FREE, i + 1]
    factor(Q, V[DIAGONAL], W[FREE], n - 1, position, floor, L)
    return n - 1


@inlined
def direction(
    n: int, m: int, V: Float, N: Float, W: Int, L: Float, C: Float, Y: Float, S: Float,
    refine: bool,
) -> None:  # fmt: skip
    """Step of the free coordinates to the minimiser of the piece, keeping the active rows.

    Solves ``[Q Cᵀ; C 0] (p, λ) = (−γ, −residual)`` by the Schur complement of the factor `L`. The
    step is stored by position in the working order, the multipliers of active rows in `N`. With
    `refine` the multipliers are already in γ and are corrected, not replaced: one step of iterative
    refinement, needed where singular risk leaves the Schur complement badly conditioned.
    """
    p = V[STEP]
    for i in range(n):
        k = W[FREE, i]
        value = V[GRADIENT, k] + V[TRADE, k] * V[COST, k]
        for r in range(m):
            if refine or abs(W[STATE, r]) == 2:
                value += N[MULTIPLIER, r] * C[r, k]
        p[i] = value
    forward(L, n, p)
    count = 0
    for r in range(m):
        if abs(W[STATE, r]) != 1:
            continue
        row = Y[count]
        for i in range(n):
            row[i] = C[r, W[FREE, i]]
        forward(L, n, row)
        target = N[ROW_HIGH, r] if W[STATE, r] == 1 else N[ROW_LOW, r]
        value = N[VALUE, r] - target
        for i in range(n):
            value -= row[i] * p[i]
        N[RATE, count] = value
        for other in range(count + 1):
            value = 0.0
            for i in range(n):
                value += row[i] * Y[other, i]
            S[count, other] = value
        count += 1
    if count > 0:
        solve_rows(S, count, N[RATE])
        count = 0
        for r in range(m):
            if abs(W[STATE, r]) != 1:
                continue
            weight = N[RATE, count]
            N[MULTIPLIER, r] = weight + (N[MULTIPLIER, r] if refine else 0.0)
            for i in range(n):
                p[i] += weight * Y[count, i]
            count += 1
    backward(L, n, p)
    for i in range(n):
        p[i] = -p[i]


@inlined
def active_rows(m: int, W: Int) -> int:
    """Number of rows held at a limit."""
    count = 0
    for r in range(m):
        count += 1 if abs(W[STATE, r]) == 1 else 0
    return count


@inlined
def blocking(n: int, m: int, V: Float, N: Float, W: Int, C: Float) -> tuple[float, int]:
    """Length of the step to the nearest kink, at most 1, and what is hit there.

    Returns ``(t, FULL)``, ``(t, position of a free coordinate)`` or ``(t, n + row)``.
    """
    t, hit = 1.0, FULL
    p = V[STEP]
    for i in range(n):
        k = W[FREE, i]
        if p[i] > 0.0:
            room = max(V[HIGH, k] - V[X, k], 0.0)
        else:
            room = max(V[X, k] - V[LOW, k], 0.0)
        if room < t * abs(p[i]):
            t = room / abs(p[i])
            hit = i
    for r in range(m):
        state = W[STATE, r]
        if abs(state) == 1:
            continue
        rate, size = 0.0, 0.0
        for i in range(n):
            value = C[r, W[FREE, i]] * p[i]
            rate += value
            size += abs(value)
        if abs(rate) <= 1e-11 * size:  # parallel to the row: rounding must not make it active
            continue
        if rate > 0.0 and state != 2:
            target = N[ROW_LOW, r] if state == -2 else N[ROW_HIGH, r]
        elif rate < 0.0 and state != -2:
            target = N[ROW_HIGH, r] if state == 2 else N[ROW_LOW, r]
        else:
            continue
        room = max((target - N[VALUE, r]) * np.sign(rate), 0.0)
        if room < t * abs(rate):
            t = room / abs(rate)
            hit = n + r
            N[RATE, r] = rate
    return t, hit


@inlined
def pull(
    k: int, neutral: int, V: Float, N: Float, C: Float, trading: float, holding: float
) -> tuple[float, bool]:
    """How much coordinate k, on a breakpoint, gains per unit by leaving it, and whether upwards.

    `trading` and `holding` are the multipliers of the budgets, `neutral` the neutrality rows.
    """
    slope = V[GRADIENT, k]
    for r in range(neutral):
        slope += N[MULTIPLIER, r] * C[r, k]
    at, start, cost = V[X, k], V[X0, k], V[COST, k] + trading
    most, up = 0.0, False
    if at < V[UPPER, k]:
        value = slope + (cost if at >= start else -cost) + (holding if at >= 0.0 else -holding)
        if -value > most:
            most, up = -value, True
    if at > V[LOWER, k]:
        value = (cost if at <= start else -cost) + (holding if at <= 0.0 else -holding) - slope
        if -value > most:
            most, up = -value, False
    return most, up


@inlined
def worst(
    K: int, m: int, V: Float, N: Float, W: Int, C: Float, turn: int, gross: int, tolerance: float
) -> tuple[int, bool]:
    """The multiplier furthest outside its interval: ``(k or K + row, upwards)``, −1 if none."""
    most, which, up = tolerance, -1, False
    for r in range(m):
        state = W[STATE, r]
        if abs(state) != 1:
            continue
        both = N[ROW_LOW, r] == N[ROW_HIGH, r]
        low = -N[PENALTY, r] if state == -1 or both else 0.0
        high = N[PENALTY, r] if state == 1 or both else 0.0
        value = N[MULTIPLIER, r]
        if low - value > most:
            most, which, up = low - value, K + r, False
        if value - high > most:
            most, which, up = value - high, K + r, True
    trading = N[MULTIPLIER, turn] if turn >= 0 else 0.0
    holding = N[MULTIPLIER, gross] if gross >= 0 else 0.0
    neutral = neutral_rows(m, turn, gross)
    for k in range(K):
        if W[FLAG, k] == 0:
            value, upwards = pull(k, neutral, V, N, C, trading, holding)
            if value > most:
                most, which, up = value, k, upwards
    return which, up


@inlined
def reached_state(r: int, N: Float, W: Int) -> int:
    """State of the row the last step ran into: 1 at its upper limit, −1 at its lower one."""
    if N[RATE, r] > 0.0:
        return -1 if W[STATE, r] == -2 else 1
    return 1 if W[STATE, r] == 2 else -1


@inlined
def neutral_rows(m: int, turn: int, gross: int) -> int:
    """Number of neutrality rows: they come first, then turnover, then gross."""
    return m - (1 if turn >= 0 else 0) - (1 if gross >= 0 else 0)


@inlined
def released_state(r: int, up: bool, N: Float, W: Int) -> int:
    """State of active row r when its multiplier leaves its interval: inside or beyond."""
    if N[ROW_LOW, r] == N[ROW_HIGH, r] or up == (W[STATE, r] == 1):
        return 2 if up else -2
    return 0


@inlined
def rounding(K: int, m: int, V: Float, N: Float) -> float:
    """Rounding level of the multipliers at x, from the sizes of what they are made of."""
    value, slopes = 1e-300, 0.0
    for k in range(K):
        value = max(value, abs(V[OFFSET, k]), abs(V[X, k]), abs(V[X0, k]), V[COST, k])
    for r in range(m):
        slopes += abs(N[MULTIPLIER, r])
    return 1e-13 * value + 4e-15 * slopes
