"""Ex-post regime labels of a market, made from prices alone and never from a hedge's P&L."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Byte, Float
from backtester.errors import ConfigError
from backtester.market.panel import MarketPanel

NAMES = ("normal", "crisis")
WINDOW = 21.0
"""Trading days over which realised volatility is measured, half of them after the bar."""
SHARE = 0.15
"""Share of bars with the highest volatility."""
SHORTEST = 5.0
"""Trading days below which a spell above the threshold is no episode."""
LEAST_WINDOWS = 6.0
"""Windows a history must hold for a quantile of it to mean anything."""


@dataclass(frozen=True)
class Labels:
    """The regime of every bar, and how it was found."""

    label: Byte  # (T, P) of the bar (t−1, t], index into names; row 0 repeats row 1
    names: tuple[str, ...]
    description: str  # a sentence for reports
    known: bool  # true regimes of a simulation, not an estimate


def labels_of(panel: MarketPanel) -> Labels:
    """The true regimes of a simulated panel, else ex-post ones at the default settings."""
    if panel.regime is not None:
        return Labels(
            panel.regime,
            panel.regime_names,
            "The regime of each bar is the simulation's own.",
            known=True,
        )
    return expost_label(panel)


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
    if not (window > 0.0 and 0.0 < share < 1.0 and shortest >= 0.0):
        raise ConfigError(
            f"label with window {window}, share {share}, shortest {shortest} makes no sense",
            cure="Give window > 0 and shortest ≥ 0 in trading days, and a share between 0 and 1.",
        )
    days = panel.trading_days
    label: Byte = np.zeros((panel.bars, panel.paths), dtype=np.int8)
    if days[-1] < LEAST_WINDOWS * window:
        why = (
            f"Every bar is labelled normal: {days[-1]:.6g} trading days are fewer than the "
            f"{LEAST_WINDOWS * window:.6g} an ex-post label needs."
        )
        return Labels(label, NAMES, why, known=False)
    volatility = market_volatility(panel, window)
    threshold = np.quantile(volatility, 1.0 - share, axis=0, method="lower")
    above = volatility > threshold
    for p in range(panel.paths):
        label[1:, p] = _episodes(above[:, p], days, window, shortest)
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


def centred_mean(sums: Float, days: Float, window: float) -> Float:
    """Sum of bar-wise quantities per trading day within ±window/2 of each bar's middle.

    sums: (T−1, ...), of bars between the stamps `days` (T,); a bar belongs to a window that holds
    its middle, and a window at either end of the history is cut off there.
    """
    middle = (days[1:] + days[:-1]) / 2.0
    slack = 1e-9  # equal steps must not fall in or out by rounding
    low = np.searchsorted(middle, middle - window / 2.0 - slack, side="left")
    high = np.searchsorted(middle, middle + window / 2.0 + slack, side="right")
    reach = np.zeros((len(sums) + 1, *sums.shape[1:]))
    np.cumsum(sums, axis=0, out=reach[1:])
    span = (days[high] - days[low]).reshape(-1, *(1,) * (sums.ndim - 1))
    return np.asarray(np.maximum(reach[high] - reach[low], 0.0) / span)


def _episodes(above: Bool, days: Float, window: float, shortest: float) -> Bool:
    """Spells of one path with gaps shorter than `window` closed and brief ones dropped."""
    edge = np.diff(np.concatenate([[False], above, [False]]).astype(np.int8))
    first, stop = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    out = np.zeros(above.size, dtype=bool)
    if first.size == 0:
        return out
    # Bar b spans the stamps b and b + 1.
    apart = days[first[1:]] - days[stop[:-1]] >= window
    begin = first[np.concatenate([[True], apart])]
    end = stop[np.concatenate([apart, [True]])]
    for b, e in zip(begin, end, strict=True):
        if days[e] - days[b] >= shortest - 1e-9:
            out[b:e] = True
    return out


def _describe(window: float, share: float, shortest: float) -> str:
    return (
        f"Crisis is labelled ex post, with hindsight: the {share:.0%} of bars in which the "
        f"volatility of all assets, over {window:g} trading days centred on the bar, was highest; "
        f"spells less than {window:g} days apart are one, spells under {shortest:g} days none. "
        "Scores use it; no strategy sees it."
    )
