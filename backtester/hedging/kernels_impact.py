"""Quadratic models of the 3/2-power impact ``c |z|^{3/2}`` for the active set.

At a trial trade r > 0 the model is even in z: ``a|z| + D z²/2`` with the true slope at r. With the
true curvature too (``a = ¾ c √r``, ``D = ¾ c / √r``) it is Newton's; with ``a = 0`` and
``D = 3/2 c / √r`` it lies above the impact (concave in z²) and its iteration contracts.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.hedging.kernels import inlined
from backtester.hedging.kernels_step import (
    COST,
    DIAGONAL,
    FLAG,
    GRADIENT,
    IMPACT,
    LINEAR,
    MULTIPLIER,
    POINT,
    X0,
    X,
    pull,
)

SMALLEST = 1e-24
"""Smallest trial trade, relative to the scale of the path."""


@inlined
def set_model(k: int, newton: bool, proximal: float, V: Float) -> None:
    """Cost slope and curvature of coordinate k from its trial trade."""
    root = np.sqrt(max(V[POINT, k], SMALLEST))
    if newton:
        V[COST, k] = V[LINEAR, k] + 0.75 * V[IMPACT, k] * root
        V[DIAGONAL, k] = proximal + 0.75 * V[IMPACT, k] / root
    else:
        V[COST, k] = V[LINEAR, k]
        V[DIAGONAL, k] = proximal + 1.5 * V[IMPACT, k] / root


@inlined
def lone_trade(gain: float, curvature: float, c: float) -> float:
    """The trade of one coordinate alone: root of ``curvature z + 3/2 c √z = gain``."""
    half = 1.5 * c
    root: float = 2.0 * gain / (half + np.sqrt(half * half + 4.0 * curvature * gain))
    return root * root


@inlined
def first_model(K: int, proximal: float, Q: Float, V: Float) -> None:
    """Trial trades at the starting point: each coordinate alone."""
    for k in range(K):
        if V[IMPACT, k] > 0.0:
            slope = abs(V[GRADIENT, k])
            gain = max(slope - V[LINEAR, k], 1e-6 * slope)
            V[POINT, k] = lone_trade(gain, Q[k, k], V[IMPACT, k])
            set_model(k, True, proximal, V)


@inlined
def next_model(
    K: int, proximal: float, newton: bool, Q: Float, V: Float, N: Float, W: Int, C: Float,
    neutral: int, turn: int, gross: int,
) -> float:  # fmt: skip
    """Trial trades from the last minimiser; returns the largest error of slope at it."""
    trading = N[MULTIPLIER, turn] if turn >= 0 else 0.0
    holding = N[MULTIPLIER, gross] if gross >= 0 else 0.0
    error = 0.0
    for k in range(K):
        c = V[IMPACT, k]
        if c <= 0.0:
            continue
        trade = abs(V[X, k] - V[X0, k])
        if trade > 0.0:
            model = V[COST, k] - V[LINEAR, k] + (V[DIAGONAL, k] - proximal) * trade
            error = max(error, abs(model - 1.5 * c * np.sqrt(trade)))
            V[POINT, k] = trade
        elif W[FLAG, k] == 1:  # free, yet kept from moving by a budget of 0: no slope there
            error = max(error, V[COST, k] - V[LINEAR, k])
            V[POINT, k] *= 1e-8
        else:
            V[COST, k] = V[LINEAR, k]
            gain, _ = pull(k, neutral, V, N, C, trading, holding)
            error = max(error, gain)
            if gain > 0.0:
                V[POINT, k] = lone_trade(gain, Q[k, k], c)
        set_model(k, newton, proximal, V)
    return error
