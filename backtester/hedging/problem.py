"""The hedge problem in cvxpy: the reference the batched twin is held to, compiled once per shape.

Parameters are the products F, f, A, b …, normalised (money by the path's scale, the objective by
its own size, the risk root by the square root of its weight), so the problem is DPP. cvxpy is
imported on first use: importing the package must not wait for it.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.costs.impact import impact_expression
from backtester.costs.proportional import proportional_expression
from backtester.errors import ProblemError
from backtester.hedging.batch import HedgeBatch

PROXIMAL = 1e-8
"""Weight of ½‖h − h0‖² beside a risk matrix of largest diagonal 1: ties go to the nearest hedge,
as in the twin, which takes the bias out again and so can do with less."""

UNBOUNDED = 1e4
"""What an infinite bound is replaced by, in units of the scale."""

SETTINGS: dict[str, dict[str, Any]] = {
    "CLARABEL": {
        "tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13, "max_iter": 200,
        "reduced_tol_gap_abs": 1e-7, "reduced_tol_gap_rel": 1e-7, "reduced_tol_feas": 1e-9,
    },
    "DAQP": {"primal_tol": 1e-11, "dual_tol": 1e-11, "eps_prox": 1e-6, "eta_prox": 1e-13},
    "SCS": {"eps_abs": 1e-11, "eps_rel": 1e-11, "max_iters": 200_000},
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a solver said about one path; `ok` is its own word, still to be certified."""

    h: Float  # (K,) money
    ok: bool
    infeasible: bool  # the solver claims the limits cannot all hold


@dataclass(frozen=True)
class Shape:
    """What a compiled problem depends on; everything else is a parameter."""

    instruments: int
    roots: int
    rows: int
    impact: bool
    gross: bool
    turnover: bool
    elastic: bool = False

    @classmethod
    def of(cls, batch: HedgeBatch, elastic: bool = False) -> Shape:
        """The shape of a batch of one path."""
        return cls(
            instruments=batch.instruments,
            roots=int(batch.F.shape[1]),
            rows=int(batch.A.shape[1]),
            impact=bool((batch.impact > 0).any()),
            gross=bool(np.isfinite(batch.gross).any()),
            turnover=bool(np.isfinite(batch.turnover).any()),
            elastic=elastic,
        )


