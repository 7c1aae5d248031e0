"""Correlation sensitivity in a stress report: analytic, frozen and re-hedged side by side."""

from __future__ import annotations

import json

import pytest

import backtester as bt
from backtester.comparison import StressReport
from backtester.report.documents import stress_json
from backtester.report.stress import stress_html

from .worlds import study

SMALL = {
    "points": 5,
    "paths": 16,
    "bars": 200,
    "scenario_paths": 2,
    "scenarios": ["normal"],
}


@pytest.fixture(scope="module")
def report() -> StressReport:
    """A fixed hedge of half the book, and one that is estimated."""
    return bt.stress(
        study(
            stress=SMALL,
            markets=["normal"],
            exposure={"positions": {"SOL": 1_000_000}, "hold": "notional"},
            hedge_with=["BTC"],
            strategies=[
                "Naked",
                {"StaticHedge": {"ratio": {"BTC": -0.5}}},
                {"RollingOLS": {"window": 30}},
            ],
        )
    )


def test_the_mean_book_is_the_one_held(report: StressReport) -> None:
    static = report.sweeps[0].book
    weights = dict(static.weights)
    assert weights["SOL"] == pytest.approx(1.0, abs=1e-9)
    assert weights["BTC"] == pytest.approx(-0.5, abs=0.03)  # drifts between daily trades
    assert report.sweeps[0].unhedged_book.volatility > static.volatility


def test_the_derivative_is_that_of_the_frozen_curve(report: StressReport) -> None:
    """A hedged book is hurt by correlation falling, by as much as its pair says."""
    s = report.sweeps[0]
    (pair,) = s.book.pairs
    assert s.book.across == pytest.approx(pair.sensitivity)
    assert s.book.across < 0
    assert s.book.exposures == s.book.hedges == 0.0
    assert s.unhedged_book.total == 0.0  # one asset alone has no correlation to move with
    # σ² is linear in ρ for a pair: its slope from −1 to 1 is 2σ dσ/dρ anywhere
    slope = (s.frozen_volatility[-1] ** 2 - s.frozen_volatility[0] ** 2) / 2
    assert slope == pytest.approx(2 * s.book.volatility * pair.sensitivity, rel=0.05)


def test_frozen_and_rehedged(report: StressReport) -> None:
    """A constant hedge gains nothing by re-hedging; one that estimates gains where ρ falls."""
    static, rolling = report.sweeps
    assert static.volatility[:, 0] == pytest.approx(static.frozen_volatility, rel=0.03)
    assert (rolling.frozen_volatility[0]) > 1.2 * rolling.volatility[0, 0]
    assert (rolling.volatility[:, 1] <= rolling.volatility[:, 0]).all()
    assert (rolling.volatility[:, 0] <= rolling.volatility[:, 2]).all()


def test_it_is_in_the_documents(report: StressReport) -> None:
    document = json.loads(json.dumps(stress_json(report), allow_nan=False))
    first, *rest = document["sensitivity"]
    assert first["strategy"] is None
    assert [r["strategy"] for r in rest] == ["StaticHedge", "RollingOLS"]
    assert rest[0]["pairs"][0]["first"] == "SOL"
    assert {"volatility", "unhedged_volatility", "frozen_volatility"} <= set(document["rows"][0])
    assert "frozen_volatility" in report.to_frame()


def test_a_stress_makes_no_choice_of_parameters() -> None:
    """A study with a grid is stressed with the parameters it names, and says so."""
    plan = study(
        stress={**SMALL, "points": 3, "paths": 2, "bars": 80},
        markets=["normal"],
        hedge_with=["BTC"],
        strategies=[
            {"use": "RollingOLS", "parameters": {"window": 20}, "grid": {"window": [40, 70]}}
        ],
        walk_forward={"train": 300, "test": 30},
    )
    report = bt.stress(plan)
    assert report.study == plan
    assert report.digest == plan.digest("stress")
    assert report.scenarios.evidence.walks == ()
    assert report.scenarios.scorecard.scores[0].bars == 2 * (80 - 20)
    assert "made no choice here" in stress_html(report)
