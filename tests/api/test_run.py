"""`bt.run`: what it accepts, what it returns, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from backtester_strategies.baselines import OneToOne, RollingOLS

import backtester as bt
from backtester.errors import ConfigError, DataError, PluginError
from backtester.hedging.decision import Limits
from backtester.results import RunResult

from .worlds import frame, funding, panel

BOOK: dict[str, Any] = {"exposure": {"A": 1_000_000.0}, "hedge_with": ["B", "C"]}
HEDGE = {"window": 30.0}

MINE = """
import numpy as np
from backtester import HedgeDecision, Strategy, Target

class Mine(Strategy[None]):
    ratio: float = 1.0
    def decide(self, view, book, state):
        wanted = np.zeros_like(book.hedges)
        wanted[:, 0] = -self.ratio * book.exposure.sum(axis=-1)
        return HedgeDecision(exposure=book.exposure, risk=Target(wanted))
"""


def net(result: RunResult) -> np.ndarray:
    """Net equity of the first path."""
    return result.equity()["net"].to_numpy()


def test_a_name_a_class_an_instance_and_a_panel_are_the_same_run() -> None:
    by_name = bt.run(frame(), "RollingOLS", parameters=HEDGE, **BOOK)
    by_class = bt.run(frame(), RollingOLS, parameters=HEDGE, **BOOK)
    by_instance = bt.run(frame(), RollingOLS(**HEDGE), **BOOK)
    by_panel = bt.run(
        panel(), "backtester_strategies.baselines:RollingOLS", parameters=HEDGE, **BOOK
    )
    for other in (by_class, by_instance, by_panel):
        assert np.array_equal(net(by_name), net(other))


def test_a_strategy_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    result = bt.run(frame(), str(file), parameters={"ratio": 0.5}, **BOOK)
    assert result.strategy == "Mine"
    first = result.fills().iloc[0]
    assert (first["instrument"], first["units"]) == ("B", pytest.approx(-5_000.0))


def test_capital_is_the_gross_exposure_unless_stated() -> None:
    book = {"exposure": {"A": 600_000.0, "D": -400_000.0}, "hedge_with": ["B"]}
    assert bt.run(frame(), "Naked", **book).setup.hedging.capital == pytest.approx(1e6)
    assert bt.run(frame(), "Naked", capital=2e6, **book).setup.hedging.capital == 2e6


def test_units_and_notional_state_the_same_book() -> None:
    money = bt.run(frame(), "OneToOne", **BOOK)
    units = bt.run(
        frame(), "OneToOne", exposure={"A": 10_000.0}, hedge_with=["B", "C"], unit="units"
    )
    assert np.allclose(net(money), net(units), rtol=1e-12)


@pytest.mark.parametrize("hold", ["units", "notional"])
def test_hold_decides_what_the_exposure_earns(hold: str) -> None:
    result = bt.run(frame(), "Naked", hold=hold, **BOOK)
    prices = frame()["A"]
    units = 1e6 / (prices.iloc[0] if hold == "units" else prices.shift())
    expected = 1e6 + (prices.diff() * units).fillna(0.0).cumsum()
    assert np.allclose(result.equity()["unhedged"], expected, rtol=1e-12)


def test_funding_and_costs_reach_the_ledger() -> None:
    plain = bt.run(
        frame(), OneToOne(instrument="B"), costs={"fee_bps": 0, "half_spread_bps": 0}, **BOOK
    )
    paid = bt.run(
        frame(), OneToOne(instrument="B"), costs={"fee_bps": 10}, funding=funding(), **BOOK
    )
    assert not plain.pnl()["hedge_carry"].any()
    assert not plain.pnl()[["cost_fee", "cost_spread"]].to_numpy().any()
    assert paid.pnl()["hedge_carry"].abs().sum() > 0
    assert paid.pnl()["cost_fee"].sum() == pytest.approx(
        10e-4 * paid.fills()["money"].abs().sum(), rel=1e-12
    )


def test_a_frame_without_a_zone_needs_one_stated() -> None:
    naive = frame().tz_localize(None)
    with pytest.raises(DataError, match=r"have no time zone.*assume_tz"):
        bt.run(naive, "Naked", **BOOK)
    assert bt.run(naive, "Naked", assume_tz="UTC", **BOOK).index.tz is not None


def test_missing_prices_are_an_error_until_a_repair_is_chosen() -> None:
    holed = frame()
    holed.iloc[50, 1] = np.nan
    with pytest.raises(DataError, match=r"price of 'B'.*is missing \(NaN\) at 2022-02-20"):
        bt.run(holed, "Naked", **BOOK)
    repaired = bt.run(holed, "Naked", missing="hold:1", **BOOK)
    assert repaired.panel.notes == (
        "1 missing prices held at the last one (at most 1 bars); orders wait there",
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"strategy": "RolingOLS"}, PluginError, r"RolingOLS.*Did you mean 'RollingOLS'"),
        ({"parameters": {"windw": 3}}, ConfigError, r"no parameter 'windw'.*Did you mean 'window'"),
        ({"parameters": {"window": -3}}, ConfigError, r"'window' is not valid"),
        (
            {"strategy": RollingOLS(), "parameters": {"window": 3}},
            ConfigError,
            r"parameters were given beside a configured strategy",
        ),
        ({"exposure": {"Z": 1.0}}, DataError, r"needs asset 'Z'"),
        ({"exposure": {}}, ConfigError, r"exposure has no positions"),
        ({"exposure": {"A": 0.0}}, ConfigError, r"zero or not finite"),
        ({"hedge_with": ["E"]}, DataError, r"hedge_with needs asset 'E'"),
        ({"hedge_with": []}, ConfigError, r"no hedge instruments"),
        ({"capital": -1.0}, ConfigError, r"capital is -1"),
        ({"risk_aversion": 0.0}, ConfigError, r"risk_aversion is 0"),
        ({"execution": "yesterday"}, ConfigError, r"execution 'yesterday' is unknown"),
        ({"calendar": "lunar"}, ConfigError, r"unknown calendar 'lunar'"),
        ({"costs": {"impact": 1.0}}, DataError, r"no depth, which market impact needs"),
        ({"parameters": {"window": 500.0}}, DataError, r"needs 500 days before"),
        ({"unit": "lots"}, ConfigError, r"unit of the exposure is 'lots'. Known: notional, units"),
        ({"unit": "Units"}, ConfigError, r"unit.*'Units'. Did you mean 'units'"),
        ({"hold": "x"}, ConfigError, r"hold of the exposure is 'x'"),
        ({"delay": 2.5}, ConfigError, r"delay is 2.5. Give a whole number of events"),
        ({"delay": True}, ConfigError, r"delay is True"),
        ({"exposure": {"A": "much"}}, ConfigError, r"exposure.*is not asset -> amount"),
        ({"exposure": ["A"]}, ConfigError, r"exposure \['A'\] is not asset -> amount"),
        ({"hedge_with": "B"}, ConfigError, r"hedge_with is the text 'B'. Give a list: \['B'\]"),
        ({"costs": {"fee": 5}}, ConfigError, r"costs have no key 'fee'. Did you mean 'fee_bps'"),
        ({"costs": {"fee_bps": -5}}, ConfigError, r"costs.fee_bps is -5.*basis points"),
        ({"strategy": object()}, ConfigError, r"the strategy is a object. Give an instance or"),
        ({"strategy": dict}, ConfigError, r"the strategy is a type. Give an instance or a subcl"),
        ({"limits": Limits(lower=1, upper=-1)}, ConfigError, r"limits.lower exceeds limits.upper"),
        ({"limits": Limits(gross=np.nan)}, ConfigError, r"limits.gross is not a number"),
        ({"limits": Limits(turnover=-5.0)}, ConfigError, r"limits.turnover is negative \(-5\)"),
    ],
)
def test_errors_name_the_object_and_the_cure(
    arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    call = {"strategy": "RollingOLS", **BOOK, **arguments}
    with pytest.raises(error, match=words):
        bt.run(frame(), **call)


def test_prices_that_are_no_frame() -> None:
    wrong: Any = frame().to_numpy()
    with pytest.raises(DataError, match=r"prices of market 'market' are a ndarray"):
        bt.run(wrong, "Naked", **BOOK)


def test_the_frame_given_is_left_alone() -> None:
    prices = frame()
    before = prices.copy()
    bt.run(prices, "RollingOLS", parameters=HEDGE, **BOOK)
    pd.testing.assert_frame_equal(prices, before)
