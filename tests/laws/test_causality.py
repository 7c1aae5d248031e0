"""Law 2: whatever comes after t, nothing done up to t moves, with all costs and limits in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backtester.accounting.book import Book
from backtester.engine import run
from backtester.hedging.decision import HedgeDecision, Target
from backtester.laws.bench import Bench
from backtester.laws.scrambling import ITEMS, KINDS, scrambled
from backtester.market.view import MarketView
from backtester.setup import RunSetup
from backtester.strategy import Strategy

FullSetup = Callable[..., RunSetup]
BEFORE = ("equity", "hedges", "fills", "costs", "status", "exposure_carry", "hedge_carry")


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("t", [26, 45, 71])
def test_the_future_moves_nothing(bench: Bench, full_setup: FullSetup, kind: str, t: int) -> None:
    setup = full_setup(bench)
    known = run(bench.panel(), bench.fresh(), setup)
    future = scrambled(bench, t, KINDS[kind], ITEMS)
    other = run(future, bench.fresh(), setup)
    for item in BEFORE:
        before, after = getattr(known.ledger, item), getattr(other.ledger, item)
        np.testing.assert_array_equal(after[: t + 1], before[: t + 1], err_msg=item)
    np.testing.assert_array_equal(other.horizon[: t + 1], known.horizon[: t + 1])
    # Orders are in units, so what was decided at t is what fills at t + 1, whatever the price –
    # where it can fill.
    open_, hedges = bench.panel().tradable, bench.panel().indices(bench.layout.instruments)
    assert open_ is not None and future.tradable is not None
    both = (open_[t + 1] & future.tradable[t + 1])[:, hedges]
    for fills in (known.ledger.fills[t + 1], other.ledger.fills[t + 1]):
        np.testing.assert_array_equal(
            np.where(both, fills, 0.0), np.where(both, known.ledger.fills[t + 1], 0.0)
        )


@pytest.mark.parametrize("t", [26, 71])
def test_data_that_end_change_nothing(bench: Bench, full_setup: FullSetup, t: int) -> None:
    setup = full_setup(bench)
    known = run(bench.panel(), bench.fresh(), setup).ledger
    cut = run(bench.panel().until(t + 1), bench.fresh(), setup).ledger
    for item in BEFORE:
        np.testing.assert_array_equal(getattr(cut, item), getattr(known, item)[: t + 1])


class Explorer(Strategy[None]):
    """Follows every array it is given to the array it is a view of."""

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        for holder in (view, book):
            for name in vars(holder):
                value = getattr(holder, name)
                while isinstance(value, np.ndarray):
                    allowed = len(view.past) if name == "past" else len(book.cash)
                    if value.ndim == 3 and name != "past":
                        raise AssertionError(f"{name} leads to all times: {value.shape}")
                    assert name == "instrument_index" or len(value) == allowed, name
                    if name == "past":
                        assert np.isnan(value[view.t + 1 :]).all()
                    value = value.base
        return HedgeDecision(exposure=book.exposure, risk=Target(np.zeros_like(book.hedges)))


def test_no_array_leads_to_the_future(full_setup: FullSetup) -> None:
    from backtester.laws.bench import bench_for

    bench = bench_for(Explorer, {}, 0)
    assert run(bench.panel(), Explorer(), full_setup(bench)).first == 0


class Thief(Strategy[Any]):
    """Tries to write to everything it is given."""

    item: str

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        holder, name = self.item.split(".")
        getattr({"view": view, "book": book}[holder], name)[...] = 0.0
        raise AssertionError("written")


@pytest.mark.parametrize(
    "item",
    [
        "view.past",
        "view.half_spread",
        "view.funding",
        "view.cost_rate",
        "view.depth",
        "book.price",
        "book.hedge_price",
        "book.exposure_units",
        "book.hedge_units",
        "book.cash",
    ],
)
def test_every_input_is_read_only(item: str, full_setup: FullSetup) -> None:
    from backtester.errors import StrategyError
    from backtester.laws.bench import bench_for

    bench = bench_for(Thief, {"item": item}, 0)
    with pytest.raises(StrategyError, match="read-only"):
        run(bench.panel(), Thief(item=item), full_setup(bench))
