"""Calibrating CopulaGarch: what was put in comes out, with its errors, into a file that draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from backtester.calibration import CopulaCalibration, calibrate_copula
from backtester.calibration import margins as margins_module
from backtester.calibration.choices import Choices
from backtester.errors import BacktesterError, DataError
from backtester.market.loaders.builtin import indices
from backtester.scenario_files import read_scenario

from .conftest import inputs, truth


def test_a_simulated_history_gives_its_parameters_back(fitted: CopulaCalibration) -> None:
    law = truth()
    for margin in fitted.margins:
        want = law.margins[margin.asset]
        # labels are inferred: a bar filed wrongly looks like clustering, so alpha is met loosely
        assert abs(margin.alpha - want.alpha) < 4 * margin.errors["alpha"] + 0.03
        assert abs(margin.beta - want.beta) < 4 * margin.errors["beta"] + 0.03
        assert margin.nu == pytest.approx(want.degrees_of_freedom, rel=0.35)
        assert margin.after.p > 1e-3 > margin.before.p
        assert margin.squares.p > 1e-3 and margin.uniform.p > 1e-3
        assert abs(margin.innovations.var() - 1) < 0.15
    for name, rho in (("normal", 0.4), ("crisis", 0.8)):
        copula = fitted.copulas[name]
        off = np.triu_indices(3, 1)
        error = copula.correlation_error[off]
        assert (abs(copula.correlation[off] - rho) < 4 * error + 0.04).all()
        assert copula.loglik > copula.gaussian_loglik
    s = fitted.spells
    # a dozen episodes: their mean length is known to a third, and labels are smoothed
    assert 1 / 3 < s.durations["normal"] / 240 < 3 and 1 / 3 < s.durations["crisis"] / 60 < 3
    for s_, name in enumerate(s.names):
        want = [law.regimes[name].volatility[a] for a in "ABC"]  # type: ignore[index]
        assert fitted.volatility[s_] == pytest.approx(want, rel=0.2)
    assert fitted.funding["A-PERP"].half_life_days == pytest.approx(4.0, rel=0.2)
    for tail in fitted.tails:
        assert abs(tail.lower - tail.model) < 4.5 * tail.error
        assert abs(tail.upper - tail.model) < 4.5 * tail.error
    assert fitted.loglik == pytest.approx(
        sum(m.loglik for m in fitted.margins) + sum(c.loglik for c in fitted.copulas.values())
    )


def test_the_likelihood_is_of_returns(fitted: CopulaCalibration) -> None:
    """Dividing by the levels is undone: the same density by hand."""
    from scipy import stats

    margin, nu = fitted.margins[0], fitted.margins[0].nu
    levels = fitted.volatility[:, 0] / np.sqrt(365)
    sigma = levels[fitted.spells.label]
    root = np.abs(fitted.returns[:, 0] / sigma / margin.innovations)  # √g
    known = np.abs(margin.innovations) > 1e-12
    scale = (sigma * root)[known] * np.sqrt((nu - 2) / nu)
    want = stats.t.logpdf(fitted.returns[known, 0], nu, scale=scale).sum()
    assert margin.loglik == pytest.approx(float(want), abs=0.5)


def test_the_file_draws_what_was_fitted(fitted: CopulaCalibration, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(fitted.to_yaml(name="mine", command="a command"), encoding="utf-8")
    found = read_scenario(file)
    scenario: Any = found.scenario
    assert scenario.assets == ("A", "B", "C", "A-PERP") and scenario.name == "mine"
    for margin in fitted.margins:
        written = scenario.margins[margin.asset]
        assert written.alpha == pytest.approx(margin.alpha, abs=1e-4)
        assert written.degrees_of_freedom == pytest.approx(margin.nu, abs=0.01)
    for s, name in enumerate(fitted.spells.names):
        assert scenario.tables.correlation[s] == pytest.approx(
            fitted.copulas[name].correlation, abs=1e-4
        )
        assert scenario.tables.volatility[s] * np.sqrt(365) == pytest.approx(
            fitted.volatility[s], rel=1e-3
        )
    largest = max(np.abs(m.innovations).max() for m in fitted.margins)
    assert largest < scenario.innovation_limit <= 1.25 * largest + 1
    provenance = found.provenance
    assert provenance.sample_size == {n: fitted.copulas[n].bars for n in ("normal", "crisis")}
    assert provenance.command == "a command"
    assert {c.what for c in provenance.choices} >= {"depth", "innovation_limit"}
    scale = provenance.plausibility["Volatility"]["multiplier"]
    assert scale.z(2.0) > 0 > scale.z(0.5)
    assert scenario.draw(first=0, paths=2, bars=20, seed=1).funding is not None


def test_the_text_shows_errors_tests_and_tails(fitted: CopulaCalibration) -> None:
    text = fitted.text()
    for words in (
        "episodes", "copula of crisis: log-likelihood", "GARCH-t", "LM after", "joint tails",
        "Volatility.multiplier", "half-life", "A/B", "adjusted", "log-likelihood",
    ):  # fmt: skip
        assert words in text, words
    assert text.count(" ± ") > 15


def test_regimes_of_a_hedge_and_their_order(tmp_path: Path) -> None:
    frame = indices().to_frame()
    found = calibrate_copula(
        frame, calendar="sessions", exposure={"SP500": 1.0}, hedge_with=["NASDAQ"]
    )
    names = found.spells.names
    assert names == ("normal", "convergence", "decoupling")
    assert sum(found.spells.bars(n) for n in names) == len(found.returns)
    data = yaml.safe_load(found.to_yaml(name="three"))
    for name in names:
        after = data["regimes"][name]["next"]
        assert sum(after.values()) == pytest.approx(1.0, abs=1e-12) and name not in after
    assert data["regimes"]["decoupling"]["depth"] < data["regimes"]["normal"]["depth"]
    file = tmp_path / "three.yaml"
    file.write_text(found.to_yaml(name="three"), encoding="utf-8")
    assert read_scenario(file).scenario.regime_names == names  # type: ignore[attr-defined]


def test_a_garch_that_does_not_converge_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    original = margins_module.fit_garch

    def stubborn(returns: Any, **options: Any) -> Any:
        found = original(returns, **options)
        if options["name"] != "B":
            return found
        return replace(found, converged=False, alpha=0.0, beta=0.0, message="gave up")

    monkeypatch.setattr(margins_module, "fit_garch", stubborn)
    found = calibrate_copula(**inputs(1500))
    margin = found.margins[1]
    assert (margin.alpha, margin.beta, margin.converged) == (0.0, 0.0, False)
    note = "GARCH of B did not converge (gave up): its variance is constant within a regime."
    assert note in found.notes and note in found.text() and note in found.to_yaml()
    assert margin.nu is None or margin.nu > 2


def test_a_choice_of_liquidity_is_written(fitted: CopulaCalibration) -> None:
    def chosen(value: Any) -> dict[str, Any]:
        return {"value": value, "how": "h", "source": "s"}

    choices = Choices.of(
        {
            "half_spread_bp": chosen({"A": 3.0, "B": 3.0, "C": 3.0, "A-PERP": 1.0, "Z": 9.0}),
            "depth": chosen(5e7),
            "spread_factor": chosen(2.0), "depth_factor": chosen(0.5),
            "funding_clamp": chosen({"A-PERP": 1.5}),
        }
    )  # fmt: skip
    data = yaml.safe_load(fitted.to_yaml(choices=choices))
    crisis = data["regimes"]["crisis"]
    assert crisis["half_spread_bp"] == {"A": 6.0, "B": 6.0, "C": 6.0, "A-PERP": 2.0}
    assert crisis["depth"] == 2.5e7
    assert crisis["funding"]["A-PERP"]["clamp"] == 1.5


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"assets": ["A"], "perpetuals": None}, "only 'A' is to be calibrated"),
        ({"exposure": {"A": 1.0}}, "need an exposure and its hedges"),
        ({"exposure": {"A": 1.0}, "hedge_with": ["X"]}, "needs asset 'X'"),
        ({"crisis_share": 0.9}, r"0\.9 is not in \(0, 0\.5\]"),
        ({"crisis_share": 0.005}, "'crisis' has .* bars, too few"),
        ({"assets": ["A", "Q"]}, "no column 'Q'"),
        ({"funding": None}, "perpetuals need funding"),
    ],
)
def test_what_cannot_be_calibrated(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BacktesterError, match=words):
        calibrate_copula(**(inputs(700) | changes))


def test_a_history_that_never_leaves_normal() -> None:
    rng = np.random.default_rng(1)
    index = pd.date_range("2020-01-01", periods=100, tz="UTC")
    steps = 0.01 * rng.standard_normal((100, 2))
    frame = pd.DataFrame(np.exp(np.cumsum(steps, axis=0)), index, ["A", "B"])
    with pytest.raises(DataError, match="never leaves the regime 'normal'"):
        calibrate_copula(frame, exposure={"A": 1.0}, hedge_with=["B"])
