"""Sharpe ratios deflated for the number of trials (Bailey & López de Prado 2012, 2014).

A hedge pays a premium for a smaller loss: its Sharpe ratio is often below zero and never ranks it.
Where one is shown, it stands beside the chance that it is luck. All ratios here are per bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError

EULER = float(np.euler_gamma)


LEAST_BARS = 20
"""Below so many, skewness and kurtosis are noise and an annual ratio is a multiple of luck."""


@dataclass(frozen=True)
class SharpeFigures:
    """Moments of one P&L sample; all NaN, with the reason in `note`, where it has no spread."""

    sharpe: float  # mean / standard deviation, per bar
    skewness: float
    kurtosis: float  # Pearson's: 3 for a normal law
    bars: int
    note: str = ""


def sharpe_figures(pnl: Float) -> SharpeFigures:
    """Per-bar Sharpe ratio, skewness and Pearson kurtosis of P&L of any shape, pooled.

    The standard deviation has n in its denominator, as in the papers; P&L is already in excess of
    a numeraire that earns nothing.
    """
    sample = np.asarray(pnl, dtype=np.float64).ravel()
    nothing = (math.nan, math.nan, math.nan, int(sample.size))
    if sample.size < LEAST_BARS:
        why = f"{sample.size} bars: {LEAST_BARS} needed for a Sharpe ratio"
        return SharpeFigures(*nothing, note=why)
    mean = float(np.mean(sample))
    centred = sample - mean
    spread = math.sqrt(float(np.mean(centred * centred)))
    # A constant sample leaves only the rounding of its mean.
    if not spread > 1e-13 * float(np.max(np.abs(sample))):
        return SharpeFigures(*nothing, note="zero variance: the P&L never changed")
    scaled = centred / spread
    return SharpeFigures(
        mean / spread,
        float(np.mean(scaled**3)),
        float(np.mean(scaled**4)),
        int(sample.size),
    )


def probabilistic_sharpe(figures: SharpeFigures, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds `benchmark`, both per bar.

    PSR = Φ[(SR − SR*) √(T−1) / √(1 − γ₃ SR + (γ₄−1)/4 · SR²)] (Bailey & López de Prado 2012);
    NaN where the ratio is undefined.
    """
    from scipy.special import ndtr

    ratio = figures.sharpe
    if math.isnan(ratio):
        return math.nan
    spread = 1.0 - figures.skewness * ratio + (figures.kurtosis - 1.0) / 4.0 * ratio * ratio
    if not spread > 0.0:  # moments no sample can have
        return math.nan
    return float(ndtr((ratio - benchmark) * math.sqrt(figures.bars - 1) / math.sqrt(spread)))


def expected_maximum(trials: int) -> float:
    """Expected largest of `trials` independent standard normals, to their approximation; 0 of one.

    (1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e)). Raises ConfigError for fewer than one.
    """
    from scipy.special import ndtri

    if trials < 1:
        raise ConfigError(f"{trials} trials", cure="Give how many were tried, at least 1.")
    if trials == 1:
        return 0.0
    first = ndtri(1.0 - 1.0 / trials)
    return float((1.0 - EULER) * first + EULER * ndtri(1.0 - 1.0 / (trials * math.e)))


def deflated_benchmark(variance: float, trials: int) -> float:
    """SR₀: the best per-bar Sharpe ratio of `trials` without skill.

    variance: of the trials' per-bar ratios.
    """
    return math.sqrt(variance) * expected_maximum(trials)


def deflated_sharpe(figures: SharpeFigures, variance: float, trials: int) -> float:
    """DSR: the PSR against what the best of so many trials reaches by luck (2014)."""
    return probabilistic_sharpe(figures, deflated_benchmark(variance, trials))


def least_years(trials: int, target: float = 1.0) -> float:
    """Minimum backtest length: years below which the best of `trials` without skill is expected to
    show an annual Sharpe ratio of `target` (Bailey, Borwein, López de Prado & Zhu 2014)."""
    return (expected_maximum(trials) / target) ** 2


@dataclass(frozen=True)
class Sharpe:
    """The Sharpe ratio of one strategy on one market, deflated; NaN has its reason in `note`."""

    strategy: str
    market: str
    regime: str
    figures: SharpeFigures
    bars_per_year: float
    probability: float  # PSR against zero
    benchmark: float  # SR₀, per bar
    deflated: float  # DSR
    trials: int
    note: str = ""

    @property
    def annual(self) -> float:
        """The ratio times √(bars a year)."""
        return self.figures.sharpe * math.sqrt(self.bars_per_year)

    def to_dict(self) -> dict[str, object]:
        """JSON-ready; NaN as None."""
        numbers = {
            "sharpe": self.figures.sharpe,
            "sharpe_annual": self.annual,
            "skewness": self.figures.skewness,
            "kurtosis": self.figures.kurtosis,
            "probabilistic": self.probability,
            "benchmark": self.benchmark,
            "benchmark_annual": self.benchmark * math.sqrt(self.bars_per_year),
            "deflated": self.deflated,
        }
        return {
            "strategy": self.strategy,
            "market": self.market,
            "regime": self.regime,
            **{k: v if math.isfinite(v) else None for k, v in numbers.items()},
            "bars": self.figures.bars,
            "bars_per_year": self.bars_per_year,
            "trials": self.trials,
            "note": self.note,
        }


@dataclass(frozen=True)
class Measured:
    """What a deflated ratio needs of one book, before the other trials are known."""

    strategy: str
    market: str
    regime: str
    figures: SharpeFigures
    bars_per_year: float
    tried: tuple[float, ...] = field(default=())  # per-bar ratios of its other parameter sets


def deflated(measured: tuple[Measured, ...], trials: int) -> tuple[Sharpe, ...]:
    """Every book of one market and regime, deflated by the spread of all that was tried there.

    trials: books, parameter sets and what the user tried before. The variance of the trials'
    ratios is estimated from those that are known; with fewer than two there is none, and the
    deflated ratio says so.
    """
    known = [m.figures.sharpe for m in measured] + [s for m in measured for s in m.tried]
    finite = np.array([s for s in known if math.isfinite(s)])
    variance = float(np.var(finite, ddof=1)) if finite.size > 1 else math.nan
    out = []
    for m in measured:
        note = m.figures.note
        benchmark = ratio = math.nan
        if math.isfinite(variance):
            benchmark = deflated_benchmark(variance, trials)
            ratio = probabilistic_sharpe(m.figures, benchmark)
        else:
            note = note or "fewer than two ratios: their spread is unknown"
        out.append(
            Sharpe(
                m.strategy,
                m.market,
                m.regime,
                m.figures,
                m.bars_per_year,
                probabilistic_sharpe(m.figures),
                benchmark,
                ratio,
                trials,
                note,
            )
        )
    return tuple(out)
