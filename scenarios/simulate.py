"""From shocks to a market panel; every step is elementwise over paths.

Bits must not depend on how many paths are drawn together, so nothing here mixes paths and no BLAS
routine sees a matrix that paths share. Work arrays are (assets, T, P), contiguous per asset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtester.arrays import NANOSECONDS_PER_DAY, Byte, Float, Int
from backtester.clock import CONTINUOUS
from backtester.errors import ScenarioError
from backtester.rng import stream

from .chain import walk
from .tables import MarketTables, Reversion, Tables, Tail

EPOCH = np.datetime64("2000-01-01", "ns").astype(np.int64)
LAST = np.datetime64("2262-04-11", "D")
OPEN, SESSION = 14.5 / 24.0, 6.5 / 24.0
"""Intraday stamps of a session calendar: New York hours in UTC, as fractions of a day."""


@dataclass(frozen=True)
class Shocks:
    """Random numbers of a range of paths, the same for every scenario with these assets."""

    returns: Float  # (F, T, P) standard normal
    uniform: Float  # (T, P)
    gamma: dict[float, Float]  # degrees of freedom -> (days, P), χ²/2
    funding: Float  # (K, T + 1, P)
    basis: Float  # (K, T, P)


def draw_shocks(
    tables: MarketTables,
    freedoms: Sequence[float],
    *,
    first: int,
    paths: int,
    bars: int,
    days: float,
    seed: int,
) -> Shocks:
    """Shocks of paths [first, first + paths); fewer bars are a prefix of more.

    freedoms: degrees of freedom for which χ²/2 is drawn, one value a day (a bar, if longer).
    """
    spots, perpetuals = tables.mean.shape[1], len(tables.spot_of)
    ids = range(first, first + paths)
    mixed = int(_day_of_bar(bars, days)[-1]) + 1
    return Shocks(
        returns=_normals(seed, "returns", ids, bars, spots),
        uniform=uniforms(seed, "regime", ids, bars),
        # Each law starts its own copy of the stream: which regimes a path visits changes no shock.
        gamma={
            nu: np.ascontiguousarray(
                np.array([stream(seed, "mixing", p).standard_gamma(nu / 2.0, mixed) for p in ids]).T
            )
            for nu in sorted(set(freedoms))
        },
        funding=_normals(seed, "funding", ids, bars + 1, perpetuals),
        basis=_normals(seed, "basis", ids, bars, perpetuals),
    )


def uniforms(seed: int, purpose: str, ids: Sequence[int], bars: int) -> Float:
    """Uniform numbers of paths `ids`, (bars, len(ids))."""
    return np.ascontiguousarray(np.array([stream(seed, purpose, p).random(bars) for p in ids]).T)


def _normals(seed: int, purpose: str, ids: Sequence[int], bars: int, columns: int) -> Float:
    drawn = np.empty((len(ids), bars, columns))
    if columns:
        for row, path in enumerate(ids):
            stream(seed, purpose, path).standard_normal(out=drawn[row])
    return np.ascontiguousarray(drawn.transpose(2, 1, 0))


def _day_of_bar(bars: int, days: float) -> Int:
    """The trading day in which each bar begins, (T,); for bars of a day or more, the bar."""
    step = min(days, 1.0)
    return np.asarray(np.floor(np.arange(bars) * step + 1e-9), dtype=np.int64)


def regimes_of(tables: MarketTables, uniform: Float) -> Byte:
    """Regime of each bar, (T, P), from uniforms (T, P)."""
    if len(tables.start) == 1:
        return np.zeros(uniform.shape, dtype=np.int8)
    return walk(uniform, tables.start, tables.transition)


def log_returns(
    tables: Tables, factor: Float, shocks: Shocks, state: Byte, days: float
) -> list[Float]:
    """Log returns of each asset that is not a perpetual, F arrays (T, P).

    factor: (S, F, F) Cholesky factors by regime, or (1, F, F, P) by path for all regimes.
    """
    bars, paths = state.shape
    scale = _mixing(tables, shocks, state, days)
    result = []
    for i in range(len(shocks.returns)):
        total = np.zeros((bars, paths))
        for j in range(i + 1):
            total += _by_regime(factor[:, i, j], state) * shocks.returns[j]
        if scale is not None:
            total *= scale
        total *= _by_regime(tables.volatility[:, i], state)
        total += _by_regime(tables.mean[:, i], state)
        result.append(total)
    return result


def _by_regime(values: Float, state: Byte) -> Float:
    """`values` (S,) at each bar's regime, (T, P); (1, P) and single regimes are broadcast."""
    return values if len(values) == 1 else np.take(values, state)


