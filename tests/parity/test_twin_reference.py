"""The batched twin against cvxpy: the same objective, limits and residual risk, path by path."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.errors import Status
from backtester.hedging.certificate import FEASIBLE, certify
from backtester.hedging.elastic import excess
from backtester.hedging.solver import solve


def assert_parity(batch, objective, share=1.0, compared=0.8):
    """Twin and reference agree; the twin needs help on none (`share` of the paths)."""
    twin, reference = solve(batch), solve(batch, twin=False)
    told = f"{twin.counts} against {reference.counts}"
    assert np.isin(twin.status, [Status.OK, Status.ELASTIC]).mean() >= share, told
    solved = (twin.status == Status.OK) & np.isin(
        reference.status, [Status.REFERENCE, Status.SECOND]
    )
    both = solved | ((twin.status == Status.ELASTIC) & (reference.status == Status.ELASTIC))
    # an honest reference fails now and then at these tolerances; it must not disagree
    assert both.mean() >= compared, told
    part, h, r = batch.select(solved), twin.h[solved], reference.h[solved]
    (ours, size), (theirs, _) = objective(part, h), objective(part, r)
    floor = np.maximum(size, 1e-300)
    assert ((ours - theirs) / floor <= 1e-8).all(), "the reference found a better hedge"
    # the reference may be worse by what its own certificate allows, and no more
    allowed = 1e-8 + 1.01 * np.maximum(reference.gap[solved], 0.0)
    assert ((theirs - ours) / floor <= allowed).all()
    assert twin.violation[solved].max(initial=0.0) <= FEASIBLE
    # residual risk is unique even where the hedge is not
    residual = np.einsum("prk,pk->pr", part.F, h - r)
    gap = 0.5 * part.risk_weight * (residual**2).sum(axis=1)
    assert (gap <= (2e-8 + 2 * reference.gap[solved]) * floor).all()
    relaxed = np.abs(twin.relaxed - reference.relaxed)[both] / batch.scale[both][:, None]
    assert relaxed.max(initial=0.0) <= 1e-5
    return twin


@pytest.mark.parametrize("K", [1, 2, 5])
def test_members(member, K, make_batch, objective):
    assert_parity(make_batch(member, seed=1, paths=12, K=K), objective)


def test_degenerate_cases(member, case, make_batch, objective):
    assert_parity(make_batch(member, seed=2, paths=3, K=4, case=case), objective, compared=0.6)


def test_thirty_instruments(member, make_batch):
    solution = solve(make_batch(member, seed=3, paths=4, K=30))
    assert np.isin(solution.status, [Status.OK, Status.ELASTIC]).all(), solution.counts


def test_rigid_answers_are_feasible_to_the_last_limit(member, make_batch):
    batch = make_batch(member, seed=4, paths=50, K=5)
    solution = solve(batch)
    rigid = solution.status == Status.OK
    over = excess(batch, solution.h)[rigid] / batch.scale[rigid][:, None]
    assert over.max(initial=0.0) <= 1e-9 * 3
    assert (solution.h >= batch.lower).all()
    assert (solution.h <= batch.upper).all()


def test_certificate_reconstructs_its_own_multipliers(member, make_batch):
    """From h alone, without the twin's multipliers."""
    batch = make_batch(member, seed=5, paths=6, K=4)
    solution = solve(batch)
    rigid = solution.status == Status.OK
    assert certify(batch.select(rigid), solution.h[rigid]).holds(1e-7).all()


@pytest.mark.slow
def test_ten_thousand(member, make_batch, objective):
    assert_parity(make_batch(member, seed=6, paths=1200, K=5), objective, share=0.999)


@pytest.mark.slow
def test_twin_needs_no_help(member, case, make_batch):
    """Help on fewer than 1 path in 50 of the degenerate cases; a problem without risk is a linear
    program, the one case where the twin may be weak and the reference does more."""
    most = 0.15 if case == "carry" else 0.02
    for K in (1, 2, 3, 5, 8, 13, 30):
        paths = 300 if K < 10 else 30
        counts = solve(make_batch(member, seed=7, paths=paths, K=K, case=case)).counts
        assert counts["reference"] + counts["second"] <= most * paths, (K, counts)
        assert counts["held"] == 0, (K, counts)
