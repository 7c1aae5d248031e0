"""Causal features of a hedged book: what happened to its hedge, free of changing volatility.

The book and its K hedges are n = 1 + K series. Each is devolatilised by the volatility known before
the bar; a slow mean of the products gives the mix of hedges (the *basket*) and the level to which
the features are compared. Between refreshes of that reference an event costs O(n²) a path.

Sources: turbulence and correlation surprise, Kritzman & Li (2010), Kinlaw & Turkington (2014);
absorption ratio, Kritzman, Li, Page & Rigobon (2011).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backtester.arrays import Float
from backtester.estimation.correlation import correlation, fisher_z, inverse_root
from backtester.estimation.ewma import Ewma, EwmaState, outer, per_root_day

NAMES = ("correlation", "absorption", "surprise", "turbulence")
SLOW = 252.0
"""Half-life, trading days, of the dependence the book is used to."""
LEVEL = 1260.0
"""Half-life, trading days, of the volatility it is used to: close to an expanding mean."""
REFRESH = 20
"""Bars between refreshes of the reference: basket, inverse correlation and level."""
RIDGE = 1e-3
"""Added to the slow correlation, so that two hedges that are one can be inverted."""
FLOOR = 1e-3
"""Least turbulence or magnitude of a bar, in units of its mean: a bar without a move is no news."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the book is used to, frozen between refreshes."""

    mix: Float  # (P, K) of the devolatilised hedges, oriented to move with the book
    inverse: Float  # (P, n, n) of the slow correlation
    usual: Float  # (P,) correlation of book and basket


@dataclass(frozen=True, slots=True)
class FeatureState:
    """All that evolves."""

    bars: int
    variance: EwmaState  # (P, n) per day, fast: the volatility divided out
    level: EwmaState  # (P, n) per day, slow: the usual volatility
    product: EwmaState  # (P, n, n) of devolatilised returns, fast
    slow: EwmaState  # (P, n, n) of devolatilised returns, slow
    short: EwmaState  # (P, n, n) of devolatilised returns, for the absorption ratio
    vector: Float  # (P, n) leading eigenvector of `short`, followed by one power step a bar
    ratio: EwmaState  # (P, 2) slow mean of the absorption ratio and of its square
    surprise: EwmaState  # (P,) short mean of the log correlation surprise
    turbulence: EwmaState  # (P,) short mean of log(turbulence/n)
    reference: Reference


@dataclass(frozen=True, slots=True)
class Sight:
    """What one bar shows."""

    features: Float  # (P, 4) in the order of NAMES
    pair: Float  # (P, 2) book and basket in units of their usual volatility
    clean: Float  # (P, 2) book and basket, devolatilised and winsorised
    surprise: Float  # (P,) log correlation surprise of the bar
    shock: Float  # (P,) turbulence of the bar in units of the volatility before it
    broken: Float  # (P,) the part of it that the basket does not explain


