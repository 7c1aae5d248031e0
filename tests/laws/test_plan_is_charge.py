"""Law 4: what is planned is what is charged, and the twin agrees with cvxpy on real problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester import engine
from backtester.costs.impact import SquareRootImpact
from backtester.costs.proportional import HalfSpread, ProportionalFee
from backtester.costs.quote import Quote
from backtester.costs.terms import CostTerm
from backtester.hedging import answer
from backtester.hedging.batch import HedgeBatch, HedgeSolution
from backtester.hedging.decision import Limits
from backtester.hedging.elastic import excess
from backtester.hedging.solver import solve
from backtester.laws.bench import Bench
from backtester.setup import RunSetup

FullSetup = Callable[..., RunSetup]
TERMS: list[CostTerm] = [
    ProportionalFee(np.array([5e-4, 1e-4])),
    HalfSpread(),
    SquareRootImpact(0.7),
]
money = st.floats(-1e7, 1e7, allow_subnormal=False)


@pytest.mark.parametrize("term", TERMS, ids=lambda t: t.name)
@settings(max_examples=25)
@given(z=st.tuples(money, money), depth=st.floats(1e5, 1e10), sigma=st.floats(0.0, 0.2))
def test_expression_is_value(
    term: CostTerm, z: tuple[float, float], depth: float, sigma: float
) -> None:
    full = np.ones((1, 2))
    quote = Quote(price=100 * full, half_spread=2e-4 * full, depth=depth * full,
                  volatility=sigma * full)  # fmt: skip
    coefficient = term.coefficient(quote)
    charged = term.value(np.array([z]), coefficient).sum()
    planned = term.expression(cp.Constant(np.array(z)), coefficient[0]).value
    assert planned == pytest.approx(charged, rel=1e-12, abs=1e-12)


@contextmanager
def captured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[HedgeBatch, HedgeSolution]]]:
    """The problems the engine poses and the answers it uses."""
    kept: list[tuple[HedgeBatch, HedgeSolution]] = []

    def spy(batch: HedgeBatch, **options: Any) -> HedgeSolution:
        kept.append((batch, solve(batch, **options)))
        return kept[-1][1]

    with monkeypatch.context() as patch:
        patch.setattr(answer, "solve", spy)
        patch.setattr(answer, "direct", lambda *_: None)  # to the bit the same, but never posed
        yield kept


def objective(b: HedgeBatch, h: np.ndarray) -> np.ndarray:
    """The objective of each path, (P,) money."""
    residual = (b.F * h[:, None, :]).sum(axis=2) + b.f
    z = np.abs(h - b.h0)
    cost = (b.linear * z + b.impact * z**1.5 - b.reward * h).sum(axis=1)
    return 0.5 * b.risk_weight * (residual**2).sum(axis=1) + cost


@pytest.mark.parametrize("limited", [False, True], ids=["loose", "limited"])
def test_twin_and_cvxpy_agree_on_the_problems_strategies_pose(
    bench: Bench, full_setup: FullSetup, limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {} if limited else {"limits": Limits(lower=-3e6, upper=3e6)}
    with captured(monkeypatch) as kept:
        engine.run(bench.panel(), bench.fresh(), full_setup(bench, **changes))
    for batch, found in kept[:: max(1, len(kept) // 4)]:
        reference = solve(batch, twin=False)
        ok = np.isin(found.status, (1, 2, 3)) & np.isin(reference.status, (1, 2, 3))
        assert ok.any() or limited
        ours, theirs = objective(batch, found.h), objective(batch, reference.h)
        # worth of the problem: what is at stake between doing nothing and the optimum
        at_stake = np.abs(objective(batch, batch.h0)) + np.abs(theirs) + 1e-6
        assert (ours[ok] <= theirs[ok] + 2e-6 * at_stake[ok]).all()
        assert (excess(batch, found.h)[ok] <= 1e-6 * batch.scale[ok, None]).all()


def test_the_charge_is_what_the_problem_planned(
    bench: Bench, full_setup: FullSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filled at the price the decision saw, the money charged is the problem's own cost term."""
    panel = replace(bench.panel(), tradable=None)  # nothing planned waits or is cancelled
    setup = full_setup(bench, execution="same_close")
    with captured(monkeypatch) as kept:
        block = engine.run(panel, bench.fresh(), setup)
    prices = panel.prices[:, :, panel.indices(setup.instruments)]
    whole = {len(b.h0) for b, _ in kept} == {panel.paths}
    decided = np.flatnonzero(block.ledger.status.any(axis=1))
    assert not whole or len(decided) == len(kept)
    for t, (batch, found) in zip(decided, kept, strict=True) if whole else ():
        if not batch.linear.any():  # a stated target: costs are not weighed
            continue
        z = np.abs(block.ledger.fills[t] * prices[t])
        np.testing.assert_allclose(z, np.abs(found.h - batch.h0), rtol=1e-9, atol=1e-6)
        planned = (batch.linear * z + batch.impact * z**1.5).sum(axis=1)
        charged = block.ledger.costs[t].sum(axis=1)
        np.testing.assert_allclose(charged, planned, rtol=1e-9, atol=1e-9)
