"""The regimes of every path as a filter follows them: fitted states, their names, a probability.

A state is a bivariate law of (book, basket) in units of their usual volatility. Between fits the
filter of Hamilton (1989) costs a few numbers a state and path.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.regimes.labelled import CONVERGENCE, DECOUPLING, NORMAL
from backtester.regimes.states import name_states, template

FITTED = 3
SLOTS = FITTED + 2
"""Fitted states and one template for each crisis; unused ones have no way in."""
FREEDOM = 8.0
"""Degrees of freedom of the states' Student-t in the jump model."""
RARE = 0.001
"""Chance a bar that a state never visited is entered."""


class Source(IntEnum):
    """Where a path's probabilities come from."""

    SCORE = 0  # too little data to fit
    JUMP = 1
    MARKOV = 2
    FAILED = 3  # nothing could be fitted: the score again


@dataclass(frozen=True, slots=True)
class FilterState:
    """Fitted states of every path and their filtered probabilities."""

    source: Byte  # (P,) a Source
    scatter: Float  # (P, S, 2, 2)
    transition: Float  # (P, S, S)
    code: Int  # (P, S) named state of each slot
    freedom: Float  # (P,) of Student-t; 0 for a Gaussian
    probability: Float  # (P, S)


def no_filter(paths: int) -> FilterState:
    """Before any fit."""
    return FilterState(
        np.zeros(paths, dtype=np.int8),
        np.broadcast_to(np.eye(2), (paths, SLOTS, 2, 2)),
        np.broadcast_to(np.eye(SLOTS), (paths, SLOTS, SLOTS)),
        np.zeros((paths, SLOTS), dtype=np.int64),
        np.full(paths, FREEDOM),
        np.broadcast_to(np.eye(SLOTS)[0], (paths, SLOTS)),
    )


def follow(state: FilterState, pair: Float) -> Float:
    """Filtered probabilities (P, S) after one bar's `pair` (P, 2)."""
    a, b = pair[:, :1], pair[:, 1:]
    s = state.scatter
    det = s[..., 0, 0] * s[..., 1, 1] - s[..., 0, 1] ** 2
    square = (s[..., 1, 1] * a * a - 2.0 * s[..., 0, 1] * a * b + s[..., 0, 0] * b * b) / det
    nu = state.freedom[:, None]
    heavy = 0.5 * (nu + 2.0) * np.log1p(square / np.where(nu > 0.0, nu, 1.0))
    density = -0.5 * np.log(det) - np.where(nu > 0.0, heavy, 0.5 * square)
    prior = (state.probability[:, :, None] * state.transition).sum(axis=1)
    density = np.where(prior > 0.0, density, -np.inf)
    joint = prior * np.exp(density - density.max(axis=-1, keepdims=True))
    return np.asarray(joint / joint.sum(axis=-1, keepdims=True))


def named_probability(state: FilterState) -> Float:
    """Probability of normal, convergence and decoupling, (P, 3)."""
    out = np.empty((len(state.probability), 3))
    for code in (NORMAL, CONVERGENCE, DECOUPLING):
        out[:, code] = np.where(state.code == code, state.probability, 0.0).sum(axis=-1)
    return out


def slots(
    scatter: Float, transition: Float, share: Float, common: float
) -> tuple[Float, Float, Int]:
    """Scatter, transition and names of all slots of one path, from K = 3 fitted states.

    A crisis that no fitted state stands for enters as a template, with little chance; the others'
    templates are unreachable, as are fitted states without a bar.
    """
    code = np.zeros(SLOTS, dtype=np.int64)
    code[:FITTED] = name_states(scatter, share, common)
    code[FITTED:] = CONVERGENCE, DECOUPLING
    base = int(np.argmax(share))
    shapes = np.empty((SLOTS, 2, 2))
    shapes[:FITTED] = scatter
    moves = np.zeros((SLOTS, SLOTS))
    moves[:FITTED, :FITTED] = np.where(share[None, :] > 0.0, transition, 0.0)
    moves[:FITTED, :FITTED] /= moves[:FITTED, :FITTED].sum(axis=1, keepdims=True)
    for slot in range(FITTED, SLOTS):
        shapes[slot] = template(scatter[base], int(code[slot]))
        moves[slot, slot], moves[slot, base] = 0.97, 0.03
        visited = np.any((code[:FITTED] == code[slot]) & (share > 0.0))
        if not visited:
            moves[:FITTED] *= 1.0 - RARE
            moves[:FITTED, slot] = RARE
    return shapes, moves, code
