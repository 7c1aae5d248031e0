"""Rolling window of returns in trading time, at most a fixed number of rows.

The rows are whole arrays kept in a tuple: a step adds one and drops the oldest without copying any
of them. Bars finer than window/`max_rows` are compounded into longer returns, which bounds memory
and keeps the estimate of an hourly and a minute panel alike (and clear of microstructure noise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.estimation.ewma import positive_days

_SLACK = 1e-9  # days; 24 hourly steps must add up to one day in floating point


@dataclass(frozen=True, slots=True)
class WindowState:
    """Returns of the window, oldest first, and the trading days each was observed over."""

    returns: tuple[Float, ...]  # W arrays (P, N)
    elapsed: tuple[float, ...]  # W
    paths: int
    assets: int

    @property
    def days(self) -> float:
        """Trading time the window covers."""
        return sum(self.elapsed)

    def scaled(self) -> tuple[Float, Float]:
        """Returns on one day's scale (P, N, W), r/√elapsed, and √elapsed (W,)."""
        root = np.sqrt(np.array(self.elapsed))
        if not self.returns:
            return np.zeros((self.paths, self.assets, 0)), root
        rows = np.array(self.returns)
        rows /= root[:, None, None]
        return np.ascontiguousarray(rows.transpose(1, 2, 0)), root


@dataclass(frozen=True)
class RollingWindow:
    """The last `days` of trading time in at most about `max_rows` returns.

    Raises ConfigError unless days > 0 and max_rows ≥ 2.
    """

    days: float
    max_rows: int = 256

    def __post_init__(self) -> None:
        positive_days("window", self.days)
        if self.max_rows < 2:
            raise ConfigError(
                f"max_rows must be at least 2, got {self.max_rows}",
                cure="A covariance needs at least two returns; 256 is the default.",
            )

    def init(self, paths: int, assets: int) -> WindowState:
        """State before the first event."""
        return WindowState((), (), paths, assets)

    def step(self, state: WindowState, returns: Float, elapsed: float) -> WindowState:
        """State after simple `returns` (P, N) over `elapsed` trading days; ignored at 0."""
        if elapsed <= 0.0:
            return state
        rows, days = state.returns, state.elapsed
        if days and days[-1] + elapsed <= self.days / self.max_rows + _SLACK:
            merged = (1.0 + rows[-1]) * (1.0 + returns) - 1.0
            rows, days = (*rows[:-1], merged), (*days[:-1], days[-1] + elapsed)
        else:
            rows, days = (*rows, returns), (*days, elapsed)
        covered, drop = sum(days), 0
        while covered - days[drop] >= self.days - _SLACK:
            covered -= days[drop]
            drop += 1
        return WindowState(rows[drop:], days[drop:], state.paths, state.assets)
