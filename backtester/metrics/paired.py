"""Paired differences between books in net expected shortfall: same paths, same draws.

Every strategy is set against the unhedged book and against the others (or a stated reference) on
each market and in each regime. All books of a market share their paths, so what is tested is the
difference itself, whose noise is far smaller than that of either book.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float, Int
from backtester.errors import ConfigError, did_you_mean
from backtester.metrics.bootstrap import stationary_index, tail_block_length
from backtester.metrics.inference import CONFIDENCE, Estimate
from backtester.metrics.pnl import PERCENT
from backtester.metrics.regime import ALL, Regime, episode_ids, split
from backtester.metrics.risk import expected_shortfall, influence, windows
from backtester.metrics.romano_wolf import (
    Comparisons,
    balanced,
    over_blocks,
    over_units,
    stepdown,
)
from backtester.metrics.series import PathSeries
from backtester.rng import stream

UNHEDGED = "Unhedged"
DRAWS = 999
"""Bootstrap draws: the smallest p-value is 1/1000."""
FAMILIES = ("unhedged", "strategies")


@dataclass(frozen=True)
class PairedDifference:
    """Net expected shortfall of one book less that of another, % of capital; below 0 it is better.

    `p_single` is the two-sided p-value of this comparison alone, `p_adjusted` that among all
    `comparisons` of its family in the study (Romano & Wolf). The interval is of this comparison
    alone. NaN where the note says why.
    """

    market: str
    regime: str
    family: str  # "unhedged": against the unhedged book; "strategies": between two strategies
    first: str
    second: str
    estimate: Estimate
    p_single: float
    p_adjusted: float
    comparisons: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; NaN as None."""
        names = ("market", "regime", "family", "first", "second", "comparisons")
        out: dict[str, Any] = {n: getattr(self, n) for n in names}
        for name in ("p_single", "p_adjusted"):
            value: float = getattr(self, name)
            out[name] = value if math.isfinite(value) else None
        return out | {"estimate": self.estimate.to_dict()}


@dataclass(frozen=True)
class MarketPairs:
    """The comparisons of one market, regime by regime, before they are adjusted."""

    market: str
    regime: str
    pairs: tuple[tuple[str, str, str], ...]  # (family, first, second) of each comparison
    values: Float  # (S,) differences, % of capital
    withheld: tuple[str, ...]  # why a pair allows no test, or empty
    found: Comparisons | None  # None where no pair does


def market_pairs(
    books: Sequence[PathSeries],
    *,
    seed: int,
    withheld: dict[tuple[str, str], str],
    reference: str | None = None,
) -> tuple[MarketPairs, ...]:
    """Every comparison on one market, over all bars and in each regime where there are several.

    Parameters
    ----------
    books: the strategies' series on the same market; one that never hedged is the unhedged book.
    withheld: (strategy, regime) → why its shortfall there allows no interval, or empty.
    reference: compare strategies with this one only; None compares all pairs.
    """
    labels = [b.strategy for b in books]
    if reference is not None and reference not in labels:
        raise ConfigError(
            f"reference {reference!r} is not a strategy of the study",
            cure=did_you_mean(reference, labels),
        )
    first = books[0]
    hedged = [b for b in books if not np.array_equal(b.net, first.unhedged)]
    if not hedged or first.unhedged.size == 0:
        return ()
    names = [UNHEDGED, *(b.strategy for b in hedged)]
    index = _pairs(names, reference)
    pairs = tuple((FAMILIES[min(b, 1)], names[a], names[b]) for a, b in index)
    sums = [windows(first.unhedged), *(windows(b.net) for b in hedged)]
    regimes = split(first.label, first.label_names)
    out = []
    for regime in regimes if len(regimes) > 2 else regimes[:1]:
        starting = regime.bars[: len(sums[0])]
        none = "" if starting.any() else "no window starts in this regime"
        short = ["", *(withheld.get((b.strategy, regime.name), "") for b in hedged)]
        why = tuple(none or short[a] or short[b] for a, b in index)
        worst = [_shortfall(x, starting, first.capital) for x in sums]
        values = np.array([worst[a] - worst[b] for a, b in index])
        found = None if all(why) else _compared(first, regime, sums, index, values, seed)
        out.append(MarketPairs(first.market, regime.name, pairs, values, why, found))
    return tuple(out)


