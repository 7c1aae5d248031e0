"""From a modelled risk to a framed batch: which module builds it, and its quadratic stand-in."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging import custom, multi_period, robust, shortfall
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import (
    Custom,
    ExpectedShortfall,
    Modelled,
    MultiPeriod,
    Quadratic,
    Risk,
    Robust,
)
from backtester.hedging.framed import FramedBatch
from backtester.hedging.framed_solve import solve_framed


def quadratic_of(risk: Modelled) -> Quadratic:
    """The covariance that calibrates the horizon, says which directions carry no risk, and decides
    how far limits give way."""
    if isinstance(risk, Robust):
        return Quadratic(robust.stand_in(risk))
    if isinstance(risk, ExpectedShortfall):
        return Quadratic(shortfall.stand_in(risk))
    if isinstance(risk, MultiPeriod):
        return Quadratic(multi_period.stand_in(risk))
    return Quadratic(risk.covariance)


def planned_days(risk: Risk, days: Float) -> Float:
    """Holding horizon in days (P,): `days`, unless the risk is a plan of a stated length."""
    if isinstance(risk, MultiPeriod) and risk.days is not None:
        return np.full(len(days), risk.periods * float(risk.days))
    return days


def framed(
    risk: Modelled, batch: HedgeBatch, exposure: Float, index: Int, usable: Bool,
    capital: float,
) -> FramedBatch:  # fmt: skip
    """The problems of all paths under `risk`.

    Parameters
    ----------
    batch: the standard problem with the stand-in covariance.
    exposure: (P, N) money the hedge is sized for; index: (K,) columns of the instruments.
    usable: (P, K) instruments that may be held.
    """
    if isinstance(risk, Robust):
        form = robust.form(risk, exposure, index, usable)
    elif isinstance(risk, ExpectedShortfall):
        form = shortfall.form(risk, exposure, index)
    elif isinstance(risk, MultiPeriod):
        form = multi_period.form(risk, exposure, index, usable, batch.risk_weight)
    else:
        assert isinstance(risk, Custom)
        batch, form = custom.form(risk, batch, capital)
    return FramedBatch.of(batch, form, solve_framed)
