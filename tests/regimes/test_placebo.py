"""The placebo: volatility as it was, one correlation throughout, a path its own stream."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.clock import CONTINUOUS
from backtester.errors import DataError, ScenarioError
from backtester.market.panel import MarketPanel
from backtester.regimes.labels import labels_of
from backtester.regimes.placebo import devolatilised, placebo_panel

DAY = 86_400_000_000_000


def history(seed: int = 0) -> MarketPanel:
    """Two assets; in the two volatile spells their correlation falls from .9 to 0."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((1000, 2))
    crisis = np.zeros(1000, dtype=bool)
    crisis[300:400] = crisis[700:760] = True
    rho = np.where(crisis, 0.0, 0.9)
    moves = np.stack([z[:, 0], rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 1]], axis=1)
    moves *= np.where(crisis, 0.06, 0.02)[:, None]
    prices = 100 * np.exp(np.vstack([np.zeros(2), np.cumsum(moves, axis=0)]))
    times = np.arange(1001, dtype=np.int64) * DAY + 18_000 * DAY
    return MarketPanel(
        times=times,
        assets=("A", "B"),
        prices=prices[:, None],
        calendar=CONTINUOUS,
        funding=np.full((1001, 1, 2), 1e-4),
        name="toy",
    )


def correlation(panel: MarketPanel, code: int) -> float:
    bars = labels_of(panel, labeller="volatility").label[1:] == code
    moves = np.diff(np.log(panel.prices), axis=0)[bars]
    return float(np.corrcoef(moves.T)[0, 1])


def test_correlation_is_constant_and_volatility_is_not() -> None:
    real = history()
    twin = placebo_panel(real, paths=40, seed=1)
    assert correlation(real, 0) - correlation(real, 1) > 0.6
    assert abs(correlation(twin, 0) - correlation(twin, 1)) < 0.03
    shocks = devolatilised(real)[1]
    assert correlation(twin, 0) == pytest.approx(np.corrcoef(shocks.T)[0, 1], abs=0.03)
    spread = np.diff(np.log(twin.prices), axis=0).std(axis=(1, 2))
    volatility = devolatilised(real)[0].mean(axis=1)
    assert np.corrcoef(spread, volatility)[0, 1] > 0.97


def test_shocks_are_standardised() -> None:
    volatility, shocks = devolatilised(history())
    assert volatility.shape == shocks.shape == (1000, 2)
    np.testing.assert_allclose(shocks.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose((shocks**2).mean(axis=0), 1.0, rtol=1e-12)


def test_rest_of_the_market_is_the_history() -> None:
    real = history()
    twin = placebo_panel(real, paths=3, seed=1)
    np.testing.assert_array_equal(twin.times, real.times)
    assert twin.funding is not None and real.funding is not None
    np.testing.assert_array_equal(twin.funding, real.funding)
    assert twin.regime is None and twin.name == "toy (placebo)"
    assert "correlation is constant" in twin.notes[-1]
    growth: Float = np.log(twin.prices[-1] / twin.prices[0])
    assert growth.shape == (3, 2)


def test_a_path_is_its_own_whatever_is_drawn_with_it() -> None:
    few, many = (placebo_panel(history(), paths=p, seed=7).prices for p in (2, 9))
    np.testing.assert_array_equal(few, many[:, :2])
    assert not np.array_equal(many[:, 0], placebo_panel(history(), paths=1, seed=8).prices[:, 0])


def test_drift_is_zero() -> None:
    twin = placebo_panel(history(), paths=400, seed=2)
    gain = (twin.returns).mean(axis=(0, 1))
    error = twin.returns.std() / np.sqrt(400 * 1000)
    assert (np.abs(gain) < 4 * error).all()


def test_wrong_requests() -> None:
    twin = placebo_panel(history(), paths=2, seed=0)
    with pytest.raises(DataError, match="one history"):
        placebo_panel(twin, paths=2, seed=0)
    with pytest.raises(ScenarioError, match="at least one path"):
        placebo_panel(history(), paths=0, seed=0)
