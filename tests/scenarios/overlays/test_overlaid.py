"""A scenario made of a base and overlays: files, delegation, invariance, messages."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backtester_scenarios.overlaid import Overlaid

from backtester.api import compare
from backtester.errors import BacktesterError, ConfigError, PluginError, ScenarioError
from backtester.overlay import Overlay, apply_overlays
from backtester.overlay_files import overlay_named, overlay_of
from backtester.plugins import available
from backtester.scenario import Scenario
from backtester.scenario_files import load_scenario, read_scenario
from backtester.stresses.sweep import sweepable

from .conftest import SMALL, SWITCHING, overlaid, same_bits, steps_of

FILE = """\
schema_version: 1
generator: Overlaid
name: mine
base: normal
overlays:
- {overlay: Volatility, multiplier: 2.0, start_days: 20.0, duration_days: 30.0}
- {overlay: Jump, sizes: {BTC: -0.3, ETH: -0.4}, start_days: 20.0}
provenance:
  assets: [ETH, BTC, SOL, LTC, LINK, PAXG, BTC-PERP, ETH-PERP]
  sources:
  - {data: none, repository: none, licence: none}
  window: {start: 2020-01-01, end: 2020-12-31}
  estimator: invented for a test
  sample_size: {event: 30}
  estimates: []
