"""Correlation overlays: the closed forms of the homotopy, PSD always, volatility and tails kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from backtester.errors import ScenarioError
from backtester.market.moments import moments_of
from backtester.market.panel import MarketPanel
from backtester.overlay import apply_overlays

from .conftest import SMALL, one, overlaid, small, steps_of

PATHS, BARS = 200, 150
BASE = SMALL.draw(first=0, paths=PATHS, bars=BARS, seed=11)
WEIGHT = np.array([1.0, -0.9, 0.4])
DAYS = 365.0
SPREAD = np.array([0.5, 0.25, 0.75]) / np.sqrt(DAYS)
RHO = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.5], [0.3, 0.5, 1.0]])
ALWAYS = {"start_days": 0.0, "ramp_days": 0.0, "duration_days": 1e4, "recovery_days": 0.0}


def drawn(kind: str, **fields: object) -> MarketPanel:
    """The small market under one overlay that lasts."""
    scenario = overlaid({"overlay": kind, **fields})
    return scenario.draw(first=0, paths=PATHS, bars=BARS, seed=11)


def error_of_mean(values: np.ndarray) -> float:
    """Standard error of the mean of (bars · paths,) values, paths independent."""
    each = values.reshape(BARS, PATHS).mean(axis=0)
    return float(each.std(ddof=1) / np.sqrt(PATHS))


@pytest.mark.parametrize("theta", [0.25, 0.6, 1.0])
def test_variance_along_the_homotopy_is_linear(theta: float) -> None:
    """σ²(θ) = (1−θ) σ²(0) + θ (Σ|w|σ)² where s = sign w (methods A5), within 4 SE."""
    signs = {"A": 1, "B": -1, "C": 1}
    shocked = drawn("CorrelationPath", theta=theta, signs=signs)
    book = (steps_of(shocked) @ WEIGHT) ** 2
    start = WEIGHT * SPREAD @ RHO @ (WEIGHT * SPREAD)
    worst = float(np.abs(WEIGHT) @ SPREAD) ** 2
    wanted = (1.0 - theta) * start + theta * worst
    assert abs(book.mean() - wanted) < 4.0 * error_of_mean(book)
    assert error_of_mean(book) < 0.03 * wanted
    # and the same draw before the overlay lies elsewhere: the test can fail
    before = (steps_of(BASE) @ WEIGHT) ** 2
    assert abs(before.mean() - wanted) > 10.0 * error_of_mean(before)


def test_the_worst_case_of_a_book_is_its_signs() -> None:
    from backtester_scenarios.overlays.correlation_path import CorrelationPath

    worst = CorrelationPath.against(dict(zip("ABC", WEIGHT, strict=True)), theta=1.0)
    assert dict(worst.signs) == {"A": 1, "B": -1, "C": 1}  # type: ignore[attr-defined]
    book = steps_of(worst.apply(BASE, seed=11)) @ WEIGHT
    assert book.std() == pytest.approx(np.abs(WEIGHT) @ SPREAD, rel=0.05)


def test_towards_minus_one_with_the_opposed() -> None:
    shocked = drawn("CorrelationPath", theta=-0.8, opposed=["B"])
    sample = np.corrcoef(steps_of(shocked).T)
    wanted = 0.2 * RHO + 0.8 * np.outer([1, -1, 1], [1, -1, 1])
    assert_allclose(sample, wanted, atol=0.02)


def test_shares_hold_an_asset_back() -> None:
    shocked = drawn("CorrelationPath", theta=0.64, shares={"B": 0.25})
    given = np.array([0.64, 0.16, 0.64])
    wanted = np.sqrt(np.outer(1 - given, 1 - given)) * RHO + np.sqrt(np.outer(given, given))
    np.fill_diagonal(wanted, 1.0)
    assert_allclose(np.corrcoef(steps_of(shocked).T), wanted, atol=0.02)


@pytest.mark.parametrize(
    ("noise", "within"),
    [("joint", 0.3), ("own", 0.09 * 0.3)],
)
def test_decoupling_scales_correlation_with_the_rest(noise: str, within: float) -> None:
    shocked = drawn("Decoupling", kept=0.3, assets=["A", "C"], noise=noise)
    sample = np.corrcoef(steps_of(shocked).T)
    assert sample[0, 1] == pytest.approx(0.15, abs=0.02)
    assert sample[2, 1] == pytest.approx(0.15, abs=0.02)
    assert sample[0, 2] == pytest.approx(within, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("CorrelationPath", {"theta": 0.5}),
        ("CorrelationPath", {"theta": 1.0}),
        ("Decoupling", {"kept": 0.5, "assets": ["A", "C"]}),
        ("Decoupling", {"kept": -1.0, "assets": ["A"], "noise": "own"}),
    ],
)
def test_volatility_tails_and_mean_stay(kind: str, fields: dict[str, object]) -> None:
    after, before = steps_of(drawn(kind, **fields)), steps_of(BASE)
    assert_allclose(after.std(axis=0), SPREAD, rtol=0.03)
    beyond = 4.0 * SPREAD  # share of days beyond four σ: .6 % at 4 degrees of freedom
    for x in (after, before):
        assert_allclose((np.abs(x) > beyond).mean(axis=0), 0.006, atol=0.0016)
    assert_allclose(after.mean(axis=0), before.mean(axis=0), atol=4.5 * SPREAD.max() / 173.0)


def test_squares_of_the_factor_cluster_with_the_day() -> None:
    """The factor shares the day's scale: at θ = 1 large days are those that were large before."""
    after, before = steps_of(drawn("CorrelationPath", theta=1.0)), steps_of(BASE)
    large = (before**2 / SPREAD**2).sum(axis=1)
    assert np.corrcoef(np.abs(after[:, 0]), np.sqrt(large))[0, 1] > 0.4


