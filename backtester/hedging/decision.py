"""`HedgeDecision`: what a strategy wants; the engine decides how to get there.

`risk` is a tagged union: `Quadratic` (minimise the variance of the residual exposure) or `Target`
(hold stated notionals, as near as the limits allow).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from backtester.arrays import Bool, Float


@dataclass(frozen=True, slots=True)
class Quadratic:
    """Variance of the residual exposure under `covariance` of simple returns."""

    covariance: Float  # (P, N, N) or (N, N), per day of trading time


@dataclass(frozen=True, slots=True)
class Target:
    """Explicit hedge notionals: no optimisation, no cost-awareness, limits still hold."""

    notional: Float  # (P, K) money


Risk = Quadratic | Target


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


@dataclass(frozen=True, slots=True)
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
