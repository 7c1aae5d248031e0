"""A path's answer does not depend on the paths beside it: to the bit."""

from __future__ import annotations

import numpy as np

from backtester.hedging.solver import solve


def fields(solution):
    return solution.h, solution.status, solution.gap, solution.violation, solution.relaxed


def test_permuting_paths_permutes_answers(member, make_batch):
    batch = make_batch(member, seed=10, paths=64, K=5)
    order = np.random.default_rng(0).permutation(64)
    for one, two in zip(fields(solve(batch)), fields(solve(batch.select(order))), strict=True):
        assert np.array_equal(one[order], two)


def test_together_is_alone(member, make_batch):
    batch = make_batch(member, seed=11, paths=12, K=5)
    together = solve(batch)
    for p in range(12):
        alone = solve(batch.select(np.array([p])))
        for one, two in zip(fields(together), fields(alone), strict=True):
            assert np.array_equal(one[p], two[0])


def test_neighbours_of_any_kind_change_nothing(member, make_batch, concatenate):
    batch = make_batch(member, seed=12, paths=8, K=4)
    bad = make_batch(member, seed=13, paths=8, K=4, case="huge")
    bad.F[::2] = np.nan
    mixed = solve(concatenate(bad, batch))
    for one, two in zip(fields(solve(batch)), fields(mixed), strict=True):
        assert np.array_equal(one, two[8:])


def test_inputs_are_left_alone_and_may_be_read_only_or_strided(make_batch):
    batch = make_batch("limits", seed=14, paths=6, K=4)
    before = {name: array.copy() for name, array in vars(batch).items()}
    plain = solve(batch)
    strided = type(batch)(
        **{name: np.asfortranarray(np.repeat(array, 2, axis=0)[::2])
           for name, array in before.items()}
    )  # fmt: skip
    for array in vars(strided).values():
        array.flags.writeable = False
    assert np.array_equal(plain.h, solve(strided).h)
    for name, array in before.items():
        assert np.array_equal(array, getattr(batch, name))
