"""Resampling one path: whole episodes of a regime, stationary blocks of the whole history.

The stationary bootstrap is that of Politis & Romano (1994), with its exact variance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.metrics.regime import ALL, episode_ids
from backtester.metrics.risk import HORIZON, influence
from backtester.rng import stream

DRAWS = 400
"""Bootstrap replicates."""

SHORTEST = 2.0 * HORIZON
"""Least mean block in bars: at least the shortfall horizon, and long enough to hold its windows."""
LEAST_BLOCKS = 5
"""Blocks a history should hold for their spread to mean anything."""


@dataclass(frozen=True)
class Draw:
    """One bootstrap sample of a history."""

    weights: Float  # (B,) how often each bar is drawn
    index: Int | None  # (B,) the bars drawn, in order; None where whole episodes are


def history_draws(
    bars: Bool, name: str, seed: int, length: float, draws: int = DRAWS
) -> Iterator[Draw]:
    """Bootstrap samples of a one-path history.

    bars: (B,) the regime. Regimes are resampled by whole episodes, as many as there are; the whole
    history by stationary blocks of mean `length`. Streams depend on the regime's name only, so
    every strategy on a history sees the same draws.
    """
    ids = episode_ids(bars)
    episodes = int(ids.max(initial=-1)) + 1
    for draw in range(draws):
        generator = stream(seed, f"bootstrap/{name}", draw)
        if name == ALL:
            index = stationary_index(generator, bars.size, length)
            yield Draw(np.bincount(index, minlength=bars.size).astype(np.float64), index)
        else:
            picked = generator.integers(0, episodes, episodes)
            counts = np.bincount(picked, minlength=episodes).astype(np.float64)
            yield Draw(np.where(ids >= 0, counts[ids], 0.0), None)


def stationary_index(generator: np.random.Generator, bars: int, length: float) -> Int:
    """One circular sample of `bars` indices in blocks of geometric length, mean `length`, (B,)."""
    fresh = generator.random(bars) < 1.0 / length
    fresh[0] = True
    block = np.cumsum(fresh) - 1
    begin = np.flatnonzero(fresh)
    origin = generator.integers(0, bars, begin.size)
    return np.asarray((origin[block] + np.arange(bars) - begin[block]) % bars)


def stationary_factors(bars: int, length: float) -> Float:
    """b(k) of k = 1 … n−1: what is left of the k-th autocovariance in the bootstrap variance.

    b(k) = (1 − k/n)(1 − p)^k + (k/n)(1 − p)^(n−k), p = 1/length (Politis & Romano 1994, lemma 1;
    the second term is the circle's).
    """
    k = np.arange(1, bars)
    stay = 1.0 - 1.0 / length
    return np.asarray((1.0 - k / bars) * stay**k + (k / bars) * stay ** (bars - k))


def stationary_variance(covariances: Float, bars: int, length: float) -> float:
    """Variance of √n · mean under the stationary bootstrap, γ₀ + 2 Σ b(k) γ_k; exact.

    covariances: γ₀, γ₁, … of the sample, each divided by n; those left out count as zero.
    """
    lags = min(len(covariances), bars) - 1
    tail = np.sum(stationary_factors(bars, length)[:lags] * covariances[1 : lags + 1])
    return float(covariances[0] + 2.0 * tail)


def autocovariances(values: Float) -> Float:
    """Sample autocovariances (n,) of a series (n,), each divided by n; by the Fourier transform."""
    from scipy.fft import irfft, next_fast_len, rfft

    n = values.size
    size = next_fast_len(2 * n, real=True)
    spectrum = rfft(values - np.mean(values), size)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(irfft(power, size)[:n]) / n


def block_length(pnl: Float) -> float:
    """Mean block in bars for a history of P&L (B,): Politis & White (2004) where the data allow.

    The larger of what the P&L and its squares ask for (corrected by Patton, Politis & White 2009),
    at least 20 bars, at most a fifth of the history. Where an automatic choice is not possible
    (a constant series, very few bars), B^⅓ stands in. Give the unhedged book: the blocks are
    shared by every strategy.
    """
    bars = pnl.size
    automatic = [_politis_white(x) for x in (pnl, pnl * pnl)]
    known = [x for x in automatic if math.isfinite(x)]
    wanted = max(known) if known else math.cbrt(bars)
    return max(SHORTEST, min(wanted, bars / LEAST_BLOCKS))


def tail_block_length(losses: Float) -> float:
    """The same for the shortfall of a history, from its window losses (W,), unhedged.

    What has to fit into a block is the memory of the tail, shorter than that of the squares: the
    automatic length is that of `risk.influence`, of which the shortfall's error is made.
    """
    known = _politis_white(influence(losses))
    wanted = known if math.isfinite(known) else math.cbrt(losses.size)
    return max(SHORTEST, min(wanted, losses.size / LEAST_BLOCKS))


def _politis_white(values: Float) -> float:
    """The automatic length for the stationary bootstrap, NaN where it is undefined."""
    spread = float(np.ptp(values)) if values.size else 0.0
    if values.size < 3 * SHORTEST or not spread > 0.0:
        return math.nan
    from arch.bootstrap import optimal_block_length

    scaled = (values - np.mean(values)) / spread  # money of any size
    if not np.var(scaled) > 0.0:
        return math.nan
    return float(optimal_block_length(scaled)["stationary"].iloc[0])
