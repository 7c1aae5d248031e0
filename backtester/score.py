"""Scores of hedged books per regime, their crisis-minus-normal differences, and the scorecard."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError
from backtester.metrics.catalogue import METRICS, NAMES, UNITS
from backtester.metrics.evaluate import Evaluation, evaluate
from backtester.metrics.inference import Estimate, Sample
from backtester.metrics.moments import Moments, check, moments
from backtester.metrics.records import Difference, Score
from backtester.metrics.regime import ALL, NORMAL, Regime, episode_count, onset_days, split
from backtester.metrics.risk import max_drawdown
from backtester.metrics.series import PathSeries

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Difference", "Score", "Scorecard", "difference", "score", "scorecard"]

SCHEMA_VERSION = 1
_TAIL = ("net_es", "net_es_change", "unhedged_es")


def score(series: PathSeries, *, risk_aversion: float, seed: int) -> tuple[Score, ...]:
    """One row for all bars and one for each regime visited, in label order.

    Parameters
    ----------
    risk_aversion: λ > 0 of u(x) = −exp(−λ x / capital), dimensionless.
    seed: of the bootstrap; rows of the same market are paired whatever the strategy.

    Raises ConfigError (risk aversion or capital not positive), AccountingError (ragged or not
    finite series). A series without bars gives one row of NaN that says so.
    """
    for name, number in (("risk_aversion", risk_aversion), ("capital", series.capital)):
        if not (number > 0.0 and math.isfinite(number)):
            raise ConfigError(f"{name} is {number}", cure="Give a positive number.")
    if series.unhedged.size == 0:
        check(series)
        return (_empty(series),)
    regimes = split(series.label, series.label_names)
    values = moments(series, risk_aversion)
    rows = []
    for regime, falls in zip(regimes, _falls(values, regimes), strict=True):
        found = evaluate(series, values, regime, falls, risk_aversion, seed)
        rows.append(_row(series, values, regime, found))
    return tuple(rows)


def _falls(values: Moments, regimes: Sequence[Regime]) -> list[tuple[Float, Float]]:
    """Drawdowns (P,) in money of net and unhedged P&L in each regime, from one pass over time."""
    pair = np.stack([values.net, values.unhedged], axis=1)  # (B, 2, P)
    tiled = np.broadcast_to(pair[:, None], (len(pair), len(regimes), *pair.shape[1:]))
    bars = np.stack([r.bars for r in regimes], axis=1)[:, :, None]  # (B, R, 1, P)
    worst = max_drawdown(tiled, bars)
    return [(worst[r, 0], worst[r, 1]) for r in range(len(regimes))]


def _row(series: PathSeries, values: Moments, regime: Regime, found: Evaluation) -> Score:
    estimates: dict[str, Any] = {}
    for name in NAMES:
        withheld = found.shortage
        if name in _TAIL:
            withheld = withheld or found.tail_shortage
        if name == "worst_drawdown":
            withheld = withheld or found.samples[name].note
        estimates[name] = found.samples[name].estimate(withheld)
    weight = float(np.sum(series.exposure * regime.bars * series.days[:, None]))
    base = weight / series.days_per_year / 1e4
    paid = values.cost_by_term(regime.bars)
    one = series.unhedged.shape[1] == 1 and regime.name != ALL
    return Score(
        strategy=series.strategy,
        market=series.market,
        regime=regime.name,
        **estimates,
        cost_by_term={
            term: float(c) / base if base > 0.0 else math.nan
            for term, c in zip(series.terms, paid, strict=True)
        },
        bars=regime.count,
        paths=regime.paths,
        share=regime.share,
        episodes=episode_count(regime.bars),
        onset_days=onset_days(regime.bars[:, 0], series.ends) if one else (),
        tail_observations=found.tail_observations,
        tail_events=found.tail_events,
        days_per_year=series.days_per_year,
        insufficient=found.shortage,
        samples=found.samples,
    )


def _empty(series: PathSeries) -> Score:
    nothing = Estimate(math.nan, note="no bars were scored")
    estimates: dict[str, Any] = dict.fromkeys(NAMES, nothing)
    return Score(
        strategy=series.strategy,
        market=series.market,
        regime=ALL,
        **estimates,
        cost_by_term=dict.fromkeys(series.terms, math.nan),
        bars=0,
        paths=0,
        share=math.nan,
        episodes=0,
        onset_days=(),
        tail_observations=0,
        tail_events=0,
        days_per_year=series.days_per_year,
        insufficient="insufficient: no bars were scored",
    )


def difference(
    scores: Sequence[Score], placebo: Sequence[Score] | None = None, reference: str = NORMAL
) -> tuple[Difference, ...]:
    """Every metric of each other regime less that of `reference`, with a paired interval.

    scores: rows of one strategy on one market from `score`; placebo: rows of the same strategy on
    the market's constant-correlation twin. Empty where the reference or another regime was never
    visited. Jackknife replicates of an ensemble are paired by path; episodes of a history are
    drawn independently for the two regimes.
    """
    base = _find(scores, reference)
    out = []
    for row in scores:
        if base is None or row.regime in (ALL, reference):
            continue
        twin = (_find(placebo or (), row.regime), _find(placebo or (), reference))
        for metric in NAMES:
            if metric == "worst_drawdown":  # an extreme of two different numbers of bars
                continue
            mine, why = _contrast(row, base, metric)
            figure, other, excess = mine.estimate(why), None, None
            if twin[0] is None and twin[1] is not None:  # e.g. nothing decouples by chance
                other = Estimate(math.nan, note=f"the placebo is never in {row.regime}")
                excess = other
            elif twin[0] is not None and twin[1] is not None:
                theirs, lack = _contrast(twin[0], twin[1], metric)
                other = theirs.estimate(lack)
                excess = _excess(mine, theirs, figure, other)
            labels = (row.strategy, row.market, row.regime, reference, metric)
            out.append(Difference(*labels, figure, other, excess))
    return tuple(out)


def _contrast(row: Score, base: Score, metric: str) -> tuple[Sample, str]:
    """The paired difference of a metric, and why it may carry no interval."""
    withheld = row.insufficient or base.insufficient
    for one in (row, base):
        figure = one.estimate(metric)
        if figure.note.startswith("insufficient"):
            withheld = withheld or figure.note
    return row.samples[metric].minus(base.samples[metric]), withheld


def _excess(mine: Sample, theirs: Sample, figure: Estimate, other: Estimate) -> Estimate:
    """Difference less placebo; paired by path where both have the same paths, else independent."""
    value = figure.value - other.value
    note = figure.note or other.note
    if math.isnan(value) or math.isnan(figure.low) or math.isnan(other.low):
        return Estimate(value, note=note or "no interval: one side has none")
    if mine.kind == theirs.kind == "jackknife" and mine.replicates.shape == theirs.replicates.shape:
        return mine.minus(theirs).estimate()
    # Recovery of variances from two separate intervals (Zou & Donner 2008); allows for skew.
    below = math.hypot(figure.value - figure.low, other.high - other.value)
    above = math.hypot(figure.high - figure.value, other.value - other.low)
    return Estimate(value, value - below, value + above, note)


def _find(scores: Iterable[Score], regime: str) -> Score | None:
    return next((s for s in scores if s.regime == regime), None)


@dataclass(frozen=True)
class Scorecard:
    """Rows strategy × market × regime, and the differences between regimes."""

    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]

    @classmethod
    def of(cls, rows: Iterable[tuple[Sequence[Score], Sequence[Score] | None]]) -> Scorecard:
        """From the rows of each strategy × market and, where there is one, of its placebo."""
        scores: list[Score] = []
        differences: list[Difference] = []
        for mine, placebo in rows:
            scores += mine
            differences += difference(mine, placebo)
        return cls(tuple(scores), tuple(differences))

    @classmethod
    def merge(cls, cards: Iterable[Scorecard]) -> Scorecard:
        """One card from several, e.g. one for each market, in the order given."""
        every = list(cards)
        return cls(
            tuple(s for c in every for s in c.scores),
            tuple(d for c in every for d in c.differences),
        )

    def ranking(self, market: str, regime: str = ALL) -> tuple[Score, ...]:
        """Best first: least net expected shortfall, then largest certainty equivalent; NaN last."""
        rows = [s for s in self.scores if s.market == market and s.regime == regime]
        return tuple(sorted(rows, key=_rank))

    def to_frame(self) -> pd.DataFrame:
        """Tidy: one row per strategy × market × regime, which are the first three columns.

        Then ``<metric>``, ``<metric>_low``, ``<metric>_high``, ``<metric>_note`` for each metric in
        `NAMES` order, ``cost_<term>`` (bp of exposure a year), the counts and the onset days.
        """
        import pandas as pd

        rows = []
        for s in self.scores:
            row: dict[str, Any] = {k: getattr(s, k) for k in _KEYS}
            for name in NAMES:
                row |= s.estimate(name).columns(name)
            row |= {f"cost_{term}": value for term, value in s.cost_by_term.items()}
            row |= {k: getattr(s, k) for k in _COUNTS}
            row["onset_days"] = " ".join(s.onset_days)
            rows.append(row)
        return pd.DataFrame(rows, columns=None if rows else list(_KEYS))

    def differences_frame(self) -> pd.DataFrame:
        """Tidy: difference, placebo and excess by strategy × market × regime × metric."""
        import pandas as pd

        missing = Estimate(math.nan, note="no placebo")
        rows = []
        for d in self.differences:
            row: dict[str, Any] = {k: getattr(d, k) for k in (*_KEYS, "reference", "metric")}
            row["unit"] = UNITS[d.metric]
            row |= d.estimate.columns("difference")
            row |= (d.placebo or missing).columns("placebo")
            row |= (d.excess or missing).columns("excess")
            rows.append(row)
        return pd.DataFrame(rows)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, with a schema version and the unit and meaning of every metric."""
        return {
            "schema_version": SCHEMA_VERSION,
            "metrics": {
                m.name: {"unit": m.unit, "better": m.better, "meaning": m.meaning} for m in METRICS
            },
            "scores": [s.to_dict() for s in self.scores],
            "differences": [d.to_dict() for d in self.differences],
        }


_KEYS = ("strategy", "market", "regime")
_COUNTS = (
    "bars",
    "paths",
    "share",
    "episodes",
    "tail_observations",
    "tail_events",
    "days_per_year",
    "insufficient",
)


def scorecard(
    pairs: Iterable[tuple[PathSeries, PathSeries | None]], *, risk_aversion: float, seed: int
) -> Scorecard:
    """Score every (series, placebo series or None); the iterable is consumed one pair at a time.

    A generator keeps one pair in memory; where series are made in several processes, `score` them
    there and hand the rows to `Scorecard.of`.
    """

    def rows(series: PathSeries | None) -> tuple[Score, ...] | None:
        return None if series is None else score(series, risk_aversion=risk_aversion, seed=seed)

    return Scorecard.of((rows(series) or (), rows(placebo)) for series, placebo in pairs)


def _rank(row: Score) -> tuple[bool, float, bool, float]:
    first, second = row.net_es.value, -row.certainty_equivalent.value
    return math.isnan(first), _sortable(first), math.isnan(second), _sortable(second)


def _sortable(number: float) -> float:
    return math.inf if math.isnan(number) else number
