"""Plausibility scales of a calibration's own history, perpetuals' funding and basis included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from backtester.arrays import Bool, Float
from backtester.calibration.plausibility import (
    WINDOW_DAYS,
    Plausibility,
    Windows,
    basis_scale,
    funding_scale,
    plausibility_scales,
    windows_of,
)
from backtester.calibration.prepare import Prepared
from backtester.calibration.reversion import per_bar
from backtester.errors import DataError
from backtester.market.moments import SUFFIX
from backtester.market.panel import MarketPanel
from backtester.plausibility import Scale

MEASURES: dict[str, tuple[str, Callable[[Windows], Scale | None]]] = {
    "funding": ("level", funding_scale),
    "basis": ("basis", basis_scale),
}


def own_scales(data: Prepared) -> Plausibility:
    """Scales of every overlay this history can speak of; too short a one stops no calibration.

    Funding and basis are measured over the longest stretch of bars on which all perpetuals have
    them. What could not be measured is in `missing`, with the reason.
    """
    days = max(WINDOW_DAYS, 5.0 * data.panel.days_per_bar)
    try:
        found = plausibility_scales(data.panel, window_days=days)
    except DataError as error:
        return Plausibility({}, {"every overlay": f"{error.what}. {error.cure}"})
    scales, missing = {k: dict(v) for k, v in found.scales.items()}, dict(found.missing)
    for what, (parameter, measure) in MEASURES.items():
        key = f"FundingShock.{parameter}"
        if not data.perpetuals:
            continue
        try:
            scale = measure(windows_of(_with_perpetuals(data, what), days))
        except DataError as error:
            missing[key] = f"{what}: {error.what}"
            continue
        if scale is not None:
            scales.setdefault("FundingShock", {})[parameter] = scale
            missing.pop(key, None)
    return Plausibility(scales, missing)


def _with_perpetuals(data: Prepared, what: str) -> MarketPanel:
    """The panel with its perpetuals beside it, over the longest stretch with `what` known."""
    panel, total = data.panel, what == "funding"
    frame = data.funding if total else data.basis
    assert frame is not None
    spots = list(dict.fromkeys(data.perpetuals.values()))
    values = np.column_stack(
        [
            per_bar(
                frame, p if p in frame.columns else spot, panel.times, data.assume_tz,
                total=total, who=f"{what} of {p!r}",
            )
            for spot in spots
            for p in [next(p for p, s in data.perpetuals.items() if s == spot)]
        ]
    )  # fmt: skip
    first, stop = _longest(np.asarray(np.isfinite(values).all(axis=1)))
    if total:  # paid over the bar that ends at a stamp: the stamp before opens it
        first = max(first - 1, 0)
    cut, inside = panel.between(first, stop), values[first:stop]
    own = cut.prices[:, :, cut.indices(spots)]
    size = len(panel.assets)
    funding: Float | None = None
    if total:
        funding = np.zeros((cut.bars, 1, size + len(spots)))
        funding[1:, 0, size:] = inside[1:]
    else:
        own = own * np.exp(inside)[:, None]
    return replace(
        cut,
        assets=(*panel.assets, *(f"{spot}{SUFFIX}" for spot in spots)),
        prices=np.concatenate([cut.prices, own], axis=2),
        funding=funding,
    )


def _longest(known: Bool) -> tuple[int, int]:
    """[first, stop) of the longest run of true; (0, 1) where there is none."""
    edge = np.diff(np.concatenate([[False], known, [False]]).astype(np.int8))
    first, stop = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    if not first.size:
        return 0, 1
    best = int(np.argmax(stop - first))
    return int(first[best]), int(stop[best])