@given(
    theta=st.floats(-1.0, 1.0),
    kept=st.floats(-1.0, 1.0),
    shares=st.tuples(*[st.floats(0.0, 1.0)] * 3),
    rho=st.floats(-0.4, 1.0),
    seed=st.integers(0, 3),
)
@settings(max_examples=25, deadline=None)
def test_positive_semi_definite_always(
    theta: float, kept: float, shares: tuple[float, ...], rho: float, seed: int
) -> None:
    """Sampled covariances are PSD by nature; the volatilities say whether the maps were right."""
    market = small(
        regimes={"normal": {"volatility": 0.5, "correlation": {"default": rho}}}, perpetuals={}
    )
    overlays = [
        one("CorrelationPath", theta=theta, shares=dict(zip("ABC", shares, strict=True)), **ALWAYS),
        one("Decoupling", kept=kept, assets=["A"], **ALWAYS),
    ]
    base = market.draw(first=0, paths=64, bars=100, seed=seed)
    steps = steps_of(apply_overlays(base, overlays, seed=seed, moments=moments_of(base)))
    assert np.linalg.eigvalsh(np.cov(steps.T)).min() > -1e-12
    assert_allclose(steps.std(axis=0), 0.5 / np.sqrt(DAYS), rtol=0.06)


def test_one_asset_alone_and_bars_of_an_hour() -> None:
    alone = small(
        prices={"A": 1.0},
        perpetuals={},
        regimes={"normal": {"volatility": 0.5, "correlation": [[1.0]]}},
    )
    scenario = overlaid({"overlay": "CorrelationPath", "theta": 0.5}, base=alone)
    steps = np.diff(np.log(scenario.draw(first=0, paths=50, bars=100, seed=1).prices), axis=0)
    assert steps.std() == pytest.approx(SPREAD[0], rel=0.05)
    hourly = overlaid({"overlay": "CorrelationPath", "theta": 1.0, "start_days": 1.0})
    panel = hourly.with_days_per_bar(1 / 24).draw(first=0, paths=50, bars=96, seed=1)
    each = np.diff(np.log(panel.prices[:, :, :3]), axis=0)
    before, after = (np.corrcoef(x.reshape(-1, 3).T)[0, 1] for x in (each[:24], each[24:]))
    assert before == pytest.approx(0.5, abs=0.12) and after == pytest.approx(1.0, abs=1e-3)
    assert each[24:, :, 0].std() == pytest.approx(0.5 / np.sqrt(DAYS * 24), rel=0.06)


def test_a_history_moves_by_its_own_moments(history: MarketPanel) -> None:
    shocked = one("CorrelationPath", theta=1.0, **ALWAYS).apply(history)
    sample = np.corrcoef(np.diff(np.log(shocked.prices[:, 0, :3]), axis=0).T)
    assert sample[np.triu_indices(3, 1)].min() > 0.999
    spread = [np.diff(np.log(p.prices[:, 0, :3]), axis=0).std(axis=0) for p in (shocked, history)]
    assert_allclose(spread[0], spread[1], rtol=0.25)  # 200 days of Student-t


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("CorrelationPath", {"theta": -0.5, "opposed": []}, "below 0, but no asset is opposed"),
        ("CorrelationPath", {"theta": 1.5}, r"theta = 1.5 is outside \[-1, 1\]"),
        ("CorrelationPath", {"shares": {"Z": 0.5}}, "no asset 'Z'"),
        ("CorrelationPath", {"signs": {"A": 2}}, "signs.A"),
        ("Decoupling", {"assets": []}, "at least 1"),
        ("Decoupling", {"assets": ["A-PERP"]}, "perpetual and follows 'A'.*Name 'A'"),
        ("Decoupling", {"noise": "none"}, "'joint' or 'own'"),
    ],
)
def test_what_cannot_be_done(kind: str, fields: dict[str, object], words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        one(kind, **fields).apply(BASE)
