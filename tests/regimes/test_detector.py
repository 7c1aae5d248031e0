"""The causal detector: what it finds, what it falls back on, and the laws of a detector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtester.arrays import Float, Int
from backtester.errors import ConfigError
from backtester.regimes.detector import DetectorState, HedgeRegimeDetector, fit_counts
from backtester.regimes.detector_labels import detector_label
from backtester.regimes.filtering import Source
from backtester.regimes.labels import labels_of

from .worlds import BOOK, market, pair

QUICK: dict[str, Any] = {"least": 300, "refit": 100}
SPELLS = (slice(160, 220), slice(430, 480), slice(660, 730))


def moves(rho: float, volatility: float, seed: int = 0, paths: int = 3) -> Float:
    """Daily returns (800, P, 2): ρ = .8 at 1 %, other in three spells."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((800, paths, 2))
    level, size = np.full((800, 1), 0.8), np.full((800, 1), 0.01)
    for spell in SPELLS:
        level[spell], size[spell] = rho, volatility
    book = level * z[..., 1] + np.sqrt(1 - level**2) * z[..., 0]
    return np.asarray(np.stack([book, z[..., 1]], axis=-1) * size[..., None])


def run(detector: HedgeRegimeDetector, returns: Float) -> tuple[Int, Float, DetectorState]:
    """Regimes (T, P), probabilities (T, P, 3) and the last state."""
    state = detector.init(returns.shape[1], returns.shape[2] - 1)
    regimes, likely = [], []
    for now in returns:
        state = detector.step(state, now[:, 0], now[:, 1:], 1.0)
        regimes.append(detector.regime(state).astype(np.int64))
        likely.append(detector.probability(state))
    return np.array(regimes), np.array(likely), state


@pytest.mark.parametrize(("model", "stress"), [("jump", 0.7), ("markov", 0.7), ("score", 0.3)])
def test_a_broken_hedge_and_a_stress_are_told_apart(model: str, stress: float) -> None:
    """The score is the bluntest: its usual variance has the earlier spells in it."""
    late = slice(SPELLS[2].start + 25, SPELLS[2].stop)
    for rho, volatility, code, least in ((0.0, 0.01, 2, 0.8), (0.9, 0.03, 1, stress)):
        detector = HedgeRegimeDetector(model=model, **QUICK)  # type: ignore[arg-type]
        regimes, likely, _ = run(detector, moves(rho, volatility))
        assert (regimes[late] == code).mean() > least
        assert (regimes[late] == 3 - code).mean() < 0.1
        assert (regimes[560:660] == 0).mean() > 0.8
        np.testing.assert_allclose(likely.sum(axis=-1), 1.0, atol=1e-12)
        assert (likely >= 0.0).all()


def test_nothing_is_known_of_the_future() -> None:
    """Other returns after bar 560 change nothing decided until then."""
    detector = HedgeRegimeDetector(**QUICK)
    whole = moves(0.0, 0.02)
    other = whole.copy()
    other[560:] = moves(0.9, 0.05, seed=9)[560:]
    for one, two in zip(run(detector, whole)[:2], run(detector, other)[:2], strict=True):
        np.testing.assert_array_equal(one[:560], two[:560])
    cut = run(detector, whole[:560])
    np.testing.assert_array_equal(cut[1], run(detector, whole)[1][:560])


@pytest.mark.parametrize("model", ["jump", "markov"])
def test_paths_are_alone_to_the_bit(model: str) -> None:
    detector = HedgeRegimeDetector(model=model, **QUICK)  # type: ignore[arg-type]
    returns = moves(0.1, 0.02, paths=4)[:520]
    likely = run(detector, returns)[1]
    order = np.array([2, 0, 3, 1])
    np.testing.assert_array_equal(run(detector, returns[:, order])[1], likely[:, order])
    for p in (0, 3):
        np.testing.assert_array_equal(run(detector, returns[:, [p]])[1][:, 0], likely[:, p])


@settings(max_examples=6, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-3.0, 3.0), st.integers(0, 50))
def test_scale_of_the_market_and_sign_of_the_hedge_do_not_matter(
    size: float, power: float, seed: int
) -> None:
    detector = HedgeRegimeDetector(model="score")
    returns = moves(0.1, 0.02, seed, paths=1)[:300]
    scaled = returns * np.array([size, -(10.0**power)])
    one, two = run(detector, returns)[1], run(detector, scaled)[1]
    np.testing.assert_allclose(one, two, atol=1e-7)


def test_an_emergency_overrides_at_once() -> None:
    returns = moves(0.8, 0.01, paths=2)[:150]
    returns[100, 0] = [-0.09, -0.12]  # everything falls together
    returns[100, 1] = [-0.12, 0.001]  # the book falls alone
    regimes, _, state = run(HedgeRegimeDetector(), returns)
    assert regimes[99].tolist() == [0, 0]
    assert regimes[100].tolist() == [1, 2]
    assert (regimes[100:103] != 0).all()  # it stands for the dwell
    assert (state.overrides >= 1).all()
    assert not run(HedgeRegimeDetector(emergency=1.0), returns)[2].overrides.any()


