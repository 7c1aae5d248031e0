"""Strategies whose risk is a cvxpy problem, through the engine: routes, laws and words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtester.accounting.exposure import Exposure
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.errors import ProblemError, StrategyError
from backtester.estimation.covariance import EwmaCovariance
from backtester.hedging import generic
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import (
    Custom,
    ExpectedShortfall,
    HedgeDecision,
    Limits,
    MultiPeriod,
    Neutrality,
    Robust,
)
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

DAY = 86_400_000_000_000
BARS, PATHS = 60, 3


class Modelled(Strategy[Any]):
    """An EWMA covariance, handed on to the kind of risk under test."""

    @property
    def warmup(self) -> float:
        return 15.0

    def init(self, market: Any) -> Any:
        return EwmaCovariance(10.0).init(market.paths, len(market.assets))

    def observe(self, view: Any, state: Any) -> Any:
        return EwmaCovariance(10.0).step(state, view.returns(), view.elapsed)

    def decide(self, view: Any, book: Any, state: Any) -> HedgeDecision:
        return HedgeDecision(exposure=book.exposure, risk=self.risk(view, book, state.mean))

    def risk(self, view: Any, book: Any, covariance: np.ndarray) -> Any:
        raise NotImplementedError


class RobustHedge(Modelled):
    regret: bool = True

    def risk(self, view: Any, book: Any, covariance: np.ndarray) -> Any:
        apart = covariance.copy()
        apart[:, 0, 1:] *= 0.3
        apart[:, 1:, 0] *= 0.3
        return Robust(np.stack([covariance, apart], axis=1), self.regret)


class ShortfallHedge(Modelled):
    def risk(self, view: Any, book: Any, covariance: np.ndarray) -> Any:
        past = view.past[view.t - 11 : view.t + 1]
        return ExpectedShortfall((past[1:] / past[:-1] - 1.0).transpose(1, 0, 2), 0.8)


class PlannedHedge(Modelled):
    def risk(self, view: Any, book: Any, covariance: np.ndarray) -> Any:
        return MultiPeriod(covariance, 3, trade_risk=0.5)


class OwnHedge(Modelled):
    """Falls short of a target twice as badly as it exceeds it."""

    @staticmethod
    def lopsided(hedge: Any, p: Mapping[str, Any]) -> Any:
        import cvxpy as cp

        left = p["root"] @ hedge + p["own"]
        return cp.sum_squares(cp.pos(left)) + 2.0 * cp.sum_squares(cp.neg(left))

    def risk(self, view: Any, book: Any, covariance: np.ndarray) -> Any:
        size = 1e-8 * np.eye(covariance.shape[-1])
        root = np.linalg.cholesky(covariance + size).transpose(0, 2, 1)
        return Custom(
            self.lopsided,
            {"root": root[:, :, 1:], "own": (root[:, :, 0] * book.exposure[:, :1]) / 1000.0},
            covariance,
        )


KINDS: tuple[Callable[[], Modelled], ...] = (
    RobustHedge, lambda: RobustHedge(regret=False), ShortfallHedge, PlannedHedge, OwnHedge,
)  # fmt: skip
NAMES = ("regret", "minimax", "shortfall", "plan", "custom")


@pytest.fixture(scope="module")
def market() -> MarketPanel:
    rng = np.random.default_rng(11)
    joint = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.5], [0.6, 0.5, 1.0]])
    draws = 0.03 * rng.standard_t(5, size=(BARS, PATHS, 3)) @ np.linalg.cholesky(joint).T
    prices = 100.0 * np.exp(np.cumsum(draws, axis=0))
    return MarketPanel(20_000 * DAY + DAY * np.arange(BARS), ("A", "B", "C"), prices, CONTINUOUS)


def setup_of(**limits: Any) -> RunSetup:
    return RunSetup(
        exposure=Exposure(("A",), np.array([1000.0])),
        instruments=("B", "C"),
        costs=CostConfig(fee_bps=5, half_spread_bps=1),
        hedging=HedgeSettings(1000.0, limits=Limits(**limits)),
    )


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_every_decision_is_solved_in_the_batch(kind: Any, market: MarketPanel) -> None:
    setup = setup_of(lower=-900.0, upper=300.0, gross=1100.0)
    block = run(market, kind(), setup)
    used = {route: count for route, count in block.routes.items() if count}
    assert used == {"generic": (BARS - block.first) * PATHS}
    hedges = block.ledger.hedges[-1]
    assert (hedges[:, 0] < -50.0).all(), hedges
    hedged = (block.ledger.exposure_pnl + block.ledger.hedge_pnl)[block.first + 1 :]
    assert hedged.std() < 0.9 * block.ledger.exposure_pnl[block.first + 1 :].std()


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_paths_do_not_know_each_other(kind: Any, market: MarketPanel) -> None:
    setup = setup_of(lower=-900.0, gross=1100.0, turnover=200.0)
    whole = run(market, kind(), setup).ledger
    for order in ([0], [2], [2, 0, 1]):
        part = run(market.select(np.array(order)), kind(), setup).ledger
        for item in ("equity", "hedges", "fills", "status"):
            np.testing.assert_array_equal(
                getattr(part, item), getattr(whole, item)[:, order], err_msg=item
            )


class Deciding(Modelled):
    answer: Any

    def risk(self, view: Any, book: Any, covariance: np.ndarray) -> Any:
        return self.answer(covariance)


def bound(hedge: Any, p: Any) -> Any:
    return p["a"] @ hedge


def concave(hedge: Any, p: Any) -> Any:
    import cvxpy as cp

    return -cp.sum_squares(hedge) + cp.sum(p["a"])


def no_expression(hedge: Any, p: Any) -> Any:
    return 1.0


def squared(hedge: Any, p: Any) -> Any:
    import cvxpy as cp

    return cp.sum_squares(p["a"][0] * p["a"][1] * hedge)


def misspelt(hedge: Any, p: Any) -> Any:
    return p["b"] @ hedge


ONES = np.ones((PATHS, 2))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda c: Robust(c[0]), r"risk.covariances has shape \(3, 3\).*regimes, assets, assets"),
        (lambda c: Robust(c[:, None, :2]), r"risk.covariances has shape \(3, 1, 2, 3\)"),
        (lambda c: Robust(np.triu(c + 1.0)), "risk.covariances|not symmetric"),
        (lambda c: ExpectedShortfall(np.ones((5, 2))), r"risk.scenarios has shape \(5, 2\)"),
        (lambda c: ExpectedShortfall(np.ones((5, 3)), 1.5), "risk.level is 1.5.*between 0 and 1"),
        (lambda c: ExpectedShortfall(np.full((5, 3), np.nan)), "risk.scenarios is not finite"),
        (lambda c: MultiPeriod(c, 0), "risk.periods is 0"),
        (lambda c: MultiPeriod(c, 2, days=-1.0), "risk.days is -1.0"),
        (lambda c: MultiPeriod(c, 2, trade_risk=-1.0), "risk.trade_risk is -1.0"),
        (lambda c: Custom(lambda h, p: h, {"a": ONES}, c), "not a plain function.*@staticmethod"),
        (lambda c: Custom(bound, {"a": ONES[0]}, c), "first axis is paths"),
        (lambda c: Custom(bound, {"frame_a": ONES}, c), "name that is taken"),
    ],
)
def test_bad_risks_are_told(answer: Any, words: str, market: MarketPanel) -> None:
    with pytest.raises(StrategyError, match=words) as caught:
        run(market, Deciding(answer=answer), setup_of())
    assert "strategy Deciding" in str(caught.value)
    assert caught.value.when is not None


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (concave, "concave: the risk is not a convex scalar"),
        (no_expression, "no_expression answered float"),
        (squared, "squared: the problem is not DPP"),
        (misspelt, "misspelt raised KeyError: 'b'"),
    ],
)
def test_bad_builders_are_told(build: Any, words: str, market: MarketPanel) -> None:
    strategy = Deciding(answer=lambda c: Custom(build, {"a": ONES}, c))
    with pytest.raises(ProblemError, match=words):
        run(market, strategy, setup_of())


def test_a_covariance_that_is_not_psd_is_invalid_and_held(market: MarketPanel) -> None:
    strategy = Deciding(answer=lambda c: Robust(np.stack([c, c - 1e-2 * np.eye(3)], axis=1)))
    block = run(market, strategy, setup_of())
    assert block.routes["invalid"] == (BARS - block.first) * PATHS
    assert not block.ledger.fills.any()


class Neutral(Modelled):
    """Net exposure within 50 of nothing, a forecast of carry, and no trade on path 1."""

    kind: Any

    def decide(self, view: Any, book: Any, state: Any) -> HedgeDecision:
        return HedgeDecision(
            exposure=book.exposure,
            risk=self.kind().risk(view, book, state.mean),
            neutrality=Neutrality(np.ones((1, 3)), band=50.0),
            carry=np.full((len(book.cash), 2), [1e-3, -1e-3]),
            trade=np.arange(len(book.cash)) != 1,
        )


@pytest.mark.parametrize("kind", KINDS, ids=NAMES)
def test_rows_carry_masks_and_gas_apply_to_every_kind(kind: Any, market: MarketPanel) -> None:
    setup = setup_of(lower=-2000.0, upper=500.0)
    costs = CostConfig(fee_bps=5, half_spread_bps=1, gas=0.01)
    block = run(market, Neutral(kind=kind), replace(setup, costs=costs))
    ledger = block.ledger
    assert not ledger.fills[:, 1].any()
    decided = (BARS - block.first) * 2
    assert block.routes["generic"] + block.routes.get("elastic", 0) == decided
    # Hedges are sized at one close and filled at the next: the row holds but for one day's moves.
    net = ledger.hedges[block.first + 1 :].sum(axis=-1)[:, [0, 2]]
    exposed = 1000.0 * (market.prices[:, :, 0] / market.prices[0, :, 0])
    assert np.median(np.abs(net + exposed[block.first + 1 :][:, [0, 2]])) < 150.0


def test_what_no_batched_solver_certifies_goes_to_cvxpy_and_else_is_held(
    market: MarketPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = market.select(np.array([0]))

    def garbage(self: Any, P: Any, q: Any, A: Any, b: Any, x: Any, y: Any) -> None:
        x[:], y[:] = 0.123, 0.0

    right = run(few, PlannedHedge(), setup_of(gross=1100.0))
    for route in ("_daqp", "_clarabel"):
        monkeypatch.setattr(generic._Tools, route, garbage)
    block = run(few, PlannedHedge(), setup_of(gross=1100.0))
    assert block.routes["reference"] == BARS - block.first
    np.testing.assert_allclose(block.ledger.hedges, right.ledger.hedges, atol=1e-2)

    def nothing(self: Any, theta: Any) -> Any:
        return np.full((len(theta), self.layout.n), np.nan), np.zeros((len(theta), self.layout.m))

    monkeypatch.setattr(generic.BatchedProblem, "_reference", nothing)
    block = run(few, PlannedHedge(), setup_of(gross=1100.0))
    assert block.routes["held"] == BARS - block.first
    assert not block.ledger.fills.any()