def adjusted(markets: Iterable[MarketPairs]) -> tuple[PairedDifference, ...]:
    """All comparisons of a study, adjusted within each family; rows in the order given.

    Draws of equal number belong together across markets and regimes: the paths of ensembles of
    one size are drawn alike, as they share their shocks. Where draws are independent although the
    markets are not, the two-sided maximum is only larger (Šidák 1967), so p-values err upwards.
    """
    every = list(markets)
    scaled = {m: balanced(b.found) for m, b in enumerate(every) if b.found is not None}
    spots = [(m, i) for m, block in enumerate(every) for i in range(len(block.pairs))]
    p_adjusted = np.full(len(spots), np.nan)
    size = dict.fromkeys(FAMILIES, 0)
    for family in FAMILIES:
        mine = [
            k
            for k, (m, i) in enumerate(spots)
            if every[m].pairs[i][0] == family and not every[m].withheld[i]
        ]
        size[family] = len(mine)
        if mine:
            columns = [(scaled[m][0][i], scaled[m][1][:, i]) for m, i in (spots[k] for k in mine)]
            statistic, draws = zip(*columns, strict=True)
            p_adjusted[mine] = stepdown(np.array(statistic), np.stack(draws, axis=1))
    rows = []
    for k, (m, i) in enumerate(spots):
        block = every[m]
        family, one, two = block.pairs[i]
        estimate, single = _alone(block, i)
        rows.append(
            PairedDifference(
                block.market,
                block.regime,
                family,
                one,
                two,
                estimate,
                single,
                float(p_adjusted[k]),
                size[family],
            )
        )
    return tuple(rows)


def _pairs(names: Sequence[str], reference: str | None) -> tuple[tuple[int, int], ...]:
    """Pairs of books by position; 0 is the unhedged one."""
    strategies = range(1, len(names))
    against = [(i, 0) for i in strategies]
    if reference is None:
        return (*against, *combinations(strategies, 2))
    for base in strategies:  # a reference that never hedged is the unhedged book itself
        if names[base] == reference:
            return (*against, *((i, base) for i in strategies if i != base))
    return tuple(against)


def _shortfall(sums: Float, starting: Bool, capital: float) -> float:
    return expected_shortfall(sums[starting]) * PERCENT / capital


def _compared(
    series: PathSeries,
    regime: Regime,
    sums: Sequence[Float],
    index: tuple[tuple[int, int], ...],
    values: Float,
    seed: int,
) -> Comparisons:
    """The comparisons of one regime with their bootstrap draws."""
    starting = regime.bars[: len(sums[0])]
    history = series.unhedged.shape[1] == 1
    shares = []
    for x in sums:
        share = influence(-x[starting]) * (PERCENT / series.capital)
        shares.append(_by_unit(share, starting, history, regime))
    parts = np.stack([shares[a] - shares[b] for a, b in index], axis=1)
    if history and regime.name == ALL:
        length = tail_block_length(-sums[0][:, 0])
        return over_blocks(values, parts, _block_picks(len(parts), length, seed), length)
    name = f"episodes/{regime.name}" if history else "paths"
    return over_units(values, parts, _unit_picks(len(parts), name, seed))


def _by_unit(share: Float, starting: Bool, history: bool, regime: Regime) -> Float:
    """Shares added up by path, by episode of a history, or left by window of the whole of it."""
    if history and regime.name == ALL:
        return share
    if history:
        ids = episode_ids(regime.bars[:, 0])
        unit = ids[: len(starting)][starting[:, 0]]
        return np.asarray(np.bincount(unit, share, minlength=int(ids.max()) + 1), np.float64)
    unit = np.nonzero(starting)[1]
    return np.asarray(np.bincount(unit, share, minlength=starting.shape[1]), np.float64)


def _unit_picks(units: int, name: str, seed: int) -> Iterator[Int]:
    for draw in range(DRAWS):
        yield stream(seed, f"comparisons/{name}", draw).integers(0, units, units)


def _block_picks(count: int, length: float, seed: int) -> Iterator[Int]:
    for draw in range(DRAWS):
        yield stationary_index(stream(seed, "comparisons/blocks", draw), count, length)


def _alone(block: MarketPairs, i: int) -> tuple[Estimate, float]:
    value = float(block.values[i])
    if block.found is None or block.withheld[i]:
        return Estimate(value, note=block.withheld[i]), math.nan
    half = float(block.found.half_width(CONFIDENCE)[i])
    if not math.isfinite(half):
        return Estimate(value, note="no interval: too few units to draw from"), math.nan
    return Estimate(value, value - half, value + half), float(block.found.single()[i])