class HedgeProblem:
    """One compiled cvxpy problem; see `backtester.hedging.batch` for what is minimised.

    With ``shape.elastic`` turnover, gross and neutrality carry slacks priced by the penalties of
    `backtester.hedging.elastic`; the box never does.

    Raises
    ------
    ProblemError: the problem is not convex and disciplined in its parameters (DPP).
    """

    def __init__(self, shape: Shape) -> None:
        import cvxpy as cp

        K, M = shape.instruments, shape.rows
        self.shape = shape
        self._slacks: list[tuple[int, Any]] = []
        self.x = cp.Variable(K, name="hedge")
        z = cp.Variable(K, name="trade")
        p = self.parameters = {
            "F": cp.Parameter((shape.roots, K)),
            "f": cp.Parameter(shape.roots),
            "reward": cp.Parameter(K),
            "x0": cp.Parameter(K),
            "linear": cp.Parameter(K, nonneg=True),
            "lower": cp.Parameter(K),
            "upper": cp.Parameter(K),
        }
        cost = 0.5 * cp.sum_squares(p["F"] @ self.x + p["f"]) - p["reward"] @ self.x
        cost += proportional_expression(z, p["linear"]) + 0.5 * PROXIMAL * cp.sum_squares(z)
        if shape.impact:
            p["impact"] = cp.Parameter(K, nonneg=True)
            cost += impact_expression(z, p["impact"])
        limits = [z == self.x - p["x0"], self.x >= p["lower"], self.x <= p["upper"]]
        if shape.elastic:
            p["penalty"] = cp.Parameter(3, nonneg=True)
        for name, held, place in (
            ("turnover", cp.norm1(z), 0),
            ("gross", cp.norm1(self.x), 1),
        ):
            if getattr(shape, name):
                p[name] = cp.Parameter()
                limits.append(held <= p[name] + self._slack(place, 1))
        if M:
            p["A"], p["b"], p["band"] = cp.Parameter((M, K)), cp.Parameter(M), cp.Parameter(M)
            exceeding = self._slack(2, M)
            miss = p["A"] @ self.x - p["b"]
            limits += [miss <= p["band"] + exceeding, -miss <= p["band"] + exceeding]
        if shape.elastic:
            cost += sum(p["penalty"][place] * cp.sum(s) for place, s in self._slacks)
        self.problem = cp.Problem(cp.Minimize(cost), limits)
        if not self.problem.is_dcp(dpp=True):
            raise ProblemError(
                f"the hedge problem of shape {shape} is not DPP",
                cure="Make every parameter enter affinely; products of data are parameters.",
            )

    def _slack(self, place: int, size: int) -> Any:
        """A slack variable for a limit that may give way; 0 in the rigid form."""
        import cvxpy as cp

        if not self.shape.elastic:
            return 0.0
        slack = cp.Variable(size, nonneg=True)
        self._slacks.append((place, slack))
        return slack if size > 1 else slack[0]

    def solve(
        self, batch: HedgeBatch, solver: str = "CLARABEL", penalty: Float | None = None
    ) -> Answer:
        """Solve a batch of one path with tight tolerances.

        Parameters
        ----------
        batch: one path (P = 1) of this shape.
        solver: a solver cvxpy knows; `SETTINGS` holds the tolerances.
        penalty: (3,) of turnover, gross and neutrality, needed by the elastic form.
        """
        import cvxpy as cp

        self._set(batch, penalty)
        held = Answer(batch.h0[0].copy(), False, False)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.problem.solve(solver=solver, warm_start=False, **SETTINGS.get(solver, {}))
        except (cp.error.SolverError, cp.error.DCPError, ValueError, ArithmeticError):
            return held
        status, x = self.problem.status, self.x.value
        if status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
            return Answer(held.h, False, True)
        if x is None or not np.isfinite(x).all():
            return held
        h = np.clip(np.asarray(x) * batch.scale[0], batch.lower[0], batch.upper[0])
        return Answer(h, status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE), False)

    def _set(self, batch: HedgeBatch, penalty: Float | None) -> None:
        """Parameter values of one path, normalised as in the twin."""
        scale, F = float(batch.scale[0]), batch.F[0]
        weight = float(batch.risk_weight[0]) * scale * scale
        size = weight * float(np.einsum("rk,rk->k", F, F).max(initial=0.0))
        size = max(size, scale * float(np.abs(batch.reward[0]).max())) or scale
        root, slope = np.sqrt(weight / size), scale / size
        bound = UNBOUNDED * (1.0 + float(np.abs(batch.h0[0]).max()) / scale)
        values: dict[str, Any] = {
            "F": root * F,
            "f": (root / scale) * batch.f[0],
            "reward": slope * batch.reward[0],
            "x0": batch.h0[0] / scale,
            "linear": slope * batch.linear[0],
            "impact": slope * np.sqrt(scale) * batch.impact[0],
            "lower": np.maximum(batch.lower[0] / scale, -bound),
            "upper": np.minimum(batch.upper[0] / scale, bound),
            "turnover": min(float(batch.turnover[0]) / scale, 100.0 * bound),
            "gross": min(float(batch.gross[0]) / scale, 100.0 * bound),
        }
        if self.shape.rows:
            unit = np.abs(batch.A[0]).max(axis=1)
            unit = np.where(unit > 0.0, unit, 1.0)
            values["A"] = batch.A[0] / unit[:, None]
            values["b"] = batch.b[0] / (scale * unit)
            values["band"] = np.minimum(batch.band[0] / (scale * unit), 100.0 * bound)
        if self.shape.elastic and penalty is not None:
            values["penalty"] = penalty * slope
        for name, parameter in self.parameters.items():
            parameter.value = values[name]


@lru_cache(maxsize=64)
def compiled(shape: Shape) -> HedgeProblem:
    """The compiled problem of a shape, built once per process."""
    return HedgeProblem(shape)
