"""A path is a function of (seed, path): not of blocks, length, scenario or bar size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .conftest import Make, regime

FIELDS = ("prices", "regime", "half_spread", "depth", "funding")


def small() -> Any:
    from backtester_scenarios.correlated_returns import CorrelatedReturns

    perps = {"A-PERP": "A"}
    regimes = {
        "normal": regime(0.5, 0.5, duration_days=10.0, degrees_of_freedom=4.0),
        "crisis": regime(0.9, 1.0, duration_days=5.0, degrees_of_freedom=3.0),
    }
    prices = {"A": 100.0, "B": 50.0, "C": 10.0}
    return CorrelatedReturns(name="small", prices=prices, perpetuals=perps, regimes=regimes)


SCENARIO = small()
WHOLE = SCENARIO.draw(first=0, paths=67, bars=61, seed=11)


@given(first=st.integers(0, 66), paths=st.integers(1, 67), bars=st.integers(1, 61))
def test_any_block_of_any_length_holds_the_same_bits(first: int, paths: int, bars: int) -> None:
    paths = min(paths, 67 - first)
    part = SCENARIO.draw(first=first, paths=paths, bars=bars, seed=11)
    assert np.array_equal(part.times, WHOLE.times[: bars + 1])
    for field in FIELDS:
        whole = getattr(WHOLE, field)[: bars + 1, first : first + paths]
        assert getattr(part, field).tobytes() == np.ascontiguousarray(whole).tobytes(), field


@given(paths=st.lists(st.integers(0, 66), min_size=1, max_size=5, unique=True))
def test_correlation_per_path_in_any_block(paths: list[int]) -> None:
    rho = np.linspace(-1, 1, 67)
    matrix = SCENARIO.with_exposure_correlation(rho, ("A",), ("B", "C"))
    whole = SCENARIO.draw(first=0, paths=67, bars=20, seed=11, correlation=matrix)
    for p in paths:
        alone = SCENARIO.draw(first=p, paths=1, bars=20, seed=11, correlation=matrix[p])
        stacked = SCENARIO.draw(first=p, paths=1, bars=20, seed=11, correlation=matrix[p : p + 1])
        assert alone.prices.tobytes() == stacked.prices.tobytes()
        assert alone.prices[:, 0].tobytes() == whole.prices[:, p].tobytes()


def test_scenarios_share_their_shocks(make: Make) -> None:
    calm = make(regimes={"normal": regime(0.5, 0.5)}).draw(first=0, paths=9, bars=40, seed=1)
    wild = make(regimes={"normal": regime(0.5, 1.0)}).draw(first=0, paths=9, bars=40, seed=1)
    one, two = (np.diff(np.log(p.prices[:, :, :3]), axis=0) for p in (calm, wild))
    variance = np.array([0.5, 0.25, 0.75]) ** 2 / 365
    assert one + variance / 2 == pytest.approx((two + 4 * variance / 2) / 2, abs=1e-12)


def test_tails_of_one_regime_do_not_move_the_shocks_of_another(make: Make) -> None:
    def drawn(freedom: float) -> Any:
        regimes = {
            "normal": regime(0.5, 0.5, duration_days=20.0, degrees_of_freedom=4.0),
            "crisis": regime(0.5, 0.5, duration_days=5.0, degrees_of_freedom=freedom),
        }
        return make(regimes=regimes).draw(first=0, paths=9, bars=200, seed=1)

    one, two = drawn(3.0), drawn(9.0)
    normal = one.regime[1:] == 0
    steps = [np.diff(np.log(p.prices[:, :, :3]), axis=0)[normal] for p in (one, two)]
    assert steps[0] == pytest.approx(steps[1], abs=1e-12)


def test_seeds_differ() -> None:
    other = SCENARIO.draw(first=0, paths=67, bars=61, seed=12)
    assert not (other.prices[1:, :, :3] == WHOLE.prices[1:, :, :3]).any()


def test_hourly_bars_have_the_daily_law(make: Make) -> None:
    daily = make()
    hourly = daily.with_days_per_bar(1 / 24)
    panel = hourly.draw(first=0, paths=60, bars=24 * 120, seed=6)
    assert panel.days_per_bar == pytest.approx(1 / 24)
    sampled = panel.prices[::24, :, :3]
    steps = np.diff(np.log(sampled), axis=0)
    state = panel.regime[1:].reshape(120, 24, 60)
    whole = (state == state[:, :1]).all(axis=1)  # days spent in one regime
    for code, name in enumerate(panel.regime_names):
        inside = steps[whole & (state[:, 0] == code)]
        want = np.array([daily.regimes[name].volatility[a] for a in "ABC"])
        error = 4.5 / np.sqrt(len(inside))
        assert np.abs(inside.std(axis=0) * np.sqrt(365) / want - 1).max() < error
        assert np.abs(np.corrcoef(inside.T) - daily.tables.correlation[code]).max() < error
    stays = (state[:-1, -1] == state[1:, -1])[state[:-1, -1] == 1].mean()  # crisis, day to day
    assert stays == pytest.approx(daily.tables.transition[1, 1], abs=0.025)
    accrued = panel.funding[1:, :, 3].sum(axis=0).mean() * 365 / 120
    assert accrued == pytest.approx(0.1, abs=0.04)


def test_daily_tails_do_not_depend_on_the_bar(make: Make) -> None:
    scenario = make(regimes={"only": regime(0.5, 0.5, degrees_of_freedom=6.0)})
    hourly = scenario.with_days_per_bar(0.25).draw(first=0, paths=200, bars=4 * 200, seed=1)
    steps = np.diff(np.log(hourly.prices[::4, :, 0]), axis=0)
    assert (steps**4).mean() / (steps**2).mean() ** 2 == pytest.approx(6.0, abs=1.2)  # 3(ν−2)/(ν−4)


@pytest.mark.parametrize(("days", "bars"), [(1.0, 30), (0.25, 40), (5.0, 12)])
def test_session_stamps_have_the_stated_trading_time(make: Make, days: float, bars: int) -> None:
    scenario = make(calendar="sessions").with_days_per_bar(days)
    panel = scenario.draw(first=0, paths=2, bars=bars, seed=1)
    weekday = ((panel.times // 86_400_000_000_000) + 3) % 7
    assert (weekday < 5).all()
    if days <= 1:
        assert np.diff(panel.trading_days) == pytest.approx(np.full(bars, days))
