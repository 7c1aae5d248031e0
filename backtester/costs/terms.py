"""The protocol of a cost term: one algebra that plans (cvxpy) and charges (numpy over paths)."""

from __future__ import annotations

from typing import Any, Protocol

from backtester.arrays import Float
from backtester.costs.quote import Quote


class CostTerm(Protocol):
    """A cost of trading, separable over instruments: coefficient · |z|^power, in money.

    Convex but for power 0, a fixed cost of every trade that is not zero (`costs.gas`).
    """

    @property
    def name(self) -> str:
        """Key of the term in ledgers and reports."""
        ...

    @property
    def power(self) -> float:
        """1 for proportional terms, 1.5 for square-root impact, 0 for a fixed cost."""
        ...

    def coefficient(self, quote: Quote) -> Float:
        """(P or 1, K) ≥ 0, money^(1 − power); one row where all paths share it."""
        ...

    def value(self, z: Float, coefficient: Float) -> Float:
        """Cost in money of trading `z` money, (P, K)."""
        ...

    def expression(self, z: Any, coefficient: Any) -> Any:
        """The same as a cvxpy expression of the trade variable and a parameter, summed over K."""
        ...
