"""Online covariance of simple returns per day of trading time, for every path at once, by name.

Every estimator has one interface: `init(paths, assets)`, `step(state, returns, elapsed)`,
`covariance(state)`. All are uncentred and scale a bar by its length, so that hourly and daily bars
of the same prices estimate the same matrix.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float
from backtester.errors import ConfigError, did_you_mean
from backtester.estimation.covariance_base import (
    CovarianceEstimator,
    EwmaCovariance,
    LedoitWolf,
    SampleCovariance,
)
from backtester.estimation.dcc import DynamicCorrelation
from backtester.estimation.factor import FactorCovariance
from backtester.estimation.rank import KendallCovariance, SpearmanCovariance
from backtester.estimation.shrinkage import ShrinkTo

__all__ = [
    "Covariance",
    "CovarianceEstimator",
    "DynamicCorrelation",
    "EwmaCovariance",
    "FactorCovariance",
    "KendallCovariance",
    "LedoitWolf",
    "SampleCovariance",
    "SpearmanCovariance",
    "compile_estimators",
    "covariance_estimator",
    "estimate",
]


class Covariance(StrEnum):
    """Names of the covariance estimators, as a strategy's parameter."""

    EWMA = "ewma"
    SAMPLE = "sample"
    LEDOIT_WOLF = "ledoit_wolf"
    CCC = "ccc"  # GARCH variances, constant correlation
    DCC = "dcc"
    CDCC = "cdcc"
    SPEARMAN = "spearman"
    KENDALL = "kendall"
    FACTOR = "factor"


@lru_cache(maxsize=64)
def covariance_estimator(
    name: Covariance | str,
    *,
    halflife: float = 30.0,
    window: float = 60.0,
    target: ShrinkTo = ShrinkTo.IDENTITY,
    a: float = 0.025,
    b: float = 0.965,
    alpha: float = 0.09,
    beta: float = 0.89,
    factors: int = 1,
) -> CovarianceEstimator:
    """The estimator called `name`.

    Parameters
    ----------
    halflife: of ``"ewma"`` and ``"factor"``, trading days.
    window: of ``"sample"``, ``"ledoit_wolf"``, ``"spearman"`` and ``"kendall"``, trading days.
    target: what ``"ledoit_wolf"`` shrinks towards.
    a, b: of ``"dcc"`` and ``"cdcc"``, per day.
    alpha, beta: of the variances of ``"ccc"``, ``"dcc"`` and ``"cdcc"``, per day.
    factors: of ``"factor"``.

    Raises ConfigError for an unknown name, a length of time that is not positive, or weights out of
    bounds.
    """
    known = [member.value for member in Covariance]
    if name not in known:
        raise ConfigError(
            f"unknown covariance estimator {name!r}", cure=did_you_mean(str(name), known)
        )
    if name == Covariance.EWMA:
        return EwmaCovariance(halflife)
    if name == Covariance.FACTOR:
        return FactorCovariance(halflife, factors)
    if name == Covariance.SAMPLE:
        return SampleCovariance(window)
    if name == Covariance.LEDOIT_WOLF:
        return LedoitWolf(window, target)
    if name == Covariance.SPEARMAN:
        return SpearmanCovariance(window)
    if name == Covariance.KENDALL:
        return KendallCovariance(window)
    if name == Covariance.CCC:
        return DynamicCorrelation(a=0.0, b=0.0, alpha=alpha, beta=beta)
    return DynamicCorrelation(a, b, alpha, beta, corrected=name == Covariance.CDCC)


def estimate(estimator: CovarianceEstimator, state: Any) -> tuple[Float, dict[str, Bool]]:
    """Covariance (P, N, N) per day, and signals (P,) of what had to be done to it.

    ``correlation_repaired``: the estimate was not PSD and was moved to the nearest that is.
    """
    if isinstance(estimator, SpearmanCovariance):
        covariance, repairs = estimator.estimate(state)
        return covariance, {"correlation_repaired": repairs.repaired}
    return estimator.covariance(state), {}


def compile_estimators() -> None:
    """Compile the kernels of every estimator, for one path of two assets."""
    returns = np.array([[0.01, -0.02]])
    for name in Covariance:
        estimator = covariance_estimator(name, window=3.0)
        state = estimator.init(1, 2)
        for _ in range(5):
            state = estimator.step(state, returns, 1.0)
        estimator.covariance(state)
