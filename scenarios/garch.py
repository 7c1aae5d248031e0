"""Prices with GARCH margins from joint shocks: the arrays behind `garch_kernel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from backtester.arrays import Byte, Float

from .margin import MarginTables
from .quantile_map import MapTables


class GarchTables(Protocol):
    """What the recursion needs of a scenario's tables."""

    @property
    def mean(self) -> Float: ...

    @property
    def volatility(self) -> Float: ...

    @property
    def margins(self) -> MarginTables: ...

    @property
    def maps(self) -> MapTables: ...


def fill_garch(
    prices: Float,
    shocks: Float,
    state: Byte,
    factor: Float,
    of_path: bool,
    gamma: Mapping[float, Float],
    freedom: Sequence[float | None],
    tables: GarchTables,
) -> None:
    """Fill prices[1:, :, :F] (T + 1, P, ≥ F) from standard normal `shocks` (F, T, P).

    factor: Cholesky factors (M, F, F) of one law, of regimes, or, with `of_path`, of paths.
    gamma: ν → χ²/2, (T, P). freedom: ν of each regime's copula, None for Gaussian.
    """
    from .garch_kernel import fill_log_returns

    margins, maps, spots, laws = tables.margins, tables.maps, len(shocks), list(gamma)
    mixing = np.array([gamma[nu] for nu in laws]) if laws else np.empty((0, *state.shape))
    steps = np.empty((*state.shape, spots))
    fill_log_returns(
        shocks,
        state,
        factor,
        of_path,
        mixing,
        np.array([-1 if nu is None else laws.index(nu) for nu in freedom]),
        np.array([np.inf if nu is None else nu for nu in freedom]),
        maps.of,
        maps.value,
        maps.slope,
        maps.step,
        tables.mean + 0.5 * tables.volatility**2,
        tables.volatility,
        margins.alpha,
        margins.beta,
        margins.start,
        margins.limit,
        margins.norm,
        steps,
    )
    np.cumsum(steps, axis=0, out=steps)
    np.exp(steps, out=steps)
    prices[1:, :, :spots] = prices[:1, :, :spots] * steps
