"""Fisher, CUSUM and surprise: formulas, hysteresis, calibration, bars, and the laws."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtester.accounting.exposure import Exposure
from backtester.arrays import NANOSECONDS_PER_DAY, Float
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import run
from backtester.errors import ConfigError
from backtester.estimation.change import change_statistic
from backtester.events import CorrelationBreak
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Target
from backtester.laws import check_strategy
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo
from backtester.monitors import CusumMonitor, FisherMonitor, Monitor, SurpriseMonitor
from backtester.monitors.calibration import CUSUM, FISHER, SURPRISE
from backtester.monitors.kernels import clipped_products, contrasts, surprise_scores
from backtester.monitors.trigger import bound_for, latch
from backtester.plugins import load_strategy
from backtester.setup import RunSetup
from backtester.strategy import Strategy

MONITORS = (FisherMonitor, CusumMonitor, SurpriseMonitor)


class Watcher(Strategy[None]):
    """Keeps a stated hedge; what its monitor said is kept outside for the tests."""

    monitor: Any = None
    seen: Any = None

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        return (self.monitor,)

    def decide(self, view: Any, book: Any, state: None) -> HedgeDecision:
        if self.seen is not None:
            self.seen[view.t] = view.events
        return HedgeDecision(exposure=book.exposure, risk=Target(-0.1 * np.ones_like(book.hedges)))


def market(
    paths: int = 4, days: int = 320, per_day: int = 1, change: int = 240, seed: int = 0
) -> MarketPanel:
    """A and B are held, C and D hedge; C's correlation with both falls from .85 to −.1 once."""
    rng = np.random.default_rng(seed)
    bars = days * per_day
    common, own = rng.standard_normal((bars, paths, 1)), rng.standard_normal((bars, paths, 4))
    load = np.full((bars, 1, 4), 0.9)
    load[change * per_day :, :, 2] = -0.1
    moves = 0.02 / np.sqrt(per_day) * (load * common + np.sqrt(1 - load**2) * own)
    moves[0] = 0.0
    times = np.arange(bars, dtype=np.int64) * (NANOSECONDS_PER_DAY // per_day)
    prices = 100.0 * np.cumprod(1.0 + moves, axis=0)
    return MarketPanel(times, ("A", "B", "C", "D"), prices, CONTINUOUS)


def setup_of(**changes: Any) -> RunSetup:
    defaults: dict[str, Any] = {
        "exposure": Exposure(("A", "B"), np.array([1e6, 5e5])),
        "instruments": ("C", "D"),
        "costs": CostConfig(),
        "hedging": HedgeSettings(1e6),
    }
    return RunSetup(**{**defaults, **changes})


def events(monitor: Any, panel: MarketPanel) -> dict[int, CorrelationBreak]:
    seen: dict[int, tuple[CorrelationBreak, ...]] = {}
    run(panel, Watcher(monitor=monitor, seen=seen), setup_of())
    return {t: found[0] for t, found in seen.items() if found}


@pytest.mark.parametrize("kind", MONITORS)
def test_a_break_is_seen_where_it_is(kind: Any) -> None:
    found = events(kind(), market(paths=40))
    at = next(t for t, e in found.items() if t > 240 and (e.hedges[:, 0] == -1).mean() > 0.5)  # type: ignore[index]
    assert 243 <= at <= 262
    last = found[268]
    assert last.hedges is not None and last.before is not None and last.after is not None
    broken = last.hedges[:, 0] == -1
    ever = np.any([found[t].hedges[:, 0] == -1 for t in range(241, 269)], axis=0)  # type: ignore[index]
    assert ever.mean() > 0.7 and broken.mean() > 0.5 and (last.hedges[:, 1] != 0).mean() < 0.2
    assert last.active[broken].all() and (last.direction[broken] == -1).mean() > 0.9
    assert last.after[broken, 0].mean() < 0.45 < 0.6 < last.before[broken, 1].mean()
    np.testing.assert_array_equal(np.isnan(last.strength), ~last.active)
    for t in sorted(found)[1:]:  # the mask is where a break begins, and its strength passes 1
        now, was = found[t].hedges, found[t - 1].hedges
        assert now is not None and was is not None
        np.testing.assert_array_equal(found[t].mask, ((now != 0) & (now != was)).any(axis=1))
        assert (found[t].strength[found[t].active] > 0.5).all()


@pytest.mark.parametrize("kind", MONITORS)
def test_paths_are_watched_alone(kind: Any) -> None:
    panel = market(paths=5, days=300)
    whole = events(kind(false_alarm_days=130.0), panel)
    for order in ([3], [4, 0]):
        part = events(kind(false_alarm_days=130.0), panel.select(np.array(order)))
        assert sorted(part) == sorted(whole)
        for t, event in part.items():
            for item in ("mask", "active", "strength", "direction", "hedges", "before", "after"):
                np.testing.assert_array_equal(
                    getattr(event, item), getattr(whole[t], item)[order], err_msg=item
                )


@pytest.mark.parametrize("kind", MONITORS)
def test_the_size_of_a_bar_does_not_matter(kind: Any) -> None:
    """Six-hour bars are added up to days: as many observations, and the same break."""
    fine, coarse = market(paths=30, per_day=4), market(paths=30)
    late = {}
    for name, panel, per_day in (("fine", fine, 4), ("coarse", coarse, 1)):
        seen: dict[int, Any] = {}
        run(panel, Watcher(monitor=kind(), seen=seen), setup_of(rebalance=1.0))
        first = min(t for t, e in seen.items() if e) / per_day
        late[name] = (first, np.mean(seen[265 * per_day][0].hedges[:, 0] == -1))
    assert late["fine"][0] == pytest.approx(late["coarse"][0], abs=2)
    assert late["fine"][1] > 0.6 and late["coarse"][1] > 0.6


def test_a_portfolio_is_watched_as_a_whole() -> None:
    """The exposure's shock is that of its P&L: long A, short B leaves C with nothing in common."""
    from backtester.accounting.book import open_book
    from backtester.market.view import MarketView
    from backtester.monitors.shocks import PairShocks

    panel, shocks = market(paths=3), PairShocks()
    index = panel.indices(("C", "D"))
    info = MarketInfo(panel.assets, ("C", "D"), index, ("A", "B"), 3, 1.0, 365.0, 1e6)
    money = np.array([1e6, -1e6, 0.0, 0.0])
    state, rows, variance, weight = shocks.init(info), [], 0.0, 0.0
    for t in range(120):
        book = open_book(panel.prices[t], money / panel.prices[t], index, 1e6)
        view = MarketView(
            t=t, time=0, elapsed=1.0 if t else 0.0, now=float(t), past=panel.prices,
            half_spread=panel.prices[t], funding=None, cost_rate=panel.prices[t],
        )  # fmt: skip
        state, z = shocks.step(view, book, state)
        assert (z is None) == (t < 21)
        if not t:
            continue
        gain = panel.returns[t - 1] @ money / 2e6
        if z is not None:
            np.testing.assert_allclose(z[:, 0], gain / np.sqrt(variance / weight), rtol=1e-9)
            rows.append(z)
        decay = 0.5 ** (1 / 20)
        variance, weight = decay * variance + (1 - decay) * gain**2, decay * weight + 1 - decay
    z = np.array(rows)
    assert abs(np.mean(z[..., 0] * z[..., 1])) < 0.15 < 0.5 < np.mean(z[..., 1] * z[..., 2])


def test_the_contrast_of_normal_returns_is_fishers() -> None:
    rng = np.random.default_rng(1)
    x, e = rng.standard_normal((2, 5, 145))
    z = np.ascontiguousarray(np.stack([x, 0.6 * x + 0.8 * e], axis=1))
    statistic, before, after = np.empty((3, 5, 1))
    contrasts(z, 25, 25, 0.0, 1e9, statistic, before, after)
    for p in range(5):
        old, new = (_about_zero(z[p, :, part]) for part in (slice(0, 120), slice(120, 145)))
        assert before[p, 0] == pytest.approx(old) and after[p, 0] == pytest.approx(new)
        u, v = z[p, :, :120] / np.sqrt((z[p, :, :120] ** 2).mean(axis=1, keepdims=True))
        influence = u * v - 0.5 * old * (u * u + v * v)
        wide = max(np.sqrt((influence**2).mean()) / (1 - old**2), 1.0)
        fisher = change_statistic(np.array(new), 25, np.array(old), 120).item() / wide
        assert abs(statistic[p, 0]) == pytest.approx(abs(fisher), rel=1e-9)
        assert np.sign(statistic[p, 0]) == np.sign((new - old) * old)


def test_the_scan_is_the_largest_weighted_contrast() -> None:
    rng = np.random.default_rng(2)
    z = rng.standard_normal((3, 2, 160))
    whole, part = np.empty((3, 3, 1)), np.empty((3, 3, 1))
    contrasts(z, 40, 8, 0.25, 2.0, *whole)
    best = np.zeros((3, 1))
    for k in range(8, 41):
        cut = np.ascontiguousarray(np.concatenate([z[:, :, :120], z[:, :, 160 - k :]], axis=2))
        contrasts(cut, k, k, 0.0, 2.0, *part)
        weight = (k * 160 / ((120 + k) * 40)) ** 0.25
        best = np.maximum(best, np.abs(part[0]) * weight)
    np.testing.assert_allclose(np.abs(whole[0]), best, rtol=1e-12)


def _about_zero(z: Float) -> float:
    return float((z[0] * z[1]).sum() / np.sqrt((z[0] ** 2).sum() * (z[1] ** 2).sum()))


@pytest.mark.parametrize("rho", [0.3, -0.6, 0.9])
def test_scores_are_standard_whatever_the_tails_and_volatility(rho: float) -> None:
    rng = np.random.default_rng(3)
    x, e = rng.standard_normal((2, 200_000))
    z = np.stack([x, rho * x + np.sqrt(1 - rho**2) * e], axis=1)
    plain, heavy = np.empty((200_000, 1)), np.empty((200_000, 1))
    at = np.full((200_000, 1), rho)
    surprise_scores(z, at, plain)
    assert plain.mean() == pytest.approx(0.0, abs=0.01)
    assert plain.std() == pytest.approx(1.0, abs=0.01)
    size = np.sqrt(2.0 / rng.chisquare(4.0, (200_000, 1))) * np.exp(
        rng.standard_normal((200_000, 1))
    )
    surprise_scores(z * size, at, heavy)
    np.testing.assert_allclose(heavy, plain, atol=1e-9)
    surprise_scores(z, np.full((200_000, 1), 0.5 * rho), heavy)
    assert heavy.mean() < -0.05  # closer than expected


def test_what_does_not_move_gives_no_scores() -> None:
    z, out = np.zeros((2, 2)), np.full((2, 1), np.nan)
    surprise_scores(z, np.zeros((2, 1)), out)
    assert (out == 0.0).all()
    three = np.empty((3, 1, 1))
    contrasts(np.zeros((1, 2, 145)), 25, 25, 0.0, 2.0, *three)
    assert (three == 0.0).all()


def test_pairs_are_cut_in_length_and_keep_their_direction() -> None:
    z, out = np.array([[6.0, -8.0], [0.3, 0.4]]), np.empty((2, 1, 4))
    clipped_products(z, 2.0, out)
    np.testing.assert_allclose(out[0, 0, :3], np.array([36.0, 64.0, -48.0]) * 8.0 / 100.0)
    np.testing.assert_allclose(out[1, 0], [0.09, 0.16, 0.12, 0.0144])


def test_hysteresis() -> None:
    """Begins beyond the bound, ends within half of it, and a turn is a new break."""
    code, told = np.zeros((1, 1), np.int8), []
    for statistic in (0.9, 1.1, 0.6, 0.4, 0.9, -1.2, -0.51, 1.3, -2.0, -0.2):
        code = latch(code, np.array([[statistic]]), 1.0)
        told.append(int(code.item()))
    assert told == [0, 1, 1, 0, 0, -1, -1, 1, -1, 0]


@pytest.mark.parametrize("table", [FISHER, CUSUM, SURPRISE])
def test_bounds_are_read_off_the_measured_table(table: Any) -> None:
    days, bounds = np.array(table).T
    assert (np.diff(days) > 0).all() and (np.diff(bounds) > 0).all()
    assert bound_for(days[3], 1.0, table) == pytest.approx(bounds[3])
    assert bound_for(days[3] / 24.0, 1 / 24.0, table) == pytest.approx(bounds[3])
    between = np.sqrt(days[3] * days[4])
    assert bound_for(between, 1.0, table) == pytest.approx((bounds[3] + bounds[4]) / 2)
    with pytest.raises(
        ConfigError, match=r"false_alarm_days is 10, sides 'both': 10 obs.*Measured: "
    ):
        bound_for(10.0, 1.0, table)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FisherMonitor(false_alarm_days=1e6), "false_alarm_days is 1e\\+06"),
        (lambda: FisherMonitor(recent=60.0), "half-life of 60 against 60"),
        (lambda: CusumMonitor(recent=3), "3 recent observations"),
        (lambda: CusumMonitor(reference=10), "against 10"),
        (lambda: SurpriseMonitor(halflife=0.0), "halflife"),
        (lambda: SurpriseMonitor(every=-1.0), "false_alarm_days|every"),
    ],
)
def test_a_monitor_that_makes_no_sense(make: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make()


class Fisher(Watcher):
    monitor: Any = FisherMonitor(recent=5, reference=20, false_alarm_days=130.0)


class Cusum(Watcher):
    monitor: Any = CusumMonitor(recent=15, reference=40, false_alarm_days=130.0)


class Surprise(Watcher):
    monitor: Any = SurpriseMonitor(halflife=20.0, false_alarm_days=100.0)


@pytest.mark.parametrize("kind", [pytest.param(Fisher, marks=pytest.mark.slow), Cusum, Surprise])
def test_the_laws_hold(kind: type[Watcher]) -> None:
    report = check_strategy(kind)
    assert report.ok, report.text()


def test_the_strategy_of_the_page_keeps_the_laws_and_reacts(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "monitors.md"
    block = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[1]
    (tmp_path / "cautious.py").write_text(block, encoding="utf-8")
    report = check_strategy(str(tmp_path / "cautious.py"))
    assert report.ok, report.text()

    cautious = load_strategy(str(tmp_path / "cautious.py"))
    block_run = run(market(paths=12), cautious(), setup_of(rebalance=30.0))
    broken = [s for s in block_run.ledger.signals if s.name == "correlation_break" and s.t > 230]
    assert np.logical_or.reduce([s.mask for s in broken]).mean() > 0.8
    decided = block_run.ledger.status != 0
    for signal in broken:
        np.testing.assert_array_equal(decided[signal.t], signal.mask | (signal.t % 30 == 0))
