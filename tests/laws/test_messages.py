"""Law 10: every error names the object, the time where there is one, and the cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtester.accounting.book import Book
from backtester.api import run
from backtester.errors import (
    BacktesterError,
    ConfigError,
    DataError,
    PluginError,
    StrategyError,
)
from backtester.hedging.decision import HedgeDecision, Limits, Neutrality, Quadratic, Target
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketView
from backtester.plugins import load_strategy, safe_name
from backtester.strategy import Strategy
from backtester.study import Study


def frame(bars: int = 90) -> pd.DataFrame:
    """Three assets, daily, aware of their zone."""
    rng = np.random.default_rng(5)
    prices = 100.0 * np.exp(np.cumsum(0.02 * rng.standard_normal((bars, 3)), axis=0))
    index = pd.date_range("2022-01-01", periods=bars, tz="UTC")
    return pd.DataFrame(prices, index=index, columns=["BTC", "ETH", "GOLD"])


class Answer(Strategy[None]):
    """Decides whatever `answer` makes of the book."""

    answer: Callable[[Book], Any]

    def decide(self, view: MarketView, book: Book, state: None) -> Any:
        return self.answer(book)


def on_frame(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[], object]:
    return lambda: run(change(frame()), "Naked", exposure={"BTC": 1e6}, hedge_with=["ETH"])


def with_parameters(name: str, **parameters: Any) -> Callable[[], object]:
    return lambda: run(
        frame(), name, exposure={"BTC": 1e6}, hedge_with=["ETH"], parameters=parameters
    )


def deciding(answer: Callable[[Book], Any]) -> Callable[[], object]:
    return lambda: run(frame(), Answer(answer=answer), exposure={"BTC": 1e6}, hedge_with=["ETH"])


def studying(**changes: Any) -> Callable[[], object]:
    plan = {
        "exposure": {"positions": {"SOL": 1.0}},
        "capital": 1.0,
        "hedge_with": ["BTC-PERP"],
        "markets": [{"scenario": "normal", "paths": 2}],
        "strategies": ["Naked"],
    }
    return lambda: Study.of(plan | changes)


def at(row: int, value: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(prices: pd.DataFrame) -> pd.DataFrame:
        prices.iloc[row, 1] = value
        return prices

    return change


def rows(order: list[int]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda prices: prices.iloc[order]


def zeros(book: Book) -> np.ndarray:
    return np.zeros_like(book.hedges)


def target(book: Book, **more: Any) -> HedgeDecision:
    return HedgeDecision(exposure=book.exposure, risk=Target(zeros(book)), **more)


def lopsided(book: Book) -> HedgeDecision:
    matrix = np.eye(3)
    matrix[0, 2] = 0.5
    return HedgeDecision(exposure=book.exposure, risk=Quadratic(matrix))


# id -> (call, kind of error, words of what, words of the cure, whether it happens at a time)
Case = tuple[Callable[[], object], type[BacktesterError], tuple[str, ...], str, bool]
CASES: dict[str, Case] = {
    # market data
    "missing": (on_frame(at(7, np.nan)), DataError, ("'ETH'", "missing"), "missing=", True),
    "infinite": (on_frame(at(7, np.inf)), DataError, ("'ETH'", "infinite"), "drop", True),
    "zero": (on_frame(at(7, 0.0)), DataError, ("'ETH'", "zero"), "positive", True),
    "negative": (on_frame(at(7, -1.0)), DataError, ("'ETH'", "negative"), "positive", True),
    "constant": (
        on_frame(lambda p: p.assign(ETH=50.0)),
        DataError,
        ("'ETH'", "never changes"),
        "drop the column",
        True,
    ),
    "duplicate": (on_frame(rows([0, 1, 1, 2])), DataError, ("market",), "", True),
    "unsorted": (on_frame(rows([0, 2, 1, 3])), DataError, ("market",), "ort", True),
    "no zone": (on_frame(lambda p: p.tz_localize(None)), DataError, ("zone",), "assume_tz", True),
    "control characters": (
        on_frame(lambda p: p.rename(columns={"GOLD": "GO\x1bLD"})),
        DataError,
        ("GO", "cannot be used"),
        "printable",
        False,
    ),
    # market and strategy
    "lacking asset": (
        with_parameters("StaticHedge", ratio={"ETG": -1.0}),
        DataError,
        ("StaticHedge", "'ETG'"),
        "'ETH'",
        False,
    ),
    "not eligible": (
        with_parameters("OneToOne", instrument="GOLD"),
        StrategyError,
        ("'GOLD'", "eligible"),
        "ETH",
        False,
    ),
    "lacking hedge": (
        lambda: run(frame(), "Naked", exposure={"BTC": 1.0}, hedge_with=["ETHH"]),
        DataError,
        ("'ETHH'",),
        "'ETH'",
        False,
    ),
    "lacking exposure": (
        lambda: run(frame(), "Naked", exposure={"BTCC": 1.0}, hedge_with=["ETH"]),
        DataError,
        ("exposure", "'BTCC'"),
        "'BTC'",
        False,
    ),
    "short history": (
        with_parameters("RollingOLS", window=500),
        DataError,
        ("RollingOLS", "90 bars", "500 days"),
        "more history",
        True,
    ),
    "misspelt parameter": (
        with_parameters("RollingOLS", windw=20),
        ConfigError,
        ("RollingOLS", "'windw'"),
        "'window'",
        False,
    ),
    "bad parameter": (
        with_parameters("RollingOLS", window=-3),
        ConfigError,
        ("RollingOLS", "'window'", "greater than 0"),
        "docstring",
        False,
    ),
    # decisions
    "no decision": (
        deciding(zeros),
        StrategyError,
        ("Answer", "ndarray"),
        "Return HedgeDecision",
        True,
    ),
    "wrong shape": (
        deciding(lambda b: HedgeDecision(b.exposure[:, :1], Target(zeros(b)))),
        StrategyError,
        ("exposure", "(1, 1)", "(1, 3)"),
        "paths, assets",
        True,
    ),
    "not finite": (
        deciding(lambda b: HedgeDecision(b.exposure, Target(zeros(b) * np.nan))),
        StrategyError,
        ("risk.notional", "not finite"),
        "warm-up",
        True,
    ),
    "not symmetric": (
        deciding(lopsided),
        StrategyError,
        ("symmetric", "'BTC'", "'GOLD'"),
        "transpose",
        True,
    ),
    "wrong mask": (
        deciding(lambda b: target(b, trade=np.ones(1))),
        StrategyError,
        ("trade", "float64"),
        "paths",
        True,
    ),
    "unknown instrument": (
        deciding(lambda b: target(b, instruments=("ETHH",))),
        StrategyError,
        ("'ETHH'", "eligible"),
        "'ETH'",
        True,
    ),
    "crossed limits": (
        deciding(lambda b: target(b, limits=Limits(lower=1.0, upper=0.0))),
        StrategyError,
        ("limits.lower", "limits.upper"),
        "widen",
        True,
    ),
    "negative band": (
        deciding(lambda b: target(b, neutrality=Neutrality(np.ones((1, 3)), -1.0))),
        StrategyError,
        ("neutrality.band",),
        "half-width",
        True,
    ),
    "raises": (
        deciding(lambda b: 1 / 0),
        StrategyError,
        ("ZeroDivisionError", "decide()", "test_messages.py"),
        "backtester check",
        True,
    ),
    # studies
    "unknown key": (studying(captial=1.0), ConfigError, ("captial",), "'capital'", False),
    "negative cost": (studying(costs={"fee_bps": -1}), ConfigError, ("fee_bps",), "docs", False),
    "no paths": (
        studying(markets=[{"scenario": "normal", "paths": 0}]),
        ConfigError,
        ("paths",),
        "docs",
        False,
    ),
    "negative capital": (studying(capital=-5), ConfigError, ("capital",), "docs", False),
    "two alike": (
        studying(strategies=["Naked", "Naked"]),
        ConfigError,
        ("'Naked'", "label"),
        "docs",
        False,
    ),
    # plugins
    "unknown strategy": (
        lambda: load_strategy("RolingOLS"),
        PluginError,
        ("'RolingOLS'",),
        "'RollingOLS'",
        False,
    ),
    "no such file": (
        lambda: load_strategy("./nowhere/mine.py"),
        PluginError,
        ("mine.py",),
        "check the path",
        False,
    ),
    "unsafe name": (
        lambda: safe_name("../../etc/passwd"),
        PluginError,
        ("etc/passwd",),
        "for example",
        False,
    ),
    "escape sequence": (
        lambda: load_strategy("\x1b[31mred"),
        PluginError,
        ("\\x1b[31mred",),
        "printable",
        False,
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_bad_input(case: str) -> None:
    call, kind, words, cure, timed = CASES[case]
    with pytest.raises(kind) as caught:
        call()
    error = caught.value
    assert type(error) is kind
    for word in words:
        assert word in error.what, error.what
    assert cure in error.cure and len(error.cure) > 8, error.cure
    assert (error.when is not None) == timed, error.when
    if timed:
        assert str(error.when).startswith("2022-")
        assert str(error.when) in str(error)
    assert error.cure in str(error) and error.what in str(error)
    assert "\x1b" not in str(error)


def test_a_covariance_that_is_not_psd_is_held_and_counted() -> None:
    """No exception: one path's matrix must not end the run of all others."""
    matrix = np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    answer = Answer(answer=lambda b: HedgeDecision(b.exposure, Quadratic(matrix)))
    result = run(frame(), answer, exposure={"BTC": 1e6}, hedge_with=["ETH"])
    assert result.status() == {"INVALID": 90}
    assert (result.hedges().to_numpy() == 0.0).all()


def test_limits_that_cannot_hold_give_way_in_order_and_are_counted() -> None:
    """Neutrality asks for more than gross allows: the solver relaxes, and says so."""
    rule = Neutrality(np.ones((1, 3)), 0.0)

    def answer(book: Book) -> HedgeDecision:
        risk = Quadratic(np.eye(3) * 1e-4)
        return HedgeDecision(book.exposure, risk, neutrality=rule, limits=Limits(gross=5e5))

    result = run(frame(), Answer(answer=answer), exposure={"BTC": 1e6}, hedge_with=["ETH"])
    assert set(result.status()) == {"ELASTIC"}
    assert result.block.relaxed.max() > 0.0


def test_no_paths_at_all() -> None:
    from backtester.clock import CONTINUOUS

    with pytest.raises(DataError, match="no paths"):
        MarketPanel(np.arange(3), ("A",), np.ones((3, 0, 1)), CONTINUOUS)
