"""Hedging effectiveness: published figures, closed forms, and why moments are pooled."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.metrics import hedge

# Hull, Options, Futures and Other Derivatives, Table 3.2: fifteen monthly changes.
# fmt: off
HEATING_OIL = (".021", ".035", "-.046", ".001", ".044", "-.029", "-.026", "-.029", ".048", "-.006",
               "-.036", "-.011", ".019", "-.027", ".029")
JET_FUEL = (".029", ".020", "-.044", ".008", ".026", "-.019", "-.010", "-.007", ".043", ".011",
            "-.036", "-.018", ".009", "-.032", ".023")
# fmt: on


def test_hull_table_3_2() -> None:
    spot, futures = np.array(JET_FUEL, float), np.array(HEATING_OIL, float)
    ratio, correlation, effectiveness = hedge.minimum_variance_ratio(spot, futures)
    # Exact rational arithmetic on the printed data is the reference.
    s, f = [Fraction(x) for x in JET_FUEL], [Fraction(x) for x in HEATING_OIL]
    mean_s, mean_f = sum(s) / len(s), sum(f) / len(f)
    sf = sum((a - mean_s) * (b - mean_f) for a, b in zip(s, f, strict=True))
    ff, ss = sum((b - mean_f) ** 2 for b in f), sum((a - mean_s) ** 2 for a in s)
    assert ratio == pytest.approx(float(sf / ff), rel=1e-12)
    assert effectiveness == pytest.approx(float(sf * sf / ff / ss), rel=1e-12)
    assert hedge.contracts(ratio, 2e6, 42_000) == pytest.approx(float(sf / ff) * 2e6 / 42_000)
    # The book's printed precision, and the recomputed figures of methods A1.
    assert round(correlation, 3) == 0.928
    assert hedge.contracts(ratio, 2e6, 42_000) == pytest.approx(37.03, abs=0.005)
    for value, expected in ((ratio, 0.777651), (effectiveness, 0.861875), (correlation, 0.928372)):
        assert value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(1, 0.96), (0.95, 0.88), (0.8, 0.64), (0.6, 0.32), (0.4, 0), (0, -0.64), (-0.2, -0.96)],
)
def test_stale_effectiveness_table(now: float, expected: float) -> None:
    assert hedge.stale_effectiveness(0.8, now) == pytest.approx(expected, abs=1e-12)


@given(
    then=st.floats(-0.99, 0.99),
    now=st.floats(-0.99, 0.99),
    k=st.floats(0.2, 3.0),
)
def test_stale_identity_holds_for_realised_moments(then: float, now: float, k: float) -> None:
    """A hedge of ρ₀ σ_S/σ_F in a sample whose uncentred correlation is exactly ρ₁."""
    f, other = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    spot = now * f + np.sqrt(1 - now**2) * other
    hedged = spot - then * k * f
    column = (slice(None), None)
    exposure = np.ones((4, 1))
    found = hedge.hedging_effectiveness(hedged[column], spot[column], exposure)
    assert found == pytest.approx(float(hedge.stale_effectiveness(then, now, k)), abs=1e-12)
    beta = hedge.residual_beta(hedged[column], spot[column], exposure)
    assert beta == pytest.approx(1 - then * k * now, abs=1e-12)


def test_pooling_is_unbiased_where_the_mean_over_paths_is_not() -> None:
    """Methods, corrections: t₄, 15 bars a path, ρ = .8: pooled .640, mean of paths about .57."""
    rng = np.random.default_rng(0)
    shape, exposure = (15, 20_000), np.ones((15, 20_000))
    f, e = rng.standard_normal((2, *shape)) * np.sqrt(4 / rng.chisquare(4, shape))
    spot = 0.8 * f + 0.6 * e
    hedged = spot - 0.8 * f
    pooled = hedge.hedging_effectiveness(hedged, spot, exposure)
    by_path = hedge.effectiveness_of((hedged**2).sum(axis=0), (spot**2).sum(axis=0))
    assert pooled == pytest.approx(0.64, abs=0.01)
    assert by_path.mean() < pooled - 0.04


def test_per_unit_of_exposure_and_bars_without_any() -> None:
    unhedged = np.array([[1.0], [30.0], [5.0]])
    exposure = np.array([[10.0], [300.0], [0.0]])
    half = hedge.hedging_effectiveness(unhedged / 2, unhedged, exposure)
    assert half == pytest.approx(0.75)
    only = hedge.hedging_effectiveness(unhedged / 2, unhedged, exposure, exposure > 100)
    assert only == pytest.approx(0.75)


def test_nothing_at_risk_is_nan_and_silent() -> None:
    zero, one = np.zeros((3, 2)), np.ones((3, 2))
    assert np.isnan(hedge.hedging_effectiveness(one, zero, one))
    assert np.isnan(hedge.residual_beta(one, zero, one))
    assert np.isnan(hedge.minimum_variance_ratio(np.arange(3.0), np.ones(3))[0])
    assert np.isnan(hedge.residual_volatility(one, 0.0))


def test_residual_volatility_is_annual() -> None:
    assert hedge.residual_volatility(np.full((365, 1), -3.0), 1.0) == pytest.approx(3 * 365**0.5)


def test_out_of_sample_effectiveness_of_estimated_ratios() -> None:
    """Least squares on T normal bars with two instruments, scored on new ones."""
    rng = np.random.default_rng(8)
    T, rho2 = 12, 0.5
    x = rng.standard_normal((20_000, T, 2))
    y = x.sum(axis=-1) * np.sqrt(rho2 / 2) + np.sqrt(1 - rho2) * rng.standard_normal((20_000, T))
    ones = np.concatenate([np.ones((20_000, T, 1)), x], axis=-1)
    gram = np.einsum("pti,ptj->pij", ones, ones)
    slope = np.linalg.solve(gram, np.einsum("pti,pt->pi", ones, y)[..., None])[:, 1:, 0]
    # New bars have unit moments: the loss is the squared error of the slopes.
    found = rho2 - ((slope - np.sqrt(rho2 / 2)) ** 2).sum(axis=-1).mean()
    assert found == pytest.approx(hedge.out_of_sample_effectiveness(rho2, T, 2), abs=0.005)
    assert np.isnan(hedge.out_of_sample_effectiveness(rho2, 4, 2))
