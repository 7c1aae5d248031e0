"""The default labeller: what happened to the hedge, found with hindsight from prices alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Byte, Float
from backtester.market.panel import MarketPanel
from backtester.regimes.book import Exposed, book_returns
from backtester.regimes.episodes import episodes, grown
from backtester.regimes.labelled import (
    CONVERGENCE,
    DECOUPLING,
    SHARE,
    SHORTEST,
    STATES,
    WINDOW,
    Labels,
    all_normal,
    check_rule,
)
from backtester.regimes.windows import (
    between_knots,
    centred_mean,
    knots_of,
    long_run,
    window_edges,
    window_sums,
)

LONG = 504.0
"""Trading days that make "the long run", half of them after the bar."""
SURE, STRESSED, DOUBT = 3.0, 2.0, 1.5
"""Standard errors of Fisher's z by which the correlation must have fallen: to be a decoupling at
any time, to be one in a stress, and to belong to one that is found."""
WORSE = 1.5
"""Times its usual residual variance that a hedge set at the long-run correlation would leave."""
STRESS = 2.0
"""Times its long-run level that the book's unhedged variance reaches in a convergence."""
SCALE = 11.0
"""Trading days over which returns are devolatilised."""
BOUND = 3.0
"""Devolatilised returns are winsorised at this many standard deviations."""


@dataclass(frozen=True)
class HedgeMeasures:
    """What the label is made of, every bar of every path, (T−1, P) each."""

    stress: Float  # unhedged variance of the book / its long-run level
    correlation: Float  # of the devolatilised book with its best hedge, oriented to be > 0
    usual: Float  # long-run level of that correlation
    fall: Float  # standard errors of Fisher's z by which it lies below that level; > 0 is lower
    worse: Float  # residual variance of the hedge set at the long-run correlation / its usual one
    residual: Float  # money at risk: stress × share not explained, / its long-run level


def hedge_label(
    panel: MarketPanel,
    exposure: Exposed,
    instruments: Sequence[str],
    *,
    window: float = WINDOW,
    share: float = SHARE,
    shortest: float = SHORTEST,
) -> Labels:
    """Label each bar normal, convergence or decoupling by what happened to the hedge.

    See docs/regimes.md for the rule in words and what it cannot see. Per path:

    1. *Decoupling*: `fall` ≥ 3, `worse` ≥ 1.5 and `residual` ≥ 1: the hedge's own correlation is
       significantly and materially below its long run, and the money left at risk is not less than
       usual. The spell reaches as far as `fall` ≥ 1.5 around such bars.
    2. *Convergence*: `stress` ≥ 2 in bars that are not decoupling: everything moves, the hedge
       holds.
    3. Spells of one kind less than a window apart are one; spells under `shortest` are dropped.
    4. Both kinds together take at most `share` of the bars: the threshold that binds is raised,
       for both at once, until they do.

    Parameters
    ----------
    window, shortest: trading days, > 0 and ≥ 0. share: of bars, in (0, 1).

    A history shorter than six windows is all normal; the description says so. Raises ConfigError.
    """
    check_rule(window, share, shortest)
    days = panel.trading_days
    if too_short := all_normal(panel, STATES, window):
        return too_short
    label: Byte = np.zeros((panel.bars, panel.paths), dtype=np.int8)
    found = hedge_measures(panel, exposure, instruments, window)
    for p in range(panel.paths):
        label[1:, p] = _bounded(found, p, days, window, share, shortest)
    label[0] = label[1]
    return Labels(label, STATES, _describe(window, share, shortest), known=False)


def hedge_measures(
    panel: MarketPanel, exposure: Exposed, instruments: Sequence[str], window: float = WINDOW
) -> HedgeMeasures:
    """The measures behind the label; all windows are centred, so they know the future."""
    days = panel.trading_days
    book, hedges = book_returns(panel, exposure, instruments)
    variance = centred_mean(book**2, days, window)
    stress = _ratio(variance, long_run(variance, days, LONG, window), 1.0)
    y = devolatilised_returns(book, days)
    basket = _basket(y, devolatilised_returns(hedges, days), days, window)
    low, high = window_edges(days, window)
    cross = window_sums(y * basket, low, high)
    own = window_sums(y * y, low, high)
    other = window_sums(basket * basket, low, high)
    # Specks left by running sums where nothing moved are no variance.
    alive = (own > 1e-9) & (other > 1e-9)
    scale = np.sqrt(np.where(alive, own * other, 1.0))
    raw = np.clip(np.where(alive, cross / scale, np.nan), -0.9999, 0.9999)
    z = np.arctanh(np.where(alive, raw, 0.0))
    level = long_run(z, days, LONG, window)
    z = np.where(alive, z, level)  # no move, no news
    count = (high - low).astype(np.float64)[:, None]
    fall = (level - z) * np.sqrt(np.maximum(count - 3.0, 1.0))
    rho, usual = np.tanh(z), np.maximum(np.tanh(level), 0.0)
    worse = (1.0 - 2.0 * usual * rho + usual**2) / (1.0 - usual**2)
    left = stress * (1.0 - rho**2)
    residual = _ratio(left, long_run(left, days, LONG, window), 1.0)
    return HedgeMeasures(stress, rho, usual, fall, worse, residual)


