"""Minimum-variance hedge of a portfolio with correlated instruments."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import Field

from backtester.accounting.book import Book
from backtester.errors import StrategyError, did_you_mean
from backtester.estimation.covariance import (
    Covariance,
    CovarianceEstimator,
    covariance_estimator,
    estimate,
)
from backtester.estimation.shrinkage import ShrinkTo
from backtester.hedging.decision import HedgeDecision, Quadratic
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Days, Strategy

Weight = Annotated[float, Field(ge=0, le=1)]


class Tracked(NamedTuple):
    """An estimator and where it stands: it is looked up once a run, not at every event."""

    estimator: CovarianceEstimator
    estimate: Any


class CrossAssetCorrelationHedge(Strategy[Tracked]):
    """Hedge the whole exposure with K correlated instruments.

    Without costs and limits the hedge notionals are h = −Σ_kk⁻¹ Σ_ke e, and the effectiveness is
    the R² of regressing exposure P&L on the instruments' returns. Costs, limits and the no-trade
    band come from the engine's optimiser.

    Source: Johnson (1960), Ederington (1979); the covariances: docs/estimation.md.

    Parameters
    ----------
    hedge_with: instruments to use; default: every eligible one.
    estimator: ``"ewma"``, ``"sample"``, ``"ledoit_wolf"``, ``"ccc"``, ``"dcc"``, ``"cdcc"``,
        ``"spearman"``, ``"kendall"`` or ``"factor"``.
    halflife: of ``"ewma"`` and ``"factor"``, trading days.
    window: of ``"sample"``, ``"ledoit_wolf"``, ``"spearman"`` and ``"kendall"``, trading days; how
        long ``"ccc"``, ``"dcc"`` and ``"cdcc"`` learn their long-run means before they decide.
    shrink_to: of ``"ledoit_wolf"``: ``"identity"`` or ``"constant_correlation"``.
    dcc_a, dcc_b: news and memory of the correlations of ``"dcc"`` and ``"cdcc"``, per day.
    garch_alpha, garch_beta: news and memory of the variances of ``"ccc"``, ``"dcc"`` and
        ``"cdcc"``, per day.
    factors: of ``"factor"``.
    """

    hedge_with: tuple[str, ...] | None = None
    estimator: Covariance = Covariance.EWMA
    halflife: Days = 30.0
    window: Days = 60.0
    shrink_to: ShrinkTo = ShrinkTo.IDENTITY
    dcc_a: Weight = 0.025
    dcc_b: Weight = 0.965
    garch_alpha: Weight = 0.09
    garch_beta: Weight = 0.89
    factors: Annotated[int, Field(ge=1)] = 1

    @property
    def warmup(self) -> float:
        """One half-life or one window, in trading days."""
        exponential = self.estimator in (Covariance.EWMA, Covariance.FACTOR)
        return self.halflife if exponential else self.window

    def model_post_init(self, context: Any) -> None:
        """Raise ConfigError for weights that do not go together."""
        self._covariance()

    def requires(self) -> tuple[str, ...]:
        """The instruments named, if any."""
        return self.hedge_with or ()

    def _covariance(self) -> CovarianceEstimator:
        return covariance_estimator(
            self.estimator,
            halflife=self.halflife,
            window=self.window,
            target=self.shrink_to,
            a=self.dcc_a,
            b=self.dcc_b,
            alpha=self.garch_alpha,
            beta=self.garch_beta,
            factors=self.factors,
        )

    def init(self, market: MarketInfo) -> Tracked:
        """The estimator and its state; StrategyError for an instrument that is not eligible."""
        for name in self.hedge_with or ():
            if name not in market.instruments:
                raise StrategyError(
                    f"hedge_with names {name!r}, which is not an eligible instrument",
                    cure=did_you_mean(name, market.instruments),
                )
        estimator = self._covariance()
        return Tracked(estimator, estimator.init(market.paths, len(market.assets)))

    def observe(self, view: MarketView, state: Tracked) -> Tracked:
        """The estimator one bar on."""
        estimator = state.estimator
        return Tracked(estimator, estimator.step(state.estimate, view.returns(), view.elapsed))

    def decide(self, view: MarketView, book: Book, state: Tracked) -> HedgeDecision:
        """Minimise the variance of the residual exposure."""
        covariance, signals = estimate(state.estimator, state.estimate)
        return HedgeDecision(
            exposure=book.exposure,
            risk=Quadratic(covariance),
            instruments=self.hedge_with,
            signals=signals,
        )
