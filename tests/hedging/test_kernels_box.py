"""Box-only problems side by side: the usual course, and what is left to the active set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtester.arrays import Bool, Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.direct_kernel import FEW, boxed
from backtester.hedging.kernels_box import NUMBERS, VECTORS
from backtester.hedging.quadratic_kernel import gross_book
from backtester.hedging.risk_kernel import root_block, scratch_of
from backtester.hedging.solver import solve

PATHS, K, N = 96, 4, 7
INDEX = np.arange(3, 7)


def problem(**given: Any) -> tuple[HedgeBatch, Float, Float]:
    """Hedges far from their targets, a batch of them with its covariances and exposures."""
    rng = np.random.default_rng(given.pop("seed", 1))
    moves = rng.normal(0, 0.02, (PATHS, 20, N)) + rng.normal(0, 0.03, (PATHS, 20, 1))
    covariance = (moves[:, :, :, None] * moves[:, :, None, :]).mean(axis=1)
    if given.pop("singular", False):
        covariance[:, 4], covariance[:, :, 4] = covariance[:, 3], covariance[:, :, 3]
        covariance[:, 4, 4] = covariance[:, 3, 3]
    exposure = rng.normal(0, 1e5, (PATHS, N)) * (np.arange(N) < 3)
    full = np.full((PATHS, K), 1.0)
    values: dict[str, Any] = {
        "risk_weight": np.full(PATHS, 1e-4), "reward": 0.0 * full,
        "h0": rng.normal(0, 3e4, (PATHS, K)), "linear": 2e-4 * full, "impact": 0.0 * full,
        "lower": -1e6 * full, "upper": 1e6 * full, "gross": np.full(PATHS, np.inf),
        "turnover": np.full(PATHS, np.inf),
    }  # fmt: skip
    for name, value in given.items():
        values[name] = np.broadcast_to(np.asarray(value, float), values[name].shape).copy()
    scale = np.empty(PATHS)
    gross_book(exposure, values["h0"], 1e-3, scale)
    F, f = np.empty((PATHS, K + 1, K)), np.empty((PATHS, K + 1))
    for p in range(PATHS):
        joint = np.empty((K + 1, K + 1))
        s, e = covariance[p], exposure[p]
        joint[:K, :K] = s[np.ix_(INDEX, INDEX)]
        joint[K, :K] = joint[:K, K] = s[INDEX] @ e
        joint[K, K] = e @ s @ e
        root = np.linalg.cholesky(joint + 1e-18 * np.eye(K + 1)).T
        F[p], f[p] = root[:, :K], root[:, K]
    no = np.empty((PATHS, 0))
    batch = HedgeBatch(
        F=F, f=f, scale=scale, A=np.empty((PATHS, 0, K)), b=no, band=no.copy(), **values
    )
    return batch, covariance, exposure


def answered(
    batch: HedgeBatch, covariance: Float, exposure: Float, done: Bool | None = None
) -> tuple[Bool, Float]:
    """Which paths `boxed` answers, and all hedges, NaN where it does not."""
    L, T, work, order = scratch_of(PATHS, N, K)
    target, variance = np.empty((K, PATHS)), np.empty((K, PATHS))
    every = np.ones((PATHS, K), dtype=bool)
    root_block(covariance, exposure, INDEX, every, True, L, target, variance, T, work, order)
    done = np.zeros(PATHS, dtype=bool) if done is None else done.copy()
    h = np.full((PATHS, K), np.nan)
    boxed(
        L, T, batch.risk_weight, np.ascontiguousarray(batch.h0.T), batch.linear,
        batch.lower, batch.upper, batch.gross, batch.turnover, batch.scale, done,
        np.empty(PATHS, dtype=np.int64), np.empty((K + 1, K + 1, PATHS)),
        np.empty((VECTORS, K, PATHS)), np.empty((NUMBERS, PATHS)), np.empty((K, K, PATHS)),
        np.empty((K, K, PATHS)), h,
    )  # fmt: skip
    return done, h


def test_most_paths_take_the_usual_course_and_agree_with_the_solver():
    """Yesterday's hedge, a little off: the everyday decision."""
    free, *_ = problem(linear=1e-5)
    apart = 1 + 0.1 * np.random.default_rng(2).normal(size=(PATHS, K))
    given = problem(h0=solve(free).h * apart)
    done, h = answered(*given)
    solution = solve(given[0])
    still = (solution.h == given[0].h0).all(axis=1)
    assert done[~still].mean() > 0.8
    traded = (solution.h != given[0].h0).sum(axis=1)
    assert set(traded[done]) >= {1, 2, 3}  # some instruments trade and others rest
    np.testing.assert_allclose(h[done], solution.h[done], rtol=1e-9, atol=1e-4)
    np.testing.assert_array_equal(h[done] == given[0].h0[done], (solution.h == given[0].h0)[done])
    assert np.isnan(h[~done]).all()


@pytest.mark.parametrize(
    "given",
    [
        {"singular": True}, {"gross": 1e6}, {"turnover": 1e6}, {"linear": np.nan},
        {"h0": np.inf}, {"risk_weight": np.nan}, {"lower": 2e6},
    ],
)  # fmt: skip
def test_what_is_more_than_a_box_is_left_alone(given: dict[str, Any]):
    done, h = answered(*problem(**given))
    assert not done.any()
    assert np.isnan(h).all()


def test_paths_that_run_into_their_box_are_left_to_the_active_set():
    """On the way to the optimum a bound is hit: another course than the usual one."""
    free, covariance, exposure = problem()
    best = solve(free).h
    bound = 0.8 * np.abs(best).max(axis=1, keepdims=True)
    start = np.clip(best * 0.9, -bound, bound)
    tight, covariance, exposure = problem(h0=start, lower=-bound, upper=bound)
    done, h = answered(tight, covariance, exposure)
    answer = solve(tight).h
    at_bound = (np.abs(answer) == bound).any(axis=1)
    assert at_bound.mean() > 0.9 and not (done & at_bound).all()
    np.testing.assert_allclose(h[done], answer[done], rtol=1e-9, atol=1e-4)


def test_what_is_done_stays_and_few_are_not_worth_it():
    given = problem()
    done = np.ones(PATHS, dtype=bool)
    done[: FEW - 1] = False
    after, h = answered(*given, done=done)
    np.testing.assert_array_equal(after, done)
    done[: FEW + 20] = False
    after, h = answered(*given, done=done)
    assert after.sum() > done.sum()
    assert np.isnan(h[FEW + 20 :]).all()
