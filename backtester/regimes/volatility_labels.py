"""The volatility labeller: the most volatile bars are the crisis, found with hindsight."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Byte, Float
from backtester.market.panel import MarketPanel
from backtester.regimes.episodes import episodes
from backtester.regimes.labelled import (
    SHARE,
    SHORTEST,
    WINDOW,
    Labels,
    all_normal,
    check_rule,
)
from backtester.regimes.windows import centred_mean

NAMES = ("normal", "crisis")


def expost_label(
    panel: MarketPanel,
    *,
    window: float = WINDOW,
    share: float = SHARE,
    shortest: float = SHORTEST,
) -> Labels:
    """Label the most volatile `share` of each path's bars as crisis, with hindsight.

    Market-wide volatility is the root of the mean, over all assets, of squared returns in units
    of each asset's own full-sample volatility, over the trading days within ±window/2 of the bar.
    Two-sided, so that the first day of a burst lies inside its episode; squares are averaged over
    assets one by one, so that the label does not move with the correlation it is used to judge
    (the volatility of an index would). Spells less than a window apart are one episode. A spell
    shorter than `shortest` touches the threshold without a burst, which fills a whole window, and
    is dropped.

    Parameters
    ----------
    window, shortest: trading days, > 0 and ≥ 0. share: of bars, in (0, 1).

    A history shorter than six windows is all normal; the description says so. Raises ConfigError.
    """
    check_rule(window, share, shortest)
    days = panel.trading_days
    if too_short := all_normal(panel, NAMES, window):
        return too_short
    label: Byte = np.zeros((panel.bars, panel.paths), dtype=np.int8)
    volatility = market_volatility(panel, window)
    threshold = np.quantile(volatility, 1.0 - share, axis=0, method="lower")
    above = volatility > threshold
    for p in range(panel.paths):
        label[1:, p] = episodes(above[:, p], days, window, shortest)
    label[0] = label[1]
    return Labels(label, NAMES, _describe(window, share, shortest), known=False)


def market_volatility(panel: MarketPanel, window: float) -> Float:
    """Centred market-wide volatility of each bar in units of its mean level, (T−1, P)."""
    elapsed = np.diff(panel.trading_days)
    returns = np.log(panel.prices[1:] / panel.prices[:-1])
    squares = returns**2
    level = squares.sum(axis=0) / elapsed.sum()
    # An asset that never moved has no volatility to be in units of; it says nothing.
    scaled = np.divide(squares, level, out=np.zeros_like(squares), where=level > 0.0)
    return np.sqrt(centred_mean(scaled.mean(axis=-1), panel.trading_days, window))


def _describe(window: float, share: float, shortest: float) -> str:
    return (
        f"Crisis is labelled ex post, with hindsight: the {share:.0%} of bars in which the "
        f"volatility of all assets, over {window:g} trading days centred on the bar, was highest; "
        f"spells less than {window:g} days apart are one, spells under {shortest:g} days none. "
        "Scores use it; no strategy sees it."
    )
