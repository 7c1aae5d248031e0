"""Is a decision usable? Shape, NaN and name contract; a message names the axis and the cure."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from backtester.arrays import Float, is_plain
from backtester.clock import iso
from backtester.errors import StrategyError, did_you_mean
from backtester.hedging.contract_risk import checked_risk
from backtester.hedging.decision import HedgeDecision, Limits, Modelled, Quadratic, Risk, Target


def checked(
    decision: Any, who: str, time: int, paths: int, assets: tuple[str, ...], names: tuple[str, ...]
) -> HedgeDecision:
    """`decision` with float64 arrays, or StrategyError naming strategy, time, axis and cure.

    time: UTC nanoseconds of the event.
    """
    if not isinstance(decision, HedgeDecision):
        raise StrategyError(
            f"strategy {who} decided {type(decision).__name__}, not HedgeDecision",
            when=iso(time),
            cure="Return HedgeDecision(exposure=book.exposure, risk=…) from decide().",
        )
    n, k = len(assets), len(names)
    if _usual(decision, paths, n):
        return decision
    check = _Check(who, time)
    exposure = check.array("exposure", decision.exposure, [(paths, n)], "paths, assets")
    risk: Risk = decision.risk
    if isinstance(risk, Quadratic):
        covariance = check.covariance(risk.covariance, paths, assets)
        risk = risk if covariance is risk.covariance else Quadratic(covariance)
    elif isinstance(risk, Target):
        notional = check.array("risk.notional", risk.notional, [(paths, k)], "paths, instruments")
        risk = risk if notional is risk.notional else Target(notional)
    elif isinstance(risk, Modelled):
        risk = checked_risk(check, risk, paths, assets)
    else:
        raise StrategyError(
            f"strategy {who} decided a risk of type {type(risk).__name__}",
            when=iso(time),
            cure="Use Quadratic(covariance), Target(notional), Robust, ExpectedShortfall, "
            "MultiPeriod or Custom.",
        )
    for name in decision.instruments or ():
        if name not in names:
            raise StrategyError(
                f"strategy {who} hedges with {name!r}, which is not an eligible instrument",
                when=iso(time),
                cure=did_you_mean(name, names),
            )
    changes: dict[str, Any] = {"exposure": exposure, "risk": risk}
    if decision.trade is not None:
        changes["trade"] = check.mask("trade", decision.trade, (paths,), "paths")
    if decision.eligible is not None:
        shape = (paths, k)
        changes["eligible"] = check.mask("eligible", decision.eligible, shape, "paths, instruments")
    if decision.scale is not None:
        changes["scale"] = check.array("scale", decision.scale, [(paths,)], "paths")
    if decision.carry is not None:
        changes["carry"] = check.array("carry", decision.carry, [(paths, k)], "paths, instruments")
    if decision.neutrality is not None:
        _check_rows(check, decision, paths, n)
    _check_limits(check, decision.limits, paths, k)
    if decision.signals:
        changes["signals"] = {
            str(name): check.mask(f"signals[{name!r}]", mask, (paths,), "paths")
            for name, mask in decision.signals.items()
        }
    changes = {k: v for k, v in changes.items() if getattr(decision, k) is not v}
    return replace(decision, **changes) if changes else decision


def _usual(decision: HedgeDecision, paths: int, n: int) -> bool:
    """Whether it is an exposure and a covariance, nothing else, and both are as they must be.

    The common case in one pass; what is not usual may still be right.
    """
    d, risk = decision, decision.risk
    if type(risk) is not Quadratic or d.signals:
        return False
    if not (
        d.instruments is None
        and d.trade is None
        and d.eligible is None
        and d.scale is None
        and d.carry is None
        and d.neutrality is None
        and d.limits is None
    ):
        return False
    exposure, covariance = d.exposure, risk.covariance
    return (
        type(exposure) is np.ndarray
        and type(covariance) is np.ndarray
        and exposure.shape == (paths, n)
        and covariance.shape == (paths, n, n)
        and is_plain(exposure)
        and is_plain(covariance)
        and bool(_kernels().usable(covariance, exposure))
    )


def _check_rows(check: _Check, decision: HedgeDecision, paths: int, n: int) -> None:
    rule = decision.neutrality
    assert rule is not None
    rows = np.asarray(rule.rows)
    m = rows.shape[-2] if rows.ndim >= 2 else 0
    check.array("neutrality.rows", rows, [(m, n), (paths, m, n)], "rows, assets")
    for item in ("band", "target"):
        value = np.asarray(getattr(rule, item), dtype=np.float64)
        check.array(f"neutrality.{item}", value, [(), (paths, m), (m,)], "paths, rows")
        if item == "band" and (value < 0).any():
            check.fail("neutrality.band is negative", "A band is a half-width in money, ≥ 0.")


def _check_limits(check: _Check, limits: Limits | None, paths: int, k: int) -> None:
    if limits is None:
        return
    for item in ("lower", "upper", "gross", "turnover"):
        value = getattr(limits, item)
        if value is None:
            continue
        array = np.asarray(value, dtype=np.float64)
        shapes = [(), (paths,)] if item in ("gross", "turnover") else [(), (k,), (paths, k)]
        if array.shape not in shapes or np.isnan(array).any():
            check.fail(
                f"limits.{item} has shape {array.shape} or holds NaN",
                f"Expected one of {shapes}, in money.",
            )
    fault = limits.fault()
    if fault is not None:
        check.fail(*fault)


@cache
def _kernels() -> Any:
    from backtester.hedging import contract_kernel

    return contract_kernel


def _finite(array: Float) -> bool:
    if is_plain(array):
        return bool(_kernels().finite(array.reshape(-1)))
    return bool(np.isfinite(array).all())


class _Check:
    """Messages that name the strategy and the time."""

    def __init__(self, who: str, time: int) -> None:
        self.who, self.time = who, time

    def fail(self, what: str, cure: str) -> None:
        raise StrategyError(f"strategy {self.who}: {what}", when=iso(self.time), cure=cure)

    def array(self, item: str, value: Any, shapes: list[tuple[int, ...]], axes: str) -> Float:
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            self.fail(f"{item} is not numeric ({type(value).__name__})", f"Axes are ({axes}).")
            raise  # unreachable; keeps the type checker informed
        if array.shape not in shapes:
            self.fail(
                f"{item} has shape {array.shape}, expected {' or '.join(map(str, shapes))}",
                f"Axes are ({axes}).",
            )
        if not _finite(array):
            first = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            self.fail(
                f"{item} is not finite at index {first} of ({axes})",
                "Wait for the warm-up (property `warmup`, in days) or guard the division.",
            )
        return array

    def covariance(self, value: Any, paths: int, assets: tuple[str, ...]) -> Float:
        """`value` as (P, N, N) or (N, N), finite and symmetric."""
        n = len(assets)
        usual = type(value) is np.ndarray and value.shape == (paths, n, n) and is_plain(value)
        if usual and _kernels().faithful(value):
            return value  # type: ignore[no-any-return]
        shapes: list[tuple[int, ...]] = [(paths, n, n), (n, n)]
        array = self.array("risk.covariance", value, shapes, "paths, assets, assets")
        self.symmetric(array, assets)
        return array

    def mask(self, item: str, value: Any, shape: tuple[int, ...], axes: str) -> Any:
        array = np.asarray(value)
        if array.dtype != np.bool_ or array.shape != shape:
            self.fail(
                f"{item} has shape {array.shape} and type {array.dtype}, expected {shape} bool",
                f"Axes are ({axes}).",
            )
        return array

    def symmetric(self, covariance: Float, assets: tuple[str, ...]) -> None:
        if np.array_equal(covariance, np.swapaxes(covariance, -1, -2)):
            return
        size = np.abs(covariance).max(initial=0.0)
        apart = np.abs(covariance - np.swapaxes(covariance, -1, -2))
        if (apart > 1e-9 * size).any():
            *_, i, j = (int(x) for x in np.argwhere(apart > 1e-9 * size)[0])
            self.fail(
                f"risk.covariance is not symmetric at ({assets[i]!r}, {assets[j]!r})",
                "Average it with its transpose.",
            )
