"""The strategies through the real engine: costs, fills, limits and solver included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from backtester_strategies.baselines import Naked, OneToOne, RollingOLS, StaticHedge
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge
from backtester_strategies.delta_neutral import DeltaNeutralOffset
from backtester_strategies.negative_correlation_pairs import NegativeCorrelationPairs

from backtester.accounting.exposure import Exposure
from backtester.arrays import NANOSECONDS_PER_DAY, Float
from backtester.clock import CONTINUOUS
from backtester.costs.model import CostConfig
from backtester.engine import BlockRun, run
from backtester.errors import DataError
from backtester.hedging.assemble import HedgeSettings
from backtester.market.panel import MarketPanel
from backtester.setup import RunSetup
from backtester.strategy import Strategy

from .driver import prices_of, simulate

NAMES = ("S", "A", "B", "C")
MONEY = 1e6
BUILT_IN: list[Strategy[Any]] = [
    Naked(),
    StaticHedge(),
    OneToOne(),
    RollingOLS(),
    CrossAssetCorrelationHedge(),
    NegativeCorrelationPairs(),
    DeltaNeutralOffset(),
]


def market(matrix: Float, paths: int, bars: int, funding: float | None = None) -> MarketPanel:
    """Daily bars of correlated assets."""
    prices = prices_of(simulate(np.random.default_rng(1), bars, paths, matrix))
    return MarketPanel(
        times=np.arange(bars + 1, dtype=np.int64) * NANOSECONDS_PER_DAY,
        assets=NAMES[: len(matrix)],
        prices=prices,
        calendar=CONTINUOUS,
        funding=None if funding is None else np.full((bars + 1, 1, len(matrix)), funding),
    )


def setup(panel: MarketPanel, fee: float = 5.0, hold: str = "notional") -> RunSetup:
    """The first asset held, all others eligible."""
    return RunSetup(
        exposure=Exposure(("S",), np.array([MONEY]), hold=hold),
        instruments=panel.assets[1:],
        costs=CostConfig(fee_bps=fee, half_spread_bps=0.0),
        hedging=HedgeSettings(capital=MONEY),
    )


def effectiveness(result: BlockRun) -> float:
    """1 − E[hedged²]/E[unhedged²] once the first hedge is on."""
    ledger, start = result.ledger, result.first + 2
    hedged = ledger.exposure_pnl[start:] + ledger.hedge_pnl[start:]
    return float(1.0 - (hedged**2).sum() / (ledger.exposure_pnl[start:] ** 2).sum())


def correlated(rho: float) -> Float:
    """The exposure correlated with its second candidate only."""
    matrix = np.eye(4)
    matrix[0, 2] = matrix[2, 0] = rho
    return matrix


@pytest.mark.parametrize("strategy", BUILT_IN, ids=lambda s: type(s).__name__)
def test_every_decision_is_solved_by_the_twin(strategy: Strategy[Any]) -> None:
    panel = market(correlated(-0.7), 20, 150)
    result = run(panel, strategy, setup(panel))
    assert result.routes["twin"] > 0
    assert not any(count for route, count in result.routes.items() if route != "twin")
    assert np.isfinite(result.ledger.equity).all()
    if isinstance(strategy, Naked):
        assert not result.ledger.traded.any()


def test_pairs_find_the_partner_and_leave_the_others() -> None:
    panel = market(correlated(-0.7), 40, 400)
    result = run(panel, NegativeCorrelationPairs(), setup(panel))
    held = result.ledger.hedges[result.first + 2 :] / MONEY
    assert held[:, :, 1].mean() == pytest.approx(0.65, abs=0.06)
    assert np.abs(held[:, :, [0, 2]]).mean() < 0.002
    assert effectiveness(result) == pytest.approx(0.49, abs=0.04)


def test_pairs_leave_independent_assets_alone() -> None:
    panel = market(np.eye(4), 40, 500)
    result = run(panel, NegativeCorrelationPairs(), setup(panel))
    assert np.abs(result.ledger.hedges[result.first :]).sum(axis=-1).mean() / MONEY <= 0.01
    assert effectiveness(result) >= -0.002


def test_the_break_is_in_the_ledger() -> None:
    rng = np.random.default_rng(1)
    spells = [simulate(rng, 200, 20, correlated(rho)) for rho in (0.8, 0.0)]
    times = np.arange(401, dtype=np.int64) * NANOSECONDS_PER_DAY
    panel = MarketPanel(times, NAMES, prices_of(np.concatenate(spells)), CONTINUOUS)
    result = run(panel, NegativeCorrelationPairs(), setup(panel))
    late = [s for s in result.ledger.signals if s.name == "correlation_break" and s.t > 200]
    assert np.logical_or.reduce([s.mask for s in late]).all()
    assert np.abs(result.ledger.hedges[240]).sum(-1).mean() < 0.3 * MONEY


def test_a_stale_hedge_at_constant_notional_keeps_the_identity() -> None:
    panel = market(correlated(0.5), 150, 150)
    result = run(panel, StaticHedge(ratio={"B": -0.8}), setup(panel, fee=0.0))
    assert effectiveness(result) == pytest.approx(2 * 0.8 * 0.5 - 0.64, abs=0.03)


def test_a_spot_book_is_neutral_in_its_perpetual_and_earns_the_funding() -> None:
    rng = np.random.default_rng(3)
    spot = 0.03 * rng.standard_normal((200, 10, 1))
    basis = 0.0005 * rng.standard_normal((200, 10, 1))
    prices = prices_of(np.concatenate([spot, spot + basis], axis=2))
    panel = MarketPanel(
        times=np.arange(201, dtype=np.int64) * NANOSECONDS_PER_DAY,
        assets=("BTC", "BTC-PERP"),
        prices=prices,
        calendar=CONTINUOUS,
        funding=np.broadcast_to([0.0, 3e-4], (201, 1, 2)).copy(),
    )
    study = RunSetup(
        exposure=Exposure(("BTC",), np.array([MONEY])),
        instruments=("BTC-PERP",),
        costs=CostConfig(fee_bps=5.0),
        hedging=HedgeSettings(capital=MONEY),
    )
    result = run(panel, DeltaNeutralOffset(), study)
    ledger, start = result.ledger, result.first + 2
    net = ledger.gross_exposure[start:] + ledger.hedges[start:, :, 0]
    assert np.all(np.abs(net) <= 0.03 * ledger.gross_exposure[start:])  # band, and one bar's drift
    assert effectiveness(result) > 0.99
    assert np.all(ledger.hedge_carry[start:] > 0.0)
    assert (ledger.traded[start:] > 0).mean() < 0.25  # only when the band is left


def test_the_band_costs_less_than_always_trading() -> None:
    panel = market(0.9 * np.ones((4, 4)) + 0.1 * np.eye(4), 20, 250)
    band = run(panel, DeltaNeutralOffset(), setup(panel, hold="units"))
    ols = run(panel, RollingOLS(), setup(panel, hold="units"))
    start = max(band.first, ols.first) + 2
    assert band.ledger.traded[start:].sum() < 0.5 * ols.ledger.traded[start:].sum()
    assert effectiveness(band) > effectiveness(ols) - 0.02


@pytest.mark.parametrize("strategy", BUILT_IN, ids=lambda s: type(s).__name__)
def test_a_short_history_is_named(strategy: Strategy[Any]) -> None:
    panel = market(correlated(0.5), 2, 20)
    if strategy.warmup > 20:
        with pytest.raises(DataError, match=r"needs .* days before its first decision"):
            run(panel, strategy, setup(panel))
