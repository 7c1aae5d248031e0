"""How unusual an overlay's parameter is in one's own market: scales from rolling windows.

Every scale answers the same question: in what share of windows of `window_days` did the quantity
move at least this far? Windows overlap, one starting at every bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backtester.arrays import Float
from backtester.errors import DataError
from backtester.market.moments import perpetuals_of
from backtester.market.panel import MarketPanel
from backtester.plausibility import Coordinate, Scale, fit_tail

WINDOW_DAYS = 30.0
HALFLIFE_DAYS = 20.0
WINSOR = 5.0
WEAK = 0.1
"""Mean correlation below which an asset has nothing to decouple from."""


@dataclass(frozen=True)
class Plausibility:
    """Scales by overlay and parameter, and why others could not be measured."""

    scales: dict[str, dict[str, Scale]]
    missing: dict[str, str] = field(default_factory=dict)  # "Overlay.parameter" → reason

    def data(self) -> dict[str, dict[str, dict[str, object]]]:
        """Plain data, as in the file of default scales."""
        return {
            overlay: {n: s.model_dump(mode="json", exclude_none=True) for n, s in scales.items()}
            for overlay, scales in self.scales.items()
        }


@dataclass(frozen=True)
class Windows:
    """Rolling windows of one history."""

    panel: MarketPanel  # one path
    bars: int  # of a window
    days: float
    source: str
    spots: tuple[str, ...]

    def scale(
        self, neutral: float, coordinate: Coordinate, up: Float | None, down: Float | None
    ) -> Scale | None:
        """The scale of distances above and below neutral, (n,); None where neither moved."""
        tails = [None if side is None else fit_tail(side, self.bars) for side in (up, down)]
        if tails[0] is None and tails[1] is None:
            return None
        n = max(len(side) for side in (up, down) if side is not None)
        return Scale(
            neutral=neutral,
            coordinate=coordinate,
            up=tails[0],
            down=tails[1],
            windows=n,
            window_days=self.days,
            source=self.source,
        )

    def extremes(self, values: Float) -> tuple[Float, Float]:
        """Largest rise above and fall below the median within each window; values (T,)."""
        view = sliding_window_view(values - np.median(values), self.bars)
        return view.max(axis=1), -view.min(axis=1)


def plausibility_scales(
    panel: MarketPanel,
    *,
    leader: str | None = None,
    pegged: Sequence[str] = (),
    window_days: float = WINDOW_DAYS,
    source: str | None = None,
) -> Plausibility:
    """Scales of all built-in overlays that this history can speak of.

    Parameters
    ----------
    panel: one path of history.
    leader: asset whose jumps are measured; the first spot unless given.
    pegged: coins whose price should be 1.
    window_days: trading days of a window, at least 5 bars; 8 windows must fit the history.
    source: what the data is, shown with every scale; the panel's name and dates unless given.

    Raises DataError for a panel that is too short, has several paths, or lacks a named asset.
    """
    windows = windows_of(panel, window_days, source)
    measures: dict[str, Callable[[], Scale | None]] = {
        "CorrelationPath.theta": lambda: correlation_scale(windows),
        "Decoupling.kept": lambda: decoupling_scale(windows),
        "Volatility.multiplier": lambda: volatility_scale(windows),
        "Jump.size": lambda: jump_scale(windows, leader or windows.spots[0]),
        "Depeg.depth": lambda: depeg_scale(windows, pegged),
        "Liquidity.depth_loss": lambda: depth_scale(windows),
        "Liquidity.spread_factor": lambda: spread_scale(windows),
        "FundingShock.level": lambda: funding_scale(windows),
        "FundingShock.basis": lambda: basis_scale(windows),
        "Outage.duration_days": lambda: outage_scale(windows),
    }
    scales: dict[str, dict[str, Scale]] = {}
    missing = {}
    for key, measure in measures.items():
        overlay, parameter = key.split(".")
        found = measure()
        if found is None:
            missing[key] = _REASONS[key]
        else:
            scales.setdefault(overlay, {})[parameter] = found
    return Plausibility(scales, missing)


_REASONS = {
    "CorrelationPath.theta": "needs two assets that are not perpetuals",
    "Decoupling.kept": "needs two assets with a correlation to lose",
    "Volatility.multiplier": "volatility never moved from one window to the next",
    "Jump.size": "the leader never moved",
    "Depeg.depth": "no pegged coin was named, or none ever left its peg",
    "Liquidity.depth_loss": "the data has no depth, or it never fell",
    "Liquidity.spread_factor": "the data has no spread, or it never rose",
    "FundingShock.level": "the data has no funding, or it never moved",
    "FundingShock.basis": "the data has no perpetual beside its spot",
    "Outage.duration_days": "the data has no gap, or it is no 24/7 market",
}


def windows_of(panel: MarketPanel, window_days: float, source: str | None = None) -> Windows:
    """Rolling windows of a history; raises DataError where they do not fit."""
    from backtester.clock import iso

    if panel.paths != 1:
        raise DataError(
            f"market {panel.name!r} has {panel.paths} paths; plausibility is measured on one",
            cure="Give one path, e.g. panel.path(0).",
        )
    bars = round(window_days / panel.days_per_bar) if window_days > 0 else 0
    if bars < 5 or panel.bars - 1 < 8 * bars:
        raise DataError(
            f"market {panel.name!r} has {panel.bars - 1} bars: windows of {window_days:g} days "
            f"({bars} bars) need 5 bars each, and 8 of them",
            cure="Give a longer history, or other windows.",
        )
    dates = f"{iso(int(panel.times[0]))[:10]} to {iso(int(panel.times[-1]))[:10]}"
    spots = tuple(a for a in panel.assets if a not in perpetuals_of(panel))
    return Windows(panel, bars, window_days, source or f"{panel.name}, {dates}", spots)


def devolatilised(windows: Windows) -> Float:
    """Log returns of the spots over causal EWMA volatility, winsorised at ±5, (T − 2, F)."""
    panel = windows.panel
    columns = panel.indices(windows.spots, "plausibility")
    steps = np.diff(np.log(panel.prices[:, 0, columns]), axis=0)[1:]
    known = panel.daily_volatility(HALFLIFE_DAYS)[1:-1, 0, columns]
    root = np.sqrt(np.diff(panel.trading_days)[1:])[:, None]
    scaled = np.divide(steps, known * root, out=np.zeros_like(steps), where=known > 0)
    return np.clip(scaled, -WINSOR, WINSOR)


def rolling_correlation(shocks: Float, bars: int) -> Float:
    """Correlation about zero of each window, (windows, F, F)."""
    view = sliding_window_view(shocks, bars, axis=0)  # (windows, F, bars)
    cross = np.einsum("wik,wjk->wij", view, view, optimize=False)
    root = np.sqrt(np.maximum(np.einsum("wii->wi", cross), 1e-300))
    return np.asarray(cross / (root[:, :, None] * root[:, None, :]))


def correlation_scale(windows: Windows) -> Scale | None:
    """θ: the step along (1 − |θ|) ρ ± |θ| that takes one window's mean correlation to the next's.

    Of devolatilised returns, so that a rise of volatility is not read as one of correlation.
    """
    size = len(windows.spots)
    if size < 2:
        return None
    matrices = rolling_correlation(devolatilised(windows), windows.bars)
    mean = (matrices.sum(axis=(1, 2)) - size) / (size * (size - 1))
    before, after = mean[: -windows.bars], mean[windows.bars :]
    up = np.clip((after - before) / (1.0 - before), 0.0, 0.999)
    down = np.clip((before - after) / (1.0 + before), 0.0, 0.999)
    return windows.scale(0.0, "fisher", np.arctanh(up), np.arctanh(down))


def decoupling_scale(windows: Windows) -> Scale | None:
    """kept: one asset's mean correlation with the others over what it was, one window earlier."""
    size = len(windows.spots)
    if size < 2:
        return None
    matrices = rolling_correlation(devolatilised(windows), windows.bars)
    mean = (matrices.sum(axis=2) - 1.0) / (size - 1)
    before, after = mean[: -windows.bars], mean[windows.bars :]
    there = before > WEAK
    kept = np.where(there, after / np.where(there, before, 1.0), 1.0)
    lost = np.clip(1.0 - kept, 0.0, 2.0)[there]
    return windows.scale(1.0, "linear", None, lost)


