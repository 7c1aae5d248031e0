"""Signed pairs: long what falls with the exposure's gains, short what rises with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from backtester.accounting.book import Book
from backtester.arrays import Bool, Float, Int
from backtester.estimation.change import change_statistic, critical, shrink_factor
from backtester.estimation.correlation import (
    DevolatilisedCorrelation,
    DevolatilisedState,
    correlation,
    fisher_error,
    fisher_z,
    portfolio_correlation,
)
from backtester.estimation.ewma import Ewma, EwmaState, outer
from backtester.hedging.decision import HedgeDecision, Quadratic
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Days, Strategy

_LAG = 6  # snapshots between the recent estimate and the reference it is tested against
_MEMORY = 6  # snapshots over which a break is remembered


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Correlations of the E exposed assets with all N at one time, and their sample sizes."""

    recent: Float  # (P, E, N)
    recent_size: float
    reference: Float  # (P, E, N)
    reference_size: float


@dataclass(frozen=True, slots=True)
class State:
    """Slow and fast correlations and a short memory of both."""

    exposed: Int  # (E,) columns of the exposed assets
    slow: DevolatilisedState
    fast: EwmaState  # (P, N, N) mean of z zᵀ
    now: float  # trading days
    taken: float  # when the last snapshot was taken
    snapshots: tuple[Snapshot, ...]  # oldest first


