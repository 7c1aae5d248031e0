"""`HedgeDecision`: what a strategy wants; the engine decides how to get there.

`risk` is a tagged union: `Quadratic` (minimise the variance of the residual exposure), `Target`
(hold stated notionals, as near as the limits allow), or one of those solved as cvxpy problems:
`Robust`, `ExpectedShortfall`, `MultiPeriod` and a strategy's own, `Custom`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float
from backtester.records import record


@dataclass(frozen=True, slots=True)
class Quadratic:
    """Variance of the residual exposure under `covariance` of simple returns."""

    covariance: Float  # (P, N, N) or (N, N), per day of trading time


@dataclass(frozen=True, slots=True)
class Target:
    """Explicit hedge notionals: no optimisation, no cost-awareness, limits still hold."""

    notional: Float  # (P, K) money


@dataclass(frozen=True, slots=True)
class Robust:
    """The worst of R regimes, each a covariance of simple returns per day of trading time.

    With `regret`, the largest regret in effectiveness over the regimes (each variance above the
    regime's own best, relative to its unhedged variance); without, the largest variance, which
    is that of the most volatile regime.
    """

    covariances: Float  # (R, N, N) or (P, R, N, N), per day of trading time
    regret: bool = True


@dataclass(frozen=True, slots=True)
class ExpectedShortfall:
    """Mean of the worst 1 − `level` of the P&L over equally likely scenarios.

    It stands for volatility: divided by that of a standard normal, it is what the same risk
    aversion is applied to, so that normal scenarios give the hedge of `Quadratic`.
    """

    scenarios: Float  # (S, N) or (P, S, N) simple returns over one day of trading time
    level: float = 0.975


@dataclass(frozen=True, slots=True)
class MultiPeriod:
    """Variance over `periods` equal periods, hedges and costs of all planned, the first one sent.

    `days` is the length of a period, None divides the study's horizon. `trade_risk` adds to each
    planned trade what the risk of its size would cost over so many periods; it is not charged.
    """

    covariance: Float  # (N, N), (P, N, N) or (P, periods, N, N), per day of trading time
    periods: int = 5
    days: float | None = None
    trade_risk: float = 0.0


@dataclass(frozen=True, slots=True)
class Custom:
    """A risk of the strategy's own, written in cvxpy; the decision holds only its numbers.

    `build(hedge, parameters)` is a static method of the strategy. It gets the hedges as a cvxpy
    expression (K,) in units of capital, and a cvxpy parameter for each of `parameters`; it answers
    a convex variance (capital² a day), or that and a list of constraints.
    """

    build: Callable[[Any, Mapping[str, Any]], Any]
    parameters: Mapping[str, Float]  # (P, …) each; what follows P is the parameter's shape
    covariance: Float  # (P, N, N) or (N, N) per day: for the horizon and for carry, as in Quadratic


Modelled = Robust | ExpectedShortfall | MultiPeriod | Custom
"""Risks solved as cvxpy problems."""

Risk = Quadratic | Target | Modelled


@dataclass(frozen=True, slots=True)
class Neutrality:
    """Linear conditions on exposure and hedges: |rows · (e + Bᵀh) − target| ≤ band, in money.

    e is the exposure the hedge is sized for: where a decision scales it, the scaled one.
    """

    rows: Float  # (M, N) or (P, M, N)
    band: Float | float = 0.0  # scalar or (P, M), half-width ≥ 0
    target: Float | float = 0.0  # scalar or (P, M)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on the hedges; the tighter of the study's and the decision's own holds.

    All in money; None is no limit. `lower`/`upper` are per instrument, (K,) or (P, K) or scalar.
    """

    lower: Float | float | None = None
    upper: Float | float | None = None
    gross: Float | float | None = None  # on the sum of absolute notionals
    turnover: Float | float | None = None  # on the sum of absolute trades of one decision

    def fault(self) -> tuple[str, str] | None:
        """What no hedge could keep or nobody can mean, and the cure; None where all is well."""
        for name in ("lower", "upper", "gross", "turnover"):
            value = getattr(self, name)
            if value is not None and np.isnan(value).any():
                return f"limits.{name} is not a number", "Give money, or None."
            if value is not None and name in ("gross", "turnover") and np.less(value, 0).any():
                return f"limits.{name} is negative ({np.min(value):g})", "Limits are in money, ≥ 0."
        lower, upper = self.lower, self.upper
        if lower is not None and upper is not None and np.greater(lower, upper).any():
            return "limits.lower exceeds limits.upper", "No hedge satisfies both; widen one."
        return None


@record
class HedgeDecision:
    """One decision on every path.

    `instruments` names the hedges to use (default: all eligible ones); the others are closed.
    `trade` (P,) says which paths may trade now; on the others the hedge is left alone.
    `eligible` (P, K) switches instruments off path by path; a hedge held there is closed.
    `scale` (P,) in [0, 1] shrinks the exposure the hedge is sized for.
    `carry` (P, K) is the strategy's forecast, per unit of notional per day, positive when a long
    earns. It may only choose among hedges of equal risk or within the neutrality band, unless
    `carry_seeking`, which is reported.
    """

    exposure: Float  # (P, N) money
    risk: Risk
    instruments: tuple[str, ...] | None = None
    trade: Bool | None = None
    eligible: Bool | None = None
    scale: Float | None = None
    carry: Float | None = None
    carry_seeking: bool = False
    neutrality: Neutrality | None = None
    limits: Limits | None = None
    signals: Mapping[str, Bool] = field(default_factory=lambda: MappingProxyType({}))