def volatility_scale(windows: Windows) -> Scale | None:
    """multiplier: root mean square return of one window over that of the one before."""
    panel = windows.panel
    columns = panel.indices(windows.spots, "plausibility")
    steps = np.diff(np.log(panel.prices[:, 0, columns]), axis=0)
    power = sliding_window_view(steps**2, windows.bars, axis=0).mean(axis=-1)
    before, after = power[: -windows.bars], power[windows.bars :]
    there = (before > 0) & (after > 0)
    ratio = 0.5 * np.log(after[there] / before[there])
    return windows.scale(1.0, "log", np.maximum(ratio, 0.0), np.maximum(-ratio, 0.0))


def jump_scale(windows: Windows, leader: str) -> Scale | None:
    """size: the largest rise and the largest fall of one bar within a window."""
    column = windows.panel.index(leader, "plausibility")
    steps = np.diff(np.log(windows.panel.prices[:, 0, column]))
    view = sliding_window_view(steps, windows.bars)
    up, down = np.maximum(view.max(axis=1), 0.0), np.maximum(-view.min(axis=1), 0.0)
    return windows.scale(0.0, "return", up, down)


def depeg_scale(windows: Windows, pegged: Sequence[str]) -> Scale | None:
    """depth: the largest discount to 1 within a window, and the largest premium; coins pooled."""
    if not pegged:
        return None
    columns = windows.panel.indices(tuple(pegged), "plausibility")
    sides = [depeg_sides(windows, int(n)) for n in columns]
    return windows.scale(
        0.0, "loss", np.concatenate([s[0] for s in sides]), np.concatenate([s[1] for s in sides])
    )


