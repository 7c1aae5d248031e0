"""The claims of docs/regimes.md in small: who sees a switch of correlation, and who cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtester.regimes.detector import HedgeRegimeDetector
from backtester.regimes.volatility_labels import expost_label
from tests.regimes.worlds import market

from .regime_benchmark import WORLDS, balanced, decisions, draw, marks
from .regime_peers import LEAST, PEERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "regimes.md"


def test_a_volatility_label_sees_nothing_of_a_correlation_switch() -> None:
    """With hindsight even: balanced accuracy is that of a coin."""
    truth, returns = draw(WORLDS["down"], 2500, 20, 4)
    label = expost_label(market(returns)).label[1:] == 1
    assert balanced(label, truth) < 0.54


def test_ours_sees_both_kinds_of_switch() -> None:
    for name, least in (("down", 0.8), ("volatility", 0.85)):
        truth, returns = draw(WORLDS[name], 1600, 6, 2)
        called = decisions(HedgeRegimeDetector(refit=120), returns) != 0
        assert balanced(called[LEAST:], truth[LEAST:]) > least


@pytest.mark.slow
def test_the_true_model_breaks_where_volatility_moves_by_itself_and_ours_does_not() -> None:
    truth, returns = draw(WORLDS["down, noisy"], 2000, 6, 3)
    ours = decisions(HedgeRegimeDetector(), returns)[LEAST:] == 2
    theirs = PEERS["HMM on raw returns"](returns)[LEAST:]
    assert balanced(ours, truth[LEAST:]) > balanced(theirs, truth[LEAST:]) + 0.1


@pytest.mark.parametrize("name", [n for n in PEERS if "HMM" not in n])
def test_peers_know_the_past_only(name: str) -> None:
    _, returns = draw(WORLDS["down"], 900, 2, 1)
    other = returns.copy()
    other[800:] *= -3.0
    one, two = (PEERS[name](r) for r in (returns, other))
    np.testing.assert_array_equal(one[:780], two[:780])
    assert one[LEAST + 20 :].any()


def test_marks_by_hand() -> None:
    truth, called = np.zeros((10, 2), dtype=bool), np.zeros((10, 2), dtype=bool)
    truth[4:8, 0] = True
    called[6:9, 0] = called[2, 1] = True
    found = marks(called, truth)
    assert found.accuracy == pytest.approx(0.5 * (2 / 4 + 14 / 16))
    assert found.delay == 2.0 and found.found == 1.0
    assert found.false_alarms == pytest.approx(1 / (16 / 252))
    assert balanced(~called, truth) == pytest.approx(found.accuracy)


def test_the_page_is_written() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in ("benchmark", "crypto", "equities"):
        block = page.partition(f"<!-- {name} -->")[2].partition(f"<!-- end of {name} -->")[0]
        assert block.count("|") > 20, name
    for world in WORLDS.values():
        assert world.title[1:] in page
