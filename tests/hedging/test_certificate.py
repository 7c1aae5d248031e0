"""The certificate accepts what is right and, above all, rejects what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.hedging.active_set import solve_batch
from backtester.hedging.certificate import certify
from backtester.hedging.elastic import penalties


def problem(state, paths=40, K=4, seed=0, **more):
    rng = np.random.default_rng(seed)
    return state(
        paths, K, 1,
        F=np.eye(K) + 0.3 * rng.normal(size=(paths, K, K)), f=rng.normal(size=(paths, K)),
        h0=0.3 * rng.normal(size=(paths, K)), linear=0.05, lower=-1.0, upper=1.0, gross=2.0,
        turnover=2.0, A=rng.normal(size=(paths, 1, K)), band=0.1, **more,
    )  # fmt: skip


@pytest.fixture(params=[0.0, 0.1])
def solved(state, request):
    batch = problem(state, impact=request.param)
    h, multipliers, _ = solve_batch(batch, penalties(batch))
    return batch, h, multipliers


def test_right_answers_hold(solved):
    batch, h, multipliers = solved
    assert certify(batch, h, multipliers).holds().all()
    assert certify(batch, h).holds(1e-6).all()


@pytest.mark.parametrize(("error", "missed"), [(1e-2, 0.0), (1e-4, 0.0), (1e-5, 0.1)])
def test_moved_answers_fail(solved, error, missed):
    """A gap is of second order: moved by 1e-5, a hedge may still be optimal to 1e-8."""
    batch, h, multipliers = solved
    rng = np.random.default_rng(1)
    wrong = h + error * rng.choice([-1.0, 1.0], size=h.shape)
    for given_multipliers in (multipliers, None):
        check = certify(batch, np.clip(wrong, batch.lower, batch.upper), given_multipliers)
        assert check.holds().mean() <= missed


def test_wrong_multipliers_only_make_it_worse(solved):
    batch, h, multipliers = solved
    right = certify(batch, h, multipliers)
    used = np.abs(multipliers).max(axis=1) > 1e-3
    assert used.any()
    for wrong in (0.5 * multipliers, -multipliers, multipliers + 1.0):
        check = certify(batch, h, wrong)
        assert (check.gap >= right.gap - 1e-12).all()
        assert not check.holds()[used].any()


def test_no_trade_is_not_taken_for_an_optimum(state):
    batch = state(1, 2, f=1.0)
    check = certify(batch, batch.h0, np.zeros((1, 2)))
    assert check.violation[0] == 0.0
    assert check.gap[0] > 0.1


@pytest.mark.parametrize("limit", ["gross", "turnover", "upper", "band"])
def test_violations_are_seen(state, limit):
    given_limit = {limit: 0.5} | ({"band": 0.5, "b": 0.0} if limit == "band" else {})
    batch = state(1, 1, 1 if limit == "band" else 0, f=-1.0, **given_limit)
    rows = batch.A.shape[1]
    check = certify(batch, np.ones((1, 1)), np.zeros((1, rows + 2)))
    assert check.violation[0] == pytest.approx(0.5)
    assert not check.holds()[0]


def test_not_finite_answers_fail(state):
    batch = state(2, 1, f=-1.0)
    check = certify(batch, np.array([[np.nan], [np.inf]]), np.zeros((2, 2)))
    assert np.isinf(check.gap).all()
    assert np.isinf(check.violation).all()


@given(money=st.floats(1e-6, 1e12), weight=st.floats(1e-9, 1e3))
def test_the_gap_has_no_units(state, money, weight):
    """Scaling money or the objective changes neither gap nor violation."""
    one = problem(state, paths=3)
    wrong = one.h0 + 0.1
    multipliers = np.full((3, 3), 0.2)
    scaled = type(one)(
        F=one.F, f=money * one.f, risk_weight=weight / money * one.risk_weight,
        reward=weight * one.reward, h0=money * one.h0, linear=weight * one.linear,
        impact=one.impact, lower=money * one.lower, upper=money * one.upper,
        gross=money * one.gross, turnover=money * one.turnover, A=one.A, b=money * one.b,
        band=money * one.band, scale=money * one.scale,
    )  # fmt: skip
    first = certify(one, wrong, multipliers)
    second = certify(scaled, money * wrong, weight * multipliers)
    np.testing.assert_allclose(first.gap, second.gap, rtol=1e-9)
    np.testing.assert_allclose(first.violation, second.violation, rtol=1e-9, atol=1e-14)
