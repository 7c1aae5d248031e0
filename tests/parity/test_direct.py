"""The one-pass kernel of the usual decision against assembly and solver, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.accounting.book import Book
from backtester.arrays import Bool, Float
from backtester.hedging import answer
from backtester.hedging.answer import Desk, Hedged, direct, hedged
from backtester.hedging.assemble import HedgeSettings, assemble
from backtester.hedging.decision import HedgeDecision, Limits, Neutrality, Quadratic
from backtester.hedging.horizon import TargetDiffusion, start_diffusion
from backtester.hedging.solver import solve

N = 6
CAPITAL = 1e6


class Case:
    """A random book, its decision and its costs on P paths, K of the N assets hedging."""

    def __init__(self, seed: int, paths: int, k: int, **given: Any) -> None:
        rng = np.random.default_rng(seed)
        self.paths, self.k = paths, k
        assets, size = max(N, k + 2), given.get("size", 1.0)
        index = np.sort(rng.choice(assets if k > N else N, k, replace=False))
        moves = rng.normal(0, 0.02, (paths, given.get("rank", 9), assets)) + rng.normal(
            0, 0.02, (paths, given.get("rank", 9), 1)
        )
        covariance = (moves[:, :, :, None] * moves[:, :, None, :]).mean(axis=1)
        if given.get("one"):
            covariance = covariance[0]
        price = rng.uniform(50, 150, (paths, assets))
        units = size * rng.normal(0, 1e3, (paths, assets)) * (rng.random(assets) < 0.6)
        # from far away to next to the optimum: on many paths nothing gains by trading
        hedge_units = rng.normal(0, 1e3, (paths, k)) * rng.choice([0.0, 0.01, 1.0], (paths, 1))
        hedge_units *= size * given.get("drifted", 1.0)
        self.book = Book(
            price, np.ascontiguousarray(price[:, index]), units, hedge_units, np.zeros(paths),
            index, CAPITAL * size,
        )  # fmt: skip
        self.names = tuple(f"H{i}" for i in range(k))
        rows = None
        if given.get("neutral"):
            rows = Neutrality(np.ones((1, assets)), 1e4 * size)
        eligible: Bool | None = None
        if given.get("eligible"):
            eligible = rng.random((paths, k)) < 0.7
        self.decision = HedgeDecision(
            exposure=self.book.exposure, risk=Quadratic(covariance), neutrality=rows,
            eligible=eligible,
        )  # fmt: skip
        level = rng.choice([0.0, 1e-4, 1e-2])
        self.rates = (
            rng.uniform(0, 1, (paths, k)) * level,
            np.full((paths, k), 1e-7 if given.get("impact") else 0.0),
        )
        self.settings = HedgeSettings(
            CAPITAL * size,
            horizon=given.get("horizon"),
            limits=Limits(
                lower=-2 * CAPITAL * size, upper=2 * CAPITAL * size,
                gross=scaled(given.get("gross"), size),
                turnover=scaled(given.get("turnover"), size),
            ),
        )  # fmt: skip
        target = size * rng.normal(0, 1e5, (paths, k))
        self.diffusion = (
            TargetDiffusion(target, size * size * rng.uniform(1e8, 1e10, paths), 3.0)
            if given.get("later")
            else start_diffusion(paths, k)
        )

    def desk(self, gas: Float | None = None) -> Desk:
        """What stays the same."""
        return Desk.of(self.names, self.settings, self.paths, gas)

    def short(self) -> Hedged | None:
        """The one-pass kernel."""
        return direct(self.decision, self.book, self.rates, self.desk(), self.diffusion, 4.5)

    def long(self) -> tuple[Float, Float, TargetDiffusion, dict[str, int]]:
        """Assembly, then the solver: hedges, horizon, diffusion and routes."""
        batch, after, days = assemble(
            self.decision, self.book, self.names, self.rates, self.settings, self.diffusion, 4.5
        )
        solution = solve(batch)
        return solution.h, days, after, solution.counts


def scaled(limit: float | None, size: float) -> float | None:
    """A limit in money of another size."""
    return None if limit is None else limit * size


flags = st.fixed_dictionaries(
    {
        "size": st.sampled_from([1.0, 1.0, 1e-9, 1e3]),  # books of 1e-3 and of 1e9
        "drifted": st.sampled_from([1.0, 1.0, 100.0]),  # far outside the box
        "rank": st.sampled_from([1, 3, 9]),
        "one": st.booleans(),
        "neutral": st.sampled_from([False, False, True]),
        "eligible": st.booleans(),
        "impact": st.sampled_from([False, False, True]),
        "horizon": st.sampled_from([None, 1.0]),
        "gross": st.sampled_from([None, 3e5]),
        "turnover": st.sampled_from([None, 2e4]),
        "later": st.booleans(),
    }
)


@settings(max_examples=150)
@given(
    seed=st.integers(0, 2**32),
    paths=st.integers(1, 70),
    k=st.integers(1, N) | st.just(30),
    given=flags,
)
def test_the_short_way_is_the_long_way_to_the_bit(
    seed: int, paths: int, k: int, given: dict[str, Any]
) -> None:
    case = Case(seed, paths, k, **given)
    found, (h, days, after, counts) = case.short(), case.long()
    # It goes through exactly where the twin is certified on every path.
    assert (found is not None) == (counts["twin"] == paths)
    if found is None:
        return
    np.testing.assert_array_equal(found.h, h)
    np.testing.assert_array_equal(found.days, days)
    np.testing.assert_array_equal(found.diffusion.target, after.target)
    np.testing.assert_array_equal(found.diffusion.rate, after.rate)
    assert found.diffusion.at == after.at
    assert found.counts == {"twin": paths} and (found.status == 1).all() and found.slack is None


def test_both_kinds_of_paths_are_met() -> None:
    """The law above means little if every path trades, or none."""
    case = Case(5, 200, 4, later=True)
    found = case.short()
    assert found is not None
    still = (found.h == case.book.hedges).all(axis=1)
    assert 0.02 < still.mean() < 0.98


@pytest.mark.parametrize("broken", ["risk", "cost", "hedge"])
def test_a_path_that_cannot_be_posed_goes_the_long_way(broken: str) -> None:
    case = Case(3, 80, 3)
    covariance = case.decision.risk.covariance.copy()  # type: ignore[union-attr]
    if broken == "risk":
        covariance[71] = -covariance[71]
    if broken == "cost":
        case.rates[0][71, 1] = np.nan
    if broken == "hedge":
        case.book.hedge_units[71, 0] = np.inf
    case.decision = HedgeDecision(exposure=case.book.exposure, risk=Quadratic(covariance))
    assert case.short() is None
    trade = np.ones(80, dtype=bool)
    found = hedged(case.decision, case.book, trade, case.rates, case.desk(), case.diffusion, 4.5)
    assert found.counts["invalid"] == 1 and found.counts["twin"] == 79
    assert found.status[71] != found.status[70]


def test_what_is_not_usual_is_left_to_the_long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(4, 5, 3)

    def never(*_: Any) -> None:
        raise AssertionError("the short way was taken")

    some = np.array([True, False, True, True, True])
    every = np.ones(5, dtype=bool)
    monkeypatch.setattr(answer, "direct", never)
    rest = (case.rates, case.desk(), case.diffusion, 4.5)
    partial = hedged(case.decision, case.book, some, *rest)
    assert np.isnan(partial.days[1]) and np.isfinite(partial.days[0])
    np.testing.assert_array_equal(partial.h[1], case.book.hedges[1])
    assert sum(partial.counts.values()) == 4
    dear = (case.rates, case.desk(np.full(3, 5.0)), case.diffusion, 4.5)
    gas = hedged(case.decision, case.book, every, *dear)
    assert "gated" in gas.counts
    none = hedged(case.decision, case.book, ~every, *rest)
    assert none.counts == {} and np.isnan(none.days).all()
    monkeypatch.undo()
    for change in ({"carry": np.zeros((5, 3))}, {"scale": np.ones(5)}):
        decision = HedgeDecision(case.decision.exposure, case.decision.risk, **change)
        assert direct(decision, case.book, *rest) is None


@pytest.mark.parametrize("limits", [{}, {"gross": 4e5}], ids=["box", "gross"])
def test_paths_may_be_dealt_out_in_any_way(limits: dict[str, float]) -> None:
    """Blocks, lanes and what is left over: a path alone, a few, all shuffled – the same ledger."""
    from backtester_strategies.cross_asset import CrossAssetCorrelationHedge

    from backtester.accounting.exposure import Exposure
    from backtester.clock import CONTINUOUS
    from backtester.costs.model import CostConfig
    from backtester.engine import run
    from backtester.market.panel import MarketPanel
    from backtester.setup import RunSetup

    paths, bars, assets = 150, 60, ("A", "B", "C", "D", "E", "F")
    rng = np.random.default_rng(8)
    moves = 0.02 * rng.standard_t(5, (bars, paths, 6)) + 0.03 * rng.normal(size=(bars, paths, 1))
    prices = 100.0 * np.exp(np.cumsum(moves, axis=0))
    times = (np.arange(bars) * 86_400_000_000_000).astype(np.int64)
    panel = MarketPanel(times, assets, prices, CONTINUOUS)
    setup = RunSetup(
        exposure=Exposure(("A", "B"), np.array([4e5, 6e5])),
        instruments=("C", "D", "E", "F"),
        costs=CostConfig(fee_bps=3.0),
        hedging=HedgeSettings(CAPITAL, limits=Limits(lower=-3e6, upper=3e6, **limits)),
    )
    strategy = CrossAssetCorrelationHedge(halflife=10.0)
    whole = run(panel, strategy, setup)
    assert whole.routes["twin"] == paths * (bars - 10)
    shares = [rng.permutation(paths), np.array([17]), np.arange(40, 47), np.arange(20, 149)]
    for share in shares:
        part = run(panel.select(share), strategy, setup)
        for item in ("hedges", "fills", "equity", "costs", "status"):
            one, other = getattr(part.ledger, item), getattr(whole.ledger, item)
            np.testing.assert_array_equal(one, other[:, share])
        np.testing.assert_array_equal(part.horizon, whole.horizon[:, share])
