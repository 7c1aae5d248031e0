"""Published: the horizon-calibrated policy against the dynamic-programming optimum (methods A4)."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.arrays import Float

from . import band_pages, band_study
from .band_study import COST, CURVATURE, DAY, GAS, Lattice


@pytest.fixture(scope="module")
def fees() -> Float:
    return band_study.fee_rows()


@pytest.fixture(scope="module")
def gases() -> Float:
    return band_study.gas_rows()


@pytest.fixture(scope="module")
def seen() -> dict[tuple[bool, int], tuple[float, ...]]:
    """Band, trades a day, cost and the best fixed band's cost by (gas, bars a day)."""
    return {(gas, n): band_study.bars(n, gas=gas) for gas in (False, True) for n in (1, 24)}


def test_the_worked_bands() -> None:
    lands, trigger = band_study.policy_band(COST, 0.0)
    assert lands == pytest.approx(0.0310723, abs=5e-8)
    assert trigger == pytest.approx(lands, rel=1e-9)
    lands, trigger = band_study.policy_band(0.0, GAS)
    assert lands == pytest.approx(0.0, abs=1e-12)
    assert trigger == pytest.approx(0.0699927, abs=5e-8)


@pytest.mark.parametrize(
    ("gas", "trading", "risk"), [(0.0, 6.4366e-4, 3.2183e-4), (GAS, 8.16497e-4, 8.16497e-4)]
)
def test_the_worked_cost_rates(gas: float, trading: float, risk: float) -> None:
    """On a lattice of 60 steps a band, whose own width is half a step more: 2 % in the parts."""
    cost = 0.0 if gas else COST
    band = band_study.policy_band(cost, gas)[1]
    lattice = Lattice(band / (60.5 if gas else 60.0), 120)
    H = np.full(241, band_study.days(cost, gas))
    after, _ = band_study.decide(lattice.gaps, cost, gas, H)
    total, alone = lattice.average(after, cost, gas), lattice.average(after, 0.0, 0.0)
    assert total - alone == pytest.approx(trading, rel=0.02)
    assert alone == pytest.approx(risk, rel=0.02)
    assert total == pytest.approx(trading + risk, rel=3e-4)


@pytest.mark.parametrize(("factor", "theory"), [(0.6, 1.18862e-3), (1.6, 1.22617e-3)])
def test_the_worked_cost_of_another_band(factor: float, theory: float) -> None:
    band = band_study.fee_band(COST)
    lattice = Lattice(band / 60.0, 150)
    after = np.clip(lattice.gaps, -factor * band, factor * band)
    assert lattice.average(after, COST, 0.0) == pytest.approx(theory, rel=0.01)


@pytest.mark.parametrize("kind", ["fees", "gases"])
def test_total_cost_is_within_three_percent_of_the_optimum(
    kind: str, request: pytest.FixtureRequest
) -> None:
    rows = request.getfixturevalue(kind)
    assert rows[-1, 0] > 250 * rows[0, 0]
    assert (rows[:, 1] <= 1.03 * rows[:, 2]).all()
    assert (rows[:, 1] >= (1.0 - 1e-6) * rows[:, 2]).all()  # the optimum is one
    np.testing.assert_allclose(rows[:, 3], rows[:, 4], rtol=0.05)


def test_total_cost_with_both_costs() -> None:
    rows = band_study.mixed_rows((1e-6, 1e-5, 1e-4))
    assert (rows[:, 1] <= 1.031 * rows[:, 2]).all()
    assert (rows[:, 1] >= (1.0 - 1e-6) * rows[:, 2]).all()


def test_one_horizon_for_both_costs_at_any_ratio() -> None:
    """Worst excess over the best pair: ours, the best single H, the sum and the larger H."""
    from scipy.optimize import minimize, minimize_scalar

    cost_of = band_study.single_horizon_cost
    worst = np.zeros(4)
    for gas in np.geomspace(1e-8, 1e-2, 37):
        tries = [
            minimize(
                lambda p, gas=gas: band_study.pair_cost(
                    np.exp(p[0]), np.exp(p[0]) + np.exp(p[1]), COST, gas
                ),
                np.log([a, b]), method="Nelder-Mead",
                options={"xatol": 1e-9, "fatol": 1e-15, "maxiter": 2000},
            ).fun
            for a in (0.002, 0.02) for b in (0.005, 0.1)
        ]  # fmt: skip
        fee, fixed = band_study.days(COST, 0.0), band_study.days(0.0, gas)
        best = minimize_scalar(
            lambda x, gas=gas: cost_of(np.exp(x), COST, gas),
            bounds=(np.log(max(fee, fixed)) - 1.0, np.log(max(fee, fixed)) + 2.0), method="bounded",
        )  # fmt: skip
        costs = [cost_of(H, COST, gas) for H in
                 (band_study.days(COST, gas), fee + fixed, max(fee, fixed))]  # fmt: skip
        excess = np.array([costs[0], best.fun, *costs[1:]]) / min(tries) - 1.0
        worst = np.maximum(worst, excess)
    assert worst[0] <= 0.031
    np.testing.assert_allclose(worst[1:], [0.030, 0.043, 0.20], rtol=0.05)


def test_the_cube_root_law(fees: Float) -> None:
    for column in (3, 4):  # ours, and the optimum's
        assert band_study.slope(fees[:, 0], fees[:, column]) == pytest.approx(1 / 3, abs=0.02)


def test_the_fourth_root_law(gases: Float) -> None:
    for column in (3, 4):
        assert band_study.slope(gases[:, 0], gases[:, column]) == pytest.approx(1 / 4, abs=0.02)


def test_a_certainty_equivalent_programme_has_slope_one() -> None:
    costs = COST * np.array([0.1, 1.0, 10.0])
    bands = band_study.deterministic_bands(costs, span=0.02)
    np.testing.assert_allclose(bands, costs / (CURVATURE * 0.02), rtol=1e-3)
    assert band_study.slope(costs, bands) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("gas", [False, True])
def test_hourly_and_daily_bars_have_the_same_band(
    seen: dict[tuple[bool, int], tuple[float, ...]], gas: bool
) -> None:
    """s² measured, not known."""
    daily, hourly = seen[gas, 1][0], seen[gas, 24][0]
    assert hourly == pytest.approx(daily, rel=0.05)
    s2, A = DAY["diffusion"], DAY["curvature"]
    best = band_study.gas_band(DAY["gas"], s2, A) if gas else band_study.fee_band(COST, s2, A)
    assert hourly == pytest.approx(best, rel=0.05)


@pytest.mark.parametrize("gas", [False, True])
@pytest.mark.parametrize("per_day", [1, 24])
def test_measuring_the_diffusion_costs_less_than_three_percent(
    seen: dict[tuple[bool, int], tuple[float, ...]], gas: bool, per_day: int
) -> None:
    _, _, paid, known = seen[gas, per_day]
    assert paid <= 1.03 * known


def test_the_page_shows_these_numbers(fees: Float, gases: Float) -> None:
    text = band_pages.PAGE.read_text(encoding="utf-8")
    for table in (band_pages.table_of(fees, "c"), band_pages.table_of(gases, "K")):
        assert table in text
    assert band_pages.PLOT.stat().st_size <= 100_000
