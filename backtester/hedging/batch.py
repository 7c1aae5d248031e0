"""The standard hedge problem of P paths as plain arrays: what the engine hands to the solvers.

Per path (design: "The hedge problem"), in money, with ``z = h - h0``:

    minimise    w/2 · ‖F h + f‖²  +  Σₖ linearₖ |zₖ|  +  Σₖ impactₖ |zₖ|^{3/2}  −  rewardᵀ h
    subject to  lower ≤ h ≤ upper,   ‖h‖₁ ≤ gross,   ‖z‖₁ ≤ turnover,   |A h − b| ≤ band

``F = Σ^½ Bᵀ`` and ``f = Σ^½ e`` are products, so that the cvxpy form is DPP; ``w = γ H``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import ClassVar

import numpy as np

from backtester.arrays import Byte, Float
from backtester.errors import ProblemError


@dataclass(frozen=True)
class HedgeBatch:
    """P problems of one shape. R rows of risk root, K hedge instruments, M neutrality rows."""

    F: Float  # (P, R, K) risk root times unit deltas of the hedges; √(1/day) per money
    f: Float  # (P, R)    risk root times the exposure; money · √(1/day)
    risk_weight: Float  # (P,)      γ · H; day / money
    reward: Float  # (P, K)    H · carry per unit of notional, dimensionless
    h0: Float  # (P, K)    hedge notionals held today, money
    linear: Float  # (P, K)    fee + half-spread per unit of |trade|, ≥ 0
    impact: Float  # (P, K)    coefficient of |trade|^{3/2}, money^{-1/2}, ≥ 0
    lower: Float  # (P, K)    money, may be −inf
    upper: Float  # (P, K)    money, may be +inf
    gross: Float  # (P,)      limit on ‖h‖₁, money, inf for none
    turnover: Float  # (P,)      limit on ‖h − h0‖₁, money, inf for none
    A: Float  # (P, M, K) neutrality rows N Bᵀ (M may be 0)
    b: Float  # (P, M)    n − N e, money
    band: Float  # (P, M)    half-width, money, ≥ 0; 0 is equality
    scale: Float  # (P,)      money each path is divided by before solving, > 0

    plain: ClassVar[bool] = False  # True where the arrays are known to be as kernels want them

    @classmethod
    def trusted(cls, **arrays: Float) -> HedgeBatch:
        """A batch of contiguous, writeable float64 arrays whose shapes are right by construction.

        Nothing is checked: it is made at every decision.
        """
        new = object.__new__(cls)
        new.__dict__.update(arrays, plain=True)
        return new

    def __post_init__(self) -> None:
        paths, roots, instruments = self.F.shape
        rows = self.A.shape[1]
        one, many, row = (paths,), (paths, instruments), (paths, rows)
        expected = (
            self.F.shape, (paths, roots), one, many, many, many, many, many, many, one, one,
            (paths, rows, instruments), row, row, one,
        )  # fmt: skip
        found = (
            self.F.shape, self.f.shape, self.risk_weight.shape, self.reward.shape, self.h0.shape,
            self.linear.shape, self.impact.shape, self.lower.shape, self.upper.shape,
            self.gross.shape, self.turnover.shape, self.A.shape, self.b.shape, self.band.shape,
            self.scale.shape,
        )  # fmt: skip
        if found == expected:
            return
        for item, have, want in zip(fields(self), found, expected, strict=True):
            if have != want:
                raise ProblemError(
                    f"HedgeBatch.{item.name} has shape {have}, expected {want}",
                    cure="Axes are (paths, rows or risk factors, instruments).",
                )

    @property
    def paths(self) -> int:
        return int(self.F.shape[0])

    @property
    def instruments(self) -> int:
        return int(self.F.shape[2])

    def select(self, index: np.ndarray) -> HedgeBatch:
        """The problems of some paths, by boolean mask or integer index."""
        return HedgeBatch(**{i.name: getattr(self, i.name)[index] for i in fields(self)})


@dataclass(frozen=True)
class HedgeSolution:
    """What came back, path by path."""

    h: Float  # (P, K) money; equals h0 where the status is not ok
    status: Byte  # (P,)   values of errors.Status
    gap: Float  # (P,)   duality gap relative to the scaled objective, from the certificate
    violation: Float  # (P,)   largest scaled violation of the limits the status did not relax
    relaxed: Float  # (P, 3) money by which turnover, gross, neutrality were relaxed (ELASTIC)
    counts: dict[str, int] = field(default_factory=dict)  # route -> number of paths
