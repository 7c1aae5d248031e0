"""A long/short or spot/perpetual book held neutral within a band at least cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from backtester.accounting.book import Book
from backtester.arrays import Bool, Float
from backtester.estimation.covariance import EwmaCovariance
from backtester.estimation.ewma import Ewma, EwmaState
from backtester.hedging.decision import HedgeDecision, Neutrality, Quadratic
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Days, Strategy

_SLACK = 1e-6  # of the band: what a solver may leave of a limit it holds


@dataclass(frozen=True, slots=True)
class Groups:
    """Which assets offset each other; fixed for a run."""

    rows: Float  # (G, N) ones on the assets of each underlying that is held and can be hedged
    rest: Bool  # (N,) exposed assets without an instrument of their own underlying
    free: Bool  # (N,) instruments of underlyings that are not held


@dataclass(frozen=True, slots=True)
class State:
    """Groups, covariance of returns, and funding per day."""

    groups: Groups
    covariance: EwmaState  # (P, N, N)
    funding: EwmaState  # (P, N) paid by a long, fraction of notional per day


class DeltaNeutralOffset(Strategy[State]):
    """Keep the net delta of every underlying inside a band, trading only when it leaves.

    For each underlying u that is held and has an eligible instrument,

        |Σ_{i∈u} (e_i + (Bᵀh)_i)| ≤ band × Σ_{i∈u} |e_i|,

    and among the hedges that satisfy all of them the engine takes the one of least variance plus
    cost. What is held in underlyings without an instrument is offset in beta against the equally
    weighted basket m of the remaining instruments: |Σ β_i (e_i + (Bᵀh)_i)| ≤ band × Σ |β_i e_i| + s
    over those assets, β_i = Cov(r_i, r_m)/Var(r_m), s the standard error of the exposure's beta:
    a narrower band would trade on the noise of the estimate. Where no instrument remains (or with
    ``beta_neutral=False``) it is left to the variance term. Funding earns on the short leg; its
    forecast chooses among hedges that are equivalent, and never leaves the band.

    Source: cash-and-carry arbitrage (Schmeling, Schrimpf & Todorov, "Crypto carry", BIS WP 1087);
    a band beats continuous rebalancing under proportional cost (Davis & Norman 1990).

    Parameters
    ----------
    underlyings: asset → underlying, for the names that do not follow the rule; by default the
        underlying of ``"BTC-PERP"`` is ``"BTC"`` and that of any other name is itself.
    band: half-width as a fraction of the exposure of the group, 0 < band ≤ 1.
    halflife: of covariance and funding forecast, trading days.
    beta_neutral: offset the rest in beta.
    carry_seeking: let the carry forecast move the hedge away from least variance.
    """

    underlyings: dict[str, str] = Field(default_factory=dict)
    band: float = Field(default=0.02, gt=0.0, le=1.0)
    halflife: Days = 30.0
    beta_neutral: bool = True
    carry_seeking: bool = False

    @property
    def warmup(self) -> float:
        """One half-life, in trading days."""
        return self.halflife

    def requires(self) -> tuple[str, ...]:
        """The assets whose underlying is given."""
        return tuple(self.underlyings)

    def init(self, market: MarketInfo) -> State:
        """Groups of the market's assets; raises DataError where `underlyings` names none of it."""
        for name in self.underlyings:
            market.index(name, "underlyings of DeltaNeutralOffset")
        paths, assets = market.paths, len(market.assets)
        return State(
            groups=self._groups(market),
            covariance=EwmaCovariance(self.halflife).init(paths, assets),
            funding=Ewma(self.halflife).init(paths, assets),
        )

    def observe(self, view: MarketView, state: State) -> State:
        """Covariance and funding forecast one bar on."""
        funding = state.funding
        if view.funding is not None and view.elapsed > 0.0:
            daily = np.broadcast_to(view.funding, view.prices.shape) / view.elapsed
            funding = Ewma(self.halflife).step(funding, daily, view.elapsed)
        covariance = EwmaCovariance(self.halflife).step(
            state.covariance, view.returns(), view.elapsed
        )
        return State(state.groups, covariance, funding)

    def decide(self, view: MarketView, book: Book, state: State) -> HedgeDecision:
        """Trade where a band is breached or no hedge is on yet."""
        rows, noise = self._rows(state, book.exposure)
        held = book.exposure.copy()
        held[:, book.instrument_index] += book.hedges
        net = (rows * held[:, None, :]).sum(axis=-1)
        band = self.band * np.abs(rows * book.exposure[:, None, :]).sum(axis=-1) + noise
        unopened = ~book.hedges.any(axis=-1)
        breached = (np.abs(net) > band * (1.0 + _SLACK)).any(axis=-1)
        # Where some of the book has no row, the engine's own no-trade band decides for it.
        unruled = rows.shape[1] == 0 or (not self.beta_neutral and _loose(state.groups))
        return HedgeDecision(
            exposure=book.exposure,
            risk=Quadratic(state.covariance.mean),
            trade=np.asarray(breached | unopened | unruled),
            carry=np.ascontiguousarray(-state.funding.mean[:, book.instrument_index]),
            carry_seeking=self.carry_seeking,
            neutrality=Neutrality(rows, band) if rows.shape[1] else None,
            signals={"band_breach": np.asarray(breached & ~unopened)},
        )

    def _groups(self, market: MarketInfo) -> Groups:
        names = [self._underlying(asset) for asset in market.assets]
        exposed = [names[market.index(asset)] for asset in market.exposed]
        hedged = [names[i] for i in market.instrument_index]
        paired = [u for u in dict.fromkeys(exposed) if u in hedged]
        rows = np.array([[float(n == u) for n in names] for u in paired])
        instrument = np.zeros(len(names), dtype=np.bool_)
        instrument[market.instrument_index] = True
        outside = np.array([n not in paired for n in names])
        held = np.array([asset in market.exposed for asset in market.assets])
        return Groups(rows.reshape(len(paired), len(names)), held & outside, instrument & outside)

    def _underlying(self, asset: str) -> str:
        return self.underlyings.get(asset, asset.removesuffix("-PERP"))

    def _rows(self, state: State, exposure: Float) -> tuple[Float, Float]:
        """Neutrality rows (P, M, N), one per paired underlying and the beta row; noise (P, M)."""
        groups, covariance = state.groups, state.covariance.mean
        paired, paths = len(groups.rows), len(covariance)
        rows = np.broadcast_to(groups.rows, (paths, *groups.rows.shape))
        noise = np.zeros((paths, paired))
        if not (self.beta_neutral and _loose(groups)):
            return rows, noise
        basket = groups.free / groups.free.sum()
        with_basket = (covariance * basket).sum(axis=-1)
        variance = (with_basket * basket).sum(axis=-1)
        inverse = np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0.0)
        beta = with_basket * inverse[:, None] * (groups.rest | groups.free)
        # Standard error of an OLS slope, √(residual variance / (n · Var m)), in money.
        rest = exposure * groups.rest
        own = ((covariance * rest[:, None, :]).sum(axis=-1) * rest).sum(axis=-1)
        explained = (beta * rest).sum(axis=-1)
        left = np.maximum(own - explained * explained * variance, 0.0)
        error = np.sqrt(left * inverse / max(state.covariance.sample_size, 1.0))
        rows = np.concatenate([rows, beta[:, None, :]], axis=1)
        return rows, np.concatenate([noise, error[:, None]], axis=1)


def _loose(groups: Groups) -> bool:
    """Whether something held must be offset with instruments of other underlyings."""
    return bool(groups.rest.any() and groups.free.any())
