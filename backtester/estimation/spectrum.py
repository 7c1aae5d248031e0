"""Eigenvalues of a correlation matrix that is nothing but sampling noise."""

from __future__ import annotations

import math

from backtester.errors import ConfigError


def marchenko_pastur_edges(assets: int, observations: float) -> tuple[float, float]:
    """Least and largest eigenvalue, in the limit, of the sample correlation of independent assets.

    (1 ∓ √q)², q = assets/observations: an eigenvalue above the upper edge is more than noise
    (Marchenko & Pastur, *Math. USSR-Sbornik* 1, 1967). With q > 1 the lower edge is that of the
    eigenvalues that are not zero. observations: a number, effective if the estimate is weighted.

    Raises ConfigError unless both are positive.
    """
    if not (assets > 0 and observations > 0.0):
        raise ConfigError(
            f"noise edges of {assets} assets over {observations} observations do not exist",
            cure="Give at least one asset and a positive number of observations.",
        )
    root = math.sqrt(assets / observations)
    return (1.0 - root) ** 2, (1.0 + root) ** 2
