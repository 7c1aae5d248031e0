"""Minimum-variance hedge of a portfolio with correlated instruments."""

from __future__ import annotations

from typing import Any

from backtester.accounting.book import Book
from backtester.errors import StrategyError, did_you_mean
from backtester.estimation.covariance import (
    Covariance,
    CovarianceEstimator,
    covariance_estimator,
)
from backtester.estimation.shrinkage import ShrinkTo
from backtester.hedging.decision import HedgeDecision, Quadratic
from backtester.market.view import MarketInfo, MarketView
from backtester.strategy import Days, Strategy


class CrossAssetCorrelationHedge(Strategy[Any]):
    """Hedge the whole exposure with K correlated instruments.

    Without costs and limits the hedge notionals are h = −Σ_kk⁻¹ Σ_ke e, and the effectiveness is
    the R² of regressing exposure P&L on the instruments' returns. Costs, limits and the no-trade
    band come from the engine's optimiser.

    Source: Johnson (1960), Ederington (1979); covariances: RiskMetrics (1996) for ``"ewma"``,
    Ledoit & Wolf (2004) for ``"ledoit_wolf"``.

    Parameters
    ----------
    hedge_with: instruments to use; default: every eligible one.
    estimator: ``"ewma"``, ``"sample"`` or ``"ledoit_wolf"``.
    halflife: of ``"ewma"``, trading days.
    window: of ``"sample"`` and ``"ledoit_wolf"``, trading days.
    shrink_to: of ``"ledoit_wolf"``: ``"identity"`` or ``"constant_correlation"``.
    """

    hedge_with: tuple[str, ...] | None = None
    estimator: Covariance = Covariance.EWMA
    halflife: Days = 30.0
    window: Days = 60.0
    shrink_to: ShrinkTo = ShrinkTo.IDENTITY

    @property
    def warmup(self) -> float:
        """One half-life or one window, in trading days."""
        return self.halflife if self.estimator is Covariance.EWMA else self.window

    def requires(self) -> tuple[str, ...]:
        """The instruments named, if any."""
        return self.hedge_with or ()

    def _covariance(self) -> CovarianceEstimator:
        return covariance_estimator(
            self.estimator, halflife=self.halflife, window=self.window, target=self.shrink_to
        )

    def init(self, market: MarketInfo) -> Any:
        """The estimator's state; raises StrategyError for an instrument that is not eligible."""
        for name in self.hedge_with or ():
            if name not in market.instruments:
                raise StrategyError(
                    f"hedge_with names {name!r}, which is not an eligible instrument",
                    cure=did_you_mean(name, market.instruments),
                )
        return self._covariance().init(market.paths, len(market.assets))

    def observe(self, view: MarketView, state: Any) -> Any:
        """The estimator one bar on."""
        return self._covariance().step(state, view.returns(), view.elapsed)

    def decide(self, view: MarketView, book: Book, state: Any) -> HedgeDecision:
        """Minimise the variance of the residual exposure."""
        return HedgeDecision(
            exposure=book.exposure,
            risk=Quadratic(self._covariance().covariance(state)),
            instruments=self.hedge_with,
        )
