"""A small version of docs/monitors.md: false alarms and detection, on fresh paths."""

from __future__ import annotations

import numpy as np
import pytest

from . import monitor_study
from .monitor_study import false_alarms, found
from .monitor_worlds import MONITORS


@pytest.mark.parametrize("name", sorted(MONITORS))
def test_false_alarms_come_as_often_as_stated(name: str) -> None:
    """One in 730 days is .50 a year; 100 paths of three years hold 150 ± 12."""
    rate = false_alarms(name, "normal", 0.6, paths=100, bars=1200, seed=31)
    assert rate == pytest.approx(0.5, abs=0.16)


def test_surprise_does_not_mind_volatility_or_tails() -> None:
    for world in ("t4", "volatility x3"):
        rate = false_alarms("SurpriseMonitor", world, 0.6, paths=100, bars=1200, seed=32)
        assert rate == pytest.approx(0.5, abs=0.2)
    assert false_alarms("CusumMonitor", "t4", 0.6, paths=60, bars=1000, seed=32) > 0.6


@pytest.mark.parametrize(
    ("name", "strong", "days"),
    [("FisherMonitor", 0.97, 14), ("CusumMonitor", 0.95, 19), ("SurpriseMonitor", 0.8, 26)],
)
def test_changes_are_seen(name: str, strong: float, days: float) -> None:
    """ρ .8 → .2: measured on 600 paths 100 % after 11 days, 100 % after 15 and 90 % after 20."""
    share, delay = found(name, "normal", 0.8, 0.2, paths=150, seed=33)
    assert share >= strong and delay <= days
    rise, _ = found(name, "normal", 0.5, 0.9, paths=100, seed=34)
    assert rise >= 0.88


def test_the_page_holds_every_table() -> None:
    page = monitor_study.PAGE.read_text(encoding="utf-8")
    for mark in ("alarms", "delays"):
        table = page.partition(f"<!-- {mark} -->")[2].partition("<!-- end -->")[0]
        assert all(f"`{name}`" in table for name in MONITORS)
        numbers = [c for c in table.replace("|", " ").split() if c.replace(".", "").isdigit()]
        assert len(numbers) >= 18 and np.isfinite([float(n) for n in numbers]).all()
