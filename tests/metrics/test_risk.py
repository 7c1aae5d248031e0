"""Law 7 for every risk measure, known values, and the windows they are taken over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backtester.arrays import Float
from backtester.metrics import risk

Measure = Callable[[Float], float]
LEVELS = (0.5, 0.9, 0.975)
MEASURES: dict[str, Measure] = {
    **{f"es {a}": (lambda x, a=a: risk.expected_shortfall(x, a)) for a in LEVELS},
    **{f"var {a}": (lambda x, a=a: risk.value_at_risk(x, a)) for a in LEVELS},
    "entropic": lambda x: risk.entropic_risk(x, 5.0),
    "certainty equivalent": lambda x: -risk.certainty_equivalent(x, 2.0, 5.0),
}
CONVEX = [name for name in MEASURES if not name.startswith("var")]
HOMOGENEOUS = [name for name in MEASURES if name[:3] in ("es ", "var")]
samples = arrays(np.float64, st.just(41), elements=st.floats(-3.0, 3.0))


@pytest.mark.parametrize("name", MEASURES)
@given(pnl=samples, gift=arrays(np.float64, st.just(41), elements=st.floats(0.0, 2.0)))
def test_monotone(name: str, pnl: Float, gift: Float) -> None:
    assert MEASURES[name](pnl + gift) <= MEASURES[name](pnl) + 1e-12


@pytest.mark.parametrize("name", MEASURES)
@given(pnl=samples, cash=st.floats(-5.0, 5.0))
def test_cash_invariant(name: str, pnl: Float, cash: float) -> None:
    assert MEASURES[name](pnl + cash) == pytest.approx(MEASURES[name](pnl) - cash, abs=1e-12)


@pytest.mark.parametrize("name", CONVEX)
@given(one=samples, two=samples, share=st.floats(0.0, 1.0))
def test_convex(name: str, one: Float, two: Float, share: float) -> None:
    mixed = MEASURES[name](share * one + (1 - share) * two)
    assert mixed <= share * MEASURES[name](one) + (1 - share) * MEASURES[name](two) + 1e-12


@pytest.mark.parametrize("name", HOMOGENEOUS)
@given(pnl=samples, scale=st.floats(1e-3, 1e3))
def test_positively_homogeneous(name: str, pnl: Float, scale: float) -> None:
    assert MEASURES[name](scale * pnl) == pytest.approx(scale * MEASURES[name](pnl), abs=1e-9)


@given(pnl=samples, level=st.floats(0.01, 0.99))
def test_shortfall_is_at_least_value_at_risk(pnl: Float, level: float) -> None:
    assert risk.expected_shortfall(pnl, level) >= risk.value_at_risk(pnl, level) - 1e-12


@given(pnl=samples, level=st.floats(0.05, 0.95))
def test_shortfall_solves_rockafellar_and_uryasev(pnl: Float, level: float) -> None:
    objective = [c + np.maximum(-pnl - c, 0).mean() / (1 - level) for c in -pnl]
    assert risk.expected_shortfall(pnl, level) == pytest.approx(min(objective), abs=1e-11)


@given(pnl=samples, weights=arrays(np.int64, st.just(41), elements=st.integers(0, 4)))
def test_integer_weights_are_repetitions(pnl: Float, weights: np.ndarray) -> None:
    weights[0] += 1
    repeated = np.repeat(pnl, weights)
    for measure in (risk.expected_shortfall, risk.value_at_risk):
        found = measure(pnl, 0.9, weights.astype(float))
        assert found == pytest.approx(measure(repeated, 0.9), abs=1e-12)
    entropic = risk.entropic_risk(pnl, 3.0, weights.astype(float))
    assert entropic == pytest.approx(risk.entropic_risk(repeated, 3.0), abs=1e-12)


def test_normal_values() -> None:
    from scipy.special import ndtri

    n = 1_000_000
    grid = ndtri((np.arange(n) + 0.5) / n)
    assert risk.value_at_risk(grid, 0.99) == pytest.approx(2.326348, abs=1e-4)
    assert risk.expected_shortfall(grid, 0.975) == pytest.approx(2.337803, abs=1e-4)
    assert risk.entropic_risk(grid, 0.5) == pytest.approx(0.25, abs=1e-4)  # λσ²/2


def test_fractional_tail_mass() -> None:
    # 2.5 observations of 10: the two worst and half of the third.
    pnl = -np.arange(1.0, 11.0)
    assert risk.expected_shortfall(pnl, 0.75) == pytest.approx((10 + 9 + 0.5 * 8) / 2.5)


def test_empty_samples_are_nan() -> None:
    nothing = np.empty(0)
    assert np.isnan(risk.expected_shortfall(nothing))
    assert np.isnan(risk.expected_shortfall(nothing, 0.9, nothing))
    assert np.isnan(risk.value_at_risk(nothing, 0.9))
    assert np.isnan(risk.entropic_risk(nothing, 1.0))


def test_ruinous_losses_do_not_overflow() -> None:
    pnl = np.array([-1e5, 0.0, 1.0])
    assert risk.entropic_risk(pnl, 10.0) == pytest.approx(1e5 - np.log(3) / 10)


def test_windows_never_cross_a_path() -> None:
    pnl = np.arange(24.0).reshape(12, 2)
    found = risk.windows(pnl, 10)
    assert found.shape == (3, 2)
    for b in range(3):
        np.testing.assert_allclose(found[b], pnl[b : b + 10].sum(axis=0))
    assert risk.windows(pnl[:9], 10).shape == (0, 2)


@given(
    losses=arrays(np.float64, st.just(60), elements=st.floats(-1.0, 1.0)),
    units=st.integers(2, 7),
    level=st.sampled_from((0.8, 0.975)),
)
@settings(max_examples=60)
def test_tail_deletes_and_reweights_exactly(losses: Float, units: int, level: float) -> None:
    unit = np.arange(60) % units
    short = risk.Tail.of(losses, unit, units, level, whole=False)
    whole = risk.Tail.of(losses, unit, units, level, whole=True)
    assert short.value == pytest.approx(risk.expected_shortfall(-losses, level), abs=1e-12)
    for u, found in enumerate(short.without_each()):
        left = risk.expected_shortfall(-losses[unit != u], level)
        assert found == pytest.approx(left, abs=1e-12)
    weights = np.arange(units, dtype=float)
    heavy = risk.expected_shortfall(-losses, level, weights[unit])
    assert whole.weighted(weights) == pytest.approx(heavy, abs=1e-12)


def test_overlapping_tail_windows_are_one_event() -> None:
    losses = np.zeros((400, 1))
    losses[50:57], losses[200:203] = 1.0, 1.0
    count, events = risk.tail_counts(losses, np.ones((400, 1), dtype=bool), 0.975, 10)
    assert (count, events) == (10, 2)
    assert risk.tail_counts(losses[:0], np.ones((0, 1), dtype=bool), 0.975, 10) == (0, 0)


@given(pnl=arrays(np.float64, (30, 3), elements=st.floats(-1.0, 1.0)))
def test_drawdown_is_the_fall_from_the_running_peak(pnl: Float) -> None:
    equity = np.vstack([np.zeros(3), np.cumsum(pnl, axis=0)])
    expected = (np.maximum.accumulate(equity, axis=0) - equity).max(axis=0)
    np.testing.assert_allclose(risk.max_drawdown(pnl), expected, atol=1e-12)


def test_drawdown_stays_inside_an_episode() -> None:
    pnl = np.array([-1.0, -2.0, -4.0, -8.0, 1.0, -16.0])[:, None]
    bars = np.array([True, True, False, True, True, True])[:, None]
    assert risk.max_drawdown(pnl, bars)[0] == 23.0  # 8 − 1 + 16, the gap ends the first episode
    assert risk.drawdown_fraction(np.array([23.0, 5.0]), 10.0).tolist() == [1.0, 0.5]
