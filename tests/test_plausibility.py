"""Plausibility scales: monotone, invertible, and measured as stated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError
from scipy.stats import norm

from backtester.errors import ConfigError, ScenarioError
from backtester.overlay_files import OVERLAYS, overlay_named
from backtester.plausibility import Coordinate, Scale, Tail, fit_tail

TAIL = Tail(knots=((0.5, 0.2), (1.0, 0.05)), exponent=3.0)


def scale(coordinate: Coordinate, neutral: float) -> Scale:
    return Scale(
        neutral=neutral,
        coordinate=coordinate,
        up=TAIL,
        down=TAIL,
        windows=100,
        window_days=30.0,
        source="a test",
    )


SCALES: dict[Coordinate, tuple[Scale, float, float]] = {
    "linear": (scale("linear", 2.0), -20.0, 20.0),
    "log": (scale("log", 1.0), 0.01, 50.0),
    "return": (scale("return", 0.0), -0.99, 9.0),
    "loss": (scale("loss", 0.0), -9.0, 0.99),
    "fisher": (scale("fisher", 0.0), -0.999, 0.999),
}


@pytest.mark.parametrize("coordinate", SCALES)
@given(share=st.floats(0.0, 1.0), more=st.floats(1e-6, 1.0))
def test_monotone_and_inverted(coordinate: Coordinate, share: float, more: float) -> None:
    chosen, low, high = SCALES[coordinate]
    value = min(low + share * (high - low), high)  # rounding may go beyond the end
    other = min(value + more * (high - low), high)
    z = chosen.z(np.array([value, other]))
    assert z[0] <= z[1] and (z[0] < z[1] or other - value < 1e-9)
    assert chosen.value(z[0]) == pytest.approx(value, rel=1e-7, abs=1e-9)
    assert chosen.z(chosen.neutral) == 0.0


def test_knots_and_the_tail_beyond() -> None:
    chosen = SCALES["linear"][0]
    assert chosen.z(2.5) == pytest.approx(norm.isf(0.2))
    assert chosen.probability(3.0) == pytest.approx(0.05)
    assert chosen.probability(1.0) == pytest.approx(0.05)
    assert chosen.probability(4.0) == pytest.approx(0.05 / 8.0)  # twice as far, exponent 3
    assert chosen.z(0.0) == pytest.approx(-norm.isf(0.05 / 8.0))
    assert chosen.probability(2.0) == 0.5


def test_a_direction_history_never_went() -> None:
    half = SCALES["loss"][0].model_copy(update={"down": None})
    assert half.z(-0.1) == -np.inf and half.z(0.0) == 0.0 and half.probability(-0.1) == 0.0
    with pytest.raises(ConfigError, match="no tail below neutral"):
        half.value(-1.0)
    assert half.value(np.array([0.0, 1.0]))[1] > 0


def test_a_pareto_sample_returns_its_exponent() -> None:
    sample = np.random.default_rng(3).pareto(3.0, 20_000)
    tail = fit_tail(sample)
    assert tail is not None
    assert tail.exponent == pytest.approx(3.0, rel=0.5)
    distance = np.array([0.5, 1.0, 2.0])
    wanted = norm.isf((1.0 + distance) ** -3.0)
    assert_allclose(tail.z(distance), wanted, atol=0.05)


def test_what_too_few_windows_say() -> None:
    assert fit_tail(np.zeros(1000)) is None
    assert fit_tail(np.ones(19)) is None
    rare = np.zeros(1000)
    rare[:12] = 0.3
    tail = fit_tail(rare)
    assert tail is not None and tail.knots == ((0.3, 0.01),)
    assert fit_tail(rare, least=30) is None  # windows that overlap: one event only


@pytest.mark.parametrize(
    "knots", [((1.0, 0.2), (0.5, 0.1)), ((0.5, 0.1), (1.0, 0.2)), ((0.5, 0.1), (0.5, 0.05))]
)
def test_knots_out_of_order(knots: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ConfigError, match="not monotone"):
        Tail(knots=knots, exponent=2.0)
    with pytest.raises(ValidationError):
        Tail(knots=((0.5, 0.7),), exponent=2.0)


@pytest.mark.parametrize("name", sorted(set(OVERLAYS) - {"Label"}))
def test_defaults_ship_for_what_an_overlay_does(name: str) -> None:
    kind = overlay_named(name)
    scales = kind.scales()
    wanted = {"duration_days"} if name == "Outage" else {p.name for p in kind.PARAMETERS}
    assert set(scales) == wanted
    for parameter in kind.parameters():
        if parameter.name not in scales:
            continue
        found = kind.scale(parameter.name)
        assert len(found.source) > 40 and found.windows >= 72
        assert parameter.neutral is None or found.neutral == parameter.neutral
        edge = [parameter.low, parameter.high]
        usual, extreme = found.z(found.neutral), np.abs(found.z(np.array(edge)))
        assert usual == 0.0 and extreme.max() > 2.0
    with pytest.raises(ScenarioError, match="no plausibility scale for 'nonesuch'"):
        kind.scale("nonesuch")


def test_known_crises_are_unusual_and_possible() -> None:
    """Named figures against the defaults: none is everyday, none is impossible."""
    named = {
        ("Jump", "size"): -0.372,  # BTC, 12 March 2020
        ("Depeg", "depth"): 0.12,  # USDC, 11 March 2023
        ("Liquidity", "depth_loss"): 0.95,  # 10 October 2025
        ("Liquidity", "spread_factor"): 100.0,
        ("FundingShock", "level"): -3.285,  # ETH, September 2022
        ("CorrelationPath", "theta"): 0.7,
        ("Decoupling", "kept"): 0.4,
        ("Volatility", "multiplier"): 4.0,
    }
    for (overlay, parameter), value in named.items():
        share = float(overlay_named(overlay).scale(parameter).probability(value))
        assert 1e-4 < share < 0.05, (overlay, parameter, share)
