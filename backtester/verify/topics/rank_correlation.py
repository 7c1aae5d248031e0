"""Rank correlations, with ties, and the normal or elliptical correlation they stand for."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.estimation.correlation import correlation
from backtester.estimation.rank import KendallCovariance, SpearmanCovariance
from backtester.verify.claim import Claim

TOPIC = "Rank correlation"
SCIPY = "example of scipy.stats.{}, with ties"
KRUSKAL = "Kruskal (1958): ρ = 2 sin(πρ_S/6)"
LINDSKOG = "Lindskog, McNeil & Schmock (2003): ρ = sin(πτ/2)"
SWAPPED = ((1.0, 2.0, 3.0, 4.0, 5.0), (1.0, 2.0, 3.0, 5.0, 4.0))
RISING = ((1.0, 2.0, 3.0, 4.0, 5.0), (5.0, 6.0, 7.0, 8.0, 7.0))
MIXED = ((12.0, 2.0, 1.0, 12.0, 2.0), (1.0, 4.0, 7.0, 1.0, 0.0))
Pairs = tuple[tuple[float, ...], tuple[float, ...]]
claim = partial(Claim, TOPIC)


def measured(kind: type[SpearmanCovariance], pairs: Pairs, mapped: bool = False) -> float:
    """Rank correlation of two columns fed bar by bar, or the correlation it is mapped to."""
    estimator = kind(window=60.0)
    state = estimator.init(1, 2)
    for row in zip(*pairs, strict=True):
        state = estimator.step(state, np.array([row]), 1.0)
    if mapped:
        return float(correlation(estimator.covariance(state))[0, 0, 1])
    return float(estimator.rank_correlation(state)[0, 0, 1])


CLAIMS = (
    claim(
        "Spearman ρ_S of (1 … 5), (5, 6, 7, 8, 7)",
        "0.8207826817",
        lambda: measured(SpearmanCovariance, RISING),
        SCIPY.format("spearmanr"),
    ),
    claim(
        "Kendall τ_b of (12, 2, 1, 12, 2), (1, 4, 7, 1, 0)",
        "-0.4714045208",
        lambda: measured(KendallCovariance, MIXED),
        SCIPY.format("kendalltau"),
    ),
    claim(
        "ρ that ρ_S = 0.9 stands for",
        "0.907981",
        lambda: measured(SpearmanCovariance, SWAPPED, mapped=True),
        KRUSKAL,
    ),
    claim(
        "ρ that τ = 0.8 stands for",
        "0.951057",
        lambda: measured(KendallCovariance, SWAPPED, mapped=True),
        LINDSKOG,
    ),
)
