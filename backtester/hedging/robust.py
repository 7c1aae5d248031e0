"""The hedge against the worst of several regimes, as regret in effectiveness or as variance.

Effectiveness in regime r is 1 − V_r(h)/v_r with V_r(h) = ‖F_r h + f_r‖² and v_r = V_r(0). Its
regret is (V_r(h) − min V_r)/v_r. With F_r a Cholesky root, the last row of F_r h + f_r is what no
hedge can remove, so that V_r(h) − min V_r is the square of the rows above it: no difference of
large numbers is taken. For one instrument the largest regret is least midway, by σ_F/σ_S, between
the regimes' own hedges; the largest variance over ρ in [l, u] is least at max(l, 0) σ_S/σ_F.

Money: ½ γ H v̄ max_r regret_r with v̄ the mean of v_r, or ½ γ H max_r V_r.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import Robust
from backtester.hedging.framed import RiskForm, objective_size
from backtester.hedging.framed_kernels import largest_column

SMALLEST = 1e-6
"""Regimes without unhedged variance are taken to have this share of the largest."""


@dataclass(frozen=True)
class RobustTemplate:
    """max_r ½‖F_r h + f_r‖² as ½s² with s ≥ ‖F_r h + f_r‖."""

    regimes: int
    roots: int
    instruments: int
    periods: int = 1
    name: str = "Robust"

    def build(self, hedges: list[Any]) -> tuple[Any, list[Any]]:
        """See `backtester.hedging.framed.Template`."""
        import cvxpy as cp

        worst = cp.Variable(name="worst")
        limits = []
        for r in range(self.regimes):
            F = cp.Parameter((self.roots, self.instruments), name=f"F_{r}")
            f = cp.Parameter(self.roots, name=f"f_{r}")
            limits.append(cp.norm2(F @ hedges[1] + f) <= worst)
        return 0.5 * cp.square(worst), limits

    def values(
        self, arrays: Mapping[str, Float], batch: HedgeBatch
    ) -> tuple[Float, dict[str, Any]]:
        """See `backtester.hedging.framed.Template`."""
        F, f = arrays["F"], arrays["f"]  # (P, R, rows, K), (P, R, rows)
        curvature = largest_column(F).max(axis=1)
        size = objective_size(batch.risk_weight, curvature, batch)
        root = np.sqrt(batch.risk_weight / size)
        F = F * (root * batch.scale)[:, None, None, None]
        f = f * root[:, None, None]
        found = {f"F_{r}": F[:, r] for r in range(self.regimes)}
        return size, found | {f"f_{r}": f[:, r] for r in range(self.regimes)}


def stand_in(risk: Robust) -> Float:
    """Mean covariance of the regimes, (P or 1, N, N)."""
    many = risk.covariances if risk.covariances.ndim == 4 else risk.covariances[None]
    total = many[:, 0].copy()
    for r in range(1, many.shape[1]):
        total += many[:, r]
    result: Float = total / many.shape[1]
    return result


def form(risk: Robust, exposure: Float, index: Int, usable: Bool) -> RiskForm:
    """The risk for exposures (P, N) in money; NaN where a covariance is not PSD."""
    from backtester.hedging.risk_kernel import risk_root

    many = risk.covariances if risk.covariances.ndim == 4 else risk.covariances[None]
    regimes, K = many.shape[1], len(index)
    paths = len(exposure)
    F, f = np.empty((paths, regimes, K + 1, K)), np.empty((paths, regimes, K + 1))
    for r in range(regimes):
        covariance = np.ascontiguousarray(many[:, r])
        F[:, r], f[:, r], _, psd = risk_root(
            covariance, np.ascontiguousarray(exposure), index, usable
        )
        F[~psd, r] = np.nan
    rows = K + 1
    if risk.regret:
        unhedged = (f * f).sum(axis=-1)
        largest = unhedged.max(axis=1, keepdims=True)
        floor = np.where(largest > 0.0, SMALLEST * largest, 1.0)
        mean = np.zeros(paths)
        for r in range(regimes):
            mean += unhedged[:, r] / regimes
        weight = np.where(mean > 0.0, mean, 1.0)[:, None] / np.maximum(unhedged, floor)
        root, rows = np.sqrt(weight), K
        F, f = F[:, :, :K] * root[:, :, None, None], f[:, :, :K] * root[:, :, None]
    return RiskForm(RobustTemplate(regimes, rows, K), {"F": F, "f": f})
