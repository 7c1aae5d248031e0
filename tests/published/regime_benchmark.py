"""Synthetic regimes with a known truth, and what a detector scores on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.regimes.detector import HedgeRegimeDetector

# Nystrup, Lindström & Madsen (2020): daily chain, means and volatilities of two states.
CHAIN = ((0.9979, 0.0021), (0.0120, 0.9880))
MEANS, VOLATILITIES = (0.000615, -0.000785), (0.007759, 0.02140)
YEAR = 252.0


@dataclass(frozen=True)
class World:
    """One benchmark: what the chain switches."""

    title: str
    rho: tuple[float, float]
    volatility: tuple[float, float]
    means: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0  # standard deviation of log volatility moving by itself, half-life 60 bars


WORLDS = {
    "volatility": World("volatility switch (Nystrup et al.)", (0.7, 0.7), VOLATILITIES, MEANS),
    "up": World("correlation .5 → .9, equal variance", (0.5, 0.9), (0.01, 0.01)),
    "down": World("correlation .8 → .2, equal variance", (0.8, 0.2), (0.01, 0.01)),
    "down, noisy": World(
        "correlation .8 → .2, volatility moves by itself", (0.8, 0.2), (0.01, 0.01), noise=0.5
    ),
}


def draw(world: World, bars: int, paths: int, seed: int) -> tuple[Bool, Float]:
    """True crisis (bars, paths) and returns (bars, paths, 2) of book and hedge."""
    rng = np.random.default_rng(seed)
    u = rng.random((bars, paths))
    state = np.zeros((bars, paths), dtype=np.int64)
    state[0] = u[0] < CHAIN[0][1] / (CHAIN[0][1] + CHAIN[1][0])
    for t in range(1, bars):
        state[t] = u[t] < np.where(state[t - 1] == 0, CHAIN[0][1], CHAIN[1][1])
    z = rng.standard_normal((bars, paths, 2))
    shocks = rng.standard_normal((bars, paths))
    rho, size = np.array(world.rho)[state], np.array(world.volatility)[state]
    if world.noise:
        keep, log_size = 0.5 ** (1.0 / 60.0), np.zeros(paths)
        for t in range(bars):
            log_size = keep * log_size + world.noise * np.sqrt(1.0 - keep**2) * shocks[t]
            size[t] *= np.exp(log_size)
    book = rho * z[..., 1] + np.sqrt(1.0 - rho**2) * z[..., 0]
    moves = np.stack([book, z[..., 1]], axis=-1) * size[..., None]
    return state == 1, moves + np.array(world.means)[state][..., None]


def decisions(detector: HedgeRegimeDetector, returns: Float) -> Int:
    """Regime (T, P) a detector decides on daily returns of book and hedge."""
    state = detector.init(returns.shape[1], 1)
    out: Int = np.zeros(returns.shape[:2], dtype=np.int64)
    for t, now in enumerate(returns):
        state = detector.step(state, now[:, 0], now[:, 1:], 1.0)
        out[t] = detector.regime(state)
    return out


@dataclass(frozen=True)
class Marks:
    """What a detector scored, with the standard error of the balanced accuracy over paths."""

    accuracy: float
    error: float
    delay: float  # median bars to the first alarm of an episode; its length where there is none
    false_alarms: float  # alarms begun in calm bars, a year of calm
    found: float  # share of episodes with an alarm


def balanced(called: Bool, truth: Bool) -> float:
    """Mean of the two rates of being right, pooled over paths; labels matched to the truth."""
    right = 0.5 * (called[truth].mean() + (~called[~truth]).mean())
    return float(max(right, 1.0 - right))


def matched(called: Bool | Int, truth: Bool) -> Bool:
    """Labels matched to the truth: of three states, the crisis is either or both of the others."""
    if called.dtype == np.bool_:
        return np.asarray(called, dtype=np.bool_)
    choices = [np.asarray(called != 0), np.asarray(called == 1), np.asarray(called == 2)]
    return max(choices, key=lambda c: balanced(c, truth))


def marks(called: Bool, truth: Bool) -> Marks:
    """Scores of a crisis called (T, P) against the truth."""
    if 0.5 * (called[truth].mean() + (~called[~truth]).mean()) < 0.5:
        called = ~called
    visited = np.flatnonzero(truth.any(axis=0)).tolist()
    rest = []
    for p in range(truth.shape[1]):
        others = np.delete(truth, p, 1)
        if others.any():  # the only path with a crisis cannot be left out
            rest.append(balanced(np.delete(called, p, 1), others))
    n = len(rest)
    error = float(np.sqrt((n - 1) / n * np.sum((np.array(rest) - np.mean(rest)) ** 2)))
    delays: list[float] = []
    hits: list[bool] = []
    for p in visited:
        edge = np.diff(np.concatenate([[False], truth[:, p], [False]]).astype(int))
        for first, stop in zip(np.flatnonzero(edge == 1), np.flatnonzero(edge == -1), strict=True):
            seen = np.flatnonzero(called[first:stop, p])
            delays.append(float(seen[0] if seen.size else stop - first))
            hits.append(seen.size > 0)
    begun = called[1:] & ~called[:-1] & ~truth[1:]
    calm = (~truth).sum() / YEAR
    return Marks(
        balanced(called, truth),
        error,
        float(np.median(delays)),
        float(begun.sum() / calm),
        float(np.mean(hits)),
    )
