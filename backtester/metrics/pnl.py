"""Turnover, cost drag, carry, P&L and the price of volatility, as rates a year.

Every function takes sums pooled over bars and paths (elementwise over replicates) and is NaN where
its base is not positive. `exposure_years` is Σ exposure · years: the money at risk and how long.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.metrics.hedge import ratio

BASIS_POINTS = 1e4
PERCENT = 100.0


def turnover(traded: Float, exposure_years: Float) -> Float:
    """Money traded as a multiple of the exposure a year."""
    return ratio(traded, exposure_years)


def rate_on_exposure(money: Float, exposure_years: Float) -> Float:
    """Basis points of exposure a year: cost drag (positive = paid), carry (positive = received)."""
    return BASIS_POINTS * ratio(money, exposure_years)


def rate_on_capital(money: Float, years: Float, capital: float) -> Float:
    """Basis points of capital a year: P&L gross or net."""
    return BASIS_POINTS * ratio(money, years) / capital


def volatility_percent(square_per_exposure: Float, years: Float) -> Float:
    """Root mean square P&L per exposure, % a year, from Σ (pnl/exposure)²."""
    return PERCENT * np.sqrt(ratio(square_per_exposure, years))


def price_of_volatility(cost: Float, carry: Float, exposure_years: Float, removed: Float) -> Float:
    """Basis points of exposure paid a year for each percentage point of volatility removed.

    Paid is trading cost less carry received by the hedges, so it is negative where the hedge
    earns more carry than it costs. `removed`: percentage points a year (`volatility_percent` of
    the unhedged less that of the hedged book before costs). NaN where none was removed.
    """
    return ratio(rate_on_exposure(cost - carry, exposure_years), removed)
