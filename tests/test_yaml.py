"""YAML as it is read: values of version 1.2, and what is wrong named by file, line and cure."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from backtester.calibration.write import dumped
from backtester.errors import ConfigError
from backtester.strategy import Strategy
from backtester.study import HistorySpec, Study
from backtester.yaml_files import parse_mapping

TEXT = """
exposure: {positions: {SOL: 500_000}}
capital: 1e6
hedge_with: [BTC, ETH]
markets:
  - history: {prices: ok.csv}
strategies: [Naked]
costs: {fee_bps: 5}
"""


def value(text: str) -> Any:
    return parse_mapping(f"k: {text}", "study", "s.yaml")["k"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("True", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("1:30:00", "1:30:00"),
        ("2021-06-01", "2021-06-01"),
        ("2021-13-01", "2021-13-01"),
        ("1e6", 1e6),
        ("5e-1", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.inf", float("-inf")),
        ("1_000_000", 1_000_000),
        ("1_000.25", 1000.25),
        ("1__0", "1__0"),
        ("0", 0),
        ("-0.5", -0.5),
        ("0o17", 15),
        ("0x1F", 31),
        ("24/7", "24/7"),
        ("'000001'", "000001"),
        ("!!str 010", "010"),
        ("<<", "<<"),
    ],
)
def test_values_are_those_of_version_1_2(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected and type(found) is type(expected)


def test_not_a_number_is_a_number() -> None:
    assert value(".nan") != value(".nan")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("010", "'010' begins with a zero: write the number without it, or quotes around a name"),
        ("08", "'08' begins with a zero"),
        ("-00.5", "'-00.5' begins with a zero"),
        ("!!int abc", "'abc' is not a whole number"),
        ("!!int [1]", "a list or mapping stands where a whole number is announced"),
        ("!!float x", "'x' is not a number"),
        ("!!bool yes", "'yes' is not true or false"),
        ("!!null x", "'x' is not null"),
        ("!!map abc", "a mapping is announced, and none stands there"),
        ("!!timestamp 2021-13-01", "timestamp"),
        ("{[a]: 1}", "a list or mapping stands as a key; a key is a name"),
        ("{{a: 1}: 1}", "a list or mapping stands as a key"),
        ("[" * 5000 + "]" * 5000, "lists and mappings stand in each other more than 100 deep"),
        ("9" * 5000, "is not a whole number"),
        ("\x07", "special characters are not allowed"),
    ],
)
def test_what_cannot_be_read_names_file_line_and_cure(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_mapping(f"a: 1\nk: {text}\n", "study", "s.yaml")
    assert caught.value.what.startswith("study file 's.yaml' line 2: ")
    assert words in caught.value.what
    assert caught.value.cure == "Correct the YAML there."


def read(folder: Path, old: str, new: str) -> Study:
    assert old in TEXT
    file = folder / "s.yaml"
    file.write_text(TEXT.replace(old, new))
    return Study.read(file)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("1e6", "yes", "s.yaml, line 3: capital: .*valid number.*got 'yes'"),
        ("1e6", "1:30:00", "s.yaml, line 3: capital: .*valid number.*got '1:30:00'"),
        ("1e6", "true", "s.yaml, line 3: capital: true is not a number"),
        ("500_000", "true", "line 2: exposure.positions.SOL: true is not a number"),
        ("fee_bps: 5", "fee_bps: 1:30", "line 8: costs.fee_bps: .*got '1:30'"),
        ("fee_bps: 5", "fee_bps: true", "line 8: costs.fee_bps: true is not a number"),
        ("fee_bps: 5", "fee_bps: {BTC: true}", "costs.fee_bps.BTC: true is not a number"),
        ("fee_bps: 5", "fee_bps: {BTC: [1]}", "costs.fee_bps.BTC: Input should be a valid number"),
        ("costs:", "seed: true\ncosts:", "line 8: seed: true is not a number"),
        ("costs:", "limits: {gross: false}\ncosts:", "limits.gross: false is not a number"),
        ("costs:", "stress: {bars: true}\ncosts:", "stress.bars: true is not a number"),
        (
            "costs:",
            "walk_forward: {train: 9, test: true}\ncosts:",
            "walk_forward.test: true is not a number",
        ),
        ("ok.csv", "ok.csv, depth: true", "markets.0.history.depth: true is not a number"),
        (
            "ok.csv",
            "ok.csv, calendar: weekly",
            r"s.yaml, line 6: markets.0.history.calendar: Input should be '24/7' or 'sessions', "
            r"got 'weekly'\. See",
        ),
        (
            "ok.csv",
            "ok.csv, calender: weekly",
            "line 6: unknown key 'markets.0.history.calender'. Did you mean 'calendar'",
        ),
        (
            "ok.csv",
            "ok.csv, start: 2021-13-01",
            r"s.yaml, line 6: markets.0.history.start: '2021-13-01' is not a date "
            r"\(month must be in 1..12.*\); write 2021-01-31\. See",
        ),
        ("1e6", "-1\nhorizon: -1", r"capital: Input should be greater than 0.* \(and 1 more\)"),
    ],
)
def test_a_wrong_value_of_a_study_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, old, new)
    assert "docs/studies.md" in caught.value.cure or "Did you mean" in caught.value.cure


@pytest.mark.parametrize("place", [".", "..", "/", "results"])
def test_a_folder_is_named_as_it_was_given(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        Study.read(place)
    assert caught.value.what == f"study file {place!r} cannot be read (Is a directory)"
    assert caught.value.cure == "Name the YAML file in that folder."


def test_dates_and_names_need_no_quotes(tmp_path: Path) -> None:
    found = read(tmp_path, "ok.csv", "ok.csv, start: 2021-06-01").markets[0].history
    assert isinstance(found, HistorySpec) and found.start == "2021-06-01"
    assert read(tmp_path, "[BTC, ETH]", "[NO, on]").hedge_with == ("NO", "on")
    assert HistorySpec(prices="x", end=date(2021, 6, 1)).end == "2021-06-01"  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["1e6", "010", "08", "yes", "2021-01-01", "0o17", "1:30", "~"])
def test_what_is_written_reads_back(name: str) -> None:
    study = Study.of({**yaml.safe_load(TEXT), "name": name, "capital": 1e-5})
    text = study.to_yaml()
    assert Study.of(parse_mapping(text, "study", "s.yaml")) == study
    assert yaml.safe_load(text)["name"] == name  # for a reader of version 1.1 too
    assert parse_mapping(dumped({name: name}), "scenario", "s.yaml") == {name: name}


def test_true_is_not_a_parameter_that_is_a_number() -> None:
    class Mine(Strategy[None]):
        halflife: float | None = None
        quick: bool = False
        either: bool | float = False

        def decide(self, view: Any, book: Any, state: None) -> Any:
            raise NotImplementedError

    with pytest.raises(ConfigError, match="Mine: parameter 'halflife' is a number, not True"):
        Mine.configured({"halflife": True})
    assert Mine.configured({"quick": True, "either": True}).model_dump()["either"] is True
