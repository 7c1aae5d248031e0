"""Scores: pooled figures, regimes, differences beside placebos, and what is withheld."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtester.arrays import Byte, Float
from backtester.errors import AccountingError, ConfigError
from backtester.metrics import risk
from backtester.metrics.catalogue import METRICS, NAMES, UNITS
from backtester.metrics.hedge import hedging_effectiveness
from backtester.metrics.series import PathSeries
from backtester.score import Score, Scorecard, difference, score, scorecard

DAY = 86_400_000_000_000
CAPITAL = 2e6


def made(
    unhedged: Float, hedge_pnl: Float, label: Byte | None = None, cost: float = 0.0, **changes: Any
) -> PathSeries:
    """A daily series with an exposure of 1e6, three cost terms sharing `cost` a bar."""
    bars, paths = unhedged.shape
    full = np.full((bars, paths), 1e6)
    series = PathSeries(
        strategy="S",
        market="M",
        unhedged=unhedged,
        hedge_pnl=hedge_pnl,
        hedge_carry=np.zeros((bars, paths)),
        costs=np.full((bars, paths, 2), cost / 2),
        terms=("fee", "impact"),
        traded=full * 0.01,
        exposure=full,
        hedge_gross=full * 0.6,
        label=np.zeros((bars, paths), dtype=np.int8) if label is None else label,
        label_names=("normal", "crisis"),
        days=np.ones(bars),
        ends=np.arange(bars, dtype=np.int64) * DAY + 18_000 * DAY,
        days_per_year=365.0,
        capital=CAPITAL,
    )
    return replace(series, **changes)


def pair(
    bars: int, paths: int, seed: int = 0, rho: float = 0.6, name: str = "S"
) -> tuple[PathSeries, Float]:
    """A hedge of ratio ρ against a Gaussian factor of constant correlation, and the factor."""
    rng = np.random.default_rng(seed)
    f, e = 0.03 * rng.standard_normal((2, bars, paths))
    spot = rho * f + np.sqrt(1 - rho**2) * e
    label: Byte = np.zeros((bars, paths), dtype=np.int8)
    label[(np.arange(bars) // 25) % 4 == 2] = 1
    return made(1e6 * spot, -1e6 * rho * f, label, strategy=name), f


def rows(series: PathSeries) -> dict[str, Score]:
    return {s.regime: s for s in score(series, risk_aversion=5.0, seed=1)}


@pytest.fixture(scope="module")
def ensemble() -> PathSeries:
    return pair(200, 60)[0]


@pytest.fixture(scope="module")
def replay() -> PathSeries:
    return pair(1500, 1)[0]


def test_one_row_for_all_and_for_each_regime_visited(ensemble: PathSeries) -> None:
    found = score(ensemble, risk_aversion=5.0, seed=1)
    assert [s.regime for s in found] == ["all", "normal", "crisis"]
    assert found[0].bars == found[1].bars + found[2].bars == 200 * 60
    assert found[2].episodes == 2 * 60 and found[2].paths == 60
    calm = replace(ensemble, label=np.zeros_like(ensemble.label))
    assert [s.regime for s in score(calm, risk_aversion=5.0, seed=1)] == ["all", "normal"]


def test_figures_are_those_of_the_pure_functions(ensemble: PathSeries) -> None:
    s, crisis = ensemble, ensemble.label == 1
    row = rows(s)["crisis"]
    expected = hedging_effectiveness(s.net, s.unhedged, s.exposure, crisis)
    assert row.effectiveness_net.value == pytest.approx(expected, rel=1e-12)
    windows = risk.windows(s.net)[crisis[:191]]
    es = 100 * risk.expected_shortfall(windows) / CAPITAL
    assert row.net_es.value == pytest.approx(es, rel=1e-12)
    worth = risk.certainty_equivalent(s.net[crisis], CAPITAL, 5.0)
    expected = worth * 365 / CAPITAL * 1e4
    assert row.certainty_equivalent.value == pytest.approx(expected, rel=1e-9)
    vol = np.sqrt(np.mean(s.gross[crisis] ** 2) * 365)
    assert row.residual_volatility.value == pytest.approx(vol, rel=1e-12)
    falls = risk.max_drawdown(s.net, crisis)
    assert row.max_drawdown.value == pytest.approx(100 * np.median(falls) / CAPITAL)
    assert row.worst_drawdown.value == pytest.approx(100 * falls.max() / CAPITAL)
    assert row.turnover.value == pytest.approx(3.65)


def test_known_values(ensemble: PathSeries) -> None:
    row = rows(ensemble)["all"]
    assert row.effectiveness_gross.low < 0.36 < row.effectiveness_gross.high
    assert row.residual_beta.low < 0.64 < row.residual_beta.high
    removed = 100 * 0.03 * np.sqrt(365) * (1 - 0.8)
    assert row.volatility_removed.low < removed < row.volatility_removed.high
    assert row.unhedged_es.value > row.net_es.value
    assert row.net_es_change.value == pytest.approx(row.net_es.value - row.unhedged_es.value)
    assert row.net_es_change.high < 0.0


def test_shortfall_interval_covers_the_truth() -> None:
    """Ten bars of N(0, σ²) have a shortfall of 2.337803 σ √10; 95 % hold it, nearly."""
    truth = 100 * 2.337803 * 0.03 * 10**0.5 / 2
    hits = 0
    for seed in range(60):
        row = score(pair(60, 60, seed)[0], risk_aversion=5.0, seed=1)[0].unhedged_es
        hits += row.low <= truth <= row.high
    assert 53 <= hits <= 60


def test_every_figure_has_an_interval_in_an_ensemble(ensemble: PathSeries) -> None:
    for row in score(made_costly(ensemble), risk_aversion=5.0, seed=1):
        assert not row.insufficient
        for name in NAMES:
            figure = row.estimate(name)
            if name != "worst_drawdown":
                slack = 1e-9 * abs(figure.value)  # a constant rate has an interval of rounding
                assert figure.low - slack <= figure.value <= figure.high + slack, name


def made_costly(series: PathSeries, a_bar: float = 2000.0) -> PathSeries:
    return replace(series, costs=np.full_like(series.costs, a_bar / 2))


def test_a_steady_cost_of_20_bp_a_bar(ensemble: PathSeries) -> None:
    """Variance does not see it; the ranking figures do."""
    free, paid = rows(ensemble)["all"], rows(made_costly(ensemble))["all"]
    assert paid.effectiveness_gross.value - free.effectiveness_gross.value == 0.0
    assert paid.residual_volatility.value - free.residual_volatility.value == 0.0
    # Cash invariance: 20 bp of 1e6 over ten bars is 1 % of the capital of 2e6.
    assert paid.net_es.value == pytest.approx(free.net_es.value + 1.0, rel=1e-9)
    lost = 20.0 * 365 / 2
    worth = free.certainty_equivalent.value - lost
    assert paid.certainty_equivalent.value == pytest.approx(worth, rel=1e-9)
    assert paid.cost_drag.value == pytest.approx(20 * 365)
    assert paid.cost_by_term["fee"] == pytest.approx(10 * 365)
    assert paid.pnl_gross.value - paid.pnl_net.value == pytest.approx(lost)
    price = 20 * 365 / paid.volatility_removed.value
    assert paid.price_of_volatility.value == pytest.approx(price)
    card = Scorecard.of([((replace(paid, strategy="paid"),), None), ((free,), None)])
    assert [s.strategy for s in card.ranking("M")] == ["S", "paid"]


def test_permuting_paths_changes_nothing(ensemble: PathSeries) -> None:
    order = np.random.default_rng(3).permutation(60)
    arrays = ("unhedged", "hedge_pnl", "hedge_carry", "costs", "traded", "exposure", "hedge_gross")
    mixed = {n: getattr(ensemble, n)[:, order] for n in (*arrays, "label")}
    for one, two in zip(
        score(ensemble, risk_aversion=5.0, seed=1),
        score(replace(ensemble, **mixed), risk_aversion=5.0, seed=1),
        strict=True,
    ):
        for name in NAMES:
            a, b = one.estimate(name).value, two.estimate(name).value
            assert a == pytest.approx(b, rel=1e-12, nan_ok=True), name


def test_unhedged_book(ensemble: PathSeries) -> None:
    naked = replace(ensemble, hedge_pnl=np.zeros_like(ensemble.hedge_pnl))
    row = rows(naked)["crisis"]
    assert row.effectiveness_net.value == row.effectiveness_net.low == 0.0
    assert row.residual_beta.value == pytest.approx(1.0)
    assert row.net_es_change.value == row.net_es_change.low == row.net_es_change.high == 0.0
    assert np.isnan(row.price_of_volatility.value)
    assert row.price_of_volatility.note == "no volatility was removed"
    assert row.net_es == row.unhedged_es


def test_nothing_to_hedge_is_nan_with_a_reason(ensemble: PathSeries) -> None:
    still = replace(ensemble, unhedged=np.zeros_like(ensemble.unhedged))
    row = rows(still)["all"]
    for name in ("effectiveness_net", "effectiveness_gross", "residual_beta"):
        assert np.isnan(row.estimate(name).value)
        assert "did not move" in row.estimate(name).note
    idle = rows(replace(ensemble, exposure=np.zeros_like(ensemble.exposure)))["all"]
    assert np.isnan(idle.turnover.value) and "no exposure" in idle.turnover.note
    assert np.isnan(idle.cost_by_term["fee"])


def test_ruin_is_capped_and_counted(ensemble: PathSeries) -> None:
    pnl = ensemble.unhedged.copy()
    pnl[100, :3] = -10 * CAPITAL
    row = rows(replace(ensemble, unhedged=pnl))["all"]
    assert row.worst_drawdown.value == 100.0
    assert "3 paths" in row.max_drawdown.note
    assert np.isfinite(row.certainty_equivalent.value)


def test_history_is_resampled_by_episodes(replay: PathSeries) -> None:
    found = rows(replay)
    crisis = found["crisis"]
    assert crisis.episodes == 15 and not crisis.insufficient
    assert crisis.effectiveness_net.low < 0.36 < crisis.effectiveness_net.high
    assert len(crisis.onset_days) == 15 and crisis.onset_days[0] == "2019-06-03"
    assert crisis.max_drawdown.note == "one path: no interval"
    assert found["all"].onset_days == ()
    again = rows(replace(replay, strategy="other"))["crisis"]
    assert again.net_es == crisis.net_es  # the same draws whatever the strategy
    other = score(replay, risk_aversion=5.0, seed=2)[2]
    assert other.net_es.value == crisis.net_es.value
    assert other.effectiveness_net.low != crisis.effectiveness_net.low


def test_too_few_episodes(replay: PathSeries) -> None:
    label = np.zeros_like(replay.label)
    label[100:300] = label[600:700] = 1
    row = rows(replace(replay, label=label))["crisis"]
    assert row.insufficient == "insufficient: 2 episodes, 5 needed"
    for name in NAMES:
        figure = row.estimate(name)
        assert np.isnan(figure.low) and np.isnan(figure.high)
        assert np.isnan(figure.value) or figure.note == row.insufficient


def test_too_few_tail_observations(replay: PathSeries) -> None:
    row = rows(replay)["crisis"]  # 375 windows: the tail holds ten
    assert row.tail_observations == 10
    label = np.zeros_like(replay.label)
    label[(np.arange(1500) // 30) % 10 == 2] = 1
    thin = rows(replace(replay, label=label))["crisis"]
    assert thin.net_es.note == "insufficient: 4 tail observations, 10 needed"
    assert np.isfinite(thin.net_es.value) and np.isnan(thin.net_es.low)
    assert np.isfinite(thin.effectiveness_net.low)


def test_few_paths() -> None:
    row = rows(pair(60, 3)[0])["all"]
    assert row.insufficient == "insufficient: 3 paths, 5 needed"
    assert np.isfinite(row.effectiveness_net.value) and np.isnan(row.effectiveness_net.low)


def test_a_five_bar_run_is_not_annualised() -> None:
    row = rows(pair(5, 1)[0])["all"]
    assert np.isnan(row.pnl_net.value) and "5 bars" in row.pnl_net.note
    assert np.isnan(row.net_es.value) and "10 bars" in row.net_es.note
    assert np.isfinite(row.max_drawdown.value)


def test_an_empty_run_is_a_row_that_says_so() -> None:
    (row,) = score(pair(0, 4)[0], risk_aversion=5.0, seed=1)
    assert row.bars == 0 and row.net_es.note == "no bars were scored"
    json.dumps(row.to_dict(), allow_nan=False)


def by_size(bars: int, paths: int, seed: int) -> PathSeries:
    """Constant ρ = .6, bars labelled by the size of the hedge's own move: |F| above its q90."""
    series, f = pair(bars, paths, seed)
    label = (np.abs(f) > np.quantile(np.abs(f), 0.9)).astype(np.int8)
    return replace(series, label=label)


