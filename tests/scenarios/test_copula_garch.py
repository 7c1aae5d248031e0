"""What `CopulaGarch` samples is what its file says, within four standard errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_scenarios.copula_garch import CopulaGarch
from backtester_scenarios.garch_kernel import margin_of
from backtester_scenarios.quantile_map import limited_deviation, quantile_map
from scipy import stats

from backtester.errors import ScenarioError
from backtester.estimation.joint_tail import joint_tail

from .generators import MARGINS, copula_garch, copula_regime

YEARS = 1.0 / 365.0


def innovations(scenario: CopulaGarch, panel: Any) -> np.ndarray:
    """z (T, P, 3) from prices and the known regimes: the recursion written a second time."""
    returns = np.diff(np.log(panel.prices[:, :, :3]), axis=0)
    names = list(scenario.regimes)
    level = np.array([[scenario.regimes[n].volatility[a] for a in "ABC"] for n in names])  # type: ignore[index]
    g, z = np.ones(returns.shape[1:]), np.empty_like(returns)
    alpha = np.array([scenario.margins[a].alpha for a in "ABC"])
    beta = np.array([scenario.margins[a].beta for a in "ABC"])
    for t in range(len(returns)):
        h = level[panel.regime[t + 1]] ** 2 * YEARS * g
        z[t] = (returns[t] + h / 2) / np.sqrt(h)
        g = 1 - alpha - beta + (alpha * z[t] ** 2 + beta) * g
    return z


SCENARIO = copula_garch()
PANEL = SCENARIO.draw(first=0, paths=600, bars=250, seed=3)
Z = innovations(SCENARIO, PANEL)


@pytest.mark.parametrize("asset", range(3))
def test_margins_are_student_with_unit_variance(asset: int) -> None:
    z = Z[:, :, asset].ravel()
    eta = MARGINS["ABC"[asset]].get("degrees_of_freedom")
    law: Any = stats.norm if eta is None else stats.t(eta, scale=np.sqrt((eta - 2) / eta))
    kurtosis = 3.0 if eta is None else 3.0 + 6.0 / (eta - 4)
    assert abs(z.var() - 1) < 4 * np.sqrt((kurtosis - 1) / z.size)
    assert stats.kstest(z, law.cdf).statistic < 2.2 / np.sqrt(z.size)  # p = 1e-4
    lag = np.corrcoef(Z[1:, :, asset].ravel() ** 2, Z[:-1, :, asset].ravel() ** 2)[0, 1]
    assert abs(lag) < 4 / np.sqrt(z.size)  # no clustering left


@pytest.mark.parametrize("regime", [0, 1])
def test_copula_correlation_of_each_regime(regime: int) -> None:
    inside = Z[PANEL.regime[1:] == regime][:20000]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        tau = stats.kendalltau(inside[:, i], inside[:, j]).statistic
        want = 2 / np.pi * np.arcsin(SCENARIO.tables.correlation[regime, i, j])
        # the asymptotic error of τ̂ under independence bounds it from above
        assert abs(tau - want) < 4 * np.sqrt(4 / 9 / len(inside)), (i, j)


@pytest.mark.parametrize(("rho", "nu"), [(-0.5, 2.01), (0.5, 4.0), (0.9, 4.0), (0.5, 10.0)])
def test_tail_dependence_of_the_t_copula(rho: float, nu: float) -> None:
    """Joint lower tail at q = 1 % and .2 % against the bivariate t law, whose limit is λ."""
    regime = {"volatility": 0.5, "correlation": {"default": rho}, "degrees_of_freedom": nu}
    scenario = CopulaGarch(
        name="pair",
        prices={"A": 1.0, "B": 1.0},
        margins={"A": {}, "B": {}},
        regimes={"only": regime},
    )
    panel = scenario.draw(first=0, paths=1500, bars=250, seed=11)
    sigma = 0.5 * np.sqrt(YEARS)
    u = stats.norm.cdf((np.diff(np.log(panel.prices), axis=0) + sigma**2 / 2) / sigma)
    for q in (0.01, 0.002):
        want = joint_tail(rho, nu, q)
        found = float((u < q).all(axis=-1).mean()) / q
        assert abs(found - want) < 4 * np.sqrt(want / q / (u.size // 2)), q


def test_volatility_of_each_regime() -> None:
    squares = np.diff(np.log(PANEL.prices[:, :, :3]), axis=0) ** 2
    for code, name in enumerate(PANEL.regime_names):
        inside = PANEL.regime[1:] == code
        days = inside.sum(axis=0)
        for i, asset in enumerate("ABC"):
            want = SCENARIO.regimes[name].volatility[asset] ** 2 * YEARS  # type: ignore[index]
            excess = np.where(inside, squares[:, :, i] / want - 1, 0).sum(axis=0)  # by path
            error = np.sqrt((excess**2).sum()) / days.sum()  # paths are independent, bars are not
            assert abs(excess.sum() / days.sum()) < 4 * error, (name, asset)


def test_squares_have_the_autocorrelation_of_garch() -> None:
    alpha, beta = 0.08, 0.80
    scenario = copula_garch(regimes={"only": copula_regime(0.0, 0.5, None)})
    panel = scenario.draw(first=0, paths=800, bars=400, seed=5)
    squares = np.diff(np.log(panel.prices[:, :, 2]), axis=0)[150:] ** 2
    squares = squares / squares.mean() - 1
    first = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
    for lag in (1, 5, 20):
        by_path = (squares[lag:] * squares[:-lag]).mean(axis=0)
        variance = (squares**2).mean(axis=0)
        want = first * (alpha + beta) ** (lag - 1)
        ratio = by_path.mean() / variance.mean()
        error = np.std(by_path - want * variance) / variance.mean() / np.sqrt(800)
        assert abs(ratio - want) < 4 * error, (lag, ratio, want)


def test_durations_and_share_of_regimes() -> None:
    state = SCENARIO.draw(first=0, paths=400, bars=730, seed=5).regime[1:].astype(bool)
    assert state.mean() == pytest.approx(0.2, abs=0.012)
    moved = 1 - np.exp(-(1 / 40 + 1 / 10))
    leave = (state[:-1] & ~state[1:]).sum() / state[:-1].sum()
    assert leave == pytest.approx(0.8 * moved, abs=4 * np.sqrt(0.8 * moved / state[:-1].sum()))


def test_prices_are_martingales_without_drift() -> None:
    only = {"only": copula_regime(0.5, 0.5, 4.0)}
    last = copula_garch(regimes=only, innovation_limit=8.0).draw(
        first=0, paths=4000, bars=30, seed=2
    )
    ratio = last.prices[-1, :, :3] / np.array([100.0, 50.0, 10.0])
    assert (abs(ratio.mean(axis=0) - 1) < 4 * ratio.std(axis=0) / np.sqrt(4000)).all()


def test_limited_innovations_keep_their_variance_and_stay_inside() -> None:
    heavy = {a: {"degrees_of_freedom": 2.5} for a in "ABC"}
    scenario = copula_garch(margins=heavy, innovation_limit=5.0)
    z = innovations(scenario, scenario.draw(first=0, paths=500, bars=200, seed=1))
    norm = limited_deviation(2.5, 5.0)
    draws = np.clip(stats.t(2.5).ppf(np.linspace(0, 1, 2_000_001)[1:-1]) * np.sqrt(0.2), -5, 5)
    assert norm == pytest.approx(draws.std(), rel=1e-5)
    assert limited_deviation(None, 1.5) == pytest.approx(
        np.clip(stats.norm.ppf(np.linspace(0, 1, 2_000_001)[1:-1]), -1.5, 1.5).std(), rel=1e-5
    )
    assert np.abs(z).max() == pytest.approx(5.0 / norm, rel=1e-9)
    assert abs(z.var() - 1) < 4 * np.sqrt(((z**4).mean() - 1) / z[..., 0].size)


@pytest.mark.parametrize(
    ("copula", "margin"),
    [(3.0, 6.0), (6.0, 3.0), (2.2, 30.0), (60.0, 2.5), (4.0, None), (None, 3.0), (4.0, 4.0)],
)
def test_the_table_is_the_quantile_transform(copula: float | None, margin: float | None) -> None:
    table = quantile_map(copula, margin)
    x = np.concatenate([np.linspace(1e-6, 6, 2000), np.geomspace(6.01, 9, 50)])
    if copula is not None:
        x = np.concatenate([x, np.geomspace(9.1, min(1e8, 1e60 ** (1 / copula)), 50)])
    w = x * x if copula is None else np.log1p(x * x / copula)
    found = np.array(
        [margin_of(a, b, table.value, table.slope, table.step) for a, b in zip(x, w, strict=True)]
    )
    below = stats.norm.cdf(-x) if copula is None else stats.t.cdf(-x, copula)
    unit = 1.0 if margin is None else np.sqrt((margin - 2) / margin)
    exact = -unit * (stats.norm.ppf(below) if margin is None else stats.t.ppf(below, margin))
    assert np.abs(found / exact - 1)[x > 0.01].max() < 3e-8
    assert (np.diff(found) > 0).all()
    assert margin_of(-2.0, w[0], table.value, table.slope, table.step) < 0  # odd


def test_the_twin_has_one_copula_and_the_same_regimes() -> None:
    twin = SCENARIO.constant_correlation()
    assert (twin.tables.correlation == SCENARIO.tables.correlation[0]).all()
    assert twin.tables.freedom == (6.0, 6.0)
    panel, other = (s.draw(first=0, paths=20, bars=90, seed=4) for s in (SCENARIO, twin))
    for field in ("regime", "half_spread", "depth", "funding"):
        assert np.array_equal(getattr(panel, field), getattr(other, field))
    before = np.cumsum(panel.regime == 1, axis=0) == 0
    assert np.array_equal(panel.prices[before], other.prices[before])  # until the first crisis
    z = innovations(twin, twin.draw(first=0, paths=300, bars=250, seed=4))
    tau = stats.kendalltau(*z[..., :2].reshape(-1, 2)[:20000].T).statistic
    assert abs(tau - 1 / 3) < 4 * np.sqrt(4 / 9 / 20000)  # arcsin(.5) = π/6


def test_a_sweep_to_one_moves_assets_together() -> None:
    margins = {a: {"alpha": 0.1, "beta": 0.8, "degrees_of_freedom": 4.0} for a in "ABC"}
    regimes = {"only": copula_regime(0.5, 0.5, 5.0) | {"volatility": 0.5}}
    scenario = copula_garch(margins=margins, regimes=regimes)
    rho = np.array([1.0, -1.0, 0.3])
    matrix = scenario.with_exposure_correlation(rho, ("A",), ("B",))
    panel = scenario.draw(first=0, paths=3, bars=50, seed=1, correlation=matrix)
    steps = np.diff(np.log(panel.prices), axis=0)
    # one draw, one matrix for all: the same bits as a matrix a path
    alone = scenario.draw(first=2, paths=1, bars=50, seed=1, correlation=matrix[2])
    assert panel.prices[:, 2].tobytes() == alone.prices[:, 0].tobytes()
    assert steps[:, 0, 0] == pytest.approx(steps[:, 0, 1], abs=1e-12)
    h = (0.5**2 * YEARS) / 2
    assert steps[0, 1, 0] + h == pytest.approx(-(steps[0, 1, 1] + h), abs=1e-12)


def test_variance_can_start_away_from_its_long_run() -> None:
    margins = {a: MARGINS[a] | {"variance_start": 4.0} for a in "ABC"}
    first = [
        np.diff(np.log(copula_garch(**more).draw(first=0, paths=50, bars=1, seed=1).prices), axis=0)
        for more in ({"start": "normal"}, {"start": "normal", "margins": margins})
    ]
    drift = 0.5**2 * YEARS / 2
    assert first[1][0, :, 0] + 4 * drift == pytest.approx(2 * (first[0][0, :, 0] + drift))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"margins": {"A": {}, "B": {}}}, "lack asset 'C'"),
        ({"margins": MARGINS | {"D": {}}}, "unknown asset 'D'"),
        ({"margins": MARGINS | {"A": {"alpha": 0.3, "beta": 0.7}}}, r"alpha \+ beta = 1 .*below 1"),
        (
            {"regimes": {"only": copula_regime(-0.9, 0.5, 4.0)}},
            "'only': entry A/C = -1.1 is outside",
        ),
        ({"regimes": {"only": copula_regime(0.5, 0.5, 4.0, depth=None)}}, None),
    ],
)
def test_bad_parameters_say_what_and_where(changes: dict[str, Any], words: str | None) -> None:
    if words is None:
        assert copula_garch(**changes).draw(first=0, paths=1, bars=2, seed=1).depth is None
        return
    with pytest.raises(ScenarioError, match=words):
        copula_garch(**changes)


def test_a_scale_limit_is_no_parameter_of_a_copula() -> None:
    with pytest.raises(ValueError, match="scale_limit"):
        copula_garch(regimes={"only": copula_regime(0.5, 0.5, 4.0, scale_limit=5.0)})
