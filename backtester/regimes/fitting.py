"""Fitting the states of one path: the jump model, else a hidden Markov chain, else nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float, Int
from backtester.regimes.filtering import FITTED, FREEDOM, Source, slots

HALFLIFE = 6.0
"""Trading days over which the features of a fit are smoothed, to either side."""
SCALES = (0.4, 0.8, 0.4)
"""One unit of each feature of a fit: Fisher's z, log variance, log surprise."""
PENALTY = 8.0
"""Cost of a jump for daily bars, in the units of ½‖x − μ‖²; more for finer bars."""
TURNS = 100
MARKOV_TURNS = 300
PRIOR_BARS = 10.0
"""Weight of the pooled scatter in each state's."""
LOW, HIGH = (0.2, 0.6, 0.1), (0.8, 0.9, 0.4)


@dataclass(frozen=True, slots=True)
class PathFit:
    """What one fit of one path found."""

    source: Source
    scatter: Float  # (S, 2, 2)
    transition: Float  # (S, S)
    code: Int  # (S,)
    freedom: float
    initial: Float  # (S,)


def fit_path(
    clean: Float, pair: Float, surprise: Float, days_per_bar: float, model: str, common: float
) -> PathFit | None:
    """States of one path from its past, or None where nothing could be fitted.

    clean, pair: (T, 2); surprise: (T,); see `history_features`. model: ``"jump"`` tries the jump
    model first, ``"markov"`` goes to the hidden Markov chain at once. common: see `name_states`.
    """
    if not (np.isfinite(pair).all() and np.isfinite(clean).all() and np.isfinite(surprise).all()):
        return None
    if not (np.var(pair, axis=0) > 1e-12).all():  # a leg that does not move has no law
        return None
    found = _jump(clean, pair, surprise, days_per_bar, common) if model == "jump" else None
    return found or _markov(pair, common)


def history_of(clean: Float, pair: Float, surprise: Float, days_per_bar: float) -> Float:
    """Features (T, 3) of a past that is known, in the units in which the jump model measures."""
    from backtester.regimes.fit_kernels import history_features

    x = history_features(clean, pair, surprise, HALFLIFE / days_per_bar)
    return np.asarray((x - np.median(x, axis=0)) / np.array(SCALES))


def _jump(
    clean: Float, pair: Float, surprise: Float, days_per_bar: float, common: float
) -> PathFit | None:
    from backtester.regimes.fit_kernels import scatter_of, split_starts
    from backtester.regimes.jump_kernels import fit_jump

    x = history_of(clean, pair, surprise, days_per_bar)
    starts = split_starts(x, np.array(LOW), np.array(HIGH))
    _, path, _, ended = fit_jump(x, starts, PENALTY / days_per_bar, TURNS)
    if not ended:
        return None
    counts = np.bincount(path, minlength=FITTED).astype(np.float64)
    moves = np.full((FITTED, FITTED), 0.1) + 20.0 * np.eye(FITTED)
    np.add.at(moves, (path[:-1], path[1:]), 1.0)
    scatter = scatter_of(pair, path, FITTED, FREEDOM, PRIOR_BARS, 10)
    return _packed(Source.JUMP, scatter, moves, counts / counts.sum(), FREEDOM, common)


def _markov(pair: Float, common: float) -> PathFit | None:
    """Three Gaussian states of (book, basket) by EM, from a split by size and by product."""
    from backtester.regimes.markov_kernels import fit_markov

    pooled = pair.T @ pair / len(pair)
    size = np.abs(pair).sum(axis=1)
    best = None
    for low, high in zip(LOW, HIGH, strict=True):
        group = np.searchsorted(np.quantile(size, [low, high]), size)
        start = np.array(
            [pair[group == k].T @ pair[group == k] / max((group == k).sum(), 1) for k in range(3)]
        )
        start += 1e-3 * pooled
        chain = np.full((FITTED, FITTED), 0.01) + 0.97 * np.eye(FITTED)
        found = fit_markov(
            pair,
            np.zeros((FITTED, 2)),
            start,
            chain,
            np.full(FITTED, 1.0 / FITTED),
            np.full((FITTED, FITTED), 0.1) + 20.0 * np.eye(FITTED),
            pooled,
            PRIOR_BARS,
            True,
            MARKOV_TURNS,
            1e-6,
        )
        if found[5] and np.isfinite(found[4]) and (best is None or found[4] > best[4]):
            best = found
    if best is None:
        return None
    share = best[3].mean(axis=0)
    return _packed(Source.MARKOV, best[1], best[2], share, 0.0, common)


def _packed(
    source: Source, scatter: Float, moves: Float, share: Float, freedom: float, common: float
) -> PathFit:
    transition = moves / moves.sum(axis=1, keepdims=True)
    shapes, chain, code = slots(scatter, transition, share, common)
    initial = np.zeros(len(code))
    initial[:FITTED] = share
    return PathFit(source, shapes, chain, code, freedom, initial)
