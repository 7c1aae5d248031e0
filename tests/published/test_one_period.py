"""Closed forms of the one-period hedge with costs.

Soft threshold: ``min ½A(h − h*)² + c|h − h0|`` trades to ``h* ± c/A`` or not at all (the one-period
no-trade band of half-width c/A). Quadratic cost: ``(A h* + Λ h0)/(A + Λ)`` (Gârleanu & Pedersen,
*Journal of Finance*, 2013, in one period). Square-root impact: ``A z + 3/2 c √z = A (h* − h0)``.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.hedging.batch import HedgeBatch
from backtester.hedging.solver import solve


def lone(A, target, h0, cost=0.0, impact=0.0, extra=0.0):
    """One instrument, ``½A(h − target)² + ½·extra·(h − h0)²``; all arguments (P,)."""
    A, target, h0, cost, impact, extra = np.broadcast_arrays(A, target, h0, cost, impact, extra)
    paths = A.size
    column = lambda x: np.array(x, dtype=float).reshape(paths, 1)  # noqa: E731
    F = np.stack([np.sqrt(A), np.sqrt(extra)], axis=1)[:, :, None]
    f = np.stack([-np.sqrt(A) * target, -np.sqrt(extra) * h0], axis=1)
    infinite = np.full((paths, 1), np.inf)
    return HedgeBatch(
        F=F, f=f, risk_weight=np.ones(paths), reward=column(0.0 * A), h0=column(h0),
        linear=column(cost), impact=column(impact), lower=-infinite, upper=infinite,
        gross=np.full(paths, np.inf), turnover=np.full(paths, np.inf),
        A=np.zeros((paths, 0, 1)), b=np.zeros((paths, 0)), band=np.zeros((paths, 0)),
        scale=np.maximum(np.abs(target), np.abs(h0)) + 1e-9,
    )  # fmt: skip


sizes = st.floats(-3.0, 3.0)


@given(A=st.floats(1e-3, 1e3), target=sizes, h0=sizes, cost=st.floats(0.0, 10.0))
def test_soft_threshold(A, target, h0, cost):
    solution = solve(lone(np.array([A]), target, h0, cost))
    assert solution.counts["twin"] == 1
    width = cost / A
    gap = target - h0
    exact = h0 if abs(gap) <= width else target - np.sign(gap) * width
    assert abs(solution.h[0, 0] - exact) <= 1e-9


@given(A=st.floats(1e-3, 1e3), target=sizes, h0=sizes, extra=st.floats(1e-3, 1e3))
def test_quadratic_cost(A, target, h0, extra):
    solution = solve(lone(np.array([A]), target, h0, extra=extra))
    exact = (A * target + extra * h0) / (A + extra)
    assert abs(solution.h[0, 0] - exact) <= 1e-9


@given(A=st.floats(1e-2, 1e2), target=sizes, h0=sizes, impact=st.floats(1e-3, 10.0))
def test_square_root_impact(A, target, h0, impact):
    solution = solve(lone(np.array([A]), target, h0, impact=impact))
    half = 1.5 * impact
    distance = abs(target - h0)
    root = 2.0 * A * distance / (half + np.sqrt(half**2 + 4.0 * A * A * distance))
    exact = h0 + np.sign(target - h0) * root**2
    assert abs(solution.h[0, 0] - exact) <= 1e-8


def test_no_trade_inside_the_band_is_exact():
    targets = np.linspace(-1.0, 1.0, 201)
    h = solve(lone(np.full(201, 2.0), targets, 0.123456789, cost=0.5)).h[:, 0]
    inside = np.abs(targets - 0.123456789) < 0.25
    assert (h[inside] == 0.123456789).all()
    assert (h[~inside] != 0.123456789).all()


@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.0, 0.7, 1.0])
def test_minimum_variance_hedge(correlation):
    """h* = −ρ σ_S / σ_F (Johnson, 1960; Ederington, 1979); ±1 leaves no risk."""
    spot, future = 0.05, 0.04
    root = np.array([[future * correlation], [future * np.sqrt(1.0 - correlation**2)]])
    batch = lone(np.ones(1), 1.0, 0.0)
    batch = HedgeBatch(**(vars(batch) | {"F": root[None], "f": np.array([[spot, 0.0]])}))
    h = solve(batch).h[0]
    assert h[0] == pytest.approx(-correlation * spot / future, abs=1e-9)
    if abs(correlation) == 1.0:
        assert np.abs(batch.F[0] @ h + batch.f[0]).max() < 1e-10