"""
VOLATILITY = {"overlay": "Volatility", "multiplier": 2.0}


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, FILE)).scenario
    assert isinstance(scenario, Scenario) and scenario.name == "mine"
    assert scenario.regime_names == ("normal", "crisis")  # type: ignore[attr-defined]
    panel = scenario.draw(first=0, paths=4, bars=60, seed=1)
    base = load_scenario("normal").draw(first=0, paths=4, bars=60, seed=1)
    assert panel.name == "mine" and panel.assets == base.assets
    assert same_bits(panel.until(21), base.until(21), "prices", "depth", "funding")
    for asset, fall in (("BTC", 0.7), ("BTC-PERP", 0.7), ("ETH", 0.6)):
        n = panel.assets.index(asset)
        step = np.diff(np.log(panel.prices[20:22, :, n]), axis=0)
        own = np.diff(np.log(base.prices[20:22, :, n]), axis=0)
        assert step[0] - 2.0 * own[0] == pytest.approx(np.log(fall), abs=0.01)  # doubled, fallen
    assert panel.regime is not None
    assert (panel.regime[21:51] == 1).all() and panel.regime[51:].sum() == 0


def test_an_inline_base(tmp_path: Path) -> None:
    inline = FILE.replace(
        "base: normal\n",
        "base:\n  generator: CorrelatedReturns\n  prices: {ETH: 1.0, BTC: 2.0}\n"
        "  regimes: {normal: {volatility: 0.5, correlation: {default: 0.5}}}\n",
    )
    scenario = read_scenario(written(tmp_path, inline)).scenario
    assert scenario.assets == ("ETH", "BTC")
    nested = inline.replace(
        "  generator: CorrelatedReturns", "  generator: Overlaid\n  overlays: []"
    )
    with pytest.raises(ScenarioError, match="base"):
        read_scenario(written(tmp_path, nested))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("base: normal", "base: nromal", "base.*'nromal'|'nromal' is not registered"),
        ("base: normal", "base: ./x.py:X", "not a registered name.*write it inline"),
        ("base: normal", "base: os:system", "not a registered name"),
        ("base: normal", "base: 3", "base is int"),
        ("base: normal", "base: {name: x}", "names no generator"),
        ("base: normal\n", "", "key 'base' is missing"),
        ("Volatility, m", "Volatilty, m", "'Volatilty' cannot be used.*Did you mean 'Volatility'"),
        ("Volatility, m", "os:system, m", "'os:system' is not a registered name"),
        ("Volatility, m", "./x.py, m", "is not a registered name"),
        ("multiplier: 2.0", "multiplyer: 2.0", r"overlay 1 \(Volatility\): unknown key.*Did you m"),
        ("multiplier: 2.0", "multiplier: 20.0", r"mine.*overlay 1: .*multiplier = 20 is outside"),
        ("multiplier: 2.0", "multiplier: 2x", r"multiplier: .*valid number, got '2x'"),
        ("BTC: -0.3", "XBT: -0.3", "no asset 'XBT'"),
        ("BTC: -0.3", "BTC-PERP: -0.3", "'BTC-PERP' is a perpetual and follows 'BTC'"),
        ("- {overlay: Jump", "- {ovrlay: Jump", "overlay 2: .*names no overlay"),
        ("estimates: []", "estimates: []\nmore: 1", "unknown key 'more'"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in FILE
    with pytest.raises(BacktesterError, match=words) as caught:
        read_scenario(written(tmp_path, FILE.replace(old, new, 1)))
    assert isinstance(caught.value, (ConfigError, ScenarioError, PluginError))


def test_no_overlay_is_no_scenario() -> None:
    with pytest.raises(BacktesterError, match="list"):
        overlaid_of({"overlays": "Volatility"})
    with pytest.raises(Exception, match="at least 1"):
        overlaid_of({"overlays": []})


def overlaid_of(changes: dict[str, Any]) -> Overlaid:
    return Overlaid(**({"name": "x", "base": SMALL, "overlays": [VOLATILITY]} | changes))


def test_a_scenario_is_a_value() -> None:
    scenario = overlaid(VOLATILITY)
    again = pickle.loads(pickle.dumps(scenario))
    drawn = [s.draw(first=3, paths=2, bars=20, seed=1) for s in (scenario, again)]
    assert same_bits(*drawn)


def test_candidates_side_by_side_share_their_shocks() -> None:
    """Block c of a population is candidate c alone, on the same paths."""
    scenario = overlaid(
        {"overlay": "CorrelationPath"},
        {"overlay": "Decoupling", "assets": ["A"]},
        {"overlay": "Liquidity", "spread_factor": 2.0},
    )
    theta, loss = np.linspace(0.0, 1.0, 5), np.linspace(0.0, 0.9, 5)
    values = [{"theta": theta}, {"kept": 0.5}, {"depth_loss": loss}]
    stacked = scenario.population(values, first=7, paths=3, bars=30, seed=1)
    assert stacked.paths == 15 and stacked.name == "shocked"
    for c in range(5):
        alone = scenario.draw(
            first=7,
            paths=3,
            bars=30,
            seed=1,
            values=({"theta": float(theta[c])}, {"kept": 0.5}, {"depth_loss": float(loss[c])}),
        )
        assert same_bits(stacked.select(np.arange(3 * c, 3 * c + 3)), alone), c
    with pytest.raises(ScenarioError, match=r"give \[2, 5\] candidates"):
        scenario.population(
            [{"theta": theta}, None, {"depth_loss": loss[:2]}], first=0, paths=3, bars=5, seed=1
        )
    with pytest.raises(ScenarioError, match=r"give \[\] candidates"):
        scenario.population([None] * 3, first=0, paths=3, bars=5, seed=1)
    panel = SMALL.draw(first=0, paths=1, bars=5, seed=0)
    with pytest.raises(ScenarioError, match="2 path numbers were given for 1 paths"):
        overlay_of(VOLATILITY).apply(panel, ids=np.arange(2))


def test_the_placebo_keeps_label_and_volatility_and_drops_the_correlation() -> None:
    shocks = (
        {"overlay": "CorrelationPath", "theta": 0.9, "start_days": 30.0, "duration_days": 60.0},
        {**VOLATILITY, "start_days": 50.0, "duration_days": 10.0},
    )
    scenario = overlaid(*shocks, base=SWITCHING)
    twin = scenario.constant_correlation()
    assert twin.name == "shocked (constant correlation)"
    own, same = (s.draw(first=0, paths=60, bars=100, seed=2) for s in (scenario, twin))
    assert same_bits(own, same, "regime")
    event = slice(31, 49)
    rho = [np.corrcoef(steps_of(p.between(event.start, event.stop)).T)[0, 2] for p in (own, same)]
    assert rho[0] > 0.9 and rho[1] < 0.5
    alone = overlaid(shocks[0]).constant_correlation()  # no shock is left, its label is
    assert alone.draw(first=0, paths=1, bars=60, seed=2).regime[40, 0] == 1  # type: ignore[index]


def test_what_the_base_offers_is_offered() -> None:
    scenario = overlaid(VOLATILITY)
    matrices = sweepable(scenario).with_exposure_correlation(np.array([0.0, 1.0]), ("A",), ("B",))
    panel = scenario.draw(first=0, paths=2, bars=40, seed=1, correlation=matrices)
    assert np.corrcoef(np.diff(np.log(panel.prices[:, 1, :2]), axis=0).T)[0, 1] > 0.999
    assert scenario.with_days_per_bar(0.5).base.days_per_bar == 0.5

    class Bare:
        name, assets = "bare", ("A", "B")

        def draw(self, *, first: int, paths: int, bars: int, seed: int) -> Any:
            from dataclasses import replace

            drawn = SMALL.draw(first=first, paths=paths, bars=bars, seed=seed)
            return replace(
                drawn,
                assets=self.assets,
                prices=drawn.prices[..., :2],
                depth=None,
                half_spread=None,
                funding=None,
                regime=None,
                regime_names=(),
            )

    bare = overlaid(VOLATILITY, base=Bare())
    assert not hasattr(bare, "constant_correlation") and bare.regime_names == ()
    with pytest.raises(ScenarioError, match="cannot be swept"):
        sweepable(bare)
    assert bare.draw(first=0, paths=2, bars=20, seed=1).regime is None


def test_a_base_that_rests_on_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import backtester_scenarios.overlaid as module

    file = written(tmp_path, FILE.replace("base: normal", "base: mine"))
    monkeypatch.setattr(module, "load_scenario", lambda name: read_scenario(file).scenario)
    with pytest.raises(ScenarioError, match="rests on itself: mine -> mine"):
        read_scenario(file)


def test_overlays_are_listed_and_third_parties_can_add_theirs() -> None:
    listed = {p.name: p.error for p in available("overlays")}
    assert listed["Jump"] is None and listed["CorrelationPath"] is None
    assert issubclass(overlay_named("Jump"), Overlay)
    with pytest.raises(ScenarioError, match="'Naked' cannot be used"):
        overlay_named("Naked")
    given = overlay_of(VOLATILITY)
    assert overlay_of(given) is given
    with pytest.raises(ScenarioError, match="2 sets of values for 1 overlays"):
        apply_overlays(SMALL.draw(first=0, paths=1, bars=5, seed=0), [given], values=[None, None])


def test_a_study_runs_on_it_and_on_its_placebo(tmp_path: Path) -> None:
    file = written(tmp_path, FILE.replace("start_days: 20.0", "start_days: 65.0"))
    found = compare(
        {
            "exposure": {"positions": {"SOL": 1e6}},
            "capital": 1e6,
            "hedge_with": ["BTC-PERP"],
            "markets": [{"scenario": str(file), "paths": 8, "bars": 110}],
            "strategies": ["Naked", "OneToOne"],
            "placebo_paths": 4,
        },
        audits=False,
    )
    assert found.markets[0].label_names == ("normal", "crisis")
    assert found.markets[0].placebo_paths == 4
    assert found.markets[0].notes == ()
    regimes = set(found.to_frame()["regime"])
    assert {"normal", "crisis"} <= regimes


def test_a_report_says_that_an_event_lies_beyond_its_bars() -> None:
    from backtester.markets import arena_of
    from backtester.study import Study
    from backtester.summary import market_summary

    study = Study.of(
        {
            "exposure": {"positions": {"SOL": 1e6}},
            "capital": 1e6,
            "hedge_with": ["BTC-PERP"],
            "markets": [{"scenario": "flash_crash", "paths": 1, "bars": 70}],
            "strategies": ["Naked"],
        }
    )
    notes = market_summary(arena_of(study, study.markets[0]), 0).notes
    assert "overlay 'Jump': no stamp of the market lies within its time" in notes
