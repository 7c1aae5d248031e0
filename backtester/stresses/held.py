"""The book a strategy holds on average, and its analytic sensitivity to correlations.

Where the sweep re-hedges at every correlation, this is the frozen book: what the hedge of the base
scenario would do if correlations moved before anything could be traded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.engine import BlockRun
from backtester.engine import run as run_engine
from backtester.market.panel import MarketPanel
from backtester.metrics.sensitivity import BookSensitivity, book_sensitivity, book_volatility
from backtester.setup import RunSetup
from backtester.strategy import Strategy


@dataclass(frozen=True)
class Held:
    """An average book per unit of gross exposure, and the market it was held in."""

    exposure: Float  # (E,) of setup.exposure.assets
    hedges: Float  # (K,) of setup.instruments
    covariance: Float  # (N, N) of simple returns a year
    first: int  # event of the first decision; earlier bars do not count


def held(panel: MarketPanel, strategy: Strategy[object], setup: RunSetup) -> Held:
    """The mean book of a strategy over the decided bars of every path of `panel`."""
    block = run_engine(panel, strategy, setup)
    exposure, hedges = mean_book(panel, block, setup)
    covariance = yearly_covariance(panel, slice(None), block.first)
    return Held(exposure, hedges, covariance, block.first)


def mean_book(panel: MarketPanel, block: BlockRun, setup: RunSetup) -> tuple[Float, Float]:
    """Exposures (E,) and hedges (K,) per unit of gross exposure, mean over bars and paths."""
    index = panel.indices(setup.exposure.assets)
    units = setup.exposure.units(panel.prices[0], index)
    first = block.first + 1  # the first decision's orders have filled
    prices = panel.prices[first:]
    kept = panel.prices[0] if setup.exposure.hold == "notional" else prices
    money = units[:, index] * kept[..., index]
    gross = block.ledger.gross_exposure[first:, :, None]
    scale = np.divide(1.0, gross, out=np.zeros_like(gross), where=gross > 0.0)
    exposed = np.broadcast_to(money, (*gross.shape[:2], len(index))) * scale
    hedges = block.ledger.hedges[first:] * scale
    return np.asarray(np.mean(exposed, axis=(0, 1))), np.asarray(np.mean(hedges, axis=(0, 1)))


def yearly_covariance(panel: MarketPanel, paths: slice, first: int) -> Float:
    """Uncentred covariance of simple returns a year from event `first` on, pooled, (N, N)."""
    returns = panel.returns[first:, paths]
    days = float(panel.trading_days[-1] - panel.trading_days[first])
    years = days / panel.calendar.days_per_year * returns.shape[1]
    return np.asarray(np.einsum("tpi,tpj->ij", returns, returns) / years)


def sensitivities(book: Held, panel: MarketPanel, setup: RunSetup) -> tuple[BookSensitivity, ...]:
    """Of the unhedged book and of the hedged one."""
    exposed, hedged = setup.exposure.assets, setup.instruments
    return tuple(
        book_sensitivity(exposed, book.exposure, hedged, h, panel.assets, book.covariance)
        for h in (np.zeros_like(book.hedges), book.hedges)
    )


def frozen_volatility(book: Held, panel: MarketPanel, setup: RunSetup, paths: int) -> Float:
    """σ_p of the frozen book, % of exposure a year, on each run of `paths` paths of `panel`."""
    names = (*setup.exposure.assets, *setup.instruments)
    pick = panel.indices(names)
    weights = np.concatenate([book.exposure, book.hedges])
    out = []
    for i in range(panel.paths // paths):
        whole = yearly_covariance(panel, slice(i * paths, (i + 1) * paths), book.first)
        out.append(100.0 * book_volatility(weights, whole[np.ix_(pick, pick)]))
    return np.array(out)
