"""Does my hedge still work when correlations move, after costs, and what market breaks it?

The public names; importing the package loads nothing heavy.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if not os.access(f"{__path__[0]}/__pycache__", os.W_OK):  # an installation that is read-only
    from pathlib import Path

    from backtester.kernel_cache import place

    place(Path(__path__[0]))

if TYPE_CHECKING:
    from backtester.accounting.book import Book
    from backtester.accounting.exposure import Exposure
    from backtester.api import compare, run
    from backtester.costs.model import CostConfig
    from backtester.errors import BacktesterError, Status
    from backtester.events import CorrelationBreak, RegimeChange
    from backtester.hedging.decision import (
        Custom,
        ExpectedShortfall,
        HedgeDecision,
        Limits,
        MultiPeriod,
        Neutrality,
        Quadratic,
        Robust,
        Target,
    )
    from backtester.market.panel import MarketPanel
    from backtester.market.view import MarketInfo, MarketView
    from backtester.monitors.monitor import Monitor
    from backtester.plugins import load_strategy
    from backtester.scenario_files import load_scenario
    from backtester.strategy import Days, Strategy
    from backtester.stresses.report import stress
    from backtester.study import Study

_HOME = {
    "BacktesterError": "errors",
    "Book": "accounting.book",
    "CorrelationBreak": "events",
    "CostConfig": "costs.model",
    "Custom": "hedging.decision",
    "Days": "strategy",
    "ExpectedShortfall": "hedging.decision",
    "Exposure": "accounting.exposure",
    "HedgeDecision": "hedging.decision",
    "Limits": "hedging.decision",
    "MarketInfo": "market.view",
    "MarketPanel": "market.panel",
    "MarketView": "market.view",
    "Monitor": "monitors.monitor",
    "MultiPeriod": "hedging.decision",
    "Neutrality": "hedging.decision",
    "Quadratic": "hedging.decision",
    "RegimeChange": "events",
    "Robust": "hedging.decision",
    "Status": "errors",
    "Strategy": "strategy",
    "Study": "study",
    "Target": "hedging.decision",
    "compare": "api",
    "load_scenario": "scenario_files",
    "load_strategy": "plugins",
    "run": "api",
    "stress": "stresses.report",
}

__all__ = [
    "BacktesterError",
    "Book",
    "CorrelationBreak",
    "CostConfig",
    "Custom",
    "Days",
    "ExpectedShortfall",
    "Exposure",
    "HedgeDecision",
    "Limits",
    "MarketInfo",
    "MarketPanel",
    "MarketView",
    "Monitor",
    "MultiPeriod",
    "Neutrality",
    "Quadratic",
    "RegimeChange",
    "Robust",
    "Status",
    "Strategy",
    "Study",
    "Target",
    "compare",
    "load_scenario",
    "load_strategy",
    "run",
    "stress",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("hedge-backtester")
    if name not in _HOME:
        raise AttributeError(f"module 'backtester' has no attribute {name!r}")
    value = getattr(import_module(f"backtester.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__"})
