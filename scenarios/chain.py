"""A Markov chain between regimes in continuous time, seen at the ends of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from backtester.arrays import Byte, Float
from backtester.errors import ScenarioError


def generator_matrix(
    names: Sequence[str],
    durations: Mapping[str, float | None],
    following: Mapping[str, Mapping[str, float]],
) -> Float:
    """Rates Q (S, S) per day: a regime is left at rate 1/duration, for `following[regime]`.

    Without `following` a regime leads to each of the others with equal probability.
    """
    size = len(names)
    rates = np.zeros((size, size))
    if size == 1:
        return rates
    for i, name in enumerate(names):
        duration = durations[name]
        if duration is None:
            raise ScenarioError(
                f"regime {name!r} has no duration_days",
                cure="With more than one regime each needs its expected duration in days.",
            )
        others = [other for other in names if other != name]
        after = following.get(name) or {other: 1.0 / len(others) for other in others}
        for other in after:
            if other not in others:
                raise ScenarioError(
                    f"regime {name!r} is followed by {other!r}, which is not another regime",
                    cure=f"Known: {', '.join(others)}.",
                )
        total = sum(after.values())
        if abs(total - 1.0) > 1e-9:
            raise ScenarioError(
                f"the regimes after {name!r} have probabilities that add up to {total:g}",
                cure="They must add up to 1.",
            )
        for other, probability in after.items():
            rates[i, names.index(other)] = probability / duration
        rates[i, i] = -1.0 / duration
    return rates


def transition_matrix(rates: Float, days: float) -> Float:
    """exp(Q·days), (S, S): the chain over one bar, so that any bar size has the same law.

    Two regimes have a closed form; more use scaling and squaring (scipy).
    """
    size = len(rates)
    if size == 1:
        return np.ones((1, 1))
    if size == 2:
        out, back = -rates[0, 0], -rates[1, 1]
        moved = -np.expm1(-(out + back) * days)
        leave, enter = out / (out + back) * moved, back / (out + back) * moved
        return np.array([[1.0 - leave, leave], [enter, 1.0 - enter]])
    from scipy.linalg import expm

    return np.asarray(expm(rates * days))


def stationary(rates: Float) -> Float:
    """The long-run share of each regime, (S,): π Q = 0, Σ π = 1."""
    size = len(rates)
    system = np.vstack([rates.T, np.ones(size)])
    target = np.append(np.zeros(size), 1.0)
    share = np.linalg.lstsq(system, target, rcond=None)[0]
    return np.asarray(np.clip(share, 0.0, None) / np.clip(share, 0.0, None).sum())


def walk(uniform: Float, start: Float, transition: Float) -> Byte:
    """Regime of each bar, (T, P), from uniforms (T, P): the first from `start`, then the chain."""
    first, step = np.cumsum(start)[:-1], np.cumsum(transition, axis=1)[:, :-1]
    state = np.empty(uniform.shape, dtype=np.int8)
    state[0] = (uniform[0][:, None] >= first).sum(axis=1)
    for t in range(1, len(uniform)):
        state[t] = (uniform[t][:, None] >= step[state[t - 1]]).sum(axis=1)
    return state