def test_selection_makes_a_difference_and_the_placebo_takes_it_away() -> None:
    """Methods, corrections: ρ = .6 throughout gives .71 against .26; the claim is no claim."""
    real, twin = by_size(400, 100, 0), by_size(400, 100, 1)
    found = rows(real)
    assert found["crisis"].effectiveness_gross.value == pytest.approx(0.71, abs=0.01)
    assert found["normal"].effectiveness_gross.value == pytest.approx(0.26, abs=0.01)
    card = scorecard([(real, twin)], risk_aversion=5.0, seed=1)
    row = next(d for d in card.differences if d.metric == "effectiveness_gross")
    assert row.placebo is not None and row.excess is not None
    assert row.estimate.low > 0.4 and row.placebo.low > 0.4
    assert row.estimate.value == pytest.approx(row.placebo.value, abs=0.02)
    assert row.excess.low < 0.0 < row.excess.high


def test_a_true_change_outlives_its_placebo() -> None:
    stable, crisis = pair(400, 60, 0)[0], pair(400, 60, 0)[0].label == 1
    unrelated = 1e6 * pair(400, 60, 9)[1]
    real = replace(stable, unhedged=np.where(crisis, unrelated, stable.unhedged))
    card = scorecard([(real, pair(400, 80, 6)[0])], risk_aversion=5.0, seed=1)
    row = next(d for d in card.differences if d.metric == "effectiveness_net")
    assert row.placebo is not None and row.excess is not None
    assert row.placebo.low < 0.0 < row.placebo.high
    # 2 ρ₀ ρ₁ − ρ₀² falls from .36 to −.36 as ρ₁ falls from .6 to 0.
    assert row.excess.low < -0.72 < row.excess.high


