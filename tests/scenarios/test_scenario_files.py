"""The scenario library, and files that are wrong in every way we know."""

from __future__ import annotations

from pathlib import Path

import backtester_scenarios
import numpy as np
import pytest
import yaml

from backtester.errors import BacktesterError, ConfigError, PluginError, ScenarioError
from backtester.scenario import Scenario
from backtester.scenario_files import load_scenario, read_scenario

LIBRARY = sorted(Path(backtester_scenarios.__file__).parent.glob("*.yaml"))
GOOD = """\
schema_version: 1
generator: CorrelatedReturns
name: good
prices: {A: 1.0, B: 2.0}
regimes:
  normal:
    volatility: {A: 0.5, B: 0.4}
    correlation:
    - [1.0, 0.5]
    - [0.5, 1.0]
provenance:
  assets: [A, B]
  sources:
  - {data: none, repository: none, licence: none}
  window: {start: 2020-01-01, end: 2020-12-31}
  estimator: invented for a test
  sample_size: {normal: 365}
  estimates: [volatility]
"""


def test_the_library_is_complete() -> None:
    names = {path.stem for path in LIBRARY}
    assert names >= {"normal", "crisis", "correlation_breakdown", "regime_switching"}
    assert names >= {"pair_btc_eth", "pair_stock_bond", "pair_crypto_gold"}
    assert names >= {"covid_crash_2020_03", "may_2021", "ust_luna_2022_05", "ftx_2022_11"}
    assert names >= {"usdc_depeg_2023_03", "october_10_2025_cadli", "october_10_2025_binance"}
    assert names >= {"equity_crisis_2008", "stock_bond_flip_2022", "flash_crash"}
    assert names >= {"liquidity_drought", "correlation_convergence", "funding_squeeze"}
    assert set(dir(backtester_scenarios)) == names
    with pytest.raises(AttributeError, match="no scenario 'nonesuch'"):
        backtester_scenarios.nonesuch  # noqa: B018


@pytest.mark.parametrize("path", LIBRARY, ids=lambda p: p.stem)
def test_library_file(path: Path) -> None:
    found = read_scenario(path)
    scenario, provenance = found.scenario, found.provenance
    assert isinstance(scenario, Scenario) and scenario.name == path.stem
    assert provenance.assets == scenario.assets
    assert provenance.window.start < provenance.window.end
    if provenance.figures:
        return  # a named event: see test_named_event
    assert all(n > 100 for n in provenance.sample_size.values())
    assert {c.what for c in provenance.choices} >= {"half_spread_bp", "depth"}
    text = path.read_text(encoding="utf-8")
    assert "/work" not in text and "shared" not in text
    for matrix in scenario.tables.correlation:  # type: ignore[attr-defined]
        assert np.linalg.eigvalsh(matrix).min() > 1e-3
    panel = scenario.draw(first=0, paths=4, bars=60, seed=1)
    assert panel.paths == 4 and panel.depth is not None and panel.half_spread is not None


def crisis_of(name: str) -> tuple[Scenario, np.ndarray, np.ndarray]:
    scenario = load_scenario(name)
    normal, crisis = scenario.tables.correlation  # type: ignore[attr-defined]
    return scenario, normal, crisis


def test_what_each_scenario_stresses() -> None:
    _, normal, switching = crisis_of("regime_switching")
    converging, _, together = crisis_of("crisis")
    _, _, apart = crisis_of("correlation_breakdown")
    upper = np.triu_indices(6, 1)
    assert (together[upper] > switching[upper]).all() and (switching - normal)[upper].mean() > 0.05
    eth, btc = converging.assets.index("ETH"), converging.assets.index("BTC")
    assert apart[eth, btc] == pytest.approx(0.4, abs=1e-4)
    calm, wild = converging.regimes["normal"], converging.regimes["crisis"]  # type: ignore[attr-defined]
    for asset in converging.assets:
        assert wild.half_spread_bp[asset] > 2 * calm.half_spread_bp[asset]
        assert wild.depth[asset] < 0.5 * calm.depth[asset]
    assert all(wild.volatility[a] > 1.5 * calm.volatility[a] for a in calm.volatility)
    assert load_scenario("normal").regime_names == ("normal",)  # type: ignore[attr-defined]
    _, calm_pair, wild_pair = crisis_of(str(LIBRARY[0].with_name("pair_stock_bond.yaml")))
    assert calm_pair[0, 1] < 0 < wild_pair[0, 1]


