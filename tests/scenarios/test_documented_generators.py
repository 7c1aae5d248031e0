"""The scenario files of docs/generators.md are read and drawn as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from backtester.scenario_files import GENERATORS, read_scenario

from .test_data_files import PROVENANCE

DOCS = Path(__file__).resolve().parents[2] / "docs" / "generators.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.S)


def data(folder: Path) -> None:
    days = pd.date_range("2021-01-01", periods=200, tz="UTC", name="time")
    rng = np.random.default_rng(1)
    for name, index in (("coin", days), ("stock", days[days.day_of_week < 5])):
        prices = 100 * np.exp(np.cumsum(0.02 * rng.standard_normal(len(index))))
        pd.DataFrame({name.upper(): prices}, index).to_csv(folder / f"{name}s.csv")


@pytest.mark.parametrize("text", BLOCKS, ids=lambda t: yaml.safe_load(t)["generator"])
def test_documented_file(text: str, tmp_path: Path) -> None:
    generator = yaml.safe_load(text)["generator"]
    if generator == "VineCopula":
        from backtester.calibration.vine import fit_vine

        rng = np.random.default_rng(2)
        uniforms = rng.random((300, 2))
        (tmp_path / "normal.json").write_text(fit_vine(uniforms), encoding="utf-8")
    data(tmp_path)
    file = tmp_path / "mine.yaml"
    file.write_text(text + yaml.safe_dump({"provenance": PROVENANCE}), encoding="utf-8")
    scenario = read_scenario(file).scenario
    panel = scenario.draw(first=0, paths=3, bars=30, seed=1)
    assert panel.paths == 3 and panel.assets == scenario.assets


def test_every_generator_is_described() -> None:
    text = DOCS.read_text(encoding="utf-8")
    described = {yaml.safe_load(block)["generator"] for block in BLOCKS}
    for name in GENERATORS:
        if name != "Overlaid":  # docs/overlays.md
            assert f"`{name}`" in text
    assert described == set(GENERATORS) - {"Overlaid", "CorrelatedReturns"}  # docs/scenarios.md
