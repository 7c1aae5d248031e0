"""Settlement and reconciliation loops against their slow twins in numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.accounting.book import Book
from backtester.accounting.fills import Fills
from backtester.accounting.ledger import Entry, Ledger
from backtester.accounting.settlement import Settlement
from backtester.costs.carry import borrow_cash, funding_cash
from backtester.costs.tariff import Tariff
from backtester.errors import AccountingError

INDEX = np.array([3, 1])


def book_of(rng: np.random.Generator, paths: int) -> Book:
    price = rng.uniform(1, 100, (paths, 4))
    return Book(
        price=price,
        hedge_price=np.take(price, INDEX, axis=1),
        exposure_units=rng.normal(0, 10, (paths, 4)),
        hedge_units=rng.normal(0, 10, (paths, 2)),
        cash=rng.normal(0, 1000, paths),
        instrument_index=INDEX,
        capital=1000.0,
    )


@given(
    seed=st.integers(0, 2**32),
    paths=st.integers(1, 5),
    funded=st.booleans(),
    borrowed=st.booleans(),
    constant=st.booleans(),
)
def test_settlement_equals_its_formula(
    seed: int, paths: int, funded: bool, borrowed: bool, constant: bool
) -> None:
    rng = np.random.default_rng(seed)
    book = book_of(rng, paths)
    price = book.price * rng.uniform(0.5, 1.5, book.price.shape)
    funding = rng.normal(0, 0.01, price.shape) if funded else None
    borrow = rng.uniform(0, 0.1, 4) * borrowed
    notional = rng.normal(0, 500, price.shape) if constant else None
    years = 1 / 365
    hedge_price = np.take(price, INDEX, axis=1)
    settled, pnl = Settlement(borrow, INDEX, notional).at(book, price, funding, years)
    rate = np.zeros_like(price) if funding is None else funding
    slow = [
        (book.exposure_units * (price - book.price)).sum(axis=-1),
        (book.hedge_units * (hedge_price - book.hedge_price)).sum(axis=-1),
        funding_cash(book.exposure_units, price, rate).sum(axis=-1)
        + borrow_cash(book.exposure_units, book.price, borrow, years).sum(axis=-1),
        funding_cash(book.hedge_units, hedge_price, rate[:, INDEX]).sum(axis=-1)
        + borrow_cash(book.hedge_units, book.hedge_price, borrow[INDEX], years).sum(axis=-1),
    ]
    assert pnl == pytest.approx(np.array(slow), rel=1e-12, abs=1e-9)
    assert np.array_equal(settled.hedge_price, hedge_price)
    units = book.exposure_units if notional is None else notional / price
    assert np.array_equal(settled.exposure_units, units)
    bought = ((units - book.exposure_units) * price).sum(axis=-1)
    assert settled.cash == pytest.approx(book.cash + slow[2] + slow[3] - bought, abs=1e-9)
    assert not settled.cash.flags.writeable
    assert not settled.exposure_units.flags.writeable


@given(
    seed=st.integers(0, 2**32), paths=st.integers(1, 5), filled=st.booleans(),
    wrong=st.booleans(), t=st.integers(0, 1),
)  # fmt: skip
def test_recording_marks_the_book_and_finds_the_path(
    seed: int, paths: int, filled: bool, wrong: bool, t: int
) -> None:
    rng = np.random.default_rng(seed)
    book = book_of(rng, paths)
    pnl, costs = rng.normal(0, 10, (4, paths)), rng.uniform(0, 1, (paths, 3)) * filled
    led = Ledger.open(np.arange(2), paths, 2, ("fee", "spread", "gas"))
    before = book.equity - pnl.sum(axis=0) + costs.sum(axis=1)
    if t == 0:  # the first event starts from capital
        book = replace(book, cash=book.cash - before + book.capital)
        before = np.full(paths, book.capital)
    else:
        led.equity[0], led.written = before, 1
    if wrong:
        shift = np.zeros(paths)
        shift[-1] = 1.0
        book = replace(book, cash=book.cash + shift)
    fills = Fills(rng.normal(0, 1, (paths, 2)), rng.uniform(0, 9, paths), costs)
    entry = Entry(pnl, fills if filled else None, np.full(paths, 2, dtype=np.int8))
    if wrong:
        with pytest.raises(AccountingError, match=f"path {paths - 1} moved"):
            led.record(entry, book)
    else:
        led.record(entry, book)
    assert led.written == t + 1
    assert led.equity[t] == pytest.approx(book.equity, rel=1e-12)
    assert led.gross_exposure[t] == pytest.approx(np.abs(book.exposure).sum(axis=-1), rel=1e-12)
    assert np.array_equal(led.hedges[t], book.hedges)
    rows = (led.exposure_pnl, led.hedge_pnl, led.exposure_carry, led.hedge_carry)
    assert np.array_equal([row[t] for row in rows], pnl)
    assert np.array_equal(led.costs[t], costs)
    assert np.array_equal(led.fills[t], fills.units * filled)
    assert np.array_equal(led.traded[t], fills.traded * filled)
    assert (led.status[t] == 2).all()


@pytest.mark.parametrize("t", [0, 1])
@pytest.mark.parametrize("filled", [False, True])
def test_one_pass_finds_the_path_whose_equity_is_not_explained(t: int, filled: bool) -> None:
    rng = np.random.default_rng(3)
    paths = 4
    book = book_of(rng, paths)
    tariff = Tariff(np.full((1, 1, 2), 1e-3), np.ones(1))
    units = rng.normal(0, 1, (paths, 2)) if filled else None
    settlement = Settlement(np.zeros(4), INDEX, None)
    price = book.price * 1.01
    ledger = Ledger.open(np.arange(2), paths, 2, ("fee",))
    ledger.written = t
    cash = book.cash - book.equity + book.capital  # equity is capital, and was
    ledger.equity[0] = book.capital
    good = replace(book, cash=cash)
    after = settlement.account(good, price, None, 0.0, units, tariff, ledger)
    assert ledger.written == t + 1
    assert ledger.equity[t] == pytest.approx(after.equity, rel=1e-12)
    for array in (after.hedge_units, after.cash, after.hedge_price, after.exposure_units):
        assert not array.flags.writeable
    assert (after.hedge_units == good.hedge_units).all() != filled
    ledger.written = t
    bad = replace(book, cash=cash + 1e3 * (np.arange(paths) == 2))
    with pytest.raises(AccountingError, match=r"path 2 moved by .* explain"):
        settlement.account(bad, price, None, 0.0, units, tariff, ledger)