def test_differences_are_paired(ensemble: PathSeries, replay: PathSeries) -> None:
    found = score(ensemble, risk_aversion=5.0, seed=1)
    rows_ = {d.metric: d for d in difference(found)}
    assert set(rows_) == set(NAMES) - {"worst_drawdown"}
    for name, row in rows_.items():
        value = found[2].estimate(name).value - found[1].estimate(name).value
        assert row.estimate.value == pytest.approx(value, nan_ok=True)
        assert (row.regime, row.reference, row.placebo) == ("crisis", "normal", None)
    assert rows_["effectiveness_net"].estimate.low < 0 < rows_["effectiveness_net"].estimate.high
    one_path = {d.metric: d for d in difference(score(replay, risk_aversion=5.0, seed=1))}
    assert np.isfinite(one_path["effectiveness_net"].estimate.low)
    assert np.isnan(one_path["max_drawdown"].estimate.low)
    calm = replace(ensemble, label=np.zeros_like(ensemble.label))
    assert difference(score(calm, risk_aversion=5.0, seed=1)) == ()


def test_frames_and_json(ensemble: PathSeries, replay: PathSeries) -> None:
    naked = replace(ensemble, strategy="Naked", hedge_pnl=np.zeros_like(ensemble.hedge_pnl))
    history = replace(replay, market="H")
    pairs = [(ensemble, pair(200, 60, 4)[0]), (naked, None), (history, pair(1500, 10, 6)[0])]
    card = scorecard(iter(pairs), risk_aversion=5.0, seed=1)
    frame = card.to_frame()
    assert list(frame.columns[:4]) == ["strategy", "market", "regime", "net_es"]
    assert len(frame) == 9 and not frame.duplicated(["strategy", "market", "regime"]).any()
    for name in NAMES:
        assert {name, f"{name}_low", f"{name}_high", f"{name}_note"} <= set(frame.columns)
    differences = card.differences_frame()
    assert len(differences) == 3 * (len(NAMES) - 1)
    assert (differences.query("strategy == 'Naked'")["placebo_note"] == "no placebo").all()
    text = json.dumps(card.to_dict(), allow_nan=False)
    assert json.loads(text)["schema_version"] == 1
    assert [s.strategy for s in card.ranking("M", "crisis")] == ["S", "Naked"]
    both = Scorecard.merge([card, card])
    assert len(both.scores) == 18
    assert len(Scorecard((), ()).to_frame()) == 0


