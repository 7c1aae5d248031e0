"""Walk-forward: parameters chosen on the past of every path, then held on what follows.

Every parameter set runs once over the whole market; its P&L on a training window is known when the
choice is made. One book then follows the choices: all sets observe, the chosen one decides, and
a change of set trades from the hedges held, at the usual costs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtester.accounting.book import Book
from backtester.arrays import Float, Int
from backtester.engine import run as run_engine
from backtester.errors import DataError
from backtester.events import MonitorEvent
from backtester.folds import Fold, WalkForward, folds_of
from backtester.hedging.decision import HedgeDecision
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo, MarketView
from backtester.metrics.risk import certainty_equivalent, expected_shortfall, windows
from backtester.metrics.series import PathSeries
from backtester.monitors import Monitor
from backtester.regimes.labelled import Labels
from backtester.results import RunResult
from backtester.setup import RunSetup
from backtester.strategy import Strategy


class Chosen(Strategy[tuple[Any, ...]]):
    """Follows one of several parameter sets at a time; every one observes all events."""

    sets: tuple[Any, ...]  # strategies
    begins: tuple[int, ...]  # event of each choice
    choice: tuple[int, ...]  # the set that decides from there on

    def at(self, t: int) -> int:
        """The set that decides at event t; the first choice before there is any."""
        return self.choice[max(0, int(np.searchsorted(self.begins, t, side="right")) - 1)]

    @property
    def warmup(self) -> float:
        """That of the slowest set."""
        return float(max(s.warmup for s in self.sets))

    def requires(self) -> tuple[str, ...]:
        """What any set needs."""
        return tuple(dict.fromkeys(asset for s in self.sets for asset in s.requires()))

    def init(self, market: MarketInfo) -> tuple[Any, ...]:
        """A state for each set."""
        return tuple(s.init(market) for s in self.sets)

    def observe(self, view: MarketView, state: tuple[Any, ...]) -> tuple[Any, ...]:
        """Every set observes."""
        return tuple(s.observe(view, own) for s, own in zip(self.sets, state, strict=True))

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        """Those of every set, each heard only while its own set decides."""
        return tuple(
            _Heard(m, i, self) for i, s in enumerate(self.sets) for m in s.monitors(market)
        )

    def decide(self, view: MarketView, book: Book, state: tuple[Any, ...]) -> HedgeDecision:
        """What the chosen set decides."""
        i = self.at(view.t)
        decision: HedgeDecision = self.sets[i].decide(view, book, state[i])
        return decision


@dataclass(frozen=True)
class _Heard:
    """A monitor that watches always and speaks while its set decides."""

    monitor: Monitor[Any]
    owner: int
    follows: Chosen

    def init(self, market: MarketInfo) -> Any:
        return self.monitor.init(market)

    def step(self, view: MarketView, book: Book, state: Any) -> tuple[Any, MonitorEvent | None]:
        state, event = self.monitor.step(view, book, state)
        return state, event if self.follows.at(view.t) == self.owner else None


@dataclass(frozen=True)
class Trail:
    """What every parameter set did and which was chosen. Bar b lies between events b and b + 1."""

    folds: tuple[Fold, ...]
    names: tuple[str, ...]  # C parameter sets
    choice: Int  # (W, P) index of the set chosen for each fold
    net: Float  # (C, B, P) net P&L of each set, money
    unhedged: Float  # (B, P)
    exposure: Float  # (B, P) gross, at the start of the bar
    times: Int  # (B + 1,) UTC nanoseconds of the events

    @staticmethod
    def joined(parts: Sequence[Trail]) -> Trail:
        """Blocks of one ensemble as one, paths in the order given."""
        first = parts[0]
        if len(parts) == 1:
            return first
        names = ("choice", "net", "unhedged", "exposure")
        fields: dict[str, Any] = {
            n: np.concatenate([getattr(p, n) for p in parts], axis=-1) for n in names
        }
        return replace(first, **fields)


@dataclass(frozen=True)
class Walk:
    """The runs that followed the choices: paths with equal choices ran together."""

    runs: tuple[tuple[Int, RunResult], ...]  # paths, and their run
    trail: Trail

    def series(self) -> PathSeries:
        """The stitched out-of-sample P&L, paths in order."""
        whole = PathSeries.joined([result.series() for _, result in self.runs])
        back = np.argsort(np.concatenate([paths for paths, _ in self.runs]))
        return whole if len(self.runs) == 1 else whole.reordered(back)


def walk(
    panel: MarketPanel,
    sets: Sequence[tuple[str, Strategy[Any]]],
    setup: RunSetup,
    plan: WalkForward,
    label: str,
    labels: Labels,
) -> Walk:
    """Run a walk-forward evaluation of parameter `sets`, (label, strategy) each.

    setup.start: trading days before the first choice; the sets start `plan.wait` earlier, each
    with a book of its own. Choices are made path by path from that path's past alone, so paths
    stay independent. Raises DataError where the market is too short.
    """
    early = replace(setup, start=setup.start - plan.wait)
    folds = folds_of(panel.trading_days, setup.start, plan, panel.name)
    tried = [_tried(panel, strategy, early, labels) for _, strategy in sets]
    trail = Trail(
        folds=folds,
        names=tuple(name for name, _ in sets),
        choice=np.zeros((len(folds), panel.paths), dtype=np.int64),
        net=np.stack([s.net for s in tried]),
        unhedged=tried[0].unhedged,
        exposure=tried[0].exposure,
        times=panel.times,
    )
    capital, aversion = setup.hedging.capital, setup.hedging.risk_aversion
    choice = np.stack(
        [choose(trail.net[:, f.train[0] : f.train[1]], plan, capital, aversion) for f in folds]
    )
    trail = replace(trail, choice=choice)
    begins = tuple(f.test[0] for f in folds)
    kind = _kind(sets[0][1])
    runs = []
    alike: dict[tuple[int, ...], list[int]] = {}
    for p in range(panel.paths):
        alike.setdefault(tuple(choice[:, p].tolist()), []).append(p)
    for chosen, members in alike.items():
        paths = np.array(members)
        part = panel if len(members) == panel.paths else panel.select(paths)
        book = kind(sets=tuple(s for _, s in sets), begins=begins, choice=chosen)
        block = run_engine(part, book, setup)
        of_part = labels.label if part is panel else labels.label[:, paths]
        runs.append((paths, RunResult(label, part, setup, block, of_part, labels.names)))
    return Walk(tuple(runs), trail)


def choose(net: Float, plan: WalkForward, capital: float, risk_aversion: float) -> Int:
    """The best set of each path (P,) by its net P&L on a training window, (C, B, P); ties: first.

    Raises DataError where the window is too short to be scored.
    """
    scores = np.array([[_score(x, plan, capital, risk_aversion) for x in _rows(n)] for n in net])
    if np.isnan(scores).any():
        raise DataError(
            f"walk_forward: a training window of {net.shape[1]} bars has no {plan.select}",
            cure="Give a longer train.",
        )
    return np.asarray(np.argmin(scores, axis=0))


def _score(pnl: Float, plan: WalkForward, capital: float, risk_aversion: float) -> float:
    """Less is better; pnl (B,) of one path."""
    if plan.select == "net_es":
        return expected_shortfall(windows(pnl[:, None]))
    return -certainty_equivalent(pnl, capital, risk_aversion)


def _rows(pnl: Float) -> Float:
    """Paths first, each contiguous: a path's score must not depend on its neighbours."""
    return np.ascontiguousarray(pnl.T)


def _tried(
    panel: MarketPanel, strategy: Strategy[Any], setup: RunSetup, labels: Labels
) -> PathSeries:
    """Every bar of one parameter set's own run."""
    block = run_engine(panel, strategy, setup)
    result = RunResult("", panel, setup, block, labels.label, labels.names)
    return result.series(scored=False)


@functools.cache
def _named(name: str) -> type[Chosen]:
    return type(name, (Chosen,), {"__module__": __name__, "__doc__": Chosen.__doc__})


def _kind(strategy: Strategy[Any]) -> type[Chosen]:
    """`Chosen` under the name of the strategy, which is what messages call it."""
    return _named(type(strategy).__name__)
