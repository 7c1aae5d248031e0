"""The holding horizon H: over how long a trade's cost is set against the risk it removes.

A cost is paid once and a risk is borne while the position is held. With one bar of variance
against a whole trade's cost an hourly engine would never hedge what a daily one does. The horizon
here makes the one-period no-trade half-width c/(A·H) equal the half-width of the multi-period band
of a target that diffuses with variance rate s² (methods A4, after Whalley & Wilmott 1997):

    b* = (3 c s² / 2A)^⅓,    H* = c / (A b*),    A = γ σ²

with c the proportional cost rate, σ² the variance of the hedge and everything per unit of trading
time, so that the band in clock time does not depend on the size of a bar. With several instruments
each quantity is the mean over them weighted by |target|.

A fixed cost K of every trade (gas, `backtester.hedging.gate`) has the half-width √(2K/(A·H)) in one
period and b* = (12 K s²/A)^¼ in many (methods A4), equal at

    H_K = 2K / (A b*²) = √(K / (3 A s²))

With both costs H = (H*^1.2 + H_K^1.2)^(1/1.2), exact where one of them vanishes: the gate then
waits for c/(AH) + √(2K/(AH)) and trades to c/(AH), at a total cost within 3.1 % of the
optimum at any ratio of the two costs (docs/no_trade_band.md); the larger of the two loses 20 %.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.records import record

LONGEST = 3650.0  # days: a target that does not move is reached in full
SHORTEST = 1e-6
HALFLIFE = 30.0  # days of the measured diffusion


@record
class TargetDiffusion:
    """Measured diffusion s² of the frictionless target, per path."""

    target: Float  # (P, K) money at the last decision; NaN before the first
    rate: Float  # (P,) money² per day; NaN before the first
    at: float  # trading days of the last decision


def start_diffusion(paths: int, instruments: int) -> TargetDiffusion:
    """Before any decision."""
    return TargetDiffusion(np.full((paths, instruments), np.nan), np.full(paths, np.nan), -np.inf)


def since(state: TargetDiffusion, now: float) -> tuple[float, float]:
    """Days since the last decision, NaN before the first; weight of a new observation."""
    if state.at == -np.inf:
        return np.nan, 1.0
    elapsed = now - state.at
    return elapsed, 1.0 - 0.5 ** (elapsed / HALFLIFE)


def step_diffusion(
    state: TargetDiffusion, target: Float, variance: Float, now: float
) -> TargetDiffusion:
    """State after a decision with frictionless `target` (P, K) and variances (P, K) per day.

    Before two targets have been seen the rate is that of a hedge in fixed units, Σ w h² σ²: what a
    target proportional to a price does.
    """
    from backtester.hedging.horizon_kernel import diffusion_rate

    elapsed, share = since(state, now)
    rate = diffusion_rate(target, state.target, state.rate, variance, elapsed, share)
    return TargetDiffusion(target, rate, now)


def horizon(
    state: TargetDiffusion,
    gamma: float,
    variance: Float,
    linear: Float,
    gas: Float | None = None,
) -> Float:
    """H* in days, (P,), in [1e-6, 3650]; one day where trading is free.

    gamma: risk aversion per money; variance (P, K) per day; linear (P, K) proportional cost;
    gas (K,) money per instrument traded, None for none.
    """
    from backtester.hedging.horizon_kernel import horizon_days

    fixed = np.zeros(linear.shape[1]) if gas is None else gas
    days: Float = horizon_days(state.target, state.rate, gamma, variance, linear, fixed)
    return np.clip(days, SHORTEST, LONGEST)
