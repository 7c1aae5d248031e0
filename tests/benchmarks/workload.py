"""What is timed: one eight-asset market, one exposure, five hedges, and its variants."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from backtester_scenarios.correlated_returns import CorrelatedReturns
from backtester_strategies.cross_asset import CrossAssetCorrelationHedge

from backtester.accounting.book import Book
from backtester.accounting.exposure import Exposure
from backtester.arrays import Float
from backtester.costs.model import CostConfig
from backtester.engine import BlockRun, run
from backtester.errors import Status
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import HedgeDecision, Limits, Neutrality
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketView
from backtester.scenario import EnsembleMarket
from backtester.setup import RunSetup

ASSETS = tuple(f"A{i}" for i in range(8))
HELD, HEDGES = ASSETS[:3], ASSETS[3:]
MONEY = np.array([4e5, 3e5, 3e5])  # of HELD
CAPITAL = 1e6
CORRELATIONS = (0.7, 0.95, 0.995)
FEE_BPS, HALF_SPREAD_BPS = 2.0, 1.0
"""Perpetuals' maker fee of the large exchanges without a discount, and a spread of 2 bp."""

COST = (FEE_BPS + HALF_SPREAD_BPS) * 1e-4  # of money traded, for peers that know one rate


class Neutral(CrossAssetCorrelationHedge):
    """The same with the net notional of the book held within 2 % of the exposure."""

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        """One neutrality row."""
        decision = super().decide(view, book, state)
        band = 0.02 * np.abs(book.exposure).sum(axis=-1)[:, None]
        rule = Neutrality(np.ones((1, book.exposure.shape[1])), band)
        return HedgeDecision(exposure=decision.exposure, risk=decision.risk, neutrality=rule)


_BOX = Limits(lower=-3 * CAPITAL, upper=3 * CAPITAL)


@dataclass(frozen=True)
class Variant:
    """One row of the table: what differs from the first."""

    key: str
    what: str
    limits: Limits = _BOX
    impact: float = 0.0
    neutral: bool = False
    gas: float = 0.0
    horizon: float | None = None

    @property
    def strategy(self) -> CrossAssetCorrelationHedge:
        """EWMA covariance, half-life 30 days."""
        return Neutral(halflife=30.0) if self.neutral else CrossAssetCorrelationHedge(halflife=30.0)

    @property
    def setup(self) -> RunSetup:
        """Daily decisions, the fee and the market's half-spread."""
        return self.setup_with(HEDGES)

    def setup_with(self, hedges: tuple[str, ...]) -> RunSetup:
        """The same with other instruments."""
        gas = {"gas": self.gas} if self.gas else {}  # a key older packages do not know
        return RunSetup(
            exposure=Exposure(HELD, MONEY),
            instruments=hedges,
            costs=CostConfig(fee_bps=FEE_BPS, impact=self.impact, **gas),
            hedging=HedgeSettings(CAPITAL, limits=self.limits, horizon=self.horizon),
        )


def _limits(**more: float) -> Limits:
    return Limits(lower=-3 * CAPITAL, upper=3 * CAPITAL, **more)


VARIANTS = (
    Variant("us_per_path_bar", "box limits and cost"),
    Variant("us_per_path_bar_turnover", "turnover ≤ 2 %", _limits(turnover=0.02 * CAPITAL)),
    Variant("us_per_path_bar_neutral", "a neutrality row, band 2 %", neutral=True),
    Variant("us_per_path_bar_gross", "gross ≤ 50 %, binding", _limits(gross=0.5 * CAPITAL)),
    Variant(
        "us_per_path_bar_both",
        "gross ≤ 50 % and turnover ≤ 2 %",
        _limits(gross=0.5 * CAPITAL, turnover=0.02 * CAPITAL),
    ),
    Variant("us_per_path_bar_impact", "square-root impact", impact=1.0),
    Variant("us_per_path_bar_gas", "a gas gate, 20 an order", gas=20.0),
)


def built(variant: Variant) -> bool:
    """Whether the package knows what the variant asks for."""
    return not variant.gas or "gas" in CostConfig.model_fields


def scenario(rho: float, assets: tuple[str, ...] = ASSETS) -> CorrelatedReturns:
    """Eight assets (or as many as named), Student-t, one correlation for every pair."""
    regime = {
        "volatility": {a: 0.5 + 0.05 * (i % 8) for i, a in enumerate(assets)},
        "correlation": {"default": rho},
        "degrees_of_freedom": 4.0,
        "half_spread_bp": HALF_SPREAD_BPS,
        "depth": 2e8,
    }
    prices = {a: 100.0 + 10.0 * i for i, a in enumerate(assets)}
    return CorrelatedReturns(name=f"bench {rho}", prices=prices, regimes={"normal": regime})


