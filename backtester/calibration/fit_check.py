"""Data against simulation: margins, autocorrelation of squares, correlation in time, tails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.errors import ConfigError
from backtester.market.panel import MarketPanel

LAGS = 40
WINDOW = 60
"""Bars of a rolling correlation."""
TAILS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2)
LEVELS = (0.05, 0.5, 0.95)
"""Quantiles over paths that are shown: a band and its middle."""
POINTS = 120
PATHS, LARGEST = 200, 4_000_000
"""Paths drawn, and how many returns they may hold together."""


@dataclass(frozen=True)
class FitCheck:
    """What the history shows, and quantiles 5, 50 and 95 % of what simulated paths show.

    Every path has as many bars as the history, so the band holds sampling error.
    """

    assets: tuple[str, ...]  # N
    pairs: tuple[tuple[str, str], ...]  # M
    times: Int  # (T,) ends of bars
    label: Byte  # (T,)
    label_names: tuple[str, ...]
    paths: int
    quantile: Float  # (N, K) of log returns
    quantile_model: Float  # (N, K, 3)
    squares: Float  # (N, LAGS)
    squares_model: Float  # (N, LAGS, 3)
    rolling: Float  # (M, T − WINDOW + 1)
    rolling_model: Float  # (M, 3) over paths and time
    lower: Float  # (M, len(TAILS))
    upper: Float  # (M, len(TAILS))
    lower_model: Float  # (M, len(TAILS), 3)
    upper_model: Float  # (M, len(TAILS), 3)


def fit_check(
    history: MarketPanel, simulated: MarketPanel, label: Byte, label_names: tuple[str, ...]
) -> FitCheck:
    """Compare one path of history (T + 1 stamps) with simulated paths of as many bars.

    label: (T,) regime of each bar of the history. Assets are those of the history. Raises
    ConfigError where the simulation lacks one, or has other bars.
    """
    if simulated.bars != history.bars:
        raise ConfigError(
            f"history has {history.bars} stamps and the simulation {simulated.bars}",
            cure="Draw as many bars as the history has.",
        )
    columns = simulated.indices(history.assets, "the comparison with history")
    data = np.diff(np.log(history.prices[:, 0]), axis=0)
    model = np.diff(np.log(simulated.prices[:, :, columns]), axis=0)
    bars, size = data.shape
    at = np.unique(np.round((bars - 1) * _spaced(POINTS)).astype(np.int64))
    pairs = tuple(combinations(range(size), 2))
    window = min(WINDOW, bars // 3)
    paths = range(model.shape[1])
    ranked = np.sort(model, axis=0)[at]  # (K, P, N)
    found = [_tails(data, pairs), *(_tails(model[:, p], pairs) for p in paths)]
    tails = np.array(found)  # (1 + P, 2, M, Q)
    rolling = np.array(
        [rolling_correlation(model[:, p], pairs, window) for p in range(model.shape[1])]
    )
    lags = min(LAGS, bars // 4)
    return FitCheck(
        assets=history.assets,
        pairs=tuple((history.assets[i], history.assets[j]) for i, j in pairs),
        times=history.times[1:],
        label=label,
        label_names=label_names,
        paths=model.shape[1],
        quantile=np.sort(data, axis=0)[at].T,
        quantile_model=_band(ranked.transpose(1, 2, 0)),
        squares=np.array([autocorrelation(data[:, n] ** 2, lags) for n in range(size)]),
        squares_model=_band(
            np.array(
                [[autocorrelation(model[:, p, n] ** 2, lags) for n in range(size)] for p in paths]
            )
        ),
        rolling=rolling_correlation(data, pairs, window),
        rolling_model=np.quantile(
            rolling.transpose(1, 0, 2).reshape(len(pairs), -1), LEVELS, axis=1
        ).T,
        lower=tails[0, 0],
        upper=tails[0, 1],
        lower_model=_band(tails[1:, 0]),
        upper_model=_band(tails[1:, 1]),
    )


def check_against(
    history: MarketPanel,
    yaml: str,
    label: Byte,
    label_names: tuple[str, ...],
    files: Mapping[str, str],
) -> FitCheck:
    """`fit_check` against paths drawn from the scenario in `yaml`, the text of a scenario file.

    files: name → text of the files it names beside itself.
    """
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from backtester.scenario_files import read_scenario

    with TemporaryDirectory() as folder:  # the one way a scenario file is read
        file = Path(folder) / "scenario.yaml"
        for name, text in {file.name: yaml, **files}.items():
            (file.parent / name).write_text(text, encoding="utf-8")
        scenario = read_scenario(file).scenario
    bars = history.bars - 1
    paths = int(min(PATHS, max(20, LARGEST // (bars * len(history.assets)))))
    simulated = scenario.draw(first=0, paths=paths, bars=bars, seed=0)
    return fit_check(history, simulated, label, label_names)


def outside(data: Float, model: Float) -> Float:
    """Share of the last axis of `data` (..., K) outside its band `model` (..., K, 3)."""
    beyond = (data < model[..., 0]) | (data > model[..., 2])
    return np.asarray(beyond.mean(axis=-1))


def autocorrelation(x: Float, lags: int) -> Float:
    """Sample autocorrelations of `x` (T,) at lags 1 … lags."""
    centred = x - x.mean()
    total = float((centred**2).sum())
    if total == 0.0:
        return np.zeros(lags)
    return np.array([(centred[k:] * centred[:-k]).sum() / total for k in range(1, lags + 1)])


def rolling_correlation(returns: Float, pairs: tuple[tuple[int, int], ...], window: int) -> Float:
    """Correlation about zero of each window of bars, (M, T − window + 1)."""

    def sums(x: Float) -> Float:
        total = np.concatenate([[0.0], np.cumsum(x)])
        return np.asarray(total[window:] - total[:-window])

    squares = [np.maximum(sums(column**2), 1e-300) for column in returns.T]
    return np.array(
        [sums(returns[:, i] * returns[:, j]) / np.sqrt(squares[i] * squares[j]) for i, j in pairs]
    )


def _tails(returns: Float, pairs: tuple[tuple[int, int], ...]) -> Float:
    """Joint lower and upper tails, (2, M, len(TAILS)); as `sample_joint_tail`, all at once."""
    bars = len(returns)
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = np.empty((2, len(pairs), len(TAILS)))
    for up, sign in enumerate((1.0, -1.0)):
        rank = np.argsort(np.argsort(sign * returns, axis=0, kind="stable"), axis=0, kind="stable")
        for k, q in enumerate(TAILS):
            count = max(1, round(q * bars))
            extreme = (rank < count).astype(np.float64)
            found[up, :, k] = (extreme.T @ extreme)[first, second] / count
    return found


def _band(values: Float) -> Float:
    """Quantiles over the first axis, moved to the last."""
    return np.asarray(np.moveaxis(np.quantile(values, LEVELS, axis=0), 0, -1))


def _spaced(points: int) -> Float:
    """Positions in [0, 1], dense at both ends."""
    return np.asarray(0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, points)))
