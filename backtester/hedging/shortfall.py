"""The hedge of least expected shortfall over scenarios (Rockafellar & Uryasev, J. of Risk, 2000).

With losses ℓ_s = −(e + Bᵀh)·r_s over S equally likely days,

    ES_α = min_a  a + Σ_s (ℓ_s − a)₊ / ((1 − α) S),

and the risk is ½ γ H (ES_α/k)₊², k = φ(Φ⁻¹(α))/(1 − α) the ES of a standard normal. The square
makes it comparable with a variance: γ and H keep their meaning, and the problem is a QP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from backtester.arrays import Float, Int
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import ExpectedShortfall
from backtester.hedging.framed import RiskForm, objective_size
from backtester.hedging.framed_kernels import largest_column, second_moments


def normal_shortfall(level: float) -> float:
    """ES of a standard normal at `level` in (0, 1)."""
    normal = NormalDist()
    return normal.pdf(normal.inv_cdf(level)) / (1.0 - level)


@dataclass(frozen=True)
class ShortfallTemplate:
    """½ s² with s ≥ ES/k, s ≥ 0."""

    scenarios: int
    instruments: int
    level: float
    periods: int = 1
    name: str = "ExpectedShortfall"

    def build(self, hedges: list[Any]) -> tuple[Any, list[Any]]:
        """See `backtester.hedging.framed.Template`."""
        import cvxpy as cp

        L = cp.Parameter((self.scenarios, self.instruments), name="gain")
        own = cp.Parameter(self.scenarios, name="own")
        at, beyond = cp.Variable(name="at_risk"), cp.Variable(self.scenarios, name="beyond")
        worst = cp.Variable(name="worst")
        k = normal_shortfall(self.level)
        share = 1.0 / ((1.0 - self.level) * self.scenarios)
        limits = [
            beyond >= 0.0,
            beyond >= -(L @ hedges[1]) - own - at,
            k * worst >= at + share * cp.sum(beyond),
            worst >= 0.0,
        ]
        return 0.5 * cp.square(worst), limits

    def values(
        self, arrays: Mapping[str, Float], batch: HedgeBatch
    ) -> tuple[Float, dict[str, Any]]:
        """See `backtester.hedging.framed.Template`."""
        gain, own = arrays["gain"], arrays["own"]  # (P, S, K), (P, S)
        curvature = largest_column(gain) / self.scenarios
        size = objective_size(batch.risk_weight, curvature, batch)
        root = np.sqrt(batch.risk_weight / size)
        return size, {
            "gain": gain * (root * batch.scale)[:, None, None],
            "own": own * root[:, None],
        }


def _stacked(risk: ExpectedShortfall) -> Float:
    return risk.scenarios if risk.scenarios.ndim == 3 else risk.scenarios[None]


def stand_in(risk: ExpectedShortfall) -> Float:
    """Second moments of the scenarios, (P or 1, N, N)."""
    return second_moments(_stacked(risk))


def form(risk: ExpectedShortfall, exposure: Float, index: Int) -> RiskForm:
    """The risk for exposures (P, N) in money."""
    many = _stacked(risk)
    paths, scenarios = len(exposure), many.shape[1]
    gain = np.broadcast_to(many[:, :, index], (paths, scenarios, len(index)))
    own = np.ascontiguousarray(many * exposure[:, None, :]).sum(axis=-1)
    template = ShortfallTemplate(scenarios, len(index), float(risk.level))
    return RiskForm(template, {"gain": gain, "own": own})