def devolatilised_returns(returns: Float, days: Float) -> Float:
    """`returns` (T−1, P, ...) in units of their own centred volatility, winsorised.

    A volatility that moves is divided out, so that it cannot look like a correlation that moves.
    """
    elapsed = np.diff(days).reshape(-1, *(1,) * (returns.ndim - 1))
    variance = centred_mean(returns**2, days, SCALE) * elapsed
    usual = np.mean(np.moveaxis(returns**2, 0, -1).copy(), axis=-1)
    scale = np.sqrt(np.where(variance > 1e-12 * usual, variance, np.inf))
    return np.clip(returns / scale, -BOUND, BOUND)


def _basket(y: Float, x: Float, days: Float, spacing: float) -> Float:
    """Best mix of the instruments for the book, (T−1, P), oriented to move with it.

    Least squares of y (T−1, P) on x (T−1, P, K) over the long run around each bar, found every
    `spacing` days: the mix of several hedges is not refitted to a handful of bars.
    """
    low, high = window_edges(days, LONG)
    knots = knots_of(days, spacing)
    factors = x.shape[-1]
    outer = window_sums(x[..., :, None] * x[..., None, :], low, high)[knots]
    cross = window_sums(x * y[..., None], low, high)[knots]
    trace = np.trace(outer, axis1=-2, axis2=-1)[..., None, None] / factors
    # Ridge: of two instruments that are one, either will do; of none that moves, none.
    ridge = np.where(trace > 1e-9, 1e-6 * trace, 1.0) * np.eye(factors)
    mix = np.asarray(np.linalg.solve(outer + ridge, cross[..., None])[..., 0], dtype=np.float64)
    middle = (days[1:] + days[:-1]) / 2.0
    path = between_knots(mix, middle[knots], middle)
    total = np.zeros_like(y)
    for k in range(factors):
        total += path[..., k] * x[..., k]
    return total


def _bounded(
    found: HedgeMeasures, p: int, days: Float, window: float, share: float, shortest: float
) -> Byte:
    """The label of one path (T−1,) with at most `share` of its bars in a crisis."""
    tightened = 1.0
    for _ in range(200):
        label = _of_path(found, p, days, window, shortest, tightened)
        if np.count_nonzero(label) <= share * label.size:
            break
        tightened *= 1.05
    return label


def _of_path(
    found: HedgeMeasures, p: int, days: Float, window: float, shortest: float, tightened: float
) -> Byte:
    stress, fall = found.stress[:, p] >= STRESS * tightened, found.fall[:, p]
    needed = np.where(stress, STRESSED, SURE) * np.sqrt(tightened)
    core = (fall >= needed) & (found.worse[:, p] >= WORSE) & (found.residual[:, p] >= 1.0)
    broken = episodes(grown(core, fall >= DOUBT), days, window, shortest)
    stressed = episodes(stress & ~broken, days, window, shortest)
    label = np.zeros(len(core), dtype=np.int8)
    label[stressed] = CONVERGENCE
    label[broken] = DECOUPLING
    return label


def _ratio(values: Float, level: Float, otherwise: float) -> Float:
    out = np.full_like(values, otherwise)
    return np.asarray(np.divide(values, level, out=out, where=level > 0.0))


def _describe(window: float, share: float, shortest: float) -> str:
    return (
        f"Ex post, with hindsight, over {window:g} trading days centred on the bar; from prices, "
        "never a hedge's P&L. Decoupling: the exposure's correlation with its best hedge fell "
        "significantly and materially below its long run. Convergence: its variance doubled and "
        f"the hedge held. At most {share:.0%} of bars; spells under {window:g} days apart are one, "
        f"under {shortest:g} days none. No strategy sees it."
    )
