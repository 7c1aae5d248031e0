"""Settled, filled and recorded in one pass or one after the other: the same to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backtester.accounting.settlement import Settlement
from backtester.engine import run
from backtester.laws.bench import Bench
from backtester.setup import RunSetup

FullSetup = Callable[..., RunSetup]


@pytest.mark.parametrize("changes", [{"hold": "notional"}, {"delay": 2}], ids=["notional", "late"])
def test_one_pass_is_its_parts(
    bench: Bench, full_setup: FullSetup, changes: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A market that may be shut but never is takes the parts; one that cannot takes the pass."""
    always = replace(bench.panel(), tradable=None)
    assert always.funding is not None and always.funding.any()
    never_shut = replace(always, tradable=np.ones(always.prices.shape, dtype=bool))
    setup = full_setup(bench, **changes)
    passes: list[int] = []
    original = Settlement.account

    def counted(self: Settlement, *args: object) -> object:
        passes.append(1)
        return original(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Settlement, "account", counted)
    one = run(always, bench.fresh(), setup)
    assert len(passes) == always.bars
    other = run(never_shut, bench.fresh(), setup)
    assert len(passes) == always.bars
    assert one.ledger.traded.any() or bench.who == "Naked"
    for first, second in zip(one.ledger.columns, other.ledger.columns, strict=True):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(one.ledger.status, other.ledger.status)
    np.testing.assert_array_equal(one.horizon, other.horizon)
    assert one.routes == other.routes
    assert not one.ledger.unfilled.any() and not other.ledger.unfilled.any()
