"""Walk-forward: causal, exact, charged, path by path, and honest about an overfit grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_strategies.baselines import RollingOLS, StaticHedge

import backtester as bt
from backtester.accounting.book import Book
from backtester.accounting.exposure import Exposure
from backtester.costs.model import CostConfig
from backtester.engine import run as run_engine
from backtester.errors import DataError, StrategyError
from backtester.events import MonitorEvent
from backtester.folds import WalkForward
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Target
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo, MarketView
from backtester.metrics.risk import expected_shortfall, windows
from backtester.monitors import Monitor
from backtester.regimes.labelled import Labels
from backtester.setup import RunSetup
from backtester.strategy import Strategy
from backtester.walk_forward import Chosen, Walk, choose, walk

DAY = 86_400_000_000_000
PLAN = WalkForward(train=60, test=20, embargo=10)
WARM = 5.0


class Fixed(Strategy[None]):
    """Holds a multiple of the capital in one instrument."""

    weight: float = 0.0

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        notional = np.full((book.exposure.shape[0], 1), self.weight * 1e6)
        return HedgeDecision(exposure=book.exposure, risk=Target(notional))


def market(bars: int = 240, paths: int = 1, seed: int = 0) -> MarketPanel:
    rng = np.random.default_rng(seed)
    # a path's numbers come from its own stream
    steps = np.stack(
        [np.random.default_rng([seed, p]).normal(size=(bars, 2)) for p in range(paths)]
    )
    common = 0.03 * rng.normal(size=(bars, 1, 1))
    moves = common + 0.02 * steps.transpose(1, 0, 2)
    prices = 100 * np.exp(np.cumsum(np.concatenate([np.zeros((1, paths, 2)), moves]), axis=0))
    times = DAY * np.arange(18_000, 18_001 + bars)
    from backtester.clock import calendar_named

    return MarketPanel(times, ("A", "B"), prices, calendar_named("24/7"))


def setup(**changes: Any) -> RunSetup:
    fields: dict[str, Any] = {
        "exposure": Exposure(("A",), np.array([1e6]), "notional", "notional"),
        "instruments": ("B",),
        "costs": CostConfig(fee_bps=10, half_spread_bps=0),
        "hedging": HedgeSettings(1e6, 5.0),
        "start": WARM + PLAN.wait,
    }
    return RunSetup(**(fields | changes))


def labels(panel: MarketPanel) -> Labels:
    return Labels(np.zeros((panel.bars, panel.paths), np.int8), ("normal",), "none", known=False)


WEIGHTS = (0.0, -0.4, -0.8, 0.5)
SETS = tuple((f"weight={w}", Fixed(weight=w)) for w in WEIGHTS)


def followed(panel: MarketPanel, sets: Any = SETS, **changes: Any) -> Walk:
    return walk(panel, sets, setup(**changes), PLAN, "fixed", labels(panel))


def test_each_choice_is_the_best_of_its_training_window() -> None:
    panel = market()
    found = followed(panel)
    assert len({*found.trail.choice[:, 0]}) > 1  # the choice changes, else this shows nothing
    for w, fold in enumerate(found.trail.folds):
        a, b = fold.train
        worst = [expected_shortfall(windows(n[a:b])) for n in found.trail.net]
        assert found.trail.choice[w, 0] == int(np.argmin(worst))


def test_the_book_follows_and_pays_for_every_switch() -> None:
    """Trade by trade: what a hand-made book earns and pays equals the stitched series."""
    panel = market()
    found = followed(panel)
    series = found.series()
    first = found.trail.folds[0].test[0]
    assert series.net.shape == (panel.bars - 1 - first, 1)
    price, held, net = panel.prices[:, 0, 1], 0.0, []
    owner = {f.test[0]: int(found.trail.choice[w, 0]) for w, f in enumerate(found.trail.folds)}
    order, weight = None, 0.0
    for t in range(first, panel.bars):
        gain = held * (price[t] - price[t - 1]) if t > first else 0.0
        cost = 0.0
        if order is not None:
            cost = abs(order) * price[t] * 10e-4
            held += order
        weight = WEIGHTS[owner[t]] if t in owner else weight
        order = weight * 1e6 / price[t] - held
        if t > first:
            net.append(gain - cost)
    np.testing.assert_allclose(series.net[:, 0] - series.unhedged[:, 0], net, rtol=0, atol=1e-6)


def test_nothing_decided_by_t_depends_on_what_follows() -> None:
    panel = market()
    whole = followed(panel)
    base = whole.runs[0][1].block.ledger
    for t in (whole.trail.folds[1].test[0], whole.trail.folds[2].test[0] + 7):
        prices = panel.prices.copy()
        scrambled = np.random.default_rng(t).permutation(len(prices) - t - 1)
        prices[t + 1 :] = prices[t + 1 :][scrambled] * 1.7
        other = followed(MarketPanel(panel.times, panel.assets, prices, panel.calendar))
        made = [w for w, f in enumerate(whole.trail.folds) if f.test[0] <= t]
        assert np.array_equal(whole.trail.choice[made], other.trail.choice[made])
        assert np.array_equal(base.hedges[: t + 1], other.runs[0][1].block.ledger.hedges[: t + 1])
        assert not np.array_equal(base.hedges, other.runs[0][1].block.ledger.hedges)


def test_the_embargo_is_not_looked_at() -> None:
    """Prices inside the embargo before the last choice move no choice."""
    panel = market()
    whole = followed(panel)
    last = whole.trail.folds[-1]
    moved = panel.prices.copy()
    moved[last.train[1] + 1 : last.test[0]] *= np.random.default_rng(0).uniform(
        0.8, 1.25, (9, 1, 2)
    )
    other = followed(MarketPanel(panel.times, panel.assets, moved, panel.calendar))
    assert last.test[0] - last.train[1] == 10
    assert whole.trail.choice[-1] == other.trail.choice[-1]


def test_paths_do_not_know_each_other() -> None:
    panel = market(paths=6)
    together = followed(panel)
    assert len(together.runs) > 1
    series = together.series()
    for p in range(6):
        alone = followed(panel.path(p))
        assert np.array_equal(alone.trail.choice[:, 0], together.trail.choice[:, p])
        one = alone.series()
        for name in ("net", "costs", "traded", "exposure"):
            assert np.array_equal(getattr(one, name)[:, 0], getattr(series, name)[:, p]), name


def test_one_set_is_the_strategy_itself() -> None:
    panel = market(paths=3)
    strategy = RollingOLS(window=30)
    mine = walk(panel, [("", strategy)], setup(start=30 + PLAN.wait), PLAN, "x", labels(panel))
    block = run_engine(panel, strategy, setup(start=30 + PLAN.wait))
    assert np.array_equal(mine.runs[0][1].block.ledger.hedges, block.ledger.hedges)


def test_ties_and_windows_too_short_to_score() -> None:
    flat = np.zeros((3, 40, 2))
    assert choose(flat, PLAN, 1e6, 5.0).tolist() == [0, 0]
    with pytest.raises(DataError, match="training window of 9 bars has no net_es"):
        choose(flat[:, :9], PLAN, 1e6, 5.0)
    utility = WalkForward(train=60, test=20, select="certainty_equivalent")
    gain = np.stack([np.full((9, 1), -1.0), np.full((9, 1), 2.0)])
    assert choose(gain, utility, 1e6, 5.0).tolist() == [1]


class Loud:
    """A monitor that speaks at every event."""

    def __init__(self, name: str) -> None:
        self.name = name

    def init(self, market: MarketInfo) -> int:
        return 0

    def step(self, view: MarketView, book: Book, state: int) -> tuple[int, MonitorEvent]:
        on = np.ones(book.exposure.shape[0], dtype=bool)
        event = MonitorEvent(
            t=view.t,
            time=view.time,
            name=self.name,
            mask=on,
            strength=on.astype(float),
            direction=on.astype(float),
        )
        return state + 1, event


class Watched(Fixed):
    """Says which of its monitors it hears."""

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        return (Loud(f"seen by {self.weight}"),)

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        assert [e.name for e in view.events] == [f"seen by {self.weight}"]
        return super().decide(view, book, state)


def test_a_set_hears_its_own_monitors_only() -> None:
    panel = market(bars=60)
    both = Chosen(sets=(Watched(weight=0.0), Watched(weight=-0.5)), begins=(20, 40), choice=(1, 0))
    block = run_engine(panel, both, setup(start=20.0))
    times = {s.t: s.name for s in block.ledger.signals}
    assert times[25] == "seen by -0.5"
    assert times[45] == "seen by 0.0"


def test_messages_name_the_users_strategy() -> None:
    class Broken(Fixed):
        def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
            raise RuntimeError("no")

    panel = market()
    with pytest.raises(StrategyError, match="strategy Broken"):
        followed(panel, (("", Broken()),))


def overfit(bars: int = 300) -> bt.Study:
    """15 static hedges in an asset that has nothing to do with the book."""
    weights = [{"PAXG": round(float(x), 3)} for x in np.linspace(-2.8, 2.8, 15)]
    return bt.Study.of(
        {
            "name": "overfit",
            "exposure": {"positions": {"SOL": 1_000_000}, "hold": "notional"},
            "capital": 1_000_000,
            "hedge_with": ["PAXG"],
            "markets": [{"scenario": "normal", "paths": 5, "bars": bars}],
            "strategies": ["Naked", {"use": "StaticHedge", "grid": {"ratio": weights}}],
            "walk_forward": {"train": 30, "test": 30, "select": "certainty_equivalent"},
            "risk_aversion": 0.5,
            "placebo_paths": 0,
            "trials": 9,
            "seed": 5,
        }
    )


def test_an_overfit_grid_shows() -> None:
    """In-sample the choice looks far better than the unhedged book; out of sample it is not."""
    assert "ratio" in StaticHedge.model_fields
    found = bt.compare(overfit(), audits=False)
    (walked,) = found.evidence.walks
    assert walked.sets == 15
    inside, outside = walked.inside, walked.outside
    # bp of capital a bar: 30 days of a 14 % asset show about 20 by luck, and none of it lasts
    assert inside["pnl_net"] - outside["pnl_net"] > 15.0
    assert inside["certainty_equivalent"] - outside["certainty_equivalent"] > 15.0
    assert walked.best["certainty_equivalent"] > outside["certainty_equivalent"]
    assert len({f.chosen for f in walked.folds}) > 1
    assert found.evidence.trials == 1 + 15 + 9
    assert found.manifest["trials"] == 25
    assert all(s.trials == 25 for s in found.evidence.sharpes)
    naked, static = found.evidence.sharpes
    assert static.benchmark > 0
    # all books are scored on the same bars: from the first choice on
    assert {s.bars for s in found.scorecard.scores if s.regime == "all"} == {5 * (300 - 40)}
    assert naked.figures.bars == static.figures.bars