def test_scenarios_by_every_kind_of_reference(tmp_path: Path) -> None:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    assert load_scenario(str(file)).name == "good"
    assert load_scenario("crisis").name == "crisis"
    source = tmp_path / "mine.py"
    source.write_text(
        "class Mine:\n    name = 'mine'\n    assets = ('A',)\n"
        "    def draw(self, *, first, paths, bars, seed):\n        raise NotImplementedError\n"
    )
    assert load_scenario(f"{source}:Mine").name == "mine"
    with pytest.raises(PluginError, match="Did you mean 'crisis'"):
        load_scenario("crises")
    needs = "backtester_scenarios.correlated_returns:CorrelatedReturns"
    with pytest.raises(ConfigError, match="key 'name' is missing"):
        load_scenario(needs)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("volatility: {A", "volatilty: {A", "line 7: unknown key 'regimes.normal.volatilty'.*'vol"),
        ("name: good", "nmae: good", r"line 3: unknown key 'nmae'.*Did you mean 'name'"),
        ("name: good\n", "", "key 'name' is missing"),
        ("A: 0.5,", "A: '5e-1',", "line 7: regimes.normal.volatility.A: .*5e-1 without quotes"),
        ("A: 0.5,", "A: 010,", "line 7: '010' begins with a zero"),
        ("A: 0.5,", "A: true,", "line 7: regimes.normal.volatility.A: .*got True"),
        ("A: 0.5,", "A: -0.5,", "greater than or equal to 0, got -0.5"),
        ("A: 0.5,", "A: yes,", "line 7: .*valid number.*got 'yes'"),
        ("{A: 0.5, B: 0.4}", "{A: 0.5, no: 0.4}", "unknown asset 'no'"),
        ("name: good", "name: good\nname: twice", "line 4: key 'name' stands twice"),
        ("- [0.5, 1.0]", "- [0.4, 1.0]", "good.yaml.*'normal': entry A/B = 0.5 differs"),
        ("[1.0, 0.5]", "[1.0, &x 0.5, *x]", "aliases are not read"),
        ("generator: CorrelatedReturns", "generator: CorelatedReturns", "Did you mean 'Corr"),
        ("generator: CorrelatedReturns", "generator: os:system", "not a registered name"),
        ("generator: CorrelatedReturns", "generator: ./x.py", "not a registered name"),
        ("generator: CorrelatedReturns", "generator: crisis", "a scenario, not a generator"),
        ("generator: CorrelatedReturns\n", "", "key 'generator' is missing"),
        ("schema_version: 1", "schema_version: 2", "line 1: schema_version"),
        (
            "  estimator: invented for a test\n",
            "",
            "line 11: key 'provenance.estimator'",
        ),
        ("  sources:", "  soruces:", "line 13: unknown key 'provenance.soruces'.*'sources'"),
        ("start: 2020-01-01", "start: January", "line 15: provenance.window.start"),
        ("regimes:", "regimes: [", "line"),
        ("{A: 1.0, B: 2.0}", "!!python/object/apply:os.system ['true']", "line 4"),
    ],
)
def test_bad_file(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    file = tmp_path / "good.yaml"
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises((ConfigError, ScenarioError), match=words) as caught:
        read_scenario(file)
    assert "good.yaml" in caught.value.what and caught.value.cure


def test_every_truncation_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "good.yaml"
    for length in range(0, len(GOOD) - 40, 9):
        file.write_text(GOOD[:length])
        with pytest.raises(BacktesterError, match=r"good\.yaml"):
            read_scenario(file)


def test_unreadable_files(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    with pytest.raises(ConfigError, match=r"none\.yaml.*cannot be read"):
        read_scenario(missing)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match=r"binary\.yaml.*cannot be read"):
        read_scenario(binary)
    large = tmp_path / "large.yaml"
    large.write_text("# " + "x" * 2_000_001)
    with pytest.raises(ConfigError, match="bytes"):
        read_scenario(large)


def test_files_hold_what_the_generator_takes() -> None:
    for path in LIBRARY:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert list(data)[:3] == ["schema_version", "generator", "name"]


def test_the_file_in_the_manual_can_be_drawn(tmp_path: Path) -> None:
    manual = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"
    text = manual.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    panel = read_scenario(file).scenario.draw(first=0, paths=2, bars=10, seed=0)
    assert panel.assets == ("ETH", "BTC", "BTC-PERP")
