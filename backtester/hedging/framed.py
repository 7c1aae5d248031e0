"""The hedge problem in cvxpy around any convex risk: costs and limits are the study's.

    minimise    risk(h₁ … h_T)  +  Σ_t cost(z_t)  −  reward Σ_t h_t / T  +  ½ε ‖z‖²
    subject to  the limits of `HedgeBatch` on every h_t and z_t,   z_t = h_t − h_{t−1}

T is 1 but for `MultiPeriod`; the first hedge is the answer. Money is divided by the path's scale,
the objective by its own size. ε is small: it sends ties to the hedge nearest h₀.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.costs.impact import impact_expression
from backtester.costs.proportional import proportional_expression
from backtester.errors import ProblemError
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.framed_kernels import largest_column
from backtester.hedging.generic import BatchedProblem
from backtester.hedging.problem import PROXIMAL, UNBOUNDED


class Template(Hashable, Protocol):
    """What a kind of risk compiles to; hashable, so that it is compiled once."""

    @property
    def name(self) -> str:
        """What a message calls it."""

    @property
    def periods(self) -> int:
        """Hedges planned, T."""

    def build(self, hedges: list[Any]) -> tuple[Any, list[Any]]:
        """Risk as a cvxpy expression of the hedges, in units of the scale, and its constraints.

        `hedges` are h₀ (which holds today's) and h₁ … h_T. Parameters carry the names of `values`.
        """

    def values(
        self, arrays: Mapping[str, Float], batch: HedgeBatch
    ) -> tuple[Float, dict[str, Any]]:
        """Size (P,) of the objective in money, and the parameters (P, …), divided by it."""


@dataclass(frozen=True)
class RiskForm:
    """A risk of P paths: a template and its numbers."""

    template: Template
    arrays: Mapping[str, Float]  # (P, …) each

    def select(self, index: Bool | Int) -> RiskForm:
        """The risk of some paths."""
        return RiskForm(self.template, {name: a[index] for name, a in self.arrays.items()})

    def finite(self, paths: int) -> Bool:
        """Whether every number of a path is finite, (P,)."""
        good = np.ones(paths, dtype=np.bool_)
        for array in self.arrays.values():
            good &= np.isfinite(array).reshape(paths, -1).all(axis=1)
        return good


class FramedBatch(HedgeBatch):
    """A batch whose risk is a `RiskForm`; F and f are those of its stand-in covariance.

    `fields` and `replace` see the standard problem only, which decides about infeasible limits.
    """

    form: RiskForm
    answer: Callable[[FramedBatch], HedgeSolution]

    @classmethod
    def of(
        cls, batch: HedgeBatch, form: RiskForm, answer: Callable[[FramedBatch], HedgeSolution]
    ) -> FramedBatch:
        """The same limits, costs and hedges under another risk, and what solves it."""
        new = cls(**{item.name: getattr(batch, item.name) for item in fields(batch)})
        object.__setattr__(new, "form", form)
        object.__setattr__(new, "answer", answer)
        return new

    def standard(self) -> HedgeBatch:
        """The standard problem with the stand-in covariance."""
        return HedgeBatch(**{item.name: getattr(self, item.name) for item in fields(self)})

    def select(self, index: np.ndarray) -> FramedBatch:
        """The problems of some paths, by boolean mask or integer index."""
        return FramedBatch.of(self.standard().select(index), self.form.select(index), self.answer)


@dataclass(frozen=True)
class Flags:
    """Which parts of the frame a path needs; a path's own, whatever its neighbours need."""

    instruments: int
    rows: int
    lower: bool
    upper: bool
    gross: bool
    turnover: bool
    impact: bool


def flags(batch: HedgeBatch) -> list[tuple[Flags, Int]]:
    """Paths that share a frame: (flags, index), together every path once."""
    parts = np.stack(
        [
            np.isfinite(batch.lower).any(axis=1), np.isfinite(batch.upper).any(axis=1),
            np.isfinite(batch.gross), np.isfinite(batch.turnover), (batch.impact > 0).any(axis=1),
        ],
        axis=1,
    )  # fmt: skip
    found = []
    for row in np.unique(parts, axis=0):
        index = np.flatnonzero((parts == row).all(axis=1))
        own = Flags(batch.instruments, int(batch.A.shape[1]), *(bool(x) for x in row))
        found.append((own, index))
    return found


@lru_cache(maxsize=64)
def compiled(template: Template, need: Flags) -> BatchedProblem:
    """The compiled frame around a risk, built once per process.

    Raises ProblemError where the risk is not convex and disciplined in its parameters (DPP).
    """
    import cvxpy as cp

    K = need.instruments
    p = {
        name: cp.Parameter(K, name=f"frame_{name}", nonneg=name in ("linear", "impact"))
        for name in ("x0", "reward", "linear")
    }
    for name, shape, wanted in (
        ("lower", K, need.lower), ("upper", K, need.upper), ("impact", K, need.impact),
        ("gross", (), need.gross), ("turnover", (), need.turnover),
        ("A", (need.rows, K), need.rows > 0), ("b", need.rows, need.rows > 0),
        ("band", need.rows, need.rows > 0),
    ):  # fmt: skip
        if wanted:
            p[name] = cp.Parameter(shape, name=f"frame_{name}", nonneg=name == "impact")
    p["tie"] = cp.Parameter(name="frame_tie", nonneg=True)
    hedges, limits, cost = [p["x0"]], [], 0.0
    for t in range(template.periods):
        x = cp.Variable(K, name="hedge" if t == 0 else f"hedge_{t}")
        z = cp.Variable(K, name=f"trade_{t}")
        limits.append(z == x - hedges[-1])
        cost += proportional_expression(z, p["linear"]) + 0.5 * p["tie"] * cp.sum_squares(z)
        cost -= p["reward"] @ x / template.periods
        if need.impact:
            cost += impact_expression(z, p["impact"])
        if need.lower:
            limits.append(x >= p["lower"])
        if need.upper:
            limits.append(x <= p["upper"])
        if need.gross:
            limits.append(cp.norm1(x) <= p["gross"])
        if need.turnover:
            limits.append(cp.norm1(z) <= p["turnover"])
        if need.rows:
            miss = p["A"] @ x - p["b"]
            limits += [miss <= p["band"], -miss <= p["band"]]
        hedges.append(x)
    risk, own = template.build(hedges)
    if not risk.is_convex() or not risk.is_scalar():
        raise ProblemError(
            f"{template.name}: the risk is not a convex scalar",
            cure="Build it from convex cvxpy functions of the hedge, such as sum_squares.",
        )
    try:
        return BatchedProblem(cp.Problem(cp.Minimize(risk + cost), [*limits, *own]))
    except ProblemError as error:
        raise ProblemError(f"{template.name}: {error.what}", cure=error.cure) from error


def values(batch: HedgeBatch, need: Flags, size: Float) -> dict[str, Float]:
    """The frame's parameters (P, …): money by the scale, the objective by `size` (P,)."""
    scale = batch.scale
    slope = (scale / size)[:, None]
    bound = UNBOUNDED * (1.0 + np.abs(batch.h0).max(axis=1) / scale)
    wide = bound[:, None]
    curvature = largest_column(batch.F)
    share = batch.risk_weight * scale**2 * curvature / size
    found = {
        "tie": PROXIMAL * np.where(share > 0.0, np.minimum(share, 1.0), 1.0),
        "x0": batch.h0 / scale[:, None],
        "reward": slope * batch.reward,
        "linear": slope * batch.linear,
    }
    if need.impact:
        found["impact"] = slope * np.sqrt(scale)[:, None] * batch.impact
    if need.lower:
        found["lower"] = np.maximum(batch.lower / scale[:, None], -wide)
    if need.upper:
        found["upper"] = np.minimum(batch.upper / scale[:, None], wide)
    if need.gross:
        found["gross"] = batch.gross / scale
    if need.turnover:
        found["turnover"] = batch.turnover / scale
    if need.rows:
        unit = np.abs(batch.A).max(axis=2)
        unit = np.where(unit > 0.0, unit, 1.0)
        found["A"] = batch.A / unit[:, :, None]
        found["b"] = batch.b / (scale[:, None] * unit)
        found["band"] = np.minimum(batch.band / (scale[:, None] * unit), 100.0 * wide)
    return {f"frame_{name}": array for name, array in found.items()}


def objective_size(weight: Float, curvature: Float, batch: HedgeBatch) -> Float:
    """(P,) what the objective is divided by: its largest second derivative times scale², or carry.

    weight: (P,) of ½‖F h + f‖²; curvature: (P,) largest squared column of F.
    """
    size = weight * batch.scale**2 * curvature
    size = np.maximum(size, batch.scale * np.abs(batch.reward).max(axis=1))
    return np.where(size > 0.0, size, batch.scale)
