"""Law *inputs*: market data, the book and the state handed to `decide` are left as they were."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from backtester.accounting.book import Book
from backtester.clock import iso
from backtester.engine import run
from backtester.errors import BacktesterError, StrategyError
from backtester.laws.bench import Bench
from backtester.laws.contract import words
from backtester.laws.fingerprint import fingerprint
from backtester.laws.record import watched
from backtester.laws.report import CheckResult, failed, passed
from backtester.market.view import MarketView

NAME = "inputs"


def inputs(bench: Bench) -> CheckResult:
    """Compare every input before and after each call."""
    strategy = bench.fresh()
    observe, decide, who = strategy.observe, strategy.decide, bench.who

    def observing(view: MarketView, state: Any) -> Any:
        before = _content(view)
        after = observe(view, state)
        _unchanged(who, "observe", view, before, _content(view))
        return after

    def deciding(view: MarketView, book: Book, state: Any) -> Any:
        before = {**_content(view), **_content(book), "state": fingerprint(state)}
        decision = decide(view, book, state)
        now = {**_content(view), **_content(book), "state": fingerprint(state)}
        _unchanged(who, "decide", view, before, now)
        return decision

    with watched(strategy, observe=observing, decide=deciding):
        try:
            run(bench.panel(), strategy, bench.setup)
        except BacktesterError as error:
            return failed(NAME, words(error), error.when)
    return passed(NAME, "data, book and state are left as they were")


def _content(thing: MarketView | Book) -> dict[str, str]:
    """Fingerprints of the arrays of a view or a book; of the past, only what has happened."""
    found = {}
    for item in fields(thing):
        value = getattr(thing, item.name)
        if isinstance(value, np.ndarray):
            past = isinstance(thing, MarketView) and item.name == "past"
            label = f"{'view' if isinstance(thing, MarketView) else 'book'}.{item.name}"
            found[label] = fingerprint(value[: thing.t + 1] if past else value)  # type: ignore[union-attr]
    return found


def _unchanged(
    who: str, step: str, view: MarketView, before: dict[str, str], after: dict[str, str]
) -> None:
    changed = [name for name, value in before.items() if after[name] != value]
    if changed:
        raise StrategyError(
            f"strategy {who} changed {', '.join(changed)} in {step}()",
            when=iso(view.time),
            cure="Copy an array before changing it, and let observe() return the new state; "
            "decide() changes nothing.",
        )