class NegativeCorrelationPairs(Strategy[State]):
    """Hedge with the partner most surely correlated with the exposure, of either sign.

    1. ρ_k: EWMA correlation of devolatilised exposure P&L with each of K candidates.
    2. A candidate is accepted if |z_k| = |atanh ρ_k|·√(n − 3) exceeds c, the two-sided Šidák bound
       for K candidates at `significance`; n is the effective sample size, divided by 1 + κ for
       the fat tails returns share. The largest |z| wins; a challenger must beat a partner that is
       held by `switch_margin`.
    3. The hedge is the minimum-variance one, h = −s·e·ρσ_e/σ_k (long where ρ < 0, short where
       ρ > 0), shrunk by s = 1 − (c/z)², so that it starts from 0 at the bound.
    4. Each partner is monitored: Fisher's test of the recent correlation against a reference about
       three recent half-lives older, one-sided in the direction that hurts. When it rejects at
       `break_significance` the signal ``correlation_break`` is set and the hedge is scaled to what
       the recent correlation supports, ρ_recent/ρ within [0, 1]. The break ends when the statistic
       has come back to half the bound, or leaves memory after three recent half-lives.

    Source: Fisher (1921); Šidák (1967); Muirhead (1982) for κ; Breiman (1995), James & Stein
    (1961) for s; Engle (2002) with a + b = 1 for ρ.

    Parameters
    ----------
    halflife: of the correlation that selects and sizes, trading days.
    volatility_halflife: of the volatilities, trading days.
    recent: half-life of the recent correlation, trading days.
    significance: probability of accepting any of K candidates that are all uncorrelated.
    break_significance: probability of a false alarm at one decision.
    partners: most partners to hold at a time.
    switch_margin: fraction by which a challenger's |z| must exceed a held partner's.
    """

    halflife: Days = 60.0
    volatility_halflife: Days = 20.0
    recent: Days = 10.0
    significance: float = Field(default=0.05, gt=0.0, lt=1.0)
    break_significance: float = Field(default=0.01, gt=0.0, lt=1.0)
    partners: int = Field(default=1, ge=1)
    switch_margin: float = Field(default=0.1, ge=0.0)

    @property
    def warmup(self) -> float:
        """One half-life of the selecting correlation, in trading days."""
        return self.halflife

    def _slow(self) -> DevolatilisedCorrelation:
        return DevolatilisedCorrelation(self.halflife, self.volatility_halflife)

    def init(self, market: MarketInfo) -> State:
        """Empty estimators."""
        paths, assets = market.paths, len(market.assets)
        return State(
            exposed=np.unique([market.index(a) for a in market.exposed]),
            slow=self._slow().init(paths, assets),
            fast=Ewma(self.recent).init(paths, assets, assets),
            now=0.0,
            taken=0.0,
            snapshots=(),
        )

    def observe(self, view: MarketView, state: State) -> State:
        """Both correlations one bar on; a snapshot every half of the recent half-life."""
        if view.elapsed <= 0.0:
            return state
        slow, returns = self._slow(), view.returns()
        product = outer(slow.standardise(state.slow, returns, view.elapsed))
        moved = State(
            exposed=state.exposed,
            slow=slow.advance(state.slow, returns, product, view.elapsed),
            fast=Ewma(self.recent).step(state.fast, product, view.elapsed),
            now=state.now + view.elapsed,
            taken=state.taken,
            snapshots=state.snapshots,
        )
        if moved.now - state.taken < 0.5 * self.recent - 1e-9:
            return moved
        kept = (*state.snapshots, _snapshot(moved))[-(_LAG + _MEMORY) :]
        return State(moved.exposed, moved.slow, moved.fast, moved.now, moved.now, kept)

    def decide(self, view: MarketView, book: Book, state: State) -> HedgeDecision:
        """Select, shrink, monitor; the ratio itself is the engine's minimum-variance one."""
        instruments, exposed = book.instrument_index, state.exposed
        volatility = np.sqrt(state.slow.variance.mean[:, exposed])
        weights = np.ascontiguousarray(book.exposure[:, exposed] * volatility)

        def project(rows: Float) -> Float:
            """Correlations (..., P, E, N) of the assets held → of the book, (..., P, K)."""
            full = portfolio_correlation(rows, exposed, weights)
            return np.ascontiguousarray(full[..., instruments])

        today = _snapshot(state)
        level = project(today.reference)
        tails = self._slow().tail_inflation(state.slow)[:, None]
        strength = np.abs(fisher_z(level)) / fisher_error(today.reference_size / tails)
        bound = critical(self.significance, len(instruments))
        chosen = self._select(strength, bound, book)
        recent, broken = self._monitor((*state.snapshots, today), project, tails)
        broken &= chosen
        # What the recent correlation still supports of the hedge the slow one asks for.
        left = np.divide(recent, level, out=np.zeros_like(level), where=level != 0.0)
        factor = shrink_factor(strength, bound) * np.where(broken, np.clip(left, 0.0, 1.0), 1.0)
        share = np.where(chosen, np.abs(level), 0.0)
        total = share.sum(axis=-1)
        scale = np.divide(
            (share * factor).sum(axis=-1), total, out=np.zeros_like(total), where=total > 0.0
        )
        return HedgeDecision(
            exposure=book.exposure,
            risk=Quadratic(self._slow().covariance(state.slow)),
            eligible=chosen,
            scale=scale,
            signals={"correlation_break": np.asarray(broken.any(axis=-1))},
        )

    def _select(self, strength: Float, bound: float, book: Book) -> Bool:
        """Partners (P, K): accepted, and among the strongest."""
        held = book.hedges != 0.0
        score = strength * np.where(held, 1.0 + self.switch_margin, 1.0)
        order = np.argsort(-score, axis=-1, kind="stable")
        best = np.zeros(strength.shape, dtype=np.bool_)
        np.put_along_axis(best, order[:, : self.partners], True, axis=-1)
        return best & (strength > bound)

    def _monitor(
        self, past: tuple[Snapshot, ...], project: Callable[[Float], Float], tails: Float
    ) -> tuple[Float, Bool]:
        """Recent correlation with each candidate and whether it has broken, both (P, K).

        A trigger with hysteresis, replayed over the remembered snapshots (the last is now's) with
        today's book, since a decision keeps no state.
        """
        late = past[_LAG:] if len(past) > _LAG else past[-1:]
        recent = project(np.array([s.recent for s in late]))
        broken = np.zeros(recent.shape[1:], dtype=np.bool_)
        if len(past) > _LAG:
            early = past[: len(late)]
            before = project(np.array([s.reference for s in early]))
            recent_size = np.array([s.recent_size for s in late])[:, None, None]
            before_size = np.array([s.reference_size for s in early])[:, None, None]
            moved = change_statistic(recent, recent_size / tails, before, before_size / tails)
            bound = critical(self.break_significance, sides=1)
            for against in -np.sign(before) * moved:
                broken = np.where(broken, against > 0.5 * bound, against > bound)
        return recent[-1], broken


def _snapshot(state: State) -> Snapshot:
    return Snapshot(
        correlation(state.fast.mean)[:, state.exposed],
        state.fast.sample_size,
        correlation(state.slow.product.mean)[:, state.exposed],
        state.slow.product.sample_size,
    )
