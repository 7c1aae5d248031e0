"""Costs proportional to money traded: exchange fee and half-spread.

Cost of a trade of z money at rate a: ``a · |z|`` (the linear term of Boyd et al. 2017, §2.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.costs.quote import Quote


def proportional_expression(z: Any, coefficient: Any) -> Any:
    """coefficientᵀ |z| in cvxpy: what every hedge problem plans with and every term charges by."""
    import cvxpy as cp

    return coefficient @ cp.abs(z)


class _Proportional:
    """Shared algebra of the terms whose power is one."""

    power = 1.0

    def value(self, z: Float, coefficient: Float) -> Float:
        """coefficient · |z|, (P, K) money."""
        return coefficient * np.abs(z)

    def expression(self, z: Any, coefficient: Any) -> Any:
        """coefficientᵀ |z| in cvxpy."""
        return proportional_expression(z, coefficient)


@dataclass(frozen=True)
class ProportionalFee(_Proportional):
    """Exchange commission per instrument, as a fraction of money traded."""

    rates: Float  # (K,) fraction
    name: str = "fee"

    def coefficient(self, quote: Quote) -> Float:
        """The fee, the same on every path, (1, K)."""
        return self.rates[None]


@dataclass(frozen=True)
class HalfSpread(_Proportional):
    """Half the quoted spread, as the market publishes it."""

    name: str = "spread"

    def coefficient(self, quote: Quote) -> Float:
        """The half-spread, (P or 1, K)."""
        return quote.half_spread
