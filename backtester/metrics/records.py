"""The rows a scorecard is made of: scores by regime, and differences between regimes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from backtester.errors import ConfigError, did_you_mean
from backtester.metrics.catalogue import NAMES, UNITS
from backtester.metrics.inference import Estimate, Sample


@dataclass(frozen=True)
class Score:
    """One strategy on one market in one regime; units of each figure in `UNITS`.

    A figure whose interval is NaN says why in its note. `insufficient` is the reason why the whole
    row has none; figures are still shown.
    """

    strategy: str
    market: str
    regime: str
    net_es: Estimate
    certainty_equivalent: Estimate
    effectiveness_net: Estimate
    effectiveness_gross: Estimate
    residual_volatility: Estimate
    volatility_removed: Estimate
    max_drawdown: Estimate
    worst_drawdown: Estimate
    residual_beta: Estimate
    turnover: Estimate
    cost_drag: Estimate
    carry: Estimate
    pnl_gross: Estimate
    pnl_net: Estimate
    pnl_net_money: Estimate
    price_of_volatility: Estimate
    net_es_change: Estimate
    unhedged_es: Estimate
    unhedged_certainty_equivalent: Estimate
    unhedged_volatility: Estimate
    unhedged_drawdown: Estimate
    unhedged_pnl: Estimate
    cost_by_term: dict[str, float]  # bp of exposure a year
    bars: int  # path-bars
    paths: int  # paths that visit the regime
    share: float  # of all path-bars
    episodes: int
    onset_days: tuple[str, ...]  # UTC dates; of a one-path history only
    tail_observations: int
    tail_events: int  # tail windows that share no bar with one another
    days_per_year: float  # annualisation used
    insufficient: str = ""
    samples: dict[str, Sample] = field(default_factory=dict, repr=False, compare=False)

    def estimate(self, metric: str) -> Estimate:
        """The figure called `metric`; raises ConfigError for an unknown name."""
        if metric not in UNITS:
            raise ConfigError(f"unknown metric {metric!r}", cure=did_you_mean(metric, NAMES))
        found: Estimate = getattr(self, metric)
        return found

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: figures under ``metrics``, NaN as None with its note."""
        plain = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in UNITS and f.name != "samples"
        }
        plain["onset_days"] = list(self.onset_days)
        plain["share"] = _finite(self.share)
        plain["cost_by_term"] = {k: _finite(v) for k, v in self.cost_by_term.items()}
        return plain | {"metrics": {m: self.estimate(m).to_dict() for m in NAMES}}


@dataclass(frozen=True)
class Difference:
    """A metric in one regime less the same in the normal one, beside its placebo."""

    strategy: str
    market: str
    regime: str
    reference: str
    metric: str
    estimate: Estimate
    placebo: Estimate | None = None  # the same difference under constant correlation
    excess: Estimate | None = None  # difference less placebo: what is left of the claim

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        names = ("strategy", "market", "regime", "reference", "metric")
        out: dict[str, Any] = {n: getattr(self, n) for n in names}
        out["unit"] = UNITS[self.metric]
        for name in ("estimate", "placebo", "excess"):
            figure: Estimate | None = getattr(self, name)
            out[name] = None if figure is None else figure.to_dict()
        return out


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