def depeg_sides(windows: Windows, column: int) -> tuple[Float, Float]:
    """Largest discount and largest premium of one coin within each window, as logs."""
    view = sliding_window_view(np.log(windows.panel.prices[:, 0, column]), windows.bars)
    return np.maximum(-view.min(axis=1), 0.0), np.maximum(view.max(axis=1), 0.0)


def depth_scale(windows: Windows) -> Scale | None:
    """depth_loss: the lowest depth within a window over the median of the window before."""
    moves = _against_median(windows, windows.panel.depth)
    return None if moves is None else windows.scale(0.0, "loss", np.maximum(-moves[0], 0.0), None)


def spread_scale(windows: Windows) -> Scale | None:
    """spread_factor: the widest half-spread within a window over the median of the one before."""
    moves = _against_median(windows, windows.panel.half_spread)
    return None if moves is None else windows.scale(1.0, "log", np.maximum(moves[1], 0.0), None)


def _against_median(windows: Windows, values: Float | None) -> tuple[Float, Float] | None:
    """Log of the lowest and highest value of each window over the median before; assets pooled."""
    if values is None or (values <= 0).any():
        return None
    view = sliding_window_view(np.log(values[:, 0]), windows.bars, axis=0)
    before = np.median(view, axis=-1)[: -windows.bars]
    after = view[windows.bars :]
    return (after.min(axis=-1) - before).ravel(), (after.max(axis=-1) - before).ravel()


def funding_scale(windows: Windows) -> Scale | None:
    """level: one day's funding, a year, above and below its median; perpetuals pooled."""
    panel = windows.panel
    perpetuals = tuple(perpetuals_of(panel))
    if panel.funding is None or not perpetuals:
        return None
    per_day = max(1, round(1.0 / panel.days_per_bar))
    columns = panel.indices(perpetuals, "plausibility")
    paid = sliding_window_view(panel.funding[1:, 0, columns], per_day, axis=0).sum(axis=-1)
    length = sliding_window_view(np.diff(panel.trading_days), per_day).sum(axis=-1)
    rate = paid / length[:, None] * panel.calendar.days_per_year
    sides = [windows.extremes(rate[:, k]) for k in range(len(perpetuals))]
    up, down = (np.maximum(np.concatenate([s[i] for s in sides]), 0.0) for i in (0, 1))
    return windows.scale(0.0, "linear", up, down)


def basis_scale(windows: Windows) -> Scale | None:
    """basis: log(perpetual / spot) above and below its median; perpetuals pooled."""
    panel = windows.panel
    pairs = perpetuals_of(panel)
    if not pairs:
        return None
    sides = []
    for perpetual, spot in pairs.items():
        k, i = panel.index(perpetual), panel.index(spot)
        sides.append(windows.extremes(np.log(panel.prices[:, 0, k] / panel.prices[:, 0, i])))
    up, down = (np.maximum(np.concatenate([s[i] for s in sides]), 0.0) for i in (0, 1))
    return windows.scale(0.0, "linear", up, down)


def outage_scale(windows: Windows) -> Scale | None:
    """duration_days: the longest stretch without a stamp within a window."""
    panel = windows.panel
    if panel.calendar.name != "24/7":
        return None
    missing = np.maximum(np.diff(panel.trading_days) - panel.days_per_bar, 0.0)
    missing[missing < 0.5 * panel.days_per_bar] = 0.0
    longest = sliding_window_view(missing, windows.bars).max(axis=1)
    return windows.scale(0.0, "linear", longest, None)
