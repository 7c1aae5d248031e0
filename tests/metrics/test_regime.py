"""Splitting by label, episodes and onset days."""

from __future__ import annotations

import numpy as np

from backtester.metrics import regime

DAY = 86_400_000_000_000


def test_only_visited_regimes_in_label_order() -> None:
    label = np.array([[0, 2], [2, 2]], dtype=np.int8)
    found = regime.split(label, ("normal", "calm", "crisis"))
    assert [r.name for r in found] == ["all", "normal", "crisis"]
    assert [r.count for r in found] == [4, 1, 3]
    assert [r.paths for r in found] == [2, 1, 2]
    assert found[1].share == 0.25


def test_episodes_do_not_run_across_paths() -> None:
    bars = np.array([[1, 1], [1, 0], [0, 1], [1, 1]], dtype=bool)
    assert regime.episode_count(bars) == 4
    assert regime.episode_ids(bars[:, 1]).tolist() == [0, -1, 1, 1]


def test_onset_days_are_utc_dates_of_first_bars() -> None:
    ends = np.arange(4, dtype=np.int64) * DAY + 18_333 * DAY  # from 2020-03-12
    bars = np.array([True, False, True, True])
    assert regime.onset_days(bars, ends) == ("2020-03-12", "2020-03-14")
