"""The loop, by hand: when fills happen, what is charged, what carries, what the messages say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backtester.accounting.exposure import Exposure
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.errors import AccountingError, ConfigError, DataError, StrategyError
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Limits, Quadratic, Target
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

DAY = 86_400_000_000_000
FREE = CostConfig(fee_bps=0, half_spread_bps=0)


class Fixed(Strategy[None]):
    """Holds a stated notional of the only hedge."""

    notional: float

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        wanted = np.full((len(book.cash), 1), self.notional)
        return HedgeDecision(exposure=book.exposure, risk=Target(wanted))


class Once(Fixed):
    """Trades at the first decision only."""

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        wanted = np.full((len(book.cash), 1), self.notional)
        trade = np.full(len(book.cash), view.t == 0)
        return HedgeDecision(exposure=book.exposure, risk=Target(wanted), trade=trade)


def panel_of(a: list[float], b: list[float], **fields: Any) -> MarketPanel:
    prices = np.array([a, b], dtype=float).T[:, None, :]
    times = np.arange(len(a), dtype=np.int64) * DAY + 20_000 * DAY
    return MarketPanel(times, ("A", "B"), prices, CONTINUOUS, **fields)


def setup_of(**changes: Any) -> RunSetup:
    defaults: dict[str, Any] = {
        "exposure": Exposure(("A",), np.array([1000.0])),
        "instruments": ("B",),
        "costs": FREE,
        "hedging": HedgeSettings(1000.0),
        "rebalance": 0.0,
    }
    return RunSetup(**{**defaults, **changes})


def test_an_order_fills_at_the_next_events_price_in_units_of_the_decision() -> None:
    panel = panel_of([100, 110, 121, 100], [50, 40, 60, 60])
    led = run(panel, Once(notional=-500), setup_of()).ledger
    # −500 money at 50 is −10 units; they fill at 40 and earn only from then on.
    assert led.fills[:, 0, 0].tolist() == [0, -10, 0, 0]
    assert led.hedge_pnl[:, 0].tolist() == [0, 0, -10 * 20, 0]
    assert led.exposure_pnl[:, 0].tolist() == pytest.approx([0, 100, 110, -210])
    assert led.equity[:, 0].tolist() == pytest.approx([1000, 1100, 1010, 800])


def test_same_close_fills_at_the_price_the_decision_saw() -> None:
    panel = panel_of([100, 110, 121, 100], [50, 40, 60, 60])
    led = run(panel, Once(notional=-500), setup_of(execution="same_close")).ledger
    assert led.fills[:, 0, 0].tolist() == [-10, 0, 0, 0]
    assert led.hedge_pnl[:, 0].tolist() == [0, 100, -200, 0]


def test_cost_is_charged_on_money_at_the_fill() -> None:
    panel = panel_of([100, 110, 121], [50, 40, 60])
    costs = CostConfig(fee_bps=10, half_spread_bps=5)
    led = run(panel, Once(notional=-500), setup_of(costs=costs)).ledger
    assert led.terms == ("fee", "spread")
    assert led.costs[1, 0].tolist() == pytest.approx([0.4, 0.2])  # 400 money at 10 and 5 bp
    assert led.costs[[0, 2]].sum() == 0
    assert led.traded[:, 0].tolist() == [0, 400, 0]


def test_impact_is_charged_on_depth_and_volatility() -> None:
    depth = np.full((3, 1, 2), 10_000.0)
    panel = panel_of([100, 110, 121], [50, 40, 60], depth=depth)
    costs = CostConfig(fee_bps=0, half_spread_bps=0, impact=1.0)
    led = run(panel, Once(notional=-500), setup_of(costs=costs)).ledger
    sigma = 0.2  # the first return is −20 % in one day
    assert led.costs[1, 0, 2] == pytest.approx(sigma * 400 * np.sqrt(400 / 10_000))


def test_a_fill_on_a_funding_stamp_neither_pays_nor_receives_it() -> None:
    funding = np.zeros((4, 1, 2))
    funding[:, 0, 1] = 0.01
    panel = panel_of([100, 100, 100, 101], [50, 50, 50, 60], funding=funding)
    led = run(panel, Once(notional=-500), setup_of()).ledger
    # Filled at stamp 1: first received at stamp 2 on 500, then at stamp 3 on the mark of 600.
    assert led.hedge_carry[:, 0].tolist() == pytest.approx([0, 0, 5, 6])
    assert not led.exposure_carry.any()


def test_shorts_pay_borrow_for_the_time_held() -> None:
    panel = panel_of([100, 100, 100, 101], [50, 50, 50, 60])
    costs = CostConfig(fee_bps=0, half_spread_bps=0, borrow_bps={"B": 365})
    led = run(panel, Once(notional=-500), setup_of(costs=costs)).ledger
    day = 500 * 0.0365 / 365
    assert led.hedge_carry[:, 0].tolist() == pytest.approx([0, 0, -day, -day])


def test_an_exposure_at_constant_notional_is_reset_every_bar() -> None:
    panel = panel_of([100, 110, 121, 100], [50, 40, 60, 60])
    exposure = Exposure(("A",), np.array([1000.0]), hold="notional")
    led = run(panel, Fixed(notional=0.0), setup_of(exposure=exposure)).ledger
    returns = [0.1, 0.1, 100 / 121 - 1]
    assert led.exposure_pnl[1:, 0].tolist() == pytest.approx([1000 * r for r in returns])


def test_rebalancing_follows_trading_time_not_bars() -> None:
    hours = 48
    rng = np.random.default_rng(0)
    prices = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, (hours + 1, 1, 2)), axis=0))
    times = np.arange(hours + 1, dtype=np.int64) * DAY // 24
    panel = MarketPanel(times, ("A", "B"), prices, CONTINUOUS)
    led = run(panel, Fixed(notional=-500), setup_of(rebalance=1.0)).ledger
    assert np.flatnonzero(led.status[:, 0]).tolist() == [0, 24, 48]


def test_limits_hold_at_the_decision_and_the_excess_at_the_fill_is_reported() -> None:
    panel = panel_of([100, 110, 121, 100], [50, 60, 60, 61])
    hedging = HedgeSettings(1000.0, limits=Limits(gross=300.0))
    block = run(panel, Once(notional=-500), setup_of(hedging=hedging))
    assert block.ledger.fills[1, 0, 0] == pytest.approx(-6)  # 300 money at 50
    assert block.excess == pytest.approx(0.2)  # filled at 60: 6 × 60 / 300 − 1


class TestMessages:
    def test_a_market_without_depth_cannot_have_impact(self) -> None:
        with pytest.raises(DataError, match=r"no depth, which market impact needs.*costs.impact"):
            run(
                panel_of([1, 2, 3], [1, 2, 3]),
                Fixed(notional=0),
                setup_of(costs=CostConfig(impact=1)),
            )

    def test_an_unknown_hedge_names_the_market_and_the_near_one(self) -> None:
        with pytest.raises(DataError, match=r"hedge_with needs asset 'b'.*Did you mean 'B'"):
            run(panel_of([1, 2, 3], [1, 2, 3]), Fixed(notional=0), setup_of(instruments=("b",)))

    def test_a_history_shorter_than_the_warm_up(self) -> None:
        with pytest.raises(DataError, match=r"3 bars \(2 trading days\).*needs 5 days.*shorter"):
            run(panel_of([1, 2, 3], [1, 2, 3]), Fixed(notional=0), setup_of(start=5.0))

    def test_a_plugin_that_raises_names_its_own_line_and_the_time(self) -> None:
        class Broken(Fixed):
            def observe(self, view: Any, state: None) -> None:
                if view.t == 1:
                    raise ZeroDivisionError("no history yet")

        with pytest.raises(
            StrategyError,
            match=r"strategy Broken raised ZeroDivisionError in observe\(\): no history yet "
            r"\[test_engine.py:\d+: raise Zero.* at 2024-10-05\. Correct that line",
        ):
            run(panel_of([1, 2, 3], [1, 2, 3]), Broken(notional=0), setup_of())

    @pytest.mark.parametrize("code", [0, 3, "enough"])
    def test_a_plugin_that_exits_does_not_end_the_run_unseen(self, code: Any) -> None:
        class Quitter(Fixed):
            def decide(self, view: Any, book: Any, state: None) -> Any:
                raise SystemExit(code)

        with pytest.raises(
            StrategyError,
            match=rf"strategy Quitter raised SystemExit in decide\(\): {code} .* at 2024-10-0",
        ):
            run(panel_of([1, 2, 3], [1, 2, 3]), Quitter(notional=0), setup_of())

    def test_returns_of_the_last_bar_are_those_of_the_panel(self) -> None:
        seen: list[Any] = []

        class Probe(Fixed):
            def observe(self, view: Any, state: None) -> None:
                seen.append(view.returns())

        panel = panel_of([1.0, 1.5, 1.2], [7.0, 3.0, 4.0])
        run(panel, Probe(notional=0), setup_of())
        np.testing.assert_array_equal(seen[0], np.zeros_like(panel.prices[0]))
        np.testing.assert_array_equal(seen[1:], panel.returns)

    def test_a_plugin_that_changes_the_data_is_told_to_copy(self) -> None:
        class Vandal(Fixed):
            def observe(self, view: Any, state: None) -> None:
                view.prices[0, 0] = 1e9

        with pytest.raises(StrategyError, match="read-only: copy an array before changing it"):
            run(panel_of([1, 2, 3], [1, 2, 3]), Vandal(notional=0), setup_of())

    @pytest.mark.parametrize(
        ("decision", "words"),
        [
            (lambda b: None, r"decided NoneType, not HedgeDecision at .*Return HedgeDecision"),
            (
                lambda b: HedgeDecision(exposure=b.exposure[0], risk=Target(b.hedges)),
                r"exposure has shape \(2,\), expected \(1, 2\).*\(paths, assets\)",
            ),
            (
                lambda b: HedgeDecision(exposure=b.exposure, risk=Target(b.hedges * np.nan)),
                r"risk.notional is not finite at index \(0, 0\).*warm-up",
            ),
            (
                lambda b: HedgeDecision(
                    exposure=b.exposure, risk=Quadratic(np.array([[1.0, 2], [0, 1]]))
                ),
                r"covariance is not symmetric at \('A', 'B'\)",
            ),
            (
                lambda b: HedgeDecision(
                    exposure=b.exposure, risk=Target(b.hedges), instruments=("C",)
                ),
                r"hedges with 'C', which is not an eligible instrument.*Known: B",
            ),
            (
                lambda b: HedgeDecision(
                    exposure=b.exposure, risk=Target(b.hedges), trade=np.ones(1)
                ),
                r"trade has shape \(1,\) and type float64, expected \(1,\) bool",
            ),
            (
                lambda b: HedgeDecision(
                    exposure=b.exposure, risk=Target(b.hedges), limits=Limits(lower=1, upper=0)
                ),
                r"limits.lower exceeds limits.upper",
            ),
        ],
    )
    def test_a_broken_contract_is_named(self, decision: Any, words: str) -> None:
        class Plugin(Fixed):
            def decide(self, view: Any, book: Any, state: None) -> Any:
                return decision(book)

        with pytest.raises(StrategyError, match=words):
            run(panel_of([1, 2, 3], [1, 2, 3]), Plugin(notional=0), setup_of())

    def test_a_ledger_that_does_not_reconcile_says_where(self) -> None:
        from dataclasses import replace

        from backtester.accounting.book import open_book
        from backtester.accounting.ledger import Entry, Ledger

        panel = panel_of([100, 110], [50, 40])
        book = open_book(panel.prices[0], np.array([[10.0, 0.0]]), np.array([1]), 1000.0)
        led = Ledger.open(panel.times, 1, 1, ("fee",))
        entry = Entry(np.zeros((4, 1)), None, np.zeros(1, dtype=np.int8))
        with pytest.raises(AccountingError, match=r"path 0 moved by 7.*explain 0 at 2024-10-04"):
            led.record(entry, replace(book, cash=book.cash + 7.0))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"execution": "now"}, "execution 'now' is unknown"),
            ({"instruments": ()}, "no hedge instruments"),
            ({"instruments": ("B", "B")}, "named twice"),
            ({"rebalance": -1.0}, "rebalance is -1"),
        ],
    )
    def test_a_setup_that_makes_no_sense(self, changes: dict[str, Any], words: str) -> None:
        with pytest.raises(ConfigError, match=words):
            setup_of(**changes)