@dataclass(frozen=True)
class HedgeFeatures:
    """Features of one book and its hedges, every path at once.

    Parameters, in trading days: halflife of the correlation, `volatility` of the variances
    divided out, `short` of the averages of surprise and turbulence. `winsor` cuts devolatilised
    returns, in standard deviations.
    """

    halflife: float = 30.0
    volatility: float = 20.0
    short: float = 3.5  # centre of mass of a mean over the last 11 bars is 5; of this, 5
    winsor: float = 5.0

    def init(self, paths: int, hedges: int) -> FeatureState:
        """State before the first bar."""
        n = 1 + hedges
        matrix = Ewma(self.halflife).init(paths, n, n)
        one, two = Ewma(LEVEL).init(paths, n), Ewma(SLOW).init(paths, 2)
        eye = np.broadcast_to(np.eye(n), (paths, n, n))
        nothing = Reference(np.zeros((paths, hedges)), eye, np.zeros(paths))
        flat = Ewma(self.short).init(paths)
        vector = np.full((paths, n), 1.0 / np.sqrt(n))
        return FeatureState(0, one, one, matrix, matrix, matrix, vector, two, flat, flat, nothing)

    def step(
        self, state: FeatureState, book: Float, hedges: Float, elapsed: float
    ) -> tuple[FeatureState, Sight]:
        """State after returns `book` (P,) and `hedges` (P, K) over `elapsed` > 0 trading days."""
        scaled = per_root_day(np.concatenate([book[:, None], hedges], axis=1), elapsed)
        squared = scaled * scaled
        n = scaled.shape[1]
        z = scaled * inverse_root(_known(state.variance, squared))
        cut = np.clip(z, -self.winsor, self.winsor)
        steady = np.clip(
            scaled * inverse_root(_known(state.level, squared)), -2 * self.winsor, 2 * self.winsor
        )
        ref = state.reference
        product = outer(cut)
        size = (steady * steady).sum(axis=-1) / n
        turbulence = _quadratic(steady, ref.inverse) / n
        log_turbulence = np.log(np.maximum(turbulence, FLOOR))
        surprise = log_turbulence - np.log(np.maximum(size, FLOOR))
        short = Ewma(self.short)
        fast = Ewma(self.halflife).step(state.product, product, elapsed)
        narrow = Ewma(7.5).step(state.short, product, elapsed)
        vector, ratio = _absorption(narrow.mean, state.vector)
        usual_ratio = Ewma(SLOW).step(
            state.ratio, np.stack([ratio, ratio * ratio], axis=1), elapsed
        )
        bars = state.bars + 1
        fresh = FeatureState(
            bars,
            Ewma(self.volatility).step(state.variance, squared, elapsed),
            Ewma(LEVEL).step(state.level, squared, elapsed),
            fast,
            Ewma(SLOW).step(state.slow, product, elapsed),
            narrow,
            vector,
            usual_ratio,
            short.step(state.surprise, surprise, elapsed),
            short.step(state.turbulence, log_turbulence, elapsed),
            ref,
        )
        if bars % REFRESH == 0 or (bars < REFRESH and bars & (bars - 1) == 0):
            fresh = replace(fresh, reference=reference_of(fresh.slow.mean))
        return fresh, self._sight(fresh, z, cut, steady, surprise)

    def _sight(
        self, state: FeatureState, z: Float, cut: Float, steady: Float, surprise: Float
    ) -> Sight:
        ref = state.reference
        rho = book_correlation(state.product.mean, ref.mix)
        mean, square = state.ratio.mean[:, 0], state.ratio.mean[:, 1]
        deviation = np.sqrt(np.maximum(square - mean * mean, 1e-12))
        _, ratio = _absorption(state.short.mean, state.vector)
        features = np.stack(
            [
                fisher_z(np.clip(rho, -0.999, 0.999)),
                (ratio - mean) / deviation,
                state.surprise.mean,
                state.turbulence.mean,
            ],
            axis=1,
        )
        scale = basket_scale(state.slow.mean, ref.mix)
        pair = np.stack([steady[:, 0], _dot(steady[:, 1:], ref.mix) * scale], axis=1)
        clean = np.stack([cut[:, 0], _dot(cut[:, 1:], ref.mix) * scale], axis=1)
        basket = _dot(z[:, 1:], ref.mix) * scale
        left = z[:, 0] - ref.usual * basket
        broken = left * left / (1.0 - ref.usual**2)
        return Sight(features, pair, clean, surprise, _quadratic(z, ref.inverse), broken)


def reference_of(slow: Float) -> Reference:
    """Basket, inverse and level from a slow mean of z zᵀ (P, n, n)."""
    matrix = correlation(slow)
    n = matrix.shape[-1]
    ridged = matrix + RIDGE * np.eye(n)
    ridged /= 1.0 + RIDGE
    inverse = np.linalg.inv(ridged)
    mix: Float = np.asarray(
        np.linalg.solve(ridged[:, 1:, 1:], matrix[:, 1:, :1])[..., 0], dtype=np.float64
    )
    usual = np.clip(book_correlation(matrix, mix), 0.0, 0.999)
    return Reference(mix, np.asarray(inverse), usual)


def book_correlation(product: Float, mix: Float) -> Float:
    """Correlation (P,) of the first of n series with a mix (P, K) of the others."""
    cross = _dot(product[:, 0, 1:], mix)
    variance = _quadratic(mix, product[:, 1:, 1:])
    return np.asarray(
        np.clip(cross * inverse_root(variance) * inverse_root(product[:, 0, 0]), -1.0, 1.0)
    )


def basket_scale(product: Float, mix: Float) -> Float:
    """What brings the basket to unit variance, (P,); 0 where there is none."""
    return np.asarray(inverse_root(_quadratic(mix, product[:, 1:, 1:])))


def _known(state: EwmaState, squared: Float) -> Float:
    """Variance before the bar; the bar's own square where nothing moved until now."""
    known = state.mean if state.weight > 0.0 else squared
    return np.where(known > 1e-300, known, squared)


def _absorption(matrix: Float, vector: Float) -> tuple[Float, Float]:
    """One power step (P, n) and the share of variance along it, (P,)."""
    moved = (matrix * vector[:, None, :]).sum(axis=-1)
    moved = np.where(np.abs(moved).sum(axis=-1, keepdims=True) > 1e-300, moved, vector)
    unit = moved / np.sqrt((moved * moved).sum(axis=-1, keepdims=True))
    total = np.trace(matrix, axis1=-2, axis2=-1)
    share = _quadratic(unit, matrix)
    return unit, np.divide(share, total, out=np.ones_like(share), where=total > 1e-300)


def _quadratic(x: Float, matrix: Float) -> Float:
    """xᵀ M x, (P,)."""
    return np.asarray(((matrix * x[:, None, :]).sum(axis=-1) * x).sum(axis=-1))


def _dot(x: Float, y: Float) -> Float:
    return np.asarray((x * y).sum(axis=-1))
