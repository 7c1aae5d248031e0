"""The laws every strategy must keep, run on any plugin; each failure says what, when and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backtester.laws.check import check_strategy
    from backtester.laws.report import CheckReport, CheckResult

_HOME = {"check_strategy": "check", "CheckReport": "report", "CheckResult": "report"}

__all__ = ["CheckReport", "CheckResult", "check_strategy"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
