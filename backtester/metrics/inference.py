"""Estimates with 95 % intervals: jackknife over paths, bootstrap over episodes and blocks.

An ensemble's paths are independent, so a statistic is recomputed with one path (or one group of
paths) left out. A history is one path: its regimes are resampled by whole episodes, which keeps
what differs *between* crises, and the whole of it by the stationary bootstrap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache, lru_cache

import numpy as np

from backtester.arrays import Float, Int
from backtester.metrics.bootstrap import DRAWS
from backtester.rng import stream

CONFIDENCE = 0.95
GROUPS = 50
"""Groups of paths a tail statistic is jackknifed over; below this each path is its own group."""
NAN = float("nan")


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval and, where either is missing, the reason."""

    value: float
    low: float = NAN
    high: float = NAN
    note: str = ""

    def __post_init__(self) -> None:
        if math.isnan(self.value) and not self.note:
            raise ValueError("an estimate that is NaN needs a note saying why")

    def to_dict(self) -> dict[str, float | str | None]:
        """JSON-ready: NaN and infinities become None."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        out: dict[str, float | str | None] = {
            k: v if math.isfinite(v) else None for k, v in numbers.items()
        }
        return out | {"note": self.note}

    def columns(self, name: str) -> dict[str, float | str]:
        """Four columns of a tidy frame: ``name``, ``name_low``, ``name_high``, ``name_note``."""
        return {
            name: self.value,
            f"{name}_low": self.low,
            f"{name}_high": self.high,
            f"{name}_note": self.note,
        }


@dataclass(frozen=True)
class Sample:
    """A figure and its replicates, from which intervals and paired differences are made."""

    value: float
    replicates: Float = field(default_factory=lambda: np.empty(0))  # (R,)
    kind: str = "jackknife"  # or "bootstrap"
    note: str = ""
    bounded: bool = False  # jackknife: at most 1, made on the scale of ln(1 − value);
    # bootstrap: percentiles, which never leave the range of the statistic
    freedom: float = math.inf  # bootstrap of a tail: degrees of freedom; inf is no correction

    def estimate(self, withheld: str = "") -> Estimate:
        """The figure with its interval, or without one for the reason `withheld`."""
        if math.isnan(self.value):
            return Estimate(self.value, note=self.note or withheld or "undefined")
        if withheld:
            return Estimate(self.value, note=withheld)
        low, high = self.interval()
        note = self.note
        if math.isnan(low) and not note:
            note = "no interval: undefined on some replicates"
        return Estimate(self.value, low, high, note)

    def interval(self) -> tuple[float, float]:
        """95 % interval; NaN where a replicate is not finite or there are fewer than two."""
        if self.replicates.size < 2 or not np.isfinite(self.replicates).all():
            return NAN, NAN
        if self.kind == "bootstrap":
            if math.isfinite(self.freedom):
                # A tail rests on few independent losses: Student's t of that many, as for a mean.
                half = _student(self.freedom) * float(np.std(self.replicates, ddof=1))
                return self.value - half, self.value + half
            low, high = percentile_interval(self.replicates)
            if self.bounded:
                return low, high
            # Reflected about the value, which undoes rather than repeats the bias of a tail mean.
            return 2.0 * self.value - high, 2.0 * self.value - low
        half = jackknife_half_width(self.replicates)
        if not self.bounded:
            return self.value - half, self.value + half
        rest = 1.0 - self.value
        if not rest > 0.0:
            return self.value, self.value
        factor = math.exp(min(half / rest, 50.0))  # delta method; 50 is beyond any meaning
        return 1.0 - rest * factor, 1.0 - rest / factor

    def minus(self, other: Sample) -> Sample:
        """Paired difference; replicates must stem from the same deletions or draws."""
        note = self.note or other.note
        value = self.value - other.value
        paired = self.kind == other.kind and self.replicates.shape == other.replicates.shape
        if not paired or self.replicates.size == 0:
            return Sample(value, kind=self.kind, note=note or "no interval: not paired")
        freedom = min(self.freedom, other.freedom)
        return Sample(value, self.replicates - other.replicates, self.kind, note, freedom=freedom)


def leave_one_out(sums: Float) -> Float:
    """Totals over the first axis with one row left out at a time, (U, k).

    Forward and backward running sums are added, never a row subtracted from the total: one path
    may hold nearly all of an exponential moment.
    """
    out = np.zeros_like(sums)
    out[1:] += np.cumsum(sums[:-1], axis=0)
    out[:-1] += np.cumsum(sums[:0:-1], axis=0)[::-1]
    return out


def jackknife_half_width(replicates: Float) -> float:
    """t · √((n−1)/n · Σ(θ₍ᵢ₎ − θ̄)²) for n delete-one replicates (Efron & Tibshirani, ch. 11)."""
    n = replicates.size
    spread = replicates - replicates.mean()
    scale: float = _student(n - 1)
    return scale * math.sqrt((n - 1) / n * float(np.sum(spread * spread)))


def percentile_interval(replicates: Float) -> tuple[float, float]:
    """Percentiles of bootstrap replicates (Davison & Hinkley 1997, §5.2–5.3)."""
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(replicates, [tail, 1.0 - tail])
    return float(low), float(high)


@cache
def _student(freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2.0))


def path_groups(paths: int) -> Int:
    """Group of each path, (P,): itself up to `GROUPS` paths, then p mod GROUPS."""
    return np.arange(paths) % min(paths, GROUPS)


def bootstrap_paths(values: Float, seed: int) -> Float:
    """Medians of `values` (P,) over resampled paths, (draws,); NaN marks a path that is out.

    Draws depend on nothing but the seed, so two figures on the same paths are paired.
    """
    samples = values[_path_draws(values.size, seed)]
    if not np.isnan(values).any():
        return np.asarray(np.median(samples, axis=1))
    out = np.full(len(samples), NAN)
    for i, sample in enumerate(samples):
        here = sample[~np.isnan(sample)]
        if here.size:
            out[i] = np.median(here)
    return out


@lru_cache(maxsize=1)
def _path_draws(paths: int, seed: int) -> Int:
    """Paths in each bootstrap sample, (draws, P); the last one asked for is kept."""
    return stream(seed, "bootstrap/paths", 0).integers(0, paths, (DRAWS // 2, paths))
