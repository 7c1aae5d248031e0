"""Data beside a scenario file: found there only, and part of the study's digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from backtester.errors import BacktesterError, ConfigError
from backtester.scenario_files import data_files, read_scenario
from backtester.study import Study

from .test_block_bootstrap import write

PROVENANCE = {
    "assets": ["A", "B"],
    "sources": [{"data": "none", "repository": "none", "licence": "none"}],
    "window": {"start": "2020-01-01", "end": "2020-12-31"},
    "estimator": "invented for a test",
    "sample_size": {"normal": 365},
    "estimates": ["nothing"],
}


def scenario_file(folder: Path, **changes: Any) -> Path:
    data = {"schema_version": 1, "generator": "BlockBootstrap", "name": "mine"}
    data |= {"history": "prices.csv", "provenance": PROVENANCE} | changes
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "scenarios"
    (inner / "data").mkdir(parents=True)
    rng = np.random.default_rng(2)
    prices = 100 * np.exp(np.cumsum(0.02 * rng.standard_normal((300, 2)), axis=0))
    for place in (tmp_path, inner, inner / "data"):
        write(place, prices)
    return inner


def test_data_beside_the_file_or_below_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # the working directory decides nothing
    panels = []
    for history in ("prices.csv", {"prices": "data/prices.csv", "columns": ["A", "B"]}):
        file = scenario_file(folder, history=history)
        found = read_scenario(file).scenario
        panels.append(found.draw(first=0, paths=3, bars=20, seed=1))
        name = history if isinstance(history, str) else history["prices"]
        assert data_files(file) == ((folder / str(name)).resolve(),)
    assert panels[0].digest == panels[1].digest


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ("../prices.csv", "outside its folder"),
        ("data/../../prices.csv", "outside its folder"),
        ("..\\prices.csv", "outside its folder"),
        ("/etc/prices.csv", "an absolute path"),
        ("C:\\prices.csv", "an absolute path"),
        ("nowhere.csv", "'nowhere.csv', which does not exist"),
        ({"prices": "prices.csv", "funding": "../prices.csv"}, "outside its folder"),
        (["prices.csv"], "history"),
        (3, "history"),
    ],
)
def test_a_file_cannot_reach_out_of_its_folder(folder: Path, history: Any, words: str) -> None:
    file = scenario_file(folder, history=history)
    with pytest.raises(BacktesterError, match=words):
        read_scenario(file)


def test_nor_through_a_link(folder: Path) -> None:
    (folder / "link.csv").symlink_to(folder.parent / "prices.csv")
    with pytest.raises(ConfigError, match="outside its folder"):
        read_scenario(scenario_file(folder, history="link.csv"))


def study(file: Path) -> Study:
    return Study.of(
        {
            "exposure": {"positions": {"A": 1e6}},
            "capital": 1e6,
            "hedge_with": ["B"],
            "markets": [str(file)],
            "strategies": ["Naked"],
        }
    )


def test_the_bytes_of_the_data_belong_to_the_digest(folder: Path) -> None:
    file = scenario_file(folder)
    made = study(file)
    assert made.files() == (file, folder / "prices.csv")
    before = made.digest()
    moved = folder.parent / "moved"
    folder.rename(moved)
    assert study(moved / "mine.yaml").digest() == before  # the place does not matter
    data = moved / "prices.csv"
    data.write_text(data.read_text(encoding="utf-8") + " \n", encoding="utf-8")
    assert study(moved / "mine.yaml").digest() != before


def test_a_scenario_without_data_keeps_its_digest(folder: Path) -> None:
    file = scenario_file(folder, history="index-history")
    assert study(file).files() == (file,)
    file.write_text("not: [yaml", encoding="utf-8")
    assert study(file).files() == (file,)  # what is wrong with it is told where it is read


def test_files_of_a_stress_belong_to_it_too(folder: Path) -> None:
    scenario_file(folder)
    text = yaml.safe_dump(
        study(folder / "mine.yaml").model_dump(mode="json")
        | {"markets": [{"scenario": "normal"}]}
        | {"stress": {"scenarios": ["mine.yaml", "crisis"], "base": "mine.py:Mine"}}
    )
    (folder / "mine.py").write_text("Mine = 1", encoding="utf-8")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    made = Study.read(folder / "study.yaml")
    assert made.stress.scenarios == (str(folder / "mine.yaml"), "crisis")
    assert made.stress.base == f"{folder / 'mine.py'}:Mine"
    assert made.files() == tuple(folder / n for n in ("mine.yaml", "prices.csv", "mine.py"))
    before = made.digest()
    (folder / "mine.py").write_text("Mine = 2", encoding="utf-8")
    assert made.digest() != before
