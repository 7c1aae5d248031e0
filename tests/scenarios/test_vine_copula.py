"""`VineCopula` samples its pair copulas; what is wrong with it is said."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from backtester.calibration.vine import fit_vine
from backtester.errors import BacktesterError, ConfigError, DataError, ScenarioError
from backtester.scenario_files import data_files, read_scenario

from .generators import copula_regime, vine_copula
from .test_copula_garch import innovations
from .test_data_files import scenario_file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vine")


def test_pairs_have_the_dependence_of_their_family(folder: Path) -> None:
    """Clayton: Kendall's τ = θ/(θ + 2), lower tail dependence 2^(−1/θ), none in the upper tail."""
    scenario = vine_copula(folder)
    panel = scenario.draw(first=0, paths=150, bars=256, seed=3)
    z = innovations(scenario, panel)
    for code, theta in ((0, 2.0), (1, 4.0)):
        inside = z[panel.regime[1:] == code]
        for i, j in ((0, 1), (1, 2)):
            sample = inside[:5000]
            tau = stats.kendalltau(sample[:, i], sample[:, j]).statistic
            assert abs(tau - theta / (theta + 2)) < 4 * np.sqrt(4 / 9 / len(sample))
        rank = stats.rankdata(inside[:, :2], axis=0) / (len(inside) + 1)
        q = 0.02
        low, high = ((r < q).all(axis=1).mean() / q for r in (rank, 1 - rank))
        want = (2 * q**-theta - 1) ** (-1 / theta) / q  # C(q, q)/q
        assert abs(low - want) < 4 * np.sqrt(want / q / len(inside))
        assert want == pytest.approx(2 ** (-1 / theta), abs=0.01) and high < 0.2
    for i, asset in enumerate("ABC"):
        eta = scenario.margins[asset].degrees_of_freedom
        law: Any = stats.norm if eta is None else stats.t(eta, scale=np.sqrt((eta - 2) / eta))
        assert stats.kstest(z[..., i].ravel(), law.cdf).statistic < 2.2 / np.sqrt(z[..., i].size)


def test_a_fit_finds_the_vine(folder: Path) -> None:
    import pyvinecopulib as pv

    truth = pv.Vinecop.from_json((folder / "normal.json").read_text(encoding="utf-8"))
    sample = truth.inverse_rosenblatt(np.random.default_rng(1).random((3000, 3)))
    text = fit_vine(sample)
    assert text == fit_vine(sample)
    found = pv.Vinecop.from_json(text)
    pairs = [found.get_pair_copula(0, e) for e in (0, 1)]
    assert [p.family for p in pairs] == [pv.families.clayton] * 2
    for pair in pairs:
        assert pair.parameters[0, 0] == pytest.approx(2.0, abs=0.25)
    assert found.get_pair_copula(1, 0).family == pv.families.indep


def test_the_twin_has_one_vine(folder: Path) -> None:
    scenario = vine_copula(folder)
    twin = scenario.constant_correlation()
    assert len(set(twin.tables.vines)) == 1 and len(set(scenario.tables.vines)) == 2


def test_vines_stand_beside_the_scenario_file(folder: Path) -> None:
    regimes = {}
    for name in ("normal", "crisis"):
        own = copula_regime(0.5, 0.5, None, duration_days=9.0)
        regimes[name] = {k: own[k] for k in ("volatility", "duration_days")}
        regimes[name]["vine"] = f"{name}.json"
    vine_copula(folder)
    more = {
        "generator": "VineCopula",
        "prices": {"A": 1.0, "B": 1.0, "C": 1.0},
        "margins": {"A": {}, "B": {}, "C": {}},
        "regimes": regimes,
    }
    file = scenario_file(folder, **more)
    text = file.read_text(encoding="utf-8").replace("history: prices.csv\n", "")
    file.write_text(text, encoding="utf-8")
    assert read_scenario(file).scenario.draw(first=0, paths=1, bars=3, seed=1).paths == 1
    assert {f.name for f in data_files(file)} == {"normal.json", "crisis.json"}
    file.write_text(text.replace("crisis.json", "../crisis.json"), encoding="utf-8")
    with pytest.raises(ConfigError, match="outside its folder"):
        read_scenario(file)


def test_without_the_extra_the_error_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backtester_scenarios import vine_copula as module

    regime = {"volatility": 0.5, "vine": str(folder / "normal.json")}
    vine_copula(folder)
    monkeypatch.setitem(sys.modules, "pyvinecopulib", None)
    module._vine.cache_clear()
    with pytest.raises(ScenarioError, match=r"pyvinecopulib.*not installed.*\[vine\]"):
        module.VineCopula(
            name="x",
            prices={"A": 1.0, "B": 1.0, "C": 1.0},
            margins={"A": {}, "B": {}, "C": {}},
            regimes={"only": regime},
        )
    with pytest.raises(ConfigError, match=r"not installed.*\[vine\]"):
        fit_vine(np.full((200, 2), 0.5))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "is no vine copula"),
        ("not json", "is no vine copula"),
        (None, "cannot be read"),
        ("", "is no vine copula"),
    ],
)
def test_a_file_that_is_no_vine(folder: Path, text: str | None, words: str) -> None:
    file = folder / "bad.json"
    file.unlink(missing_ok=True)
    if text is not None:
        file.write_text(text, encoding="utf-8")
    regime = {"volatility": 0.5, "vine": str(file)}
    with pytest.raises(BacktesterError, match=f"'bad.json' of regime 'only' {words}"):
        vine_copula(folder, regimes={"only": regime}, perpetuals={})


def test_a_vine_of_other_assets(folder: Path) -> None:
    vine_copula(folder)
    regime = {"volatility": 0.5, "vine": str(folder / "normal.json")}
    two = {"prices": {"A": 1.0, "B": 1.0}, "margins": {"A": {}, "B": {}}, "perpetuals": {}}
    with pytest.raises(ScenarioError, match="has 3 variables for 2 assets"):
        vine_copula(folder, regimes={"only": regime}, **two)


def test_too_little_to_fit(folder: Path) -> None:
    with pytest.raises(DataError, match="too few"):
        fit_vine(np.full((20, 2), 0.5))
    with pytest.raises(DataError, match="inside"):
        fit_vine(np.full((200, 2), 1.0))
