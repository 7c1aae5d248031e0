"""No trading for a while: what is closed, what the price does, and what a hedge can do about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtester.api import run
from backtester.errors import ScenarioError
from backtester.overlay import apply_overlays

from .conftest import PANEL, SMALL, one

TEN_TO_THIRTEEN = slice(11, 14)


def test_everything_closes_and_prices_stand_still() -> None:
    after = one("Outage").apply(PANEL)
    assert after.tradable is not None and after.tradable.dtype == bool
    assert not after.tradable[TEN_TO_THIRTEEN].any()
    assert after.tradable[:11].all() and after.tradable[14:].all()
    for t in range(11, 14):
        assert np.array_equal(after.prices[t], PANEL.prices[10])
    assert np.array_equal(after.prices[14:], PANEL.prices[14:])  # it gaps to where it belongs
    assert after.regime is not None and (after.regime[TEN_TO_THIRTEEN] == 1).all()
    basis = np.log(after.prices[..., 3] / after.prices[..., 0])
    assert np.abs(basis).max() <= np.abs(np.log(PANEL.prices[..., 3] / PANEL.prices[..., 0])).max()


def test_prices_that_move_unseen() -> None:
    after = one("Outage", prices="unseen", assets=["A", "A-PERP"]).apply(PANEL)
    assert np.array_equal(after.prices, PANEL.prices)
    assert after.tradable is not None
    assert after.tradable[:, :, 1:3].all() and not after.tradable[TEN_TO_THIRTEEN, :, [0, 3]].any()


def test_two_outages_and_a_jump_behind_a_closed_door() -> None:
    shocks = [
        one("Outage"),
        one("Outage", start_days=20.0),
        one("Jump", sizes={"A": -0.4}, start_days=11.0, ramp_days=0.0, recovery_days=0.0),
    ]
    after = apply_overlays(PANEL, shocks)
    assert after.tradable is not None
    assert not after.tradable[[11, 12, 13, 21, 22, 23]].any() and after.tradable[14:21].all()
    assert np.array_equal(after.prices[13], PANEL.prices[10])  # unseen until it opens
    ratio = after.prices[14, :, 0] / PANEL.prices[14, :, 0]
    assert ratio == pytest.approx(0.6)


def test_a_price_that_is_stale_stays_stale_under_a_shock() -> None:
    """Two calendars side by side: an asset that is closed moves when it opens again."""
    prices, tradable = np.array(PANEL.prices), np.ones(PANEL.prices.shape, dtype=bool)
    prices[20:22, :, 1], tradable[20:22, :, 1] = prices[19, :, 1], False
    market = replace(PANEL, prices=prices, tradable=tradable)
    after = one("Jump", sizes={"B": -0.5}, start_days=20.0, ramp_days=0.0).apply(market)
    assert np.array_equal(after.prices[20:22, :, 1], prices[20:22, :, 1])
    assert after.prices[22, :, 1] / prices[22, :, 1] == pytest.approx(0.5)
    assert after.tradable is not None and np.array_equal(after.tradable, tradable)


def test_which_paths_are_down_may_differ() -> None:
    down = np.array([1.0, 0.0] * 4)
    after = one("Outage").apply(PANEL, values={"down": down})
    assert after.tradable is not None
    assert np.array_equal(after.tradable[12, :, 0], down == 0.0)


def test_an_outage_within_a_bar_is_told() -> None:
    short = one("Outage", duration_days=0.5).apply(PANEL)
    assert short.tradable is None or short.tradable.all()
    assert "no stamp of the market lies within its time" in short.notes[-1]


def test_no_order_fills_in_an_outage() -> None:
    panel = SMALL.draw(first=0, paths=1, bars=120, seed=2)
    shut: dict[str, Any] = {"start_days": 80.0, "duration_days": 10.0}

    def trades(outage: bool) -> np.ndarray:
        market = one("Outage", **shut).apply(panel) if outage else panel
        found = run(market, "OneToOne", exposure={"C": 1e6}, hedge_with=["B"], hold="notional")
        return np.abs(np.diff(found.block.ledger.hedges[:, 0, 0] / market.prices[:, 0, 1]))

    assert trades(False)[81:89].max() > 1.0
    assert trades(True)[81:89].max() == 0.0
    assert trades(True)[91:].max() > 1.0


def test_what_cannot_be_done() -> None:
    with pytest.raises(ScenarioError, match="no asset 'D'"):
        one("Outage", assets=["D"]).apply(PANEL)
    with pytest.raises(ScenarioError, match="'frozen' or 'unseen'"):
        one("Outage", prices="gone")
    with pytest.raises(ScenarioError, match=r"down = 2 is outside \[0, 1\]"):
        one("Outage", down=2.0)
