"""The holding horizon H: over how long a trade's cost is set against the risk it removes.

A cost is paid once and a risk is borne while the position is held. With one bar of variance
against a whole trade's cost an hourly engine would never hedge what a daily one does. The horizon
here makes the one-period no-trade half-width c/(A·H) equal the half-width of the multi-period band
of a target that diffuses with variance rate s² (methods A4, after Whalley & Wilmott 1997):

    b* = (3 c s² / 2A)^⅓,    H* = c / (A b*),    A = γ σ²

with c the proportional cost rate, σ² the variance of the hedge and everything per unit of trading
time, so that the band in clock time does not depend on the size of a bar. With several instruments
each quantity is the mean over them weighted by |target|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float

LONGEST = 3650.0  # days: a target that does not move is reached in full
SHORTEST = 1e-6
HALFLIFE = 30.0  # days of the measured diffusion


@dataclass(frozen=True, slots=True)
class TargetDiffusion:
    """Measured diffusion s² of the frictionless target, per path."""

    target: Float  # (P, K) money at the last decision; NaN before the first
    rate: Float  # (P,) money² per day; NaN before the first
    at: float  # trading days of the last decision


def start_diffusion(paths: int, instruments: int) -> TargetDiffusion:
    """Before any decision."""
    return TargetDiffusion(np.full((paths, instruments), np.nan), np.full(paths, np.nan), -np.inf)


def step_diffusion(
    state: TargetDiffusion, target: Float, variance: Float, now: float
) -> TargetDiffusion:
    """State after a decision with frictionless `target` (P, K) and variances (P, K) per day.

    Before two targets have been seen the rate is that of a hedge in fixed units, Σ w h² σ²: what a
    target proportional to a price does.
    """
    weight = _weights(target)
    prior = (weight * target**2 * variance).sum(axis=-1)
    if not np.isfinite(state.at):
        return TargetDiffusion(target, prior, now)
    elapsed = now - state.at
    if elapsed <= 0:
        return TargetDiffusion(target, state.rate, now)
    moved = (weight * (target - state.target) ** 2).sum(axis=-1) / elapsed
    share = 1.0 - 0.5 ** (elapsed / HALFLIFE)
    return TargetDiffusion(target, state.rate + share * (moved - state.rate), now)


def horizon(state: TargetDiffusion, gamma: float, variance: Float, linear: Float) -> Float:
    """H* in days, (P,), in [1e-6, 3650]; one day where trading is free.

    gamma: risk aversion per money; variance (P, K) per day; linear (P, K) proportional cost.
    """
    weight = _weights(state.target)
    curvature = gamma * (weight * variance).sum(axis=-1)
    cost = (weight * linear).sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        band = np.cbrt(1.5 * cost * state.rate / curvature)
        days = cost / (curvature * band)
    days = np.where(cost > 0, days, 1.0)
    # No curvature or no diffusion: nothing to gain by waiting, so the target is reached in full.
    days = np.where(np.isnan(days), LONGEST, days)
    return np.clip(days, SHORTEST, LONGEST)


def _weights(target: Float) -> Float:
    size = np.abs(target)
    total = size.sum(axis=-1, keepdims=True)
    even = np.full_like(size, 1.0 / size.shape[-1])
    return np.asarray(np.where(total > 0, size / np.where(total > 0, total, 1.0), even))
