"""How well a hedge worked: pooled effectiveness, residual volatility and beta, closed forms.

Every realised figure is a ratio of sums over bars *and* paths, taken before dividing: the mean of
per-path ratios is biased wherever a path is short (methods, corrections). Moments are uncentred:
a drift the hedge failed to remove counts as risk. P&L is per unit of exposure, so that bars with
a large book do not decide alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backtester.arrays import Bool, Float


def per_exposure(pnl: Float, exposure: Float) -> Float:
    """P&L per unit of gross exposure, (B, P); zero where there was nothing to hedge."""
    return np.asarray(np.divide(pnl, exposure, out=np.zeros_like(pnl), where=exposure > 0.0))


def effectiveness_of(hedged_square: npt.ArrayLike, unhedged_square: npt.ArrayLike) -> Float:
    """1 − Σ hedged² / Σ unhedged² from pooled sums, elementwise; NaN where nothing was at risk."""
    return 1.0 - ratio(hedged_square, unhedged_square)


def ratio(top: npt.ArrayLike, bottom: npt.ArrayLike) -> Float:
    """top / bottom elementwise, NaN where the bottom is not positive; never a warning."""
    over, under = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    missing = np.full(over.shape, np.nan)
    return np.asarray(np.divide(over, under, out=missing, where=under > 0.0))


def hedging_effectiveness(
    hedged: Float, unhedged: Float, exposure: Float, bars: Bool | None = None
) -> float:
    """Pooled hedging effectiveness HE = 1 − Σ(hedged/exposure)² / Σ(unhedged/exposure)².

    Parameters
    ----------
    hedged, unhedged: money per bar, (B, P); give gross or net P&L of the hedged book.
    exposure: gross exposure at the start of each bar, money, (B, P).
    bars: which bars count, (B, P); all where None.

    Returns NaN where the unhedged book did not move. Ederington (1979) with uncentred moments.
    """
    keep = np.ones(hedged.shape, dtype=bool) if bars is None else bars
    over = per_exposure(hedged, exposure)[keep]
    under = per_exposure(unhedged, exposure)[keep]
    return float(effectiveness_of(np.sum(over * over), np.sum(under * under)))


def residual_volatility(pnl: Float, years: float) -> float:
    """Root mean square P&L a year, money: √(Σ pnl² / years); `years` summed over all bars."""
    return float(np.sqrt(ratio(np.sum(pnl * pnl), years)))


def residual_beta(hedged: Float, unhedged: Float, exposure: Float) -> float:
    """Slope through the origin of hedged on unhedged P&L per exposure: what is left of one unit."""
    over, under = per_exposure(hedged, exposure), per_exposure(unhedged, exposure)
    return float(ratio(np.sum(over * under), np.sum(under * under)))


def minimum_variance_ratio(exposed: Float, hedge: Float) -> tuple[float, float, float]:
    """Minimum-variance hedge ratio, correlation and in-sample effectiveness of two return series.

    h* = Cov(dS, dF) / Var(dF), ρ, HE = ρ² (Johnson 1960; Ederington 1979; Hull, Table 3.2).
    exposed, hedge: (n,) changes, n ≥ 2; NaN where a series is constant.
    """
    spot, futures = exposed - exposed.mean(), hedge - hedge.mean()
    covariance = np.sum(spot * futures)
    both = np.sqrt(np.sum(spot * spot) * np.sum(futures * futures))
    correlation = float(ratio(covariance, both))
    return float(ratio(covariance, np.sum(futures * futures))), correlation, correlation**2


def contracts(hedge_ratio: float, position: float, contract_size: float) -> float:
    """Number of futures N* = h* · Q_A / Q_F, unrounded."""
    return hedge_ratio * position / contract_size


def stale_effectiveness(then: Float | float, now: Float | float, k: float = 1.0) -> Float:
    """Effectiveness of a hedge sized for correlation ρ₀ where it has become ρ₁.

    HE = 2 ρ₀ ρ₁ k − ρ₀² k², k the change of the volatility ratio σ_F/σ_S; holds at constant
    notional. Zero at ρ₁ = ρ₀k/2, negative below: the hedge adds risk. [methods A2, derived]
    """
    before, after = np.asarray(then, float), np.asarray(now, float)
    return np.asarray(2.0 * before * after * k - (before * k) ** 2)


def out_of_sample_effectiveness(
    effectiveness: float, observations: int, instruments: int = 1
) -> float:
    """Expected effectiveness on new bars of a ratio estimated by least squares.

    E[HE] = ρ² − (1 − ρ²) N/(T − N − 2) for normal returns, N instruments and T observations, with
    an intercept. [methods A2, derived: the expected prediction error of a normal regression]
    NaN where T ≤ N + 2: the expectation does not exist.
    """
    spare = observations - instruments - 2
    if spare <= 0:
        return float("nan")
    return effectiveness - (1.0 - effectiveness) * instruments / spare
