"""Recall of `check`: every cheat of the zoo is caught, by the right law and in the right words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from backtester.laws import check_strategy

ZOO = Path(__file__).parent / "zoo" / "cheats.py"

# cheat -> (law that must fail, words its message must hold)
EXPECTED = {
    "NextRow": ("contract", "a look ahead"),
    "EarlierRun": ("state", "a global, a cache"),
    "FrameWalker": ("causality: scramble", "comes from prices"),
    "FundingPeeker": ("causality: scramble", "comes from funding"),
    "RegimePeeker": ("causality: scramble", "comes from regime"),
    "MemorySearcher": ("causality: scramble", "comes from prices"),
    "PastOwner": ("causality: scramble", "comes from prices"),
    "WindsDown": ("causality: cut", "len(view.past)"),
    "ClassCounter": ("determinism", "the class (seen)"),
    "QuietClassCounter": ("state", "seen of the class"),
    "PrivateMemory": ("determinism", "the instance (_highest)"),
    "MutableDefault": ("determinism", "keeps state out of sight"),
    "NumpyDice": ("determinism", "np.random"),
    "PythonDice": ("determinism", "Python's global generator"),
    "IdleDice": ("determinism", "which other code moves too"),
    "FreshEntropy": ("determinism", "unseeded random numbers"),
    "WallClock": ("determinism", "reads a clock"),
    "Vandal": ("contract", "view.past[view.t] *= 1.01"),
    "BackDoorVandal": ("inputs", "changed view.past"),
    "Embezzler": ("contract", "read-only"),
    "FreeTrader": ("contract", "view.cost_rate[:] = 0.0"),
    "ImpureDecision": ("inputs", "changed state in decide()"),
    "Thawed": ("interface", "parameters can be changed"),
    "WrongShape": ("contract", "Axes are (paths, instruments)"),
    "NotANumber": ("contract", "not finite"),
    "ShortWarmup": ("contract", "warmup"),
    "UnknownInstrument": ("contract", "'DOGE'"),
    "Lopsided": ("contract", "not symmetric at ('BTC', 'ETH')"),
    "PathAverage": ("ensemble", "mixes paths"),
    "PathCount": ("ensemble", "market.paths"),
    "FirstPathOnly": ("ensemble", "trade"),
    "Moody": ("contract", "no trading in spring"),
    "NotADecision": ("contract", "not HedgeDecision"),
    "BadRequires": ("interface", "tuple of asset names"),
    "NeverReady": ("interface", "cheats.py"),
    "CallerCounter": ("contract", "who calls it"),
}
# Faults that show at a time must name it; these show before a run or after it.
TIMELESS = {"QuietClassCounter", "IdleDice", "Thawed", "BadRequires", "NeverReady"}

_caught: dict[str, bool] = {}


def test_the_table_covers_the_zoo() -> None:
    classes = {n.name for n in ast.parse(ZOO.read_text()).body if isinstance(n, ast.ClassDef)}
    assert classes == set(EXPECTED)
    assert len(classes) >= 12


@pytest.mark.parametrize("cheat", sorted(EXPECTED))
def test_a_cheat_is_caught(cheat: str) -> None:
    law, words = EXPECTED[cheat]
    report = check_strategy(f"{ZOO}:{cheat}")
    _caught[cheat] = not report.ok
    assert not report.ok, report.text()
    found = {r.name: r for r in report.failures}
    assert law in found, report.text()
    assert words in found[law].message
    assert (found[law].when is None) == (cheat in TIMELESS)
    assert "broken" in report.text()


def test_recall(capsys: pytest.CaptureFixture[str]) -> None:
    """The published figure; the zoo ran above, in this process."""
    with capsys.disabled():
        print(f"\ncheating zoo: {sum(_caught.values())} of {len(_caught)} caught")
    assert all(_caught.values())
