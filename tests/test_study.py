"""Studies: short forms, digests, and messages for what is misspelt or missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backtester.errors import ConfigError
from backtester.study import Study

BASE: dict[str, Any] = {
    "exposure": {"positions": {"ETH": 1e6}},
    "capital": 1e6,
    "hedge_with": ["BTC"],
    "markets": ["normal"],
    "strategies": ["Naked", {"RollingOLS": {"window": 60}}],
}


def test_short_forms() -> None:
    study = Study.of(BASE)
    assert [s.label for s in study.strategies] == ["Naked", "RollingOLS"]
    assert study.strategies[1].parameters == {"window": 60}
    assert study.markets[0].scenario == "normal"
    assert Study.of({**BASE, "exposure": "book.csv"}).exposure.file == "book.csv"


def test_yaml_round_trip_keeps_the_digest(tmp_path: Path) -> None:
    study = Study.of(BASE)
    file = tmp_path / "study.yaml"
    file.write_text(study.to_yaml())
    assert Study.read(file) == study
    assert Study.read(file).digest() == study.digest()


def test_every_setting_moves_the_digest() -> None:
    study = Study.of(BASE)
    others = [
        {"seed": 1},
        {"capital": 2e6},
        {"costs": {"fee_bps": 6}},
        {"rebalance": 2},
        {"strategies": ["Naked"]},
        {"horizon": 3.0},
    ]
    digests = {Study.of({**BASE, **other}).digest() for other in others}
    assert len(digests | {study.digest(), study.digest("stress")}) == len(others) + 2


def test_the_digest_follows_the_content_of_files_not_their_place(tmp_path: Path) -> None:
    digests = []
    for folder, text in (("a", "x,1\n"), ("b", "x,1\n"), ("c", "x,2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "book.csv").write_text(text)
        plan = Study.of({**BASE, "exposure": "book.csv"}).resolved(tmp_path / folder)
        digests.append(plan.digest())
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"captial": 1}, r"unknown key 'captial'. Did you mean 'capital'"),
        ({"costs": {"fee_bp": 1}}, r"unknown key 'costs.fee_bp'. Did you mean 'fee_bps'"),
        ({"costs": {"fee_bps": -1}}, r"costs.fee_bps: Input should be greater than or equal to 0"),
        (
            {"markets": [{"history": {"prices": "p.csv", "calender": "24/7"}}]},
            r"unknown key 'markets.0.history.calender'. Did you mean 'calendar'",
        ),
        ({"markets": [{"scenario": "normal", "paths": 0}]}, r"markets.0.paths.*greater than"),
        ({"markets": []}, r"markets"),
        ({"capital": 0}, r"capital: Input should be greater than 0"),
        ({"capital": float("nan")}, r"capital"),
        ({"exposure": {}}, r"exposure: give either positions or a file"),
        ({"strategies": ["Naked", "Naked"]}, r"two strategies are labelled 'Naked'"),
        ({"markets": ["normal", "normal"]}, r"two markets are called 'normal'"),
        ({"execution": "now"}, r"execution"),
        ({"markets": [{"paths": 3}]}, r"give either history or scenario"),
        ({"schema_version": 2}, r"schema_version"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Study.of({**BASE, **changes}, source="my.yaml")


def test_a_missing_book_stops_before_any_work(tmp_path: Path) -> None:
    plan = Study.of({**BASE, "exposure": "absent.csv"}).resolved(tmp_path)
    with pytest.raises(ConfigError, match=r"names file 'absent.csv', which cannot be read"):
        plan.digest()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", r"'s.yaml' is empty"),
        ("- 1\n", r"holds a list, not a mapping"),
        ("a: 1\na: 2\n", r"'s.yaml' line 2: key 'a' stands twice"),
        ("a: [1\n", r"'s.yaml' line 2"),
        ("a: &x 1\nb: *x\n", r"aliases are not read"),
        ("a: !!python/object/apply:os.system [x]\n", r"'s.yaml' line 1"),
    ],
)
def test_yaml_that_cannot_be_read_names_file_and_line(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        Study.read(file)


def test_an_absent_study_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"study file 'no.yaml' cannot be read \(No such file"):
        Study.read(tmp_path / "no.yaml")
