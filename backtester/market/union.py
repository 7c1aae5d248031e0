"""Histories of different calendars as one panel: the union of their stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backtester.clock import CONTINUOUS, calendar_named, iso
from backtester.errors import DataError
from backtester.market.panel import FIELDS, MarketPanel


def union_panel(panels: Sequence[MarketPanel], name: str) -> MarketPanel:
    """One-path panels side by side on every stamp of any of them, over the time all cover.

    Between its own stamps an asset holds its last price and cannot be traded
    (`MarketPanel.tradable`); spread and depth are held with it, funding and volume are zero there.
    The calendar is 24/7 where one of them is.

    Raises DataError for assets that appear twice and histories that do not overlap.
    """
    seen: dict[str, str] = {}
    for panel in panels:
        for asset in panel.assets:
            if asset in seen:
                raise DataError(
                    f"asset {asset!r} is in {seen[asset]!r} and in {panel.name!r}",
                    cure="Name the columns to use of each history.",
                )
            seen[asset] = panel.name
    if len(panels) == 1:
        return replace(panels[0], name=name)
    late = max(panels, key=lambda p: int(p.times[0]))
    early = min(panels, key=lambda p: int(p.times[-1]))
    first, last = int(late.times[0]), int(early.times[-1])
    if first >= last:
        raise DataError(
            f"histories {late.name!r} (from {iso(first)}) and {early.name!r} (to {iso(last)}) "
            "have no time in common",
            cure="Use windows that overlap; assets of disjoint histories have no joint law.",
        )
    times = np.unique(np.concatenate([p.times for p in panels]))
    times = times[(times >= first) & (times <= last)]
    held = [np.searchsorted(p.times, times, side="right") - 1 for p in panels]
    own = [p.times[row] == times for p, row in zip(panels, held, strict=True)]
    fields: dict[str, Any] = {}
    for item in FIELDS:
        parts = [getattr(p, item) for p in panels]
        if all(part is None for part in parts):
            continue
        if any(part is None for part in parts):
            lacking = panels[[part is None for part in parts].index(True)].name
            if item != "funding":
                raise DataError(
                    f"history {lacking!r} has no {item}, but another has",
                    cure="Give it for every history, or for none.",
                )
        columns = []
        for panel, part, row, mine in zip(panels, parts, held, own, strict=True):
            if part is None:
                columns.append(np.zeros((len(times), 1, len(panel.assets))))
                continue
            values = part[row][:, :1]
            if item in ("funding", "volume"):
                values = np.where(mine[:, None, None], values, 0.0)
            columns.append(values)
        fields[item] = np.concatenate(columns, axis=2)
    switches = []
    for panel, row, mine in zip(panels, held, own, strict=True):
        open_ = np.repeat(mine[:, None, None], len(panel.assets), axis=2)
        if panel.tradable is not None:
            open_ &= panel.tradable[row][:, :1]
        switches.append(open_)
    mask = np.concatenate(switches, axis=2)
    continuous = any(p.calendar.name == CONTINUOUS.name for p in panels)
    return MarketPanel(
        times=times,
        assets=tuple(seen),
        prices=np.concatenate(
            [p.prices[row][:, :1] for p, row in zip(panels, held, strict=True)], axis=2
        ),
        calendar=calendar_named(CONTINUOUS.name) if continuous else panels[0].calendar,
        tradable=None if mask.all() else mask,
        name=name,
        notes=tuple(dict.fromkeys(note for p in panels for note in p.notes)),
        **fields,
    )