def _mixing(tables: Tables, shocks: Shocks, state: Byte, days: float) -> Float | None:
    """√((ν−2)/χ²) of each bar, (T, P): unit variance, common to all assets, one draw a day.

    A day's draw is shared by its bars, so daily returns have the same tails at any bar size.
    """
    if not shocks.gamma:
        return None
    day = _day_of_bar(len(state), days)
    if len(set(tables.tails)) == 1 and tables.tails[0] is not None:
        return _scale(tables.tails[0], shocks)[day]
    scale = np.ones(state.shape)
    for regime, tail in enumerate(tables.tails):
        if tail is not None:
            scale = np.where(state == regime, _scale(tail, shocks)[day], scale)
    return scale


def _scale(tail: Tail, shocks: Shocks) -> Float:
    """Scale of each day, (days, P)."""
    raw = np.sqrt((tail.freedom / 2.0 - 1.0) / shocks.gamma[tail.freedom])
    return np.asarray(np.minimum(raw, tail.limit) / tail.norm)


def reverting(process: Reversion, start: Float, shocks: Float, state: Byte) -> Float:
    """A mean-reverting process at the end of each bar, (K, T, P), from `start` (K, P)."""
    result = np.empty(shocks.shape)
    for k in range(len(shocks)):
        level, decay, noise = process.level[:, k], process.decay[:, k], process.noise[:, k]
        current = start[k]
        for t in range(len(state)):
            now = state[t]
            centre = level[now]
            current = centre + decay[now] * (current - centre) + noise[now] * shocks[k, t]
            result[k, t] = current
    return result


def stamps(calendar: str, bars: int, days: float, name: str) -> Int:
    """UTC nanoseconds of bars + 1 stamps, from 2000-01-01; raises ScenarioError.

    Sessions are weekdays; bars within one divide it equally, so their number must be whole.
    name: of the scenario, for messages.
    """
    if calendar == CONTINUOUS.name:
        _must_fit(bars, int((np.iinfo(np.int64).max - EPOCH) / (days * NANOSECONDS_PER_DAY)), name)
        return np.asarray(
            EPOCH + np.rint(np.arange(bars + 1) * (days * NANOSECONDS_PER_DAY)).astype(np.int64)
        )
    per_day, per_bar = round(1.0 / days), round(days)
    if abs((per_day if days < 1 else per_bar) * (days if days < 1 else 1 / days) - 1.0) > 1e-9:
        raise ScenarioError(
            f"scenario {name!r}: bars of {days:g} days do not fit a session calendar",
            cure="Use a whole number of sessions, or a whole number of bars in a session.",
        )
    sessions = int(np.busday_count("2000-01-01", LAST))
    _must_fit(bars, sessions * per_day if days < 1 else sessions // per_bar, name)
    k = np.arange(bars + 1)
    session = -(-k // per_day) if days < 1 else k * per_bar
    dates = np.busday_offset(np.datetime64("2000-01-01", "D"), session, roll="forward")
    midnight = dates.astype("datetime64[ns]").astype(np.int64)
    if days >= 1:
        return np.asarray(midnight)
    part = np.where(k == 0, 1.0, ((k - 1) % per_day + 1) / per_day)
    within = np.rint((OPEN + SESSION * part) * NANOSECONDS_PER_DAY).astype(np.int64)
    return np.asarray(midnight + within)


def _must_fit(bars: int, most: int, name: str) -> None:
    if bars > most:
        raise ScenarioError(
            f"scenario {name!r}: {bars:,} bars from 2000-01-01 pass {LAST}, the last day that a "
            f"stamp in nanoseconds can hold: {most:,} bars fit",
            cure=f"Ask for at most {most:,} bars, or for shorter ones.",
        )


def held(values: Float, state: Byte) -> Float:
    """A field by regime (S, N) on stamps, (T + 1, P or 1, N), read-only.

    The first stamp is as the first bar. With one regime all paths share the field.
    """
    if len(values) == 1:
        out = np.repeat(values[None], len(state) + 1, axis=0)
    else:
        out = np.empty((len(state) + 1, state.shape[1], values.shape[1]))
        np.take(values, state, axis=0, out=out[1:], mode="clip")  # "raise" would buffer the output
        out[0] = out[1]
    out.flags.writeable = False  # handed over: the panel need not copy
    return out
