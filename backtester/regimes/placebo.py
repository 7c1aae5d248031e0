"""The placebo of a history: the same volatility path, the same dependence every day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backtester.arrays import Float
from backtester.errors import DataError, ScenarioError
from backtester.market.panel import MarketPanel
from backtester.regimes.labelled import WINDOW
from backtester.regimes.windows import centred_mean
from backtester.rng import stream

PURPOSE = "placebo"


def placebo_panel(
    panel: MarketPanel, *, paths: int, seed: int, window: float = WINDOW
) -> MarketPanel:
    """An ensemble in which volatility moves as it did and correlation does not.

    Each asset's log returns are divided by their realised volatility over `window` trading days
    centred on the bar, centred, and scaled to unit variance. Each path then draws whole
    cross-sections of these shocks, independently and with replacement, and multiplies them by the
    same volatility path. Every day has the same joint law, so its correlation is the full
    sample's at every date; tails and tail dependence are the history's own. Any
    crisis-minus-normal difference is made by selecting bars and by volatility alone.

    Drift is zero (prices are martingales up to the law of the shocks): a difference in drift is
    not one in dependence. Calendar, spread, depth, funding and volume are the history's. `regime`
    is left open, so that `labels_of` applies to each path the rule it applies to the history:
    selecting bars by one's own volatility is what the placebo is there to reproduce.

    Path p depends on the seed and p alone. Raises DataError (not one path), ScenarioError.
    """
    if panel.paths != 1:
        raise DataError(
            f"market {panel.name!r} has {panel.paths} paths; a placebo is drawn from one history",
            cure="Give one path, e.g. panel.path(0).",
        )
    if paths < 1:
        raise ScenarioError(f"a placebo of {paths} paths", cure="Ask for at least one path.")
    volatility, shocks = devolatilised(panel, window)
    bars, assets = shocks.shape
    prices = np.empty((bars + 1, paths, assets))
    prices[0] = panel.prices[0]
    for p in range(paths):
        rows = stream(seed, PURPOSE, p).integers(0, bars, bars)
        moves = volatility * shocks[rows] - 0.5 * volatility**2
        prices[1:, p] = panel.prices[0, 0] * np.exp(np.cumsum(moves, axis=0))
    note = (
        f"placebo: {paths} paths with the volatility path of {panel.name!r} and shocks resampled "
        "so that correlation is constant"
    )
    return replace(
        panel,
        prices=prices,
        regime=None,
        regime_names=(),
        name=f"{panel.name} (placebo)",
        notes=(*panel.notes, note),
    )


def devolatilised(panel: MarketPanel, window: float = WINDOW) -> tuple[Float, Float]:
    """Volatility of each bar and unit-variance shocks of a one-path panel, both (T−1, N).

    Volatility is of the bar, i.e. √(variance a day × days of the bar). A bar in a window without
    any move carries a shock of zero. An asset that never moved keeps volatility zero.
    """
    days = panel.trading_days
    elapsed = np.diff(days)[:, None]
    returns = np.log(panel.prices[1:, 0] / panel.prices[:-1, 0])
    volatility = np.sqrt(centred_mean(returns**2, days, window) * elapsed)
    # Rounding in running sums leaves specks where nothing moved; they are no volatility.
    volatility[volatility < 1e-9 * np.sqrt(np.mean(returns**2, axis=0))] = 0.0
    shocks = np.divide(returns, volatility, out=np.zeros_like(returns), where=volatility > 0.0)
    shocks -= shocks.mean(axis=0)
    size = np.sqrt(np.mean(shocks**2, axis=0))
    return volatility, np.divide(shocks, size, out=np.zeros_like(shocks), where=size > 0.0)
