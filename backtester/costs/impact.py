"""Square-root market impact on depth: Y σ |z| √(|z| / depth) = coefficient · |z|^{3/2}.

Source: Almgren et al. (2005); Boyd et al. (2017), §2.3 (b = Y, V = depth); the square-root law
holds on Bitcoin metaorders (Donier & Bonart 2015). $10m at σ = 3 %/day against $10bn costs
$9,486.83 with Y = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.costs.quote import Quote
from backtester.errors import DataError


def impact_expression(z: Any, coefficient: Any) -> Any:
    """coefficientᵀ |z|^{3/2} in cvxpy: what every hedge problem plans with."""
    import cvxpy as cp

    return coefficient @ cp.power(cp.abs(z), 1.5)


@dataclass(frozen=True)
class SquareRootImpact:
    """Impact of a trade against the depth that is there."""

    scale: float  # Y, dimensionless, about 1
    name: str = "impact"
    power: float = 1.5

    def coefficient(self, quote: Quote) -> Float:
        """Y σ / √depth, (P or 1, K), money^{-1/2}; raises DataError without a depth."""
        if quote.depth is None or quote.volatility is None:
            raise DataError(
                "market impact needs the depth of the market, which the panel lacks",
                cure="Give the panel a depth field, or set the impact coefficient to 0.",
            )
        return np.asarray(self.scale * quote.volatility / np.sqrt(quote.depth))

    def value(self, z: Float, coefficient: Float) -> Float:
        """coefficient · |z|^{3/2}, (P, K) money."""
        size = np.abs(z)
        return np.asarray(coefficient * size * np.sqrt(size))

    def expression(self, z: Any, coefficient: Any) -> Any:
        """The same in cvxpy."""
        return impact_expression(z, coefficient)
