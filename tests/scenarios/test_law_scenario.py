"""Law 8: what is sampled is what was asked for, within Monte-Carlo error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .conftest import Make, regime


def log_returns(panel: Any) -> np.ndarray:
    return np.log(panel.prices[1:] / panel.prices[:-1])


@pytest.mark.parametrize("freedom", [None, 5.0])
def test_moments_of_each_regime(make: Make, freedom: float | None) -> None:
    regimes = {
        "normal": regime(0.5, 0.5, duration_days=40.0, degrees_of_freedom=freedom),
        "crisis": regime(0.9, 1.0, duration_days=10.0, degrees_of_freedom=freedom),
    }
    scenario = make(regimes=regimes)
    panel = scenario.draw(first=0, paths=400, bars=250, seed=3)
    steps, state = log_returns(panel)[:, :, :3], panel.regime[1:]
    for code, name in enumerate(panel.regime_names):
        inside = steps[state == code]
        target = scenario.tables.correlation[code]
        # fat tails widen the error: kurtosis of t5 is 9, so 4 standard errors are taken as 12
        error = (4 if freedom is None else 12) / np.sqrt(len(inside))
        assert np.abs(np.corrcoef(inside.T) - target).max() < error, name
        annual = inside.std(axis=0) * np.sqrt(365)
        want = np.array([scenario.regimes[name].volatility[a] for a in "ABC"])  # type: ignore[index]
        assert np.abs(annual / want - 1).max() < error, name
        mean = inside.mean(axis=0) * 365 + want**2 / 2
        assert (np.abs(mean) < 4.5 * want * np.sqrt(365 / len(inside))).all(), name


def test_tails_are_student_and_shared_by_assets(make: Make) -> None:
    heavy = {"only": regime(0.0, 0.5, degrees_of_freedom=8.0)}
    panel = make(regimes=heavy).draw(first=0, paths=500, bars=200, seed=1)
    steps = log_returns(panel)[:, :, :3].reshape(-1, 3)
    steps = steps / steps.std(axis=0)
    assert (steps**4).mean(axis=0) == pytest.approx([4.5] * 3, abs=0.6)  # 3 (ν−2)/(ν−4)
    squares = np.corrcoef((steps**2).T)[0, 1]
    assert squares == pytest.approx(0.143, abs=0.05)  # uncorrelated, not independent: 1/(ν−1)


@pytest.mark.parametrize("limit", [1.5, 3.0])
def test_limited_tails_keep_the_variance(make: Make, limit: float) -> None:
    bounded = {"only": regime(0.0, 0.5, degrees_of_freedom=3.0, scale_limit=limit)}
    scenario = make(regimes=bounded)
    panel = scenario.draw(first=0, paths=500, bars=200, seed=1)
    steps = log_returns(panel)[:, :, :3].reshape(-1, 3)
    assert steps.std(axis=0) * np.sqrt(365) == pytest.approx([0.5, 0.25, 0.75], rel=0.02)
    tail = scenario.tables.tails[0]
    assert tail is not None and tail.norm < 1
    free = make(regimes={"only": regime(0.0, 0.5, degrees_of_freedom=3.0)})
    wild = log_returns(free.draw(first=0, paths=500, bars=200, seed=1))
    assert np.abs(steps[:, 0]).max() < np.abs(wild[:, :, 0]).max() / 2


def test_durations_and_share_of_regimes(make: Make) -> None:
    state = make().draw(first=0, paths=400, bars=730, seed=5).regime[1:].astype(bool)
    assert state.mean() == pytest.approx(0.2, abs=0.012)
    leave = (state[:-1] & ~state[1:]).sum() / state[:-1].sum()
    enter = (~state[:-1] & state[1:]).sum() / (~state[:-1]).sum()
    moved = 1 - np.exp(-(1 / 40 + 1 / 10))  # exp(QΔt) of two states
    assert leave == pytest.approx(0.8 * moved, abs=0.005)
    assert enter == pytest.approx(0.2 * moved, abs=0.002)


def test_three_regimes_follow_their_stated_order(make: Make) -> None:
    regimes = {
        "normal": regime(0.5, 0.5, duration_days=20.0, next={"stress": 1.0}),
        "stress": regime(0.7, 0.7, duration_days=10.0, next={"crisis": 0.5, "normal": 0.5}),
        "crisis": regime(0.9, 1.0, duration_days=5.0, next={"normal": 1.0}),
    }
    scenario = make(regimes=regimes, start="crisis").with_days_per_bar(0.125)
    state = scenario.draw(first=0, paths=60, bars=4000, seed=2).regime
    assert (state[1] == 2).all()
    share = np.bincount(state[800:].ravel(), minlength=3) / state[800:].size
    want = np.array([20.0, 10.0, 0.5 * 5.0]) / 32.5
    assert share == pytest.approx(want, abs=0.03)
    jumps = state[:-1] * 3 + state[1:]
    assert (jumps == 0 * 3 + 2).sum() < 0.1 * (jumps == 1 * 3 + 2).sum()  # not straight to crisis


def test_funding_reverts_and_is_clamped(make: Make) -> None:
    def only(clamp: float | None) -> dict[str, Any]:
        rate = {"level": 0.1, "volatility": 0.2, "half_life_days": 3.0, "clamp": clamp}
        return {"only": regime(0.5, 0.5, funding={"A-PERP": rate})}

    free = make(regimes=only(None)).draw(first=0, paths=600, bars=120, seed=7).funding
    rate = free[1:, :, 3] * 365
    assert (free[0] == 0).all() and (free[:, :, :3] == 0).all()
    assert rate.mean() == pytest.approx(0.1, abs=0.006)
    assert rate.std() == pytest.approx(0.2, rel=0.03)
    now, lag = rate[3:].ravel(), rate[:-3].ravel()
    assert np.corrcoef(now, lag)[0, 1] == pytest.approx(0.5, abs=0.02)  # three days: one half-life
    clamped = make(regimes=only(0.25)).draw(first=0, paths=600, bars=120, seed=7).funding
    assert clamped[1:, :, 3] * 365 == pytest.approx(np.clip(rate, -0.25, 0.25), abs=1e-15)


def test_perpetual_never_drifts_from_its_spot(make: Make) -> None:
    panel = make().draw(first=0, paths=300, bars=365, seed=9)
    basis = np.log(panel.prices[:, :, 3] / panel.prices[:, :, 0])
    assert (basis[0] == 0).all()
    for part in (basis[10:100], basis[-90:]):
        assert part.std() == pytest.approx(0.002, rel=0.05)
        assert abs(part.mean()) < 1e-4
    assert np.corrcoef(basis[11:].ravel(), basis[10:-1].ravel())[0, 1] == pytest.approx(
        0.5 ** (1 / 0.7), abs=0.02
    )


def test_liquidity_follows_the_regime(make: Make) -> None:
    panel = make().draw(first=0, paths=50, bars=200, seed=1)
    crisis = panel.regime == 1
    assert crisis.any() and not crisis.all()
    assert (panel.half_spread[crisis] == 8e-4).all()
    assert (panel.half_spread[~crisis] == 2e-4).all()
    assert (panel.depth[..., 3] == 4e8).all()


def test_prices_are_martingales_without_drift(make: Make) -> None:
    only = {"only": regime(0.5, 0.5)}
    last = make(regimes=only).draw(first=0, paths=4000, bars=30, seed=2).prices[-1]
    deviation = 0.5 * np.sqrt(30 / 365)
    assert last[:, 0].mean() / 100 == pytest.approx(1.0, abs=4 * deviation / np.sqrt(4000))


def test_constant_correlation_twin_changes_nothing_else(make: Make) -> None:
    scenario = make()
    twin = scenario.constant_correlation()
    assert twin.name != scenario.name and twin.regime_names == scenario.regime_names
    normal = scenario.tables.correlation[0]
    assert (twin.tables.correlation == normal).all()
    panel, other = (s.draw(first=0, paths=20, bars=90, seed=4) for s in (scenario, twin))
    for field in ("regime", "half_spread", "depth", "funding"):
        assert np.array_equal(getattr(panel, field), getattr(other, field))
    same = panel.regime[1:] == 0
    steps = [log_returns(p)[same][:, :3] for p in (panel, other)]
    assert steps[0] == pytest.approx(steps[1], abs=1e-12)
    # the first asset's shocks are untouched by correlation, in the crisis too
    assert np.array_equal(panel.prices[:, :, 0], other.prices[:, :, 0])
