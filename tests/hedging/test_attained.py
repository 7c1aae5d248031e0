"""A stated target inside every limit is the answer; the others are solved as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backtester.errors import Status
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.solver import solve, solve_target


def batch_of(target: np.ndarray, **changes: np.ndarray) -> HedgeBatch:
    paths, k = target.shape
    zero, one = np.zeros((paths, k)), np.ones(paths)
    F = np.zeros((paths, k + 1, k))
    F[:, np.arange(k), np.arange(k)] = 1.0
    base = HedgeBatch(
        F=F,
        f=np.concatenate([-target, np.zeros((paths, 1))], axis=1),
        risk_weight=one,
        reward=zero,
        h0=zero,
        linear=zero,
        impact=zero,
        lower=zero - 2.0,
        upper=zero + 2.0,
        gross=3.0 * one,
        turnover=one * np.inf,
        A=np.zeros((paths, 0, k)),
        b=np.zeros((paths, 0)),
        band=np.zeros((paths, 0)),
        scale=one,
    )
    return replace(base, **changes)


def test_reached_targets_come_back_to_the_bit_and_others_are_solved() -> None:
    target = np.array([[0.3, -1.1], [5.0, 0.1], [2.0, -2.0], [0.1, 0.2]])
    turnover = np.array([np.inf, np.inf, np.inf, 0.15])
    batch = batch_of(target, turnover=turnover)
    found, slow = solve_target(batch, target), solve(batch)
    assert (found.status == Status.OK).all()
    assert np.array_equal(found.h[0], target[0])
    assert np.abs(found.h - slow.h).max() <= 1e-7
    assert np.abs(found.h[2]).sum() <= 3.0 + 1e-9
    assert np.abs(found.h[3]).sum() <= 0.15 + 1e-9
    assert found.counts["twin"] == 4


def test_an_answer_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(3)
    target = rng.normal(0, 1.5, (40, 3))
    batch = batch_of(target)
    whole = solve_target(batch, target)
    for p in range(40):
        alone = solve_target(batch.select(np.array([p])), target[p : p + 1])
        assert np.array_equal(alone.h[0], whole.h[p])


def test_what_is_not_finite_or_costs_something_is_not_waved_through() -> None:
    target = np.array([[np.nan, 0.0], [0.5, 0.5]])
    linear = np.array([[0.0, 0.0], [0.6, 0.6]])
    found = solve_target(batch_of(target, linear=linear), target)
    assert found.status.tolist() == [Status.INVALID, Status.OK]
    assert found.h[0].tolist() == [0.0, 0.0]
    assert found.h[1].tolist() == [0.0, 0.0]  # the cost of .6 a unit exceeds the slope of .5
