"""What stands beside the scores: tests between books, deflated ratios, stability, walk-forward."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.metrics.inference import Estimate
from backtester.metrics.paired import MarketPairs, PairedDifference, adjusted, market_pairs
from backtester.metrics.regime import ALL
from backtester.metrics.series import PathSeries
from backtester.metrics.sharpe import Measured, Sharpe, deflated, sharpe_figures
from backtester.metrics.stability import Stability, stabilities
from backtester.metrics.walk import FIGURES, WalkScore, walk_score
from backtester.score import Score
from backtester.study import Study
from backtester.walk_forward import Trail

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class MarketEvidence:
    """What one market contributes, before the study's comparisons are adjusted together."""

    pairs: tuple[MarketPairs, ...]
    sharpes: tuple[Sharpe, ...]
    stability: tuple[Stability, ...]
    walks: tuple[WalkScore, ...]


@dataclass(frozen=True)
class Evidence:
    """Rows of a study; empty where nothing was compared."""

    comparisons: tuple[PairedDifference, ...] = ()
    sharpes: tuple[Sharpe, ...] = ()
    stability: tuple[Stability, ...] = ()
    walks: tuple[WalkScore, ...] = ()
    trials: int = 0  # parameter sets behind the results on one market, this study's and earlier

    @classmethod
    def of(cls, markets: Iterable[MarketEvidence], trials: int) -> Evidence:
        """All markets together; p-values are adjusted for all comparisons of the study."""
        every = list(markets)
        return cls(
            adjusted(p for m in every for p in m.pairs),
            tuple(s for m in every for s in m.sharpes),
            tuple(s for m in every for s in m.stability),
            tuple(w for m in every for w in m.walks),
            trials,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "parameter_sets": self.trials,
            "comparisons": [c.to_dict() for c in self.comparisons],
            "sharpe": [s.to_dict() for s in self.sharpes],
            "stability": [s.to_dict() for s in self.stability],
            "walk_forward": [w.to_dict() for w in self.walks],
        }

    def frames(self) -> dict[str, pd.DataFrame]:
        """The four lists as tidy frames, by name."""
        return {
            "comparisons": self.comparisons_frame(),
            "sharpe": self.sharpe_frame(),
            "stability": self.stability_frame(),
            "walk_forward": self.walk_frame(),
        }

    def comparisons_frame(self) -> pd.DataFrame:
        """Tidy: one row per comparison, market × regime × first × second."""
        import pandas as pd

        rows = [
            {
                "market": c.market,
                "regime": c.regime,
                "family": c.family,
                "first": c.first,
                "second": c.second,
                **c.estimate.columns("difference"),
                "p_single": c.p_single,
                "p_adjusted": c.p_adjusted,
                "comparisons": c.comparisons,
            }
            for c in self.comparisons
        ]
        return pd.DataFrame(rows, columns=None if rows else ["market", "regime"])

    def stability_frame(self) -> pd.DataFrame:
        """Tidy: one row per strategy × market × regime."""
        import pandas as pd

        missing = Estimate(math.nan, note="no placebo")
        rows = [
            {
                "strategy": s.strategy,
                "market": s.market,
                "regime": s.regime,
                "units": s.units,
                "short": s.short,
                **s.spread.columns("spread"),
                **(s.placebo or missing).columns("placebo"),
                "lowest": s.lowest,
                "lowest_at": s.lowest_at,
                "negative": s.negative,
            }
            for s in self.stability
        ]
        return pd.DataFrame(rows, columns=None if rows else ["strategy", "market", "regime"])

    def sharpe_frame(self) -> pd.DataFrame:
        """Tidy: one row per strategy × market; ratios per bar and a year, with trials."""
        import pandas as pd

        rows = [
            {k: math.nan if v is None else v for k, v in s.to_dict().items()} for s in self.sharpes
        ]
        return pd.DataFrame(rows, columns=None if rows else ["strategy", "market", "regime"])

    def walk_frame(self) -> pd.DataFrame:
        """Tidy: one row per strategy × market × fold, figures ``in_…`` and ``out_…``."""
        import pandas as pd

        rows = [
            {
                "strategy": w.strategy,
                "market": w.market,
                "fold": f.number,
                "train_from": f.train[0],
                "train_to": f.train[1],
                "test_from": f.test[0],
                "test_to": f.test[1],
                "chosen": f.chosen,
                "share": f.share,
                **{f"in_{name}": f.inside[name] for name in FIGURES},
                **{f"out_{name}": f.outside[name] for name in FIGURES},
            }
            for w in self.walks
            for f in w.folds
        ]
        return pd.DataFrame(rows, columns=None if rows else ["strategy", "market", "fold"])


def market_evidence(
    study: Study,
    pairs: Sequence[tuple[PathSeries, PathSeries | None]],
    scores: Sequence[Score],
    trails: Sequence[Trail | None],
) -> MarketEvidence:
    """Everything about one market.

    Parameters
    ----------
    pairs: series of every strategy and, where there is one, of its placebo, in study order.
    scores: the market's rows. trails: of strategies whose parameters were chosen, else None.
    """
    books = [series for series, _ in pairs]
    withheld = {(s.strategy, s.regime): _shortage(s) for s in scores}
    return MarketEvidence(
        pairs=market_pairs(books, seed=study.seed, withheld=withheld, reference=study.reference),
        sharpes=deflated(
            tuple(_measured(b, t) for b, t in zip(books, trails, strict=True)), study.tried
        ),
        stability=tuple(
            row
            for series, twin in pairs
            if not np.array_equal(series.net, series.unhedged)  # no hedge, nothing to be steady
            for row in stabilities(series, twin)
        ),
        walks=tuple(
            _walk(study, b, t) for b, t in zip(books, trails, strict=True) if t is not None
        ),
    )


def _shortage(row: Score) -> str:
    """Why a shortfall has no interval, or nothing."""
    note = row.net_es.note
    return row.insufficient or (note if note.startswith("insufficient") else "")


def _measured(series: PathSeries, trail: Trail | None) -> Measured:
    years = float(series.days.sum()) / series.days_per_year
    tried: tuple[float, ...] = ()
    if trail is not None:
        first, last = trail.folds[0].test[0], trail.folds[-1].test[1]
        tried = tuple(sharpe_figures(x[first:last]).sharpe for x in trail.net)
    return Measured(
        series.strategy,
        series.market,
        ALL,
        sharpe_figures(series.net / series.capital),
        len(series.days) / years if years > 0 else math.nan,
        tried,
    )


def _walk(study: Study, series: PathSeries, trail: Trail) -> WalkScore:
    assert study.walk_forward is not None
    return walk_score(
        trail.folds,
        trail.names,
        trail.choice,
        trail.net,
        trail.unhedged,
        trail.exposure,
        trail.times,
        np.asarray(series.net),
        strategy=series.strategy,
        market=series.market,
        select=study.walk_forward.select,
        capital=series.capital,
        risk_aversion=study.risk_aversion,
    )
