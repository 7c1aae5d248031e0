"""Minimum-variance hedge that changes its covariance with the regime."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from backtester.accounting.book import Book
from backtester.errors import StrategyError
from backtester.events import RegimeChange
from backtester.hedging.decision import HedgeDecision, Quadratic, Robust
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors import Monitor, RegimeMonitor
from backtester.regimes.detector import HedgeRegimeDetector
from backtester.strategy import Days, Strategy


class RegimeHedge(Strategy[None]):
    """Hedge the exposure under the regimes' covariances, by how likely each regime is now.

    A `RegimeMonitor` watches the book and asks for a decision whenever the regime changes. Each
    regime has its own correlation and today's volatilities. ``risk="mixture"`` minimises the
    variance of the mixture, Σ = Σ_k P_k Σ_k (uncentred second moments, so that the between-regime
    term is in it); ``risk="robust"`` the largest regret over the regimes.

    Parameters
    ----------
    risk: ``"mixture"`` or ``"robust"``.
    model: of the detector: ``"jump"``, ``"markov"`` or ``"score"``; see docs/regimes.md.
    halflife: of today's correlation, trading days.
    """

    risk: Literal["mixture", "robust"] = "mixture"
    model: Literal["jump", "markov", "score"] = "jump"
    halflife: Days = 60.0

    @property
    def warmup(self) -> float:
        """One half-life of the correlation."""
        return self.halflife

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        """The regime of this book."""
        detector = HedgeRegimeDetector(model=self.model)
        return (RegimeMonitor(detector, covariances=True, halflife=self.halflife),)

    def decide(self, view: MarketView, book: Book, state: None) -> HedgeDecision:
        """Minimise the residual variance under the likely regimes, or the worst regret."""
        for event in view.events:
            if isinstance(event, RegimeChange) and event.covariances is not None:
                break
        else:
            raise StrategyError(
                "RegimeHedge was asked to decide without the event of its RegimeMonitor",
                cure="Run it through the engine, or give the view the monitor's event.",
            )
        assert event.probabilities is not None and event.covariances is not None
        if self.risk == "robust":
            risk: Quadratic | Robust = Robust(event.covariances)
        else:
            weight = event.probabilities[:, :, None, None]
            risk = Quadratic(np.asarray((weight * event.covariances).sum(axis=1)))
        now = {f"regime_{name}": event.after == k for k, name in enumerate(event.names) if k}
        return HedgeDecision(exposure=book.exposure, risk=risk, signals=now)
