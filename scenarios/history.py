"""A supplied history: a built-in one by name, or prices in a file beside the scenario's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Discriminator, Field, Tag

from backtester.errors import DataError, ScenarioError, did_you_mean
from backtester.market.panel import MarketPanel
from backtester.study import HistorySpec

FILES = ("prices", "funding", "half_spread", "depth", "tradable")
ENDINGS = (".csv", ".csv.gz", ".parquet", ".pq")
Resolve = Callable[[str], str]


class History(HistorySpec):
    """As `history` in a study: files and how to read them; `prices` may be a built-in history."""


def _kind(value: Any) -> str:
    return "map" if isinstance(value, (Mapping, BaseModel)) else "one"


Source = Annotated[
    Annotated[str, Field(min_length=1), Tag("one")] | Annotated[History, Tag("map")],
    Discriminator(_kind),
]
"""The name of a built-in history, a price file, or a mapping with both and more."""


def is_file(reference: object) -> bool:
    """Whether `reference` names a file, not a built-in history (or a number)."""
    return isinstance(reference, str) and reference.lower().endswith(ENDINGS)


def resolved(source: Any, resolve: Resolve) -> Any:
    """`source` as it stands in a scenario file, with every file it names resolved."""
    if is_file(source):
        return resolve(source)
    if isinstance(source, Mapping):
        return {k: resolve(v) if k in FILES and is_file(v) else v for k, v in source.items()}
    return source


def history_panel(source: str | History, scenario: str) -> MarketPanel:
    """The panel of `source`, one path; raises DataError or ScenarioError naming the scenario."""
    from backtester.market.loaders.builtin import BUILTIN
    from backtester.markets import history_of

    spec = History(prices=source) if isinstance(source, str) else source
    if is_file(spec.prices):
        return history_of(spec)
    if spec.prices not in BUILTIN:
        raise ScenarioError(
            f"scenario {scenario!r}: there is no built-in history {spec.prices!r}",
            cure=did_you_mean(spec.prices, BUILTIN)
            + f" A file ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.",
        )
    panel = BUILTIN[spec.prices]()
    if spec.columns is not None:
        from dataclasses import replace

        picked = panel.indices(spec.columns, f"scenario {scenario!r}")
        panel = replace(panel, assets=spec.columns, prices=panel.prices[:, :, picked])
    first = 0 if spec.start is None else int(np.searchsorted(panel.times, _stamp(spec.start)))
    stop = panel.bars
    if spec.end is not None:
        stop = int(np.searchsorted(panel.times, _stamp(spec.end), side="right"))
    if stop - first < 2:
        raise DataError(
            f"history {spec.prices!r} has {max(stop - first, 0)} stamps from {spec.start} to "
            f"{spec.end}",
            cure="Choose a window inside the history.",
        )
    return panel.between(first, stop)


def _stamp(text: str) -> int:
    try:
        return int(np.datetime64(text, "ns").astype(np.int64))
    except ValueError as error:
        raise ScenarioError(f"date {text!r} cannot be read", cure="Write 2008-09-15.") from error
