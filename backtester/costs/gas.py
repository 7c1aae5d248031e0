"""A fixed cost of every order sent: network gas, a ticket charge; whatever the size of the trade.

Cost of a trade z in one instrument: ``amount · [z ≠ 0]``. It is not convex, so it cannot be a term
of the hedge problem; `backtester.hedging.gate` weighs the same amounts after the solve (design:
"The hedge problem", fixed cost).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.costs.quote import Quote
from backtester.errors import ProblemError


@dataclass(frozen=True)
class Gas:
    """Money per instrument traded, at one event on one path."""

    amounts: Float  # (K,) money ≥ 0
    name: str = "gas"
    power: float = 0.0

    def coefficient(self, quote: Quote) -> Float:
        """The amounts, the same on every path, (1, K) money."""
        return self.amounts[None]

    def value(self, z: Float, coefficient: Float) -> Float:
        """coefficient where `z` is not zero, (P, K) money."""
        return np.where(z != 0.0, coefficient, 0.0)

    def expression(self, z: Any, coefficient: Any) -> Any:
        """Raises ProblemError: a fixed cost has no convex expression."""
        raise ProblemError(
            "a fixed cost per order is not convex and has no cvxpy expression",
            cure="It is weighed by hedging.gate after the solve.",
        )
