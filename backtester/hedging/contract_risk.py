"""Is the risk of a decision usable? What `backtester.hedging.contract` asks of modelled risks."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

import numpy as np

from backtester.arrays import Float
from backtester.hedging.decision import Custom, ExpectedShortfall, Modelled, MultiPeriod, Robust


class Check(Protocol):
    """What is used of the contract's messages, which name the strategy and the time."""

    def fail(self, what: str, cure: str) -> None: ...

    def array(self, item: str, value: Any, shapes: list[tuple[int, ...]], axes: str) -> Float: ...

    def symmetric(self, covariance: Float, assets: tuple[str, ...]) -> None: ...


def checked_risk(check: Check, risk: Modelled, paths: int, assets: tuple[str, ...]) -> Modelled:
    """`risk` with float64 arrays, or StrategyError naming strategy, time, axis and cure."""
    n = len(assets)
    if isinstance(risk, Robust):
        size = _length(check, "risk.covariances", risk.covariances, 3, "regimes, assets, assets")
        shapes = [(size, n, n), (paths, size, n, n)]
        axes = "paths, regimes, assets, assets"
        many = check.array("risk.covariances", risk.covariances, shapes, axes)
        check.symmetric(many, assets)
        return Robust(many, bool(risk.regret))
    if isinstance(risk, ExpectedShortfall):
        size = _length(check, "risk.scenarios", risk.scenarios, 2, "scenarios, assets")
        shapes = [(size, n), (paths, size, n)]
        many = check.array("risk.scenarios", risk.scenarios, shapes, "paths, scenarios, assets")
        level = _number(check, "risk.level", risk.level)
        if not 0.0 < level < 1.0:
            check.fail(f"risk.level is {level}", "Give a share between 0 and 1, such as 0.975.")
        return ExpectedShortfall(many, level)
    if isinstance(risk, MultiPeriod):
        return _plan(check, risk, paths, assets)
    return _custom(check, risk, paths, assets)


def _plan(check: Check, risk: MultiPeriod, paths: int, assets: tuple[str, ...]) -> MultiPeriod:
    n, periods = len(assets), risk.periods
    if not isinstance(periods, int | np.integer) or not 1 <= periods <= 100:
        check.fail(f"risk.periods is {periods!r}", "Give a whole number from 1 to 100.")
    days = None if risk.days is None else _number(check, "risk.days", risk.days)
    if days is not None and not days > 0.0:
        check.fail(f"risk.days is {days}", "Give the length of a period in days, > 0, or None.")
    trade_risk = _number(check, "risk.trade_risk", risk.trade_risk)
    if not trade_risk >= 0.0:
        check.fail(f"risk.trade_risk is {trade_risk}", "Give a number of periods, 0 or more.")
    shapes = [(n, n), (paths, n, n), (paths, int(periods), n, n)]
    axes = "paths, periods, assets, assets"
    covariance = check.array("risk.covariance", risk.covariance, shapes, axes)
    check.symmetric(covariance, assets)
    return MultiPeriod(covariance, int(periods), days, trade_risk)


def _custom(check: Check, risk: Custom, paths: int, assets: tuple[str, ...]) -> Custom:
    n = len(assets)
    build: Any = risk.build
    if not inspect.isfunction(build) or build.__name__ == "<lambda>" or build.__closure__:
        check.fail(
            "risk.build is not a plain function",
            "Write it as a @staticmethod of the strategy, so that it is compiled once: "
            "no lambda, no bound method, no variables of an outer function.",
        )
    shapes = [(paths, n, n), (n, n)]
    covariance = check.array("risk.covariance", risk.covariance, shapes, "paths, assets, assets")
    check.symmetric(covariance, assets)
    arrays = {}
    for name, value in risk.parameters.items():
        item = f"risk.parameters[{name!r}]"
        if str(name).startswith("frame_"):
            check.fail(f"{item} has a name that is taken", "Do not begin it with 'frame_'.")
        shape = np.shape(value)
        if not shape or shape[0] != paths:
            check.fail(f"{item} has shape {shape}", f"Its first axis is paths ({paths}).")
        arrays[str(name)] = check.array(item, value, [shape], "paths, …")
    return Custom(build, arrays, covariance)


def _length(check: Check, item: str, value: Any, axes: int, names: str) -> int:
    """Length of the axis after paths of an array with `axes` axes, or one more for paths."""
    shape = np.shape(value)
    size = int(shape[-axes]) if len(shape) in (axes, axes + 1) else 0
    if size < 1:
        check.fail(f"{item} has shape {shape}", f"Axes are ({names}) or (paths, {names}).")
    return size


def _number(check: Check, item: str, value: Any) -> float:
    return float(check.array(item, value, [()], "none: one number"))
