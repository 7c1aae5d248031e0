"""Volatility, jumps, depegs, liquidity and funding: exact where an exact answer exists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_scenarios.overlays.liquidity import PRESETS
from numpy.testing import assert_allclose

from backtester.errors import ScenarioError
from backtester.market.moments import moments_of
from backtester.market.panel import MarketPanel
from backtester.overlay import Overlay, envelope
from backtester.overlay_files import overlay_of

from .conftest import PANEL, SMALL, SWITCHING, one, overlaid, steps_of

FLAT = {"start_days": 10.0, "duration_days": 20.0, "ramp_days": 0.0, "recovery_days": 5.0}
MOMENTS = moments_of(PANEL)


def knobs(**given: float) -> dict[str, np.ndarray]:
    return {
        f"{n}_days": np.array([given.get(n, 0.0)])
        for n in ("start", "ramp", "duration", "recovery")
    }


def test_the_course_of_a_shock() -> None:
    days = np.arange(0.0, 40.0)
    strength = envelope(days, knobs(start=10, ramp=4, duration=20, recovery=5))[:, 0]
    assert (strength[:11] == 0.0).all()
    assert_allclose(strength[11:15], [0.25, 0.5, 0.75, 1.0])
    assert (strength[14:31] == 1.0).all()
    assert strength[35] == 0.5  # one half-life after the thirtieth day, exactly
    at_once = envelope(days, knobs(start=10, duration=20))[:, 0]
    assert (at_once[11:31] == 1.0).all() and (at_once[31:] == 0.0).all()
    cut = envelope(days, knobs(start=10, ramp=8, duration=4, recovery=2))[:, 0]
    assert cut[14] == cut.max() == 0.5 and cut[16] == 0.25  # half way up when it turned


def test_volatility_multiplies_and_keeps_correlation_and_price() -> None:
    scenario = overlaid({"overlay": "Volatility", "multiplier": 3.0})
    after = steps_of(scenario.draw(first=0, paths=200, bars=150, seed=2))
    before = steps_of(SMALL.draw(first=0, paths=200, bars=150, seed=2))
    assert_allclose(after.std(axis=0) / before.std(axis=0), 3.0, rtol=1e-3)
    assert_allclose(np.corrcoef(after.T), np.corrcoef(before.T), atol=1e-3)
    # E[exp r] stays: the mean log return falls by (m² − 1) σ²/2
    fall = (before.mean(axis=0) - after.mean(axis=0)) / (before.std(axis=0) ** 2 * 4.0)
    noise = 2.0 * before.mean(axis=0) / (before.std(axis=0) ** 2 * 4.0)
    assert_allclose(fall, 1.0, atol=np.abs(noise).max() + 0.2)
    some = one("Volatility", assets=["B"], **FLAT).apply(PANEL, moments=MOMENTS)
    assert not np.array_equal(some.prices[..., 1], PANEL.prices[..., 1])
    assert np.array_equal(some.prices[..., 0], PANEL.prices[..., 0])


def test_a_jump_is_exactly_what_was_asked() -> None:
    jumped = one("Jump", sizes={"A": -0.4, "B": -0.1}, **{**FLAT, "duration_days": 1e4})
    after = jumped.apply(PANEL, moments=MOMENTS)
    ratio = after.prices / PANEL.prices
    assert_allclose(ratio[11:, :, 0], 0.6, rtol=1e-12)
    assert_allclose(ratio[11:, :, 1], 0.9, rtol=1e-12)
    assert_allclose(ratio[11:, :, 3], 0.6, rtol=1e-12)  # the perpetual with its spot
    assert (ratio[:, :, 2] == 1.0).all() and (ratio[:11] == 1.0).all()
    assert after.regime is not None
    assert (after.regime[11] == 1).all()  # the bar of the jump
    assert np.array_equal(after.regime[12:], PANEL.regime[12:])  # type: ignore[index]


def test_a_jump_by_measured_betas_and_back() -> None:
    jump: dict[str, Any] = {"overlay": "Jump", "size": -0.3, "leader": "A", **FLAT}
    after = overlay_of(jump).apply(PANEL, moments=MOMENTS)
    logs = np.log(after.prices / PANEL.prices)
    beta = MOMENTS.betas("A")[0]
    assert_allclose(logs[11, :, :3], np.log(0.7) * beta * np.ones((8, 1)), rtol=1e-9)
    assert_allclose(logs[35], logs[30] / 2.0, rtol=1e-9)  # half back after a half-life
    assert beta[0] == 1.0 and 0.1 < beta[1] < 0.6
    none = overlay_of({**jump, "others": "none"}).apply(PANEL, moments=MOMENTS)
    assert np.array_equal(none.prices[..., 1], PANEL.prices[..., 1])


def test_a_depeg_and_its_recovery() -> None:
    coin = one("Depeg", depth=0.12, **FLAT).apply(PANEL)
    worth = coin.prices[:, :, 1] / PANEL.prices[:, :, 1]
    assert_allclose(worth[11:31], 0.88, rtol=1e-12)
    assert_allclose(worth[35], 0.94, rtol=1e-12)
    money = overlay_of(
        {"overlay": "Depeg", "depth": 0.12, "quote": True, "pegged": ["B"], **FLAT}
    ).apply(PANEL)
    rise = money.prices / PANEL.prices
    assert_allclose(rise[11:31, :, [0, 2, 3]], 1.0 / 0.88, rtol=1e-12)
    assert_allclose(rise[35, :, [0, 2, 3]], 1.0 / 0.94, rtol=1e-12)
    assert (rise[:, :, 1] == 1.0).all()


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_depth_decays_and_comes_back(preset: str) -> None:
    """Half of what is missing is back after a half-life, exactly; presets as documented."""
    values = PRESETS[preset]
    base = SWITCHING.with_days_per_bar(0.01).draw(first=0, paths=1, bars=3000, seed=1)
    overlay = overlay_of({"overlay": "Liquidity", "preset": preset, "start_days": 0.5})
    after = overlay.apply(base)
    assert base.depth is not None and after.depth is not None
    left = after.depth[:, 0] / base.depth[:, 0]
    wide = after.half_spread[:, 0] / base.half_spread[:, 0]  # type: ignore[index]
    last = round((0.5 + values["duration_days"]) * 100)
    assert_allclose(left[51:last], 1.0 - values["depth_loss"], rtol=1e-9)
    assert_allclose(wide[51:last], values["spread_factor"], rtol=1e-9)
    half = last + round(values["recovery_days"] * 100)
    if half < 3000:
        assert_allclose(left[half], 1.0 - values["depth_loss"] / 2.0, rtol=1e-6)
        assert_allclose(wide[half], (values["spread_factor"] + 1.0) / 2.0, rtol=1e-6)
    assert (left[:51] == 1.0).all()


def test_minutes_without_bids_and_weeks_of_thin_books() -> None:
    """10 October 2025 is two of them: 95 % gone for minutes, about 30 % still missing a day on."""
    scenario = overlaid(
        {"overlay": "Liquidity", "preset": "october_2025", "start_days": 5.0},
        {"overlay": "Liquidity", "preset": "october_2025_after", "start_days": 5.0},
    ).with_days_per_bar(0.01)
    after = scenario.draw(first=0, paths=1, bars=3000, seed=1)
    base = SMALL.with_days_per_bar(0.01).draw(first=0, paths=1, bars=3000, seed=1)
    left = (after.depth / base.depth)[:, 0, 0]  # type: ignore[operator]
    assert left[501] == pytest.approx(0.05 * 0.7)
    assert left[600] == pytest.approx(0.7, abs=0.06)
    assert left[2000] == pytest.approx(1.0 - 0.3 * 0.5, abs=0.01)


def test_funding_is_exact() -> None:
    shocked = one("FundingShock", level=-3.285, basis=-0.01, **FLAT).apply(PANEL)
    assert shocked.funding is not None and PANEL.funding is not None
    paid = shocked.funding[..., 3] - PANEL.funding[..., 3]
    assert_allclose(paid[11:31], -3.285 / 365.0, rtol=1e-12)  # −.30 % each eight hours
    assert_allclose(paid[35], -3.285 / 730.0, rtol=1e-12)
    assert (paid[:11] == 0.0).all()
    assert shocked.funding[..., :3].tobytes() == PANEL.funding[..., :3].tobytes()
    basis = np.log(shocked.prices[..., 3] / shocked.prices[..., 0])
    before = np.log(PANEL.prices[..., 3] / PANEL.prices[..., 0])
    assert_allclose((basis - before)[11:31], -0.01, rtol=1e-9)
    assert np.array_equal(shocked.prices[..., 0], PANEL.prices[..., 0])
    limited = one("FundingShock", level=-9.0, clamp=3.285, **FLAT).apply(PANEL)
    assert_allclose(limited.funding[11:31, :, 3], -3.285 / 365.0, rtol=1e-12)  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (
            "Volatility",
            {"multiplier": 50.0},
            r"multiplier = 50 is outside \[0.1, 10\].*Stay within",
        ),
        ("Volatility", {"multiplier": float("nan")}, "multiplier"),
        ("Volatility", {"multiplyer": 2.0}, "unknown key 'multiplyer'. Did you mean 'multiplier'"),
        ("Volatility", {"assets": ["D"]}, "market 'small' has no asset 'D'"),
        ("Volatility", {"start_days": -1.0}, r"start_days = -1 is outside \[0, 10000\]"),
        ("Jump", {"sizes": {"A": -1.0}}, "size of 'A' is -1.0. Give simple returns above -1"),
        ("Jump", {"sizes": {"A": 0.0, "B": 0.1}}, "has size 0"),
        ("Jump", {"size": 0.1}, "sizes stands for size, leader and betas"),
        ("Jump", {"sizes": {"A": -0.1, "D": -0.1}}, "no asset 'D'"),
        ("Jump", {"sizes": {"A-PERP": -0.1}}, "perpetual and follows 'A'"),
        ("Depeg", {"depth": 1.0}, r"depth = 1 is outside \[-0.5, 0.99\]"),
        ("Depeg", {"quote": True}, "either an asset that loses its peg or quote"),
        ("Liquidity", {"depth_loss": 1.0}, r"depth_loss = 1 is outside"),
        ("Liquidity", {"spread_factor": 0.5}, r"spread_factor = 0.5 is outside \[1, 1000\]"),
        ("Liquidity", {"preset": "ftxx"}, "no preset 'ftxx'. Did you mean 'ftx'"),
        ("Liquidity", {"assets": ["Z"]}, "no asset 'Z'"),
        ("FundingShock", {"level": 11.0}, r"level = 11 is outside \[-10, 10\] .*a year"),
        ("FundingShock", {"basis": 0.2}, r"basis = 0.2 is outside \[-0.1, 0.1\]"),
        ("FundingShock", {"perpetuals": ["A"]}, "'A' is not a perpetual.*Perpetuals here: A-PERP"),
        ("FundingShock", {"perpetuals": ["B-PERP"]}, "no asset 'B-PERP'"),
    ],
)
def test_what_cannot_be_done(kind: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        one(kind, **fields).apply(PANEL)


def test_markets_that_lack_what_an_overlay_changes(history: MarketPanel) -> None:
    spread = {"depth_loss": 0.0, "spread_factor": 2.0}
    for overlay, words in (
        (one("Liquidity"), "market 'history' has no depth to change.*leave that parameter neutral"),
        (one("Liquidity", **spread), "no half spread to change"),
        (one("FundingShock"), "no funding to change"),
    ):
        with pytest.raises(ScenarioError, match=words):
            overlay.apply(history)
    bare = MarketPanel(
        history.times, ("A", "B"), np.array(history.prices[..., :2]), history.calendar, name="bare"
    )
    with pytest.raises(ScenarioError, match="'bare' has no perpetual"):
        one("FundingShock").apply(bare)


def test_what_no_number_can_hold() -> None:
    deep: list[Overlay] = [one("Jump", sizes={"A": -0.999}, **FLAT)] * 110
    from backtester.overlay import apply_overlays

    with pytest.raises(ScenarioError, match="price of 'A' in market 'small' leaves what a number"):
        apply_overlays(PANEL, deep)
    wide = [one("Liquidity", depth_loss=0.0, spread_factor=1000.0, **FLAT)] * 2
    with pytest.raises(ScenarioError, match=r"half-spread of 'A' .* is the whole price or more"):
        apply_overlays(PANEL, wide)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"multiplyer": 2.0}, "no parameter 'multiplyer'. Did you mean 'multiplier'"),
        ({"multiplier": np.ones(3)}, r"multiplier has shape \(3,\) for 8 paths"),
        ({"multiplier": np.array([1, 1, 1, 99.0, 1, 1, 1, 1])}, "multiplier = 99 on path 3 is out"),
        ({"multiplier": np.nan}, "multiplier = nan"),
    ],
)
def test_values_that_cannot_be_used(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        one("Volatility").apply(PANEL, values=values)
