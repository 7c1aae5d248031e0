"""A deterministic plan over several periods, of which the first trade is made.

    Σ_t  ½ γ Δ ‖F_t h_t + f_t‖²  +  ½ γ Δ q ‖G z_t‖²,   t = 1 … T

G is F_1 without its last row, Δ is the length of a period in days and q `trade_risk`: a trade costs
what the risk of its size would over q periods. Without limits and proportional costs the first
trade goes the share a/λ of the way to the target as T grows, λ = qγ and a = ½(√(γ² + 4γλ) − γ),
the fixed point of v = λ(γ + v)/(λ + γ + v) (Gârleanu & Pedersen, *Journal of Finance*, 2013). The
certainty-equivalent plan knows no diffusion of the target: its no-trade half-width is c/(A T Δ),
not the cube root of the multi-period optimum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import MultiPeriod
from backtester.hedging.framed import RiskForm, objective_size
from backtester.hedging.framed_kernels import largest_column


@dataclass(frozen=True)
class PlanTemplate:
    """Σ_t ½‖F_t h_t + f_t‖² + ½‖G z_t‖²."""

    instruments: int
    periods: int
    traded: bool  # whether trades carry a quadratic cost
    name: str = "MultiPeriod"

    def build(self, hedges: list[Any]) -> tuple[Any, list[Any]]:
        """See `backtester.hedging.framed.Template`."""
        import cvxpy as cp

        K = self.instruments
        total = 0.0
        if self.traded:
            G = cp.Parameter((K, K), name="G")
        limits = []
        for t in range(1, self.periods + 1):
            F = cp.Parameter((K + 1, K), name=f"F_{t}")
            f = cp.Parameter(K + 1, name=f"f_{t}")
            total += 0.5 * cp.sum_squares(F @ hedges[t] + f)
            if self.traded:
                z = cp.Variable(K, name=f"move_{t}")
                limits.append(z == hedges[t] - hedges[t - 1])
                total += 0.5 * cp.sum_squares(G @ z)
        return total, limits

    def values(
        self, arrays: Mapping[str, Float], batch: HedgeBatch
    ) -> tuple[Float, dict[str, Any]]:
        """See `backtester.hedging.framed.Template`."""
        F, f, G = arrays["F"], arrays["f"], arrays["G"]  # already times √(γ Δ) and √(γ q)
        curvature = largest_column(F).max(axis=1)
        curvature = np.maximum(curvature, largest_column(G))
        size = objective_size(np.ones(batch.paths), curvature, batch)
        root = 1.0 / np.sqrt(size)
        F, f = F * (root * batch.scale)[:, None, None, None], f * root[:, None, None]
        found = {f"F_{t + 1}": F[:, t] for t in range(self.periods)}
        found |= {f"f_{t + 1}": f[:, t] for t in range(self.periods)}
        if self.traded:
            found["G"] = G * (root * batch.scale)[:, None, None]
        return size, found


def stand_in(risk: MultiPeriod) -> Float:
    """Covariance of the first period, (P or 1, N, N)."""
    covariance = risk.covariance
    if covariance.ndim == 4:
        return np.ascontiguousarray(covariance[:, 0])
    return covariance if covariance.ndim == 3 else covariance[None]


def form(
    risk: MultiPeriod, exposure: Float, index: Int, usable: Bool, risk_weight: Float
) -> RiskForm:
    """The risk for exposures (P, N) in money; `risk_weight` (P,) is γ times the plan's days."""
    from backtester.hedging.risk_kernel import risk_root

    paths, K, T = len(exposure), len(index), risk.periods
    first = stand_in(risk)
    F, f = np.empty((paths, T, K + 1, K)), np.empty((paths, T, K + 1))
    for t in range(T):
        if t == 0 or risk.covariance.ndim == 4:
            now = first if t == 0 else np.ascontiguousarray(risk.covariance[:, t])
            root, level, _, psd = risk_root(
                np.ascontiguousarray(now), np.ascontiguousarray(exposure), index, usable
            )
            root[~psd] = np.nan
        F[:, t], f[:, t] = root, level
    weight = np.sqrt(risk_weight / T)
    G = F[:, 0, :K] * (weight * np.sqrt(risk.trade_risk))[:, None, None]
    return RiskForm(
        PlanTemplate(K, T, risk.trade_risk > 0.0),
        {"F": F * weight[:, None, None, None], "f": f * weight[:, None, None], "G": G},
    )