def test_catalogue_matches_the_score() -> None:
    assert [n for n in Score.__dataclass_fields__ if n in UNITS] == list(NAMES)
    assert all(m.unit and m.meaning and m.better in ("lower", "higher", "") for m in METRICS)


def test_wrong_input_is_named(ensemble: PathSeries) -> None:
    with pytest.raises(ConfigError, match="risk_aversion"):
        score(ensemble, risk_aversion=0.0, seed=1)
    with pytest.raises(ConfigError, match="capital"):
        score(replace(ensemble, capital=-1.0), risk_aversion=1.0, seed=1)
    with pytest.raises(AccountingError, match="traded has shape"):
        score(replace(ensemble, traded=ensemble.traded[:-1]), risk_aversion=1.0, seed=1)
    with pytest.raises(AccountingError, match="outside"):
        score(replace(ensemble, label=ensemble.label + np.int8(3)), risk_aversion=1.0, seed=1)
    bad = ensemble.hedge_pnl.copy()
    bad[7, 2] = np.nan
    with pytest.raises(AccountingError, match="hedge_pnl is not finite on path 2 at 2019-04-21"):
        score(replace(ensemble, hedge_pnl=bad), risk_aversion=1.0, seed=1)
    row = score(ensemble, risk_aversion=1.0, seed=1)[0]
    with pytest.raises(ConfigError, match="Did you mean 'net_es'"):
        row.estimate("net_ES")
