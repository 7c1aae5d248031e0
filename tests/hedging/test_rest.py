"""Paths that rest are answered from the slopes: the same answer as the active set's, to the bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.arrays import Bool
from backtester.hedging.active_set import CERTIFIED, attempt
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.elastic import penalties
from backtester.hedging.kernels import jit
from backtester.hedging.kernels_rest import rests

K, R = 3, 4


@jit
def _resting(F, f, w, reward, h0, linear, lower, upper, gross, turnover, out):  # type: ignore[no-untyped-def]
    residual = np.empty(F.shape[1])
    for p in range(F.shape[0]):
        out[p] = rests(
            F[p], f[p], w[p], reward[p], h0[p], linear[p], lower[p], upper[p], gross[p],
            turnover[p], residual,
        )  # fmt: skip


def resting(b: HedgeBatch) -> Bool:
    """(P,) which paths `rests` answers."""
    out = np.empty(b.paths, dtype=np.bool_)
    _resting(
        b.F, b.f, b.risk_weight, b.reward, b.h0, b.linear, b.lower, b.upper, b.gross, b.turnover,
        out,
    )  # fmt: skip
    return out


def batch_of(seed: int, paths: int, limited: bool, impact: bool, free: bool) -> HedgeBatch:
    """Problems near their optimum, so that some rest and some do not."""
    rng = np.random.default_rng(seed)
    root = np.triu(rng.normal(0, 0.02, (paths, R, K))) + 0.02 * np.eye(R, K)
    h0 = rng.normal(0, 1e5, (paths, K))
    f = -(root * h0[:, None, :]).sum(axis=2) + rng.normal(0, 30, (paths, R))
    wide = np.full((paths, K), 3e5)
    inf = np.full(paths, np.inf)
    held = np.abs(h0).sum(axis=1)
    return HedgeBatch(
        F=root, f=f, risk_weight=np.full(paths, 1e-5), reward=np.zeros((paths, K)), h0=h0,
        linear=np.full((paths, K), 0.0 if free else 3e-6),
        impact=np.full((paths, K), 1e-6 if impact else 0.0), lower=-wide, upper=wide,
        gross=held * rng.choice([0.9, 1.1], paths) if limited else inf,
        turnover=rng.choice([0.0, 1e3], paths) if limited else inf,
        A=np.zeros((paths, 0, K)), b=np.zeros((paths, 0)), band=np.zeros((paths, 0)),
        scale=held + 1e6,
    )  # fmt: skip


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), limited=st.booleans(), impact=st.booleans(), free=st.booleans())
def test_a_path_that_rests_is_what_the_active_set_answers(
    seed: int, limited: bool, impact: bool, free: bool
) -> None:
    batch = batch_of(seed, 8, limited, impact, free)
    still = resting(batch)
    found = attempt(batch)
    solved = attempt(batch, penalties(batch))  # penalties that are given: always the active set
    assert (found.code[still] == CERTIFIED).all()
    assert np.array_equal(found.h[still], batch.h0[still])
    assert np.array_equal(found.h, solved.h)
    assert np.array_equal(found.gap, solved.gap)
    if free:
        assert not still.any()


def test_both_kinds_occur_and_a_limit_that_is_broken_is_not_rest() -> None:
    batch = batch_of(7, 400, False, False, False)
    still = resting(batch)
    assert 20 < still.sum() < 380
    p = int(np.flatnonzero(still)[0])
    for item, value in (("upper", batch.h0[p] - 1.0), ("gross", 0.5 * np.abs(batch.h0[p]).sum())):
        arrays = {i.name: getattr(batch, i.name).copy() for i in fields(batch)}
        arrays[item][p] = value
        assert not resting(HedgeBatch(**arrays))[p]
