"""`HistoricalReplay` shows prices as they were, from one start or many."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from backtester_scenarios.historical_replay import HistoricalReplay

from backtester.errors import BacktesterError, ScenarioError
from backtester.market.loaders.builtin import indices
from backtester.scenario_files import read_scenario

from .generators import historical_replay
from .test_data_files import scenario_file

HISTORY = indices()
GFC = {"prices": "index-history", "columns": ["SP500", "WTI"], "start": "2008-08-01"}


def first(**changes: Any) -> HistoricalReplay:
    return HistoricalReplay(**({"name": "gfc", "histories": [GFC]} | changes))


def test_the_window_is_the_history_bit_for_bit() -> None:
    panel = first().draw(first=0, paths=2, bars=300, seed=1)
    begin = int(np.searchsorted(HISTORY.times, np.datetime64("2008-08-01", "ns").astype(np.int64)))
    want = HISTORY.prices[begin : begin + 301, 0][:, [0, 2]]
    assert panel.assets == ("SP500", "WTI") and panel.regime is None
    for p in (0, 1):
        assert np.array_equal(panel.prices[:, p], want)
    assert np.array_equal(panel.times, HISTORY.times[begin : begin + 301])


def test_paths_in_sequence_begin_later() -> None:
    scenario = first(starts="sequence", step_bars=5)
    panel = scenario.draw(first=3, paths=4, bars=60, seed=1)
    whole = scenario.window.prices[:, 0]
    for p in range(4):
        assert np.array_equal(panel.prices[:, p], whole[5 * (3 + p) :][:61])


def test_random_starts_are_uniform_and_leave_room() -> None:
    scenario = historical_replay(longest=4000)
    begin = scenario._begin(0, 4000, 3)
    room = HISTORY.bars - 4000
    assert begin.min() >= 0 and begin.max() < room and begin.max() > 0.99 * room
    assert abs(begin.mean() - (room - 1) / 2) < 4 * room / np.sqrt(12 * 4000)
    scenario.draw(first=0, paths=50, bars=4000, seed=3)
    with pytest.raises(ScenarioError, match=r"needs 4001 \(longest: 4000\)"):
        scenario.draw(first=0, paths=1, bars=4001, seed=3)


def test_prices_can_start_where_asked() -> None:
    scenario = first(starts="sequence", prices={"SP500": 5000.0})
    panel = scenario.draw(first=0, paths=7, bars=20, seed=1)
    assert panel.prices[0, :, 0] == pytest.approx(np.full(7, 5000.0), rel=1e-15)
    assert np.array_equal(panel.prices[0, :, 1], scenario.window.prices[:7, 0, 1])
    plain = first(starts="sequence").draw(first=0, paths=7, bars=20, seed=1)
    assert panel.returns == pytest.approx(plain.returns, abs=1e-14)


def mixed(folder: Path) -> Path:
    rng = np.random.default_rng(5)
    days = pd.date_range("2021-01-01", periods=400, tz="UTC", name="time")
    for name, index in (("crypto", days), ("stocks", days[days.day_of_week < 5])):
        steps = 0.02 * rng.standard_normal(len(index))
        prices = pd.DataFrame({name.upper(): 100 * np.exp(np.cumsum(steps))}, index)
        prices.to_csv(folder / f"{name}.csv")
    histories = ["crypto.csv", {"prices": "stocks.csv", "calendar": "sessions"}]
    more = {"generator": "HistoricalReplay", "histories": histories, "starts": "sequence"}
    file = scenario_file(folder, step_bars=7, **more)
    text = file.read_text(encoding="utf-8").replace("history: prices.csv\n", "")
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_of_two_calendars_keeps_its_weekends(tmp_path: Path) -> None:
    scenario = read_scenario(mixed(tmp_path)).scenario
    panel = scenario.draw(first=0, paths=10, bars=100, seed=1)
    assert panel.assets == ("CRYPTO", "STOCKS") and panel.calendar.name == "24/7"
    assert panel.tradable is not None and panel.tradable.shape == (101, 10, 2)
    weekend = pd.DatetimeIndex(panel.times.astype("datetime64[ns]")).day_of_week >= 5
    for p in range(10):  # a week a step: the weekend is at the same stamps on every path
        assert np.array_equal(panel.tradable[:, p, 1], ~weekend)
    held = ~panel.tradable[1:, :, 1]
    assert (panel.returns[held, 1] == 0).all() and panel.tradable[..., 0].all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"histories": ["index-hist"]}, "no built-in history 'index-hist'"),
        ({"prices": {"GOLD": 1.0}}, "unknown asset 'GOLD'"),
        ({"starts": "random"}, "`longest` goes with random starts"),
        ({"longest": 20}, "`longest` goes with random starts"),
        ({"starts": "random", "longest": 10_000}, "a path would begin at bar 0 and needs 10000"),
        ({"histories": ["index-history", GFC]}, "asset 'SP500' is in 'index-history' and in"),
        ({"name": "a\nb"}, "printable"),
    ],
)
def test_bad_parameters(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BacktesterError, match=words):
        first(**changes)


def test_a_window_that_is_too_short_names_the_path() -> None:
    scenario = first(starts="sequence", step_bars=500)
    with pytest.raises(ScenarioError, match="path 5 would begin at bar 2500 and needs 250"):
        scenario.draw(first=2, paths=8, bars=250, seed=1)


def test_uneven_bars_cannot_be_shifted(tmp_path: Path) -> None:
    days = pd.date_range("2021-01-01", periods=90, tz="UTC", name="time").delete([40, 41])
    rng = np.random.default_rng(1)
    pd.DataFrame({"A": np.exp(np.cumsum(0.01 * rng.standard_normal(88)))}, days).to_csv(
        tmp_path / "gap.csv"
    )
    source = [str(tmp_path / "gap.csv")]
    assert (
        HistoricalReplay(name="gap", histories=source).draw(first=0, paths=1, bars=80, seed=1).bars
        == 81
    )
    with pytest.raises(ScenarioError, match=r"bars of scenario 'gap' are not equal.*2021-02-09"):
        HistoricalReplay(name="gap", histories=source, starts="sequence")
