"""The one-pass kernels of a decision against what they replace, step by step in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.arrays import Bool, Float
from backtester.hedging.contract_kernel import faithful, finite, usable
from backtester.hedging.horizon import (
    LONGEST,
    SHORTEST,
    TargetDiffusion,
    horizon,
    since,
    start_diffusion,
    step_diffusion,
)
from backtester.hedging.quadratic_kernel import gross_book, pose
from backtester.hedging.risk_kernel import risk_root

INDEX = np.array([4, 1, 3])
N, K = 5, len(INDEX)
GAMMA = 3e-6


def market(rng: np.random.Generator, paths: int, rank: int) -> tuple[Float, Float, Bool]:
    """Covariances (P, N, N), exposures (P, N) partly zero, usable instruments (P, K)."""
    x = rng.normal(0, 0.02, (paths, rank, N))
    covariance = (x[:, :, :, None] * x[:, :, None, :]).sum(axis=1)
    exposure = rng.normal(0, 1e5, (paths, N)) * (rng.random((paths, N)) < 0.5)
    return covariance, exposure, rng.random((paths, K)) < 0.8


def posed(
    covariance: Float, exposure: Float, usable: Bool, linear: Float, gas: Float,
    state: TargetDiffusion, now: float, fixed: float,
) -> tuple[Float, ...]:  # fmt: skip
    """F, f, target, rate, days and weight of `pose`."""
    paths = len(exposure)
    out = (
        np.empty((paths, K + 1, K)), np.empty((paths, K + 1)), np.empty((paths, K)),
        np.empty(paths), np.empty(paths), np.empty(paths),
    )  # fmt: skip
    pose(
        covariance, exposure, INDEX, usable, linear, gas, GAMMA, fixed, SHORTEST, LONGEST,
        state.target, state.rate, *since(state, now), *out,
    )  # fmt: skip
    return out


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32), paths=st.integers(1, 6), rank=st.integers(1, 8),
    free=st.booleans(), fixed=st.sampled_from([np.nan, 2.5]), broken=st.booleans(),
)  # fmt: skip
def test_one_pass_is_the_steps_it_replaces(
    seed: int, paths: int, rank: int, free: bool, fixed: float, broken: bool
) -> None:
    rng = np.random.default_rng(seed)
    state = start_diffusion(paths, K)
    gas = np.zeros(K) if free else rng.uniform(0, 50, K)
    linear = np.zeros((paths, K)) if free else rng.uniform(0, 1e-3, (paths, K))
    for now in (0.0, 1.0, 1.0, 2.5):
        covariance, exposure, usable = market(rng, paths, rank)
        if broken:
            covariance[0] = -covariance[0] - 1e-3 * np.eye(N)
        F, f, target, psd = risk_root(covariance, exposure, INDEX, usable)
        assert psd[0] != broken
        F[~psd], target[~psd] = np.nan, 0.0
        variance = covariance[:, INDEX, INDEX]
        slow = step_diffusion(state, target, variance, now)
        days = horizon(slow, GAMMA, variance, linear, gas)
        days = days if np.isnan(fixed) else np.full(paths, fixed)
        found = posed(covariance, exposure, usable, linear, gas, state, now, fixed)
        wanted = (F, f, target, slow.rate, days, GAMMA * days)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(one, other)
        p = paths - 1  # alone, to the bit
        last = TargetDiffusion(state.target[p:], state.rate[p:], state.at)
        alone = posed(covariance[p:], exposure[p:], usable[p:], linear[p:], gas, last, now, fixed)
        for one, other in zip(alone, found, strict=True):
            np.testing.assert_array_equal(one, other[p:])
        state = slow


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), paths=st.integers(1, 4), rank=st.integers(1, 8))
def test_the_root_is_a_root_and_the_target_hedges(seed: int, paths: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    covariance, exposure, usable = market(rng, paths, rank)
    F, f, target, psd = risk_root(covariance, exposure, INDEX, usable)
    assert psd.all()
    h = rng.normal(0, 1e5, (paths, K))
    for p in range(paths):
        book = exposure[p].copy()
        book[INDEX] += h[p]
        size = np.abs(book).sum() ** 2 * covariance[p].max()
        variance = book @ covariance[p] @ book
        assert ((F[p] @ h[p] + f[p]) ** 2).sum() == pytest.approx(variance, abs=1e-7 * size + 1e-12)
        assert (target[p][~usable[p]] == 0.0).all()
        gradient = (F[p].T @ (F[p] @ target[p] + f[p]))[usable[p]]
        scale = covariance[p].max() * (np.abs(exposure[p]).sum() + np.abs(target[p]).sum())
        assert np.abs(gradient).max(initial=0.0) <= 1e-7 * scale + 1e-12


@given(seed=st.integers(0, 2**32), place=st.integers(0, 2 * N * N - 1))
def test_what_is_not_finite_or_symmetric_is_seen(seed: int, place: int) -> None:
    covariance, exposure, _ = market(np.random.default_rng(seed), 2, 6)
    assert faithful(covariance) and finite(covariance.reshape(-1))
    assert usable(covariance, exposure)
    for value in (np.nan, np.inf, -np.inf):
        lost = exposure.copy()
        lost.flat[place % lost.size] = value
        assert not usable(covariance, lost)
    at = np.unravel_index(place, covariance.shape)
    for value in (np.nan, np.inf, -np.inf):
        wrong = covariance.copy()
        wrong[at] = value
        assert not faithful(wrong)
        assert not finite(wrong.reshape(-1))
        assert not usable(wrong, exposure)
    wrong = covariance.copy()
    wrong[at] = np.nextafter(wrong[at], 1.0)
    assert faithful(wrong) == usable(wrong, exposure) == (at[1] == at[2])


@given(seed=st.integers(0, 2**32), paths=st.integers(1, 4))
def test_the_gross_book(seed: int, paths: int) -> None:
    rng = np.random.default_rng(seed)
    exposure, hedges = rng.normal(0, 1e5, (paths, N)), rng.normal(0, 1e5, (paths, K))
    exposure[0], hedges[0] = 0.0, 0.0
    found = np.empty(paths)
    gross_book(exposure, hedges, 1e-3, found)
    wanted = np.abs(exposure).sum(axis=1) + np.abs(hedges).sum(axis=1)
    assert found == pytest.approx(np.maximum(wanted, 1e-3), rel=1e-14)
