"""What `compare` and `stress` return: plain frozen values that reports and files are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtester.arrays import Byte, Float, Int
from backtester.evidence import Evidence
from backtester.metrics.sensitivity import BookSensitivity
from backtester.score import Scorecard
from backtester.study import Study

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1  # of scorecard.json, stress.json and manifest.json


@dataclass(frozen=True)
class Curve:
    """Plot data of one strategy on one market. Q = 1 on history, else quantiles 5 %, 50 %, 95 %."""

    strategy: str
    market: str
    times: Int  # (T,) UTC nanoseconds
    equity_net: Float  # (T, Q) money
    equity_gross: Float  # (T, Q) money, before trading costs
    equity_unhedged: Float  # (T, Q) money
    drawdown_net: Float  # (T, Q) fraction of the running peak, ≤ 0
    drawdown_unhedged: Float  # (T, Q)
    hedges: Float  # (T, K) notionals in money, path 0
    exposure: Float  # (T,) gross exposure in money, path 0
    instruments: tuple[str, ...]
    cost_bps: dict[str, float]  # bp of exposure a year by cost term, and "carry" (earned positive)
    status: dict[str, int]  # Status name -> path-decisions
    routes: dict[str, int]  # solver route -> path-decisions
    signals: dict[str, int]  # signal name -> path-events
    relaxed: tuple[float, float, float]  # largest relaxation of turnover, gross, neutrality, money
    limit_excess: float  # largest excess of hedge gross over its limit after a fill, fraction
    unfilled: int  # order-events at which an instrument was not tradable and its order waited
    horizon_days: float  # median holding horizon, NaN where nothing was optimised


@dataclass(frozen=True)
class MarketSummary:
    """One market of a comparison as the report shows it."""

    name: str
    simulated: bool
    paths: int
    bars: int
    start: str
    end: str
    calendar: str
    days_per_year: float
    assets: tuple[str, ...]
    exposure: dict[str, float]  # asset -> amount as stated
    exposure_unit: str
    exposure_hold: str
    instruments: tuple[str, ...]
    execution: str
    label_description: str
    episodes: int  # of every regime but normal, path 0
    onsets: tuple[str, ...]  # first days of those episodes, path 0, ISO dates
    crisis_share: float  # of bars in any regime but normal, path 0
    times: Int  # (T,)
    correlation: Float  # (T, K) rolling 60-bar correlation of exposure and hedge returns, path 0
    label: Byte  # (T,) path 0
    label_names: tuple[str, ...]
    notes: tuple[str, ...]  # repairs and assumptions
    data_hash: str  # of the first block
    placebo_paths: int


@dataclass(frozen=True)
class AuditLine:
    """One replay through the independent auditor."""

    strategy: str
    market: str
    path: int
    difference: float  # largest |our equity − theirs| before carry, relative to capital
    fills: int


@dataclass(frozen=True)
class Comparison:
    """Strategies × markets, scored by regime."""

    study: Study
    digest: str
    scorecard: Scorecard
    markets: tuple[MarketSummary, ...]
    curves: tuple[Curve, ...]
    audits: tuple[AuditLine, ...]
    audit_note: str  # why there is no audit, or empty
    manifest: dict[str, Any]
    evidence: Evidence = field(default_factory=Evidence)
    folder: Path | None = field(default=None)  # where it was written

    def to_frame(self) -> pd.DataFrame:
        """The scorecard as a tidy frame."""
        return self.scorecard.to_frame()

    def curve(self, strategy: str, market: str) -> Curve:
        """The plot data of one strategy on one market."""
        return next(c for c in self.curves if (c.strategy, c.market) == (strategy, market))


@dataclass(frozen=True)
class BreakEven:
    """Where a strategy stops helping as the correlation moves towards zero from one side."""

    metric: str  # "effectiveness" (net, crosses 0) or "net_es" (no better than unhedged)
    side: str  # "positive" or "negative"
    correlation: float | None
    note: str  # why there is none, or how far the bracket was narrowed


@dataclass(frozen=True)
class Sweep:
    """One re-hedging strategy against the correlation of the exposure with its hedges."""

    strategy: str
    correlation: Float  # (C,) −1 … 1
    effectiveness: Float  # (C, 3) net: value, low, high
    net_es: Float  # (C, 3) net expected shortfall, % of capital
    unhedged_es: Float  # (C,) % of capital
    cost_bps: Float  # (C,) trading cost in bp of exposure a year
    volatility: Float  # (C, 3) of the re-hedged book after costs, % of exposure a year
    unhedged_volatility: Float  # (C,) % of exposure a year
    frozen_volatility: Float  # (C,) of the base scenario's mean book, never traded; before costs
    unhedged_book: BookSensitivity  # in the base scenario
    book: BookSensitivity  # the mean hedged book of the base scenario
    break_even: tuple[BreakEven, ...]


@dataclass(frozen=True)
class StressReport:
    """Named scenarios and the correlation sweep, for every strategy of a study."""

    study: Study
    digest: str
    scenarios: Comparison
    base: str  # scenario the sweep moves
    sweeps: tuple[Sweep, ...]
    paths: int
    bars: int
    manifest: dict[str, Any]
    sweep_note: str = ""  # why nothing was swept, or empty
    folder: Path | None = field(default=None)

    def to_frame(self) -> pd.DataFrame:
        """The sweep as a tidy frame: strategy × correlation, every figure of `Sweep`."""
        import pandas as pd

        parts = [
            pd.DataFrame(
                {
                    "strategy": s.strategy,
                    "correlation": s.correlation,
                    "effectiveness": s.effectiveness[:, 0],
                    "effectiveness_low": s.effectiveness[:, 1],
                    "effectiveness_high": s.effectiveness[:, 2],
                    "net_es": s.net_es[:, 0],
                    "net_es_low": s.net_es[:, 1],
                    "net_es_high": s.net_es[:, 2],
                    "unhedged_es": s.unhedged_es,
                    "cost_bps": s.cost_bps,
                    "volatility": s.volatility[:, 0],
                    "volatility_low": s.volatility[:, 1],
                    "volatility_high": s.volatility[:, 2],
                    "unhedged_volatility": s.unhedged_volatility,
                    "frozen_volatility": s.frozen_volatility,
                }
            )
            for s in self.sweeps
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