def chunks(rho: float, paths: int, bars: int) -> list[MarketPanel]:
    """The ensemble in the chunks the product runs it in."""
    market = EnsembleMarket(scenario(rho), paths, bars, seed=1)
    return [market.at(i) for i in range(market.chunks)]


def chunk_of(rho: float, paths: int, bars: int, i: int) -> MarketPanel | None:
    """The i-th chunk of the ensemble; None after the last."""
    market = EnsembleMarket(scenario(rho), paths, bars, seed=1)
    return market.at(i) if i < market.chunks else None


@dataclass
class Tally:
    """What one row cost and did."""

    seconds: float = 0.0
    path_bars: int = 0
    decisions: int = 0
    trading: int = 0
    reference: int = 0
    not_ok: int = 0

    @property
    def microseconds(self) -> float:
        """Per path and bar."""
        return 1e6 * self.seconds / self.path_bars

    def add(self, block: BlockRun, seconds: float) -> None:
        """One chunk more."""
        led = block.ledger
        self.seconds += seconds
        self.path_bars += (led.equity.shape[0] - 1) * led.equity.shape[1]
        decided = led.status != Status.NONE
        self.decisions += int(decided.sum())
        self.trading += int((led.traded > 0).sum())
        self.reference += block.routes.get("reference", 0) + block.routes.get("second", 0)
        self.not_ok += int((led.status[decided] > Status.ELASTIC).sum())

    def __iadd__(self, other: Tally) -> Tally:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


@dataclass(frozen=True)
class Piece:
    """One chunk of one row, for a worker."""

    rho: float
    variant: Variant
    paths: int
    bars: int
    chunk: int


@dataclass(frozen=True)
class Share:
    """Paths [first, first + count) of one chunk, for a worker."""

    rho: float
    variant: Variant
    paths: int
    bars: int
    first: int
    count: int


@lru_cache(maxsize=8)
def share_of(rho: float, paths: int, bars: int, first: int, count: int) -> MarketPanel:
    """Some paths of the first chunk, drawn once a worker."""
    return panel_of(rho, paths, bars, 0).select(np.arange(first, first + count))


def run_share(share: Share) -> tuple[Tally, bool]:
    """What some paths did and took, and whether they had to be drawn first."""
    drawn = share_of.cache_info().misses
    panel = share_of(share.rho, share.paths, share.bars, share.first, share.count)
    tally = timed([panel], share.variant)
    return tally, share_of.cache_info().misses > drawn


@lru_cache(maxsize=8)
def panel_of(rho: float, paths: int, bars: int, chunk: int) -> MarketPanel:
    """A chunk of the ensemble, drawn once a worker."""
    return EnsembleMarket(scenario(rho), paths, bars, seed=1).at(chunk)


def run_piece(piece: Piece) -> tuple[Tally, bool]:
    """What a chunk did and took, and whether it had to be drawn first."""
    drawn = panel_of.cache_info().misses
    panel = panel_of(piece.rho, piece.paths, piece.bars, piece.chunk)
    tally = timed([panel], piece.variant)
    return tally, panel_of.cache_info().misses > drawn


def timed(panels: list[MarketPanel], variant: Variant, repeats: int = 1) -> Tally:
    """Every chunk, engine, ledger and reconcile included; drawing is not. The best of `repeats`."""
    tally = Tally()
    for panel in panels:
        least = np.inf
        for _ in range(repeats):
            before = time.perf_counter()
            block = run(panel, variant.strategy, variant.setup)
            least = min(least, time.perf_counter() - before)
        tally.add(block, least)
    return tally


def best(call: Callable[[], object], repeats: int) -> float:
    """Least seconds of `repeats` calls."""
    least = np.inf
    for _ in range(repeats):
        before = time.perf_counter()
        call()
        least = min(least, time.perf_counter() - before)
    return float(least)


def weights(panel: MarketPanel, block: BlockRun) -> Float:
    """All eight notionals over equity, (T, P, N): what the run held after each event."""
    led = block.ledger
    held = np.zeros(panel.prices.shape)
    for i, money in enumerate(MONEY):
        held[:, :, i] = money * panel.prices[:, :, i] / panel.prices[0, :, i]
    held[:, :, len(HELD) :] = led.hedges
    return held / led.equity[:, :, None]
