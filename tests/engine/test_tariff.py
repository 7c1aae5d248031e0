"""One kernel plans with the cost terms' coefficients and charges by them: against the terms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig, CostModel
from backtester.costs.quote import Quote
from backtester.execution.broker import order
from backtester.execution.quotes import Quotes
from backtester.market.panel import MarketPanel

from .test_settlement import book_of

NAMES = ("A", "B", "C")
CONFIG = CostConfig(fee_bps={"A": 5.0, "C": 2.0}, impact=0.7, gas={"A": 3.0})


def quote_of(rng: np.random.Generator, paths: int, shared: bool) -> Quote:
    rows = 1 if shared else paths
    return Quote(
        price=rng.uniform(1, 100, (paths, 3)),
        half_spread=rng.uniform(0, 1e-3, (rows, 3)),
        depth=rng.uniform(1e5, 1e9, (rows, 3)),
        volatility=rng.uniform(0, 0.1, (rows, 3)),
    )


@given(seed=st.integers(0, 2**32), paths=st.integers(1, 5), shared=st.booleans())
def test_planned_and_charged_as_the_terms_say(seed: int, paths: int, shared: bool) -> None:
    rng = np.random.default_rng(seed)
    model, quote = CostModel.of(CONFIG, NAMES, NAMES), quote_of(rng, paths, shared)
    tariff = model.at(quote)
    linear, steep = tariff.rates(paths)
    full = np.zeros((paths, 3))
    by_power = {t.power: full for t in model.terms}
    for term in model.terms:
        by_power[term.power] = by_power[term.power] + term.coefficient(quote)
    assert set(by_power) == {0.0, 1.0, 1.5}
    assert np.array_equal(linear, by_power[1.0])
    assert np.array_equal(steep, by_power[1.5])
    units = rng.normal(0, 1e4, (paths, 3)) * (rng.random((paths, 3)) < 0.7)
    held, cash = rng.normal(0, 10, (paths, 3)), rng.normal(0, 1e6, paths)
    after, left, traded, charges = tariff.fill(units, quote.price, held, cash)
    z = units * quote.price
    slow = np.stack(
        [t.value(z, t.coefficient(quote) + full).sum(axis=1) for t in model.terms], axis=1
    )
    assert charges == pytest.approx(slow, rel=1e-13)
    assert np.array_equal(after, held + units)
    assert traded == pytest.approx(np.abs(z).sum(axis=1), rel=1e-13)
    assert left == pytest.approx(cash - z.sum(axis=1) - slow.sum(axis=1), abs=1e-6)
    for p in range(paths):  # alone, to the bit
        one = slice(p, p + 1)
        rows = tariff.coefficients[:, one] if not shared else tariff.coefficients
        alone = type(tariff)(np.ascontiguousarray(rows), tariff.powers)
        for a, b in zip(
            alone.fill(units[one], quote.price[one], held[one], cash[one]),
            (after, left, traded, charges), strict=True,
        ):  # fmt: skip
            assert np.array_equal(a, b[one])


@pytest.mark.parametrize("impact", [0.0, 0.6])
@pytest.mark.parametrize(("paths", "rows"), [(1, 1), (3, 1), (3, 3)])
def test_a_field_that_paths_share_is_read_once(impact: float, paths: int, rows: int) -> None:
    """Whether the coefficients are made stamp by stamp or for all stamps at once."""
    rng = np.random.default_rng(5)
    panel = MarketPanel(
        times=np.arange(6) * 86_400_000_000_000, assets=NAMES, calendar=CONTINUOUS,
        prices=rng.uniform(50, 60, (6, paths, 3)), half_spread=rng.uniform(0, 1e-3, (6, rows, 3)),
        depth=rng.uniform(1e6, 1e8, (6, rows, 3)),
    )  # fmt: skip
    index = np.array([2, 0])
    config = CostConfig(impact=impact, gas=1.0)
    model = CostModel.of(config, NAMES, ("C", "A"))
    quotes = Quotes(panel, index, config, model)
    volatility = panel.daily_volatility()
    for t in range(6):
        price = panel.prices[t][:, index]
        found = quotes.at(t, panel.prices[t])
        assert panel.half_spread is not None and panel.depth is not None
        quote = Quote(
            price, panel.half_spread[t][:, index], panel.depth[t][:, index],
            volatility[t][:, index],
        )  # fmt: skip
        for one, other in zip(found.rates(paths), model.at(quote).rates(paths), strict=True):
            assert np.array_equal(one, other)
        assert found.tradable is None


@given(seed=st.integers(0, 2**32), paths=st.integers(1, 5))
def test_orders_go_where_a_path_may_and_can_trade(seed: int, paths: int) -> None:
    rng = np.random.default_rng(seed)
    book, h = book_of(rng, paths), rng.normal(0, 1e3, (paths, 2))
    trade, status = rng.random(paths) < 0.6, rng.integers(0, 7, paths).astype(np.int8)
    sent = order(book, h, trade, status)
    send = trade & (status >= 1) & (status <= 4)
    if not send.any():
        assert sent is None
        return
    units = np.where(send[:, None], h - book.hedges, 0.0) / book.hedge_price
    assert sent is not None and np.array_equal(sent.units, units)
