"""A history is scored by what happened to its hedge, and its placebo by the same rule."""

from __future__ import annotations

import numpy as np
import pytest

import backtester as bt
from backtester.comparison import Comparison
from backtester.errors import ConfigError
from backtester.study import Study

PLAN = {
    "exposure": {"positions": {"NASDAQ": 1e6}},
    "capital": 1e6,
    "hedge_with": ["SP500"],
    "markets": [{"history": "index-history"}],
    "strategies": ["Naked", {"StaticHedge": {"ratio": {"SP500": -1.2}}}],
    "placebo_paths": 3,
}


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return bt.compare(Study.of(PLAN), audits=False)


def test_three_states_reach_the_scores(compared: Comparison) -> None:
    table = compared.to_frame()
    assert list(table["regime"].unique()) == ["all", "normal", "convergence", "decoupling"]
    row = table[table["strategy"] == "StaticHedge"].set_index("regime")
    assert row.loc["convergence", "effectiveness_gross"] > row.loc["normal", "effectiveness_gross"]
    assert row.loc["decoupling", "effectiveness_gross"] < row.loc["normal", "effectiveness_gross"]
    market = compared.markets[0]
    crisis = row.loc[["convergence", "decoupling"]]
    assert market.crisis_share <= 0.15
    assert market.crisis_share == pytest.approx(float(np.mean(market.label[1:] != 0)))
    assert market.episodes == len(market.onsets) >= crisis["episodes"].sum()
    assert "2008-09-15" in " ".join(market.onsets)


def test_the_placebo_is_labelled_by_the_same_rule(compared: Comparison) -> None:
    table = compared.scorecard.differences_frame().query("metric == 'effectiveness_net'")
    assert set(table["regime"]) == {"convergence", "decoupling"}
    stress = table[table["regime"] == "convergence"]
    assert stress["placebo"].notna().all() and stress["excess"].notna().all()


def test_a_placebo_that_is_never_in_a_regime_says_so(compared: Comparison) -> None:
    from backtester.score import difference

    rows = [s for s in compared.scorecard.scores if s.strategy == "StaticHedge"]
    found = difference(rows, [s for s in rows if s.regime != "decoupling"])
    notes = {d.regime: (d.placebo, d.excess) for d in found if d.metric == "net_es"}
    for figure in notes["decoupling"]:
        assert figure is not None
        assert np.isnan(figure.value) and figure.note == "the placebo is never in decoupling"


def test_the_report_tells_the_crises_apart(compared: Comparison) -> None:
    from backtester.report.compare import compare_html

    page = compare_html(compared)
    assert "In convergence" in page and "In decoupling" in page
    assert "convergence − normal" in page and "decoupling − normal" in page


def test_the_labeller_is_a_choice_of_the_study() -> None:
    other = Study.of({**PLAN, "labeller": "volatility", "placebo_paths": 0})
    assert other.digest() != Study.of(PLAN).digest()
    table = bt.compare(other, audits=False).to_frame()
    assert set(table["regime"]) == {"all", "normal", "crisis"}
    with pytest.raises(ConfigError, match="labeller"):
        Study.of({**PLAN, "labeller": "psychic"})


def test_one_run_is_labelled_too() -> None:
    from backtester.markets import history_of

    market = history_of("index-history")
    for labeller, names in (
        ("hedge", ("normal", "convergence", "decoupling")),
        ("volatility", ("normal", "crisis")),
    ):
        result = bt.run(
            market, "Naked", exposure={"NASDAQ": 1e6}, hedge_with=["SP500"], labeller=labeller
        )
        assert result.label_names == names