def test_fallbacks_are_counted() -> None:
    returns = moves(0.1, 0.02, paths=2)[:520]
    returns[:, 1, 1] = 0.0  # a hedge that never moves has no law
    _, likely, state = run(HedgeRegimeDetector(**QUICK), returns)
    counts = fit_counts(state)
    assert counts["jump"] == 3 and counts["failed"] == 3 and counts["unfitted paths"] == 0
    assert state.filtered.source.tolist() == [Source.JUMP, Source.FAILED]
    assert np.isfinite(likely).all()
    short = run(HedgeRegimeDetector(), returns[:200])[2]
    assert fit_counts(short)["unfitted paths"] == 2


def test_a_jump_model_that_does_not_settle_gives_way_to_the_chain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("backtester.regimes.fitting.TURNS", 1)
    _, likely, state = run(HedgeRegimeDetector(**QUICK), moves(0.1, 0.02, paths=1)[:320])
    assert fit_counts(state)["markov"] == 1 and np.isfinite(likely).all()
    monkeypatch.setattr("backtester.regimes.fitting.MARKOV_TURNS", 1)
    _, likely, state = run(HedgeRegimeDetector(**QUICK), moves(0.1, 0.02, paths=1)[:320])
    assert fit_counts(state)["failed"] == 1 and np.isfinite(likely).all()


def test_a_regime_never_visited_can_still_be_seen() -> None:
    """400 quiet bars, then the hedge breaks for the first time; fitted once, before that."""
    rng = np.random.default_rng(3)
    z = rng.standard_normal((520, 4, 2))
    rho = np.where(np.arange(520)[:, None] < 450, 0.85, -0.2)
    book = rho * z[..., 1] + np.sqrt(1 - rho**2) * z[..., 0]
    returns = 0.01 * np.stack([book, z[..., 1]], axis=-1)
    detector = HedgeRegimeDetector(least=400, refit=1000, emergency=1.0)
    regimes, _, state = run(detector, returns)
    assert fit_counts(state)["jump"] == 4
    assert (regimes[480:] == 2).mean() > 0.7


def test_still_and_broken_data_stay_finite() -> None:
    returns = moves(0.8, 0.01, paths=1)[:120]
    returns[:60] = 0.0
    assert np.isfinite(run(HedgeRegimeDetector(), returns)[1]).all()
    assert np.isfinite(run(HedgeRegimeDetector(), np.zeros((50, 1, 3)))[1]).all()
    detector = HedgeRegimeDetector()
    state = detector.init(1, 1)
    assert detector.step(state, returns[0, :, 0], returns[0, :, 1:], 0.0) is state


def test_several_hedges() -> None:
    rng = np.random.default_rng(0)
    f, g, noise = rng.standard_normal((3, 700, 2))
    book = 0.65 * (f + g) + 0.4 * noise
    book[600:] = rng.standard_normal((100, 2))
    regimes, _, _ = run(
        HedgeRegimeDetector(**QUICK), 0.01 * np.stack([book, f, g, f], axis=-1)
    )  # the third hedge is the first again
    assert (regimes[640:] == 2).mean() > 0.75


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"model": "oracle"}, "'oracle' is unknown"),
        ({"least": 50}, "100 ≤ least ≤ most"),
        ({"refit": 0}, "refit ≥ 1"),
        ({"enter": 0.3}, "0 < leave < enter < 1"),
        ({"emergency": 0.2}, r"probability in \(.5, 1\]"),
        ({"common": 0.0}, "share of the past"),
    ],
)
def test_nonsense_settings(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        HedgeRegimeDetector(**wrong)


def test_a_book_without_hedges_is_refused() -> None:
    with pytest.raises(ConfigError, match="no hedge instruments"):
        HedgeRegimeDetector().init(3, 0)


def test_as_a_labeller() -> None:
    panel = market(moves(0.0, 0.01, paths=1))
    found = labels_of(panel, BOOK, ("F",), "detector")
    assert found.names == ("normal", "convergence", "decoupling") and not found.known
    assert "causal detector" in found.description and "jump" in found.description
    quick = detector_label(panel, BOOK, ("F",), HedgeRegimeDetector(**QUICK))
    assert (quick.label[1:, 0][SPELLS[2]][30:] == 2).mean() > 0.7
    assert found.label[1 + SPELLS[2].start, 0] == 0  # causal: late
    short = detector_label(pair(np.full((60, 1), 0.8), np.full((60, 1), 0.01), 1), BOOK, ("F",))
    assert "unfitted paths 1" in short.description
