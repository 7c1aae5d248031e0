"""Cheap ways out: the answer is that of the long way, and the certificate does not look away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtester.hedging import active_set, kernels_path
from backtester.hedging.certificate import certify
from backtester.hedging.elastic import penalties
from backtester.hedging.kernels_valid import valid_paths
from backtester.hedging.solver import solve


def random(state, paths=200, K=5, rows=0, seed=0, **more):
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(0.5 + 0.5 * np.eye(K)).T
    F = root * rng.uniform(0.5, 2.0, size=(paths, 1, K))
    values = {
        "F": F, "f": rng.normal(size=(paths, K)), "h0": 0.3 * rng.normal(size=(paths, K)),
        "linear": 0.3 * rng.uniform(size=(paths, K)), "lower": -1.0, "upper": 1.0,
    }  # fmt: skip
    return state(paths, K, rows, **(values | more))


@pytest.mark.parametrize("limits", [{}, {"gross": 9.0}, {"turnover": 9.0, "gross": 9.0}])
def test_no_trade_is_exact_and_certified(state, limits):
    batch = random(state, linear=20.0, **limits)
    solution = solve(batch)
    assert np.array_equal(solution.h, batch.h0)
    assert solution.counts["twin"] == batch.paths
    assert solution.gap.max() <= 1e-14


def test_no_trade_ends_where_trading_starts(state):
    """One instrument: the band is |h0 − target| ≤ cost / risk, to rounding."""
    edge = np.array([1.0 - 1e-9, 1.0 + 1e-9])[:, None]
    batch = state(2, 1, f=-1.0, linear=edge)
    h = solve(batch).h[:, 0]
    assert h[0] == pytest.approx(1e-9, rel=1e-6)
    assert h[1] == 0.0


def test_no_trade_from_outside_the_box_stops_at_its_edge(state):
    batch = random(state, linear=20.0, lower=-0.1, upper=0.1)
    assert np.array_equal(solve(batch).h, np.clip(batch.h0, -0.1, 0.1))


@pytest.mark.parametrize("impact", [0.0, 0.1])
def test_slack_limits_change_nothing(state, impact):
    """Without rows the bookkeeping of rows is skipped; with slack rows it is not."""
    bare = random(state, impact=impact)
    carried = replace(bare, gross=np.full(bare.paths, 50.0), turnover=np.full(bare.paths, 50.0))
    short, long = solve(bare), solve(carried)
    assert (short.h != bare.h0).any(axis=1).mean() > 0.5
    np.testing.assert_allclose(short.h, long.h, rtol=1e-12, atol=1e-12)
    assert short.counts == long.counts


@pytest.mark.parametrize("full", [False, True])
def test_zeros_in_front_of_a_risk_root_are_only_skipped(state, full):
    """The same risk from a triangular root and from a rotated one, without zeros."""
    batch = random(state)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    other = replace(batch, F=np.ascontiguousarray(turn @ batch.F), f=batch.f @ turn.T)
    if full:
        other = replace(
            other,
            F=np.concatenate([0.0 * other.F, other.F], axis=1),
            f=np.concatenate([0.0 * other.f, other.f], axis=1),
        )
    np.testing.assert_allclose(solve(batch).h, solve(other).h, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rows", [0, 1])
def test_one_pass_says_what_its_parts_say(state, rows):
    """Validity, penalties, twin and certificate in one call against one after the other."""
    batch = random(state, rows=rows, band=0.05, turnover=1.0, gross=2.0)
    found = active_set.attempt(batch)
    h, multipliers, solved = active_set.solve_batch(batch, penalties(batch))
    check = certify(batch, h, multipliers)
    assert valid_paths(batch).all()
    assert np.array_equal(found.h, h)
    assert np.array_equal(found.multipliers, multipliers)
    assert np.array_equal(found.gap, check.gap)
    assert np.array_equal(found.violation, check.violation)
    certified = found.code == active_set.CERTIFIED
    assert np.array_equal(certified, check.holds() & (solved == 1))
    assert found.certified == certified.sum() > 0


def test_invalid_paths_are_left_alone(state):
    batch = random(state, paths=3)
    batch.linear[1, 2] = np.nan
    found = active_set.attempt(batch)
    assert found.code.tolist() == [active_set.CERTIFIED, active_set.INVALID, active_set.CERTIFIED]
    assert np.isinf(found.gap[1])


def test_a_wrong_way_out_is_not_certified(state, monkeypatch):
    """The pass with its solver replaced by one that never trades: only true no-trades pass."""

    def lazy(F, f, w, reward, h0, linear, impact, lower, upper, gross, turnover, A, b, band,
             scale, penalty, V, N, W, Q, L, C, Y, S, limits, h, multipliers):  # fmt: skip
        h[:] = np.clip(h0, lower, upper)
        multipliers[:] = 0.0
        return True

    batch = random(state, paths=40)
    right = solve(batch)
    trading = (right.h != batch.h0).any(axis=1)
    assert trading.any()
    monkeypatch.setattr(active_set, "solve_path", lazy)
    for name in ("valid_path", "price", "check_path", "run_path", "run_paths"):  # so that it acts
        monkeypatch.setattr(active_set, name, getattr(active_set, name).py_func)
    monkeypatch.setattr(active_set, "twin_paths", active_set.twin_paths.py_func)
    found = active_set.attempt(batch)
    moved = np.abs(right.h - batch.h0).max(axis=1) > 1e-3
    assert moved.any()
    assert (found.code[moved] == active_set.SOLVED).all()
    assert (found.code[~trading] == active_set.CERTIFIED).all()
    assert kernels_path.solve_path is not lazy
    routed = solve(batch)
    assert routed.counts["reference"] > 0
    np.testing.assert_allclose(routed.h, right.h, atol=1e-3)
