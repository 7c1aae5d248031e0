"""The jump model against an independent implementation and against brute force."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.arrays import Float
from backtester.regimes.fit_kernels import (
    history_features,
    scatter_of,
    split_starts,
    two_sided,
)
from backtester.regimes.jump_kernels import cheapest_path, fit_jump


def blocks(seed: int) -> Float:
    """Three regimes in blocks, two features."""
    rng = np.random.default_rng(seed)
    level = np.repeat([0, 1, 0, 2, 1, 0], [120, 40, 90, 60, 50, 140])
    centre = np.array([[0.0, 0.0], [2.0, -1.0], [-1.5, 2.0]])
    return np.asarray(centre[level] + rng.standard_normal((len(level), 2)))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.0, 5.0))
def test_the_path_is_the_cheapest_of_all(seed: int, penalty: float) -> None:
    loss = np.random.default_rng(seed).random((7, 3))
    path, value = cheapest_path(loss, penalty)

    def cost(states: tuple[int, ...]) -> float:
        here = sum(loss[t, s] for t, s in enumerate(states))
        return float(here + penalty * sum(a != b for a, b in pairwise(states)))

    assert value == pytest.approx(min(cost(s) for s in product(range(3), repeat=7)), abs=1e-12)
    assert cost(tuple(path.tolist())) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("penalty", [2.0, 5.0, 20.0, 80.0])
def test_same_optimum_as_jumpmodels(penalty: float) -> None:
    from jumpmodels.jump import JumpModel

    for seed in range(3):
        x = blocks(seed)
        starts = split_starts(x, np.array([0.2, 0.6, 0.1]), np.array([0.8, 0.9, 0.4]))
        centres, path, value, ended = fit_jump(x, starts, penalty, 100)
        peer = JumpModel(n_components=3, jump_penalty=penalty, random_state=0, n_init=10)
        peer.fit(x, sort_by="freq")
        assert ended
        assert value <= peer.val_ + 1e-6 * abs(peer.val_)  # never a worse optimum than theirs
        if value == pytest.approx(peer.val_, rel=1e-9):
            together = path[:, None] == path
            np.testing.assert_array_equal(together, peer.labels_[:, None] == peer.labels_)
            assert np.isfinite(centres).all()


def test_a_large_penalty_makes_one_regime_and_none_makes_k_means() -> None:
    x = blocks(1)
    starts = split_starts(x, np.array([0.2]), np.array([0.8]))
    assert len(np.unique(fit_jump(x, starts, 1e6, 100)[1])) == 1
    centres, path, _, _ = fit_jump(x, starts, 0.0, 200)
    nearest = ((x[:, None] - centres[None]) ** 2).sum(axis=-1).argmin(axis=1)
    np.testing.assert_array_equal(path, nearest)


def test_one_turn_is_not_enough_and_says_so() -> None:
    x = blocks(2)
    assert not fit_jump(x, split_starts(x, np.array([0.2]), np.array([0.8])), 5.0, 1)[3]


def test_two_sided_mean_is_the_direct_sum() -> None:
    x = np.random.default_rng(0).standard_normal((40, 2))
    weight = 0.5 ** (np.abs(np.arange(40)[:, None] - np.arange(40)) / 4.0)
    direct = (weight[:, :, None] * x[None]).sum(axis=1) / weight.sum(axis=1)[:, None]
    np.testing.assert_allclose(two_sided(x, 4.0), direct, rtol=1e-12)


def test_history_features_see_a_switch_from_both_sides() -> None:
    rng = np.random.default_rng(4)
    z = rng.standard_normal((800, 2))
    rho = np.where(np.arange(800) < 400, 0.9, 0.0)
    clean = np.stack([rho * z[:, 1] + np.sqrt(1 - rho**2) * z[:, 0], z[:, 1]], axis=1)
    pair = clean * np.where(np.arange(800) < 400, 1.0, 3.0)[:, None]
    x = history_features(clean, pair, np.zeros(800), 6.0)
    assert x[:380, 0].mean() > 1.2 and abs(x[420:, 0].mean()) < 0.25
    assert x[420:, 1].mean() - x[:380, 1].mean() == pytest.approx(np.log(9.0), abs=0.3)


def test_scatter_is_the_covariance_of_a_state_or_its_robust_twin() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([[2.0, 0.9], [0.9, 1.0]])
    x = rng.standard_normal((6000, 2)) @ np.linalg.cholesky(truth).T
    path = (np.arange(6000) >= 3000).astype(np.int64)
    both = scatter_of(x, path, 3, 0.0, 0.0, 5)[:2]
    direct = np.stack([x[:3000].T @ x[:3000], x[3000:].T @ x[3000:]]) / 3000
    np.testing.assert_allclose(both, direct, rtol=1e-10)
    heavy = x / np.sqrt(rng.chisquare(8.0, 6000) / 8.0)[:, None]
    fitted = scatter_of(heavy, np.zeros(6000, dtype=np.int64), 1, 8.0, 0.0, 60)[0]
    np.testing.assert_allclose(fitted, truth, rtol=0.06)
    empty = scatter_of(x[:50], np.zeros(50, dtype=np.int64), 3, 8.0, 10.0, 10)
    np.testing.assert_allclose(empty[2], x[:50].T @ x[:50] / 50, rtol=1e-5)
