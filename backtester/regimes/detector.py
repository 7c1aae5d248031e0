"""Regime detectors: the past of a hedged book in, filtered probabilities and a decision out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from backtester.arrays import Byte, Float, Int
from backtester.errors import ConfigError
from backtester.estimation.ewma import Ewma, EwmaState
from backtester.estimation.turbulence import turbulence_quantile
from backtester.regimes.features import FeatureState, HedgeFeatures, Sight, book_correlation
from backtester.regimes.filtering import FilterState, Source, follow, named_probability, no_filter
from backtester.regimes.fitting import fit_path
from backtester.regimes.hysteresis import DecisionState, Hysteresis
from backtester.regimes.labelled import CONVERGENCE, DECOUPLING, STATES
from backtester.regimes.score import threshold_score

S = TypeVar("S")


class RegimeDetector(Protocol[S]):
    """What any detector can do; all that evolves is its state, one value for all paths.

    It knows the past only, draws no random number and treats each path as if it were alone.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The regimes; the first is the normal one."""
        ...

    def init(self, paths: int, hedges: int) -> S:
        """State before the first bar of a book with so many hedges."""
        ...

    def step(self, state: S, book: Float, hedges: Float, elapsed: float) -> S:
        """State after a bar of simple returns: `book` (P,) unhedged and `hedges` (P, K).

        elapsed: trading days of the bar; a state is returned as it is at 0.
        """
        ...

    def probability(self, state: S) -> Float:
        """Filtered probability (P, R) of each regime."""
        ...

    def regime(self, state: S) -> Byte:
        """The decision (P,), an index into `names`."""
        ...


@dataclass(frozen=True, slots=True)
class DetectorState:
    """All that evolves in a `HedgeRegimeDetector`."""

    bars: int
    days: float
    features: FeatureState
    short: EwmaState  # (P,) variance of the book over ten days
    sight: Sight | None
    rows: tuple[Float, ...]  # (P, 5) a bar: clean pair, pair, surprise; for the next fit
    filtered: FilterState
    likely: Float  # (P, 3)
    decision: DecisionState
    fits: Int  # (P, 4) fits by Source
    overrides: Int  # (P,) emergencies


@dataclass(frozen=True)
class HedgeRegimeDetector:
    """Normal, convergence or decoupling, by what happens to the book's hedge.

    Every `refit` bars, once there are `least`, the past of each path is cut into three states by a
    statistical jump model (``model="jump"``) on two-sided means of it – Fisher's z of the
    devolatilised book and its basket, log variance, log correlation surprise – and each state's
    Student-t law of (book, basket) is kept. In between, Hamilton's filter follows the laws bar by
    bar. Where the jump model does not settle, a Gaussian hidden Markov chain of the same pair takes
    its place (``model="markov"``: from the start); where that does not either, or before `least`
    bars, a threshold score (``model="score"``: always). `fits` of the state counts which was used.

    The decision has hysteresis; a bar whose turbulence exceeds the .9999 quantile of χ² overrides
    it at once.

    Parameters
    ----------
    least, refit, most: bars before the first fit, between fits, and kept for one.
    enter, leave, dwell: see `Hysteresis`. emergency: probability of the χ² quantile; 1 is never.
    common: a fitted state that holds more of the past than this share is no crisis.
    """

    model: Literal["jump", "markov", "score"] = "jump"
    least: int = 500
    refit: int = 60
    most: int = 2520
    enter: float = 0.8
    leave: float = 0.4
    dwell: int = 3
    emergency: float = 0.9999
    common: float = 0.35

    def __post_init__(self) -> None:
        Hysteresis(self.enter, self.leave, self.dwell)
        if self.model not in ("jump", "markov", "score"):
            raise ConfigError(
                f"regime model {self.model!r} is unknown",
                cure="Use 'jump', 'markov' or 'score'.",
            )
        if not (100 <= self.least <= self.most and self.refit >= 1):
            raise ConfigError(
                f"a detector fitted every {self.refit} bars on {self.least} to {self.most} bars",
                cure="Give refit ≥ 1 and 100 ≤ least ≤ most; 60, 500 and 2520 are usual.",
            )
        if not 0.5 < self.emergency <= 1.0:
            raise ConfigError(
                f"emergency is {self.emergency}", cure="Give a probability in (.5, 1], e.g. .9999."
            )

        if not 0.0 < self.common < 1.0:
            raise ConfigError(
                f"common is {self.common}", cure="Give a share of the past between 0 and 1."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Normal, convergence, decoupling."""
        return STATES

    def init(self, paths: int, hedges: int) -> DetectorState:
        """State before the first bar; raises ConfigError for a book without hedges."""
        if hedges < 1:
            raise ConfigError(
                "a regime detector was given no hedge instruments", cure="Name at least one."
            )
        calm = np.broadcast_to(np.array([1.0, 0.0, 0.0]), (paths, 3))
        return DetectorState(
            0,
            0.0,
            HedgeFeatures().init(paths, hedges),
            Ewma(10.0).init(paths),
            None,
            (),
            no_filter(paths),
            calm,
            self._hysteresis.init(paths),
            np.zeros((paths, len(Source)), dtype=np.int64),
            np.zeros(paths, dtype=np.int64),
        )

    def step(
        self, state: DetectorState, book: Float, hedges: Float, elapsed: float
    ) -> DetectorState:
        """State after a bar; see `RegimeDetector.step`."""
        if elapsed <= 0.0:
            return state
        features, sight = HedgeFeatures().step(state.features, book, hedges, elapsed)
        rows = state.rows
        if self.model != "score":
            row = np.concatenate([sight.clean, sight.pair, sight.surprise[:, None]], axis=1)
            rows = (*rows[-(self.most - 1) :], row)
        fresh = replace(
            state,
            bars=state.bars + 1,
            days=state.days + elapsed,
            features=features,
            short=Ewma(10.0).step(state.short, book * book / elapsed, elapsed),
            sight=sight,
            rows=rows,
            filtered=replace(state.filtered, probability=follow(state.filtered, sight.pair)),
        )
        due = fresh.bars >= self.least and (fresh.bars - self.least) % self.refit == 0
        if due and self.model != "score":
            fresh = self._refitted(fresh)
        likely = self._likely(fresh)
        forced = sight.shock > _chi_square(1 + hedges.shape[1], self.emergency)
        forced &= fresh.bars > 20  # before that, volatility itself is not known
        kind = np.where(sight.broken > _chi_square(1, self.emergency), DECOUPLING, CONVERGENCE)
        decision = self._hysteresis.step(state.decision, likely, forced, kind.astype(np.int8))
        return replace(fresh, likely=likely, decision=decision, overrides=state.overrides + forced)

    def probability(self, state: DetectorState) -> Float:
        """Filtered probability (P, 3) of normal, convergence and decoupling."""
        return state.likely

    def regime(self, state: DetectorState) -> Byte:
        """The decision, (P,)."""
        return state.decision.regime

    @property
    def _hysteresis(self) -> Hysteresis:
        return Hysteresis(self.enter, self.leave, self.dwell)

    def _likely(self, state: DetectorState) -> Float:
        feature = state.features
        now = book_correlation(feature.product.mean, feature.reference.mix)
        level = feature.level.mean[:, 0]
        stress = np.divide(state.short.mean, level, out=np.ones_like(level), where=level > 1e-300)
        score = threshold_score(now, feature.reference.usual, stress, feature.product.sample_size)
        fitted = (state.filtered.source == Source.JUMP) | (state.filtered.source == Source.MARKOV)
        return np.where(fitted[:, None], named_probability(state.filtered), score)

    def _refitted(self, state: DetectorState) -> DetectorState:
        """Every path fitted alone, and its filter run over its past again."""
        from backtester.regimes.markov_kernels import filtered_last

        past = np.stack(state.rows, axis=1)  # (P, T, 5)
        old = state.filtered
        source, freedom = old.source.copy(), old.freedom.copy()
        scatter, transition = old.scatter.copy(), old.transition.copy()
        code, probability = old.code.copy(), old.probability.copy()
        fits = state.fits.copy()
        for p in range(len(past)):
            clean = np.ascontiguousarray(past[p, :, :2])
            pair = np.ascontiguousarray(past[p, :, 2:4])
            surprise = np.ascontiguousarray(past[p, :, 4])
            found = fit_path(
                clean, pair, surprise, state.days / state.bars, self.model, self.common
            )
            if found is None:
                source[p] = Source.FAILED
            else:
                source[p], freedom[p] = found.source, found.freedom
                scatter[p], transition[p], code[p] = found.scatter, found.transition, found.code
                probability[p] = filtered_last(
                    pair, found.scatter, found.transition, found.initial, found.freedom
                )
            fits[p, source[p]] += 1
        filtered = FilterState(source, scatter, transition, code, freedom, probability)
        return replace(state, filtered=filtered, fits=fits)


def fit_counts(state: DetectorState) -> dict[str, int]:
    """Fits over all paths by where the probabilities came from; failed ones are fallbacks."""
    total: dict[str, Any] = {s.name.lower(): int(state.fits[:, s].sum()) for s in Source}
    total["unfitted paths"] = int((state.fits.sum(axis=1) == 0).sum())
    return total


@cache
def _chi_square(freedom: int, probability: float) -> float:
    return turbulence_quantile(probability, freedom) if probability < 1.0 else float("inf")
