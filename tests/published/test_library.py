"""Named scenarios are what their events were: figures in the files against drawn paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtester.plugins import available
from backtester.provenance import Figure
from backtester.scenario_files import ScenarioFile, read_scenario

from . import library_study

FILES = library_study.library()
NAMED = pytest.mark.parametrize("file", FILES, ids=lambda f: f.scenario.name)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# By how much a drawn figure may miss the event's beyond four standard errors: one multiplier and
# one θ stand for all assets, so single volatilities and correlations are met only roughly.
ROUGHLY = {"move": 0.01, "volatility": 0.13, "correlation": 0.09, "depth": 0.05, "quote": 0.005}
ROUGHLY |= {"funding": 0.08, "spread": 1e-9}


def test_the_library_is_registered_with_a_description() -> None:
    listed = {p.name: p.error for p in available("scenarios")}
    assert len(FILES) == 13
    for file in FILES:
        scenario: Any = file.scenario
        assert listed[scenario.name] is None
        assert 40 < len(scenario.description) < 150 and file.path.stat().st_size < 5000


@NAMED
def test_named_event(file: ScenarioFile) -> None:
    """Every figure has a source, and what is drawn is near it."""
    market = library_study.drawn(file, paths=128)
    for figure in file.provenance.figures:
        assert len(figure.source) > 5
        found = library_study.measured(figure, market)
        allowed = ROUGHLY[figure.measure] + 4.0 * found.error
        assert abs(found.value - figure.value) < allowed, (figure, found)


@NAMED
def test_a_market_that_stays_a_market(file: ScenarioFile) -> None:
    """Perpetuals near their spots, the event labelled, nothing before it touched."""
    market = library_study.drawn(file, paths=8)
    panel, base = market.panel, market.base
    for perpetual in (a for a in panel.assets if a.endswith("-PERP")):
        spot = perpetual.removesuffix("-PERP")
        basis = np.log(
            panel.prices[..., panel.index(perpetual)] / panel.prices[..., panel.index(spot)]
        )
        assert np.abs(basis).max() < 0.02
    assert panel.regime is not None and panel.regime_names == ("normal", "crisis")
    share = (panel.regime == 1).mean()
    assert 1 / 366 <= share < 0.8 and not (panel.regime[:61] == 1).any()
    for field in ("prices", "half_spread", "depth", "funding"):
        ours, theirs = getattr(panel, field), getattr(base, field)
        if theirs is not None:
            wide = np.broadcast_to(theirs[:61], ours[:61].shape)
            assert np.array_equal(ours[:61], wide), field


def test_the_base_written_inline_is_that_of_the_pair() -> None:
    """Two event files hold the normal regime of pair_stock_bond; they must not drift apart."""
    pair: Any = read_scenario(library_study.ROOT / "scenarios" / "pair_stock_bond.yaml").scenario
    for name in ("equity_crisis_2008", "stock_bond_flip_2022"):
        file = read_scenario(library_study.ROOT / "scenarios" / f"{name}.yaml")
        inline: Any = file.scenario
        ours, theirs = inline.base.regimes["normal"], pair.regimes["normal"]
        for field in ("volatility", "correlation", "degrees_of_freedom", "half_spread_bp", "depth"):
            assert getattr(ours, field) == getattr(theirs, field), (name, field)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not at hand")
def test_figures_are_those_of_the_data() -> None:
    """Moves, volatilities and correlations that files attribute to daily closes."""
    import re

    import pandas as pd

    closes = pd.read_csv(DATA / "crypto_daily_close.csv.gz", index_col=0, parse_dates=True)
    steps = np.log(closes).diff()
    checked = 0
    months = "January|March|May|June|April|November|December"
    span = re.compile(rf"(\d+)(?: ({months}))? to (\d+) ({months}) (\d{{4}})")
    for file in FILES:
        for figure in file.provenance.figures:
            found = span.search(figure.source)
            if not found or "daily closes" not in figure.source or figure.asset in ("SPY", "UST10"):
                continue
            one, month, two, last, year = found.groups()
            first = pd.Timestamp(f"{one} {month or last} {year}")
            final = pd.Timestamp(f"{two} {last} {year}")
            assert value_of(figure, closes, steps, first, final) == pytest.approx(
                figure.value, abs=0.006
            ), (file.scenario.name, figure)
            checked += 1
    assert checked >= 30


def value_of(figure: Figure, closes: Any, steps: Any, first: Any, final: Any) -> float:
    """The figure in the data: moves between closes, moments of the days from first to final."""
    if figure.measure == "move":
        return float(closes.loc[final, figure.asset] / closes.loc[first, figure.asset] - 1.0)
    if figure.measure == "volatility":
        return float(steps.loc[first:final, figure.asset].std() * np.sqrt(365.0))
    assert figure.measure == "correlation" and figure.pair is not None
    return float(steps.loc[first:final, figure.pair.split("/")].corr().iloc[0, 1])


@pytest.mark.slow
def test_the_page_is_what_the_script_writes() -> None:
    kept = library_study.PAGE.read_text(encoding="utf-8")
    assert kept == library_study.page()
