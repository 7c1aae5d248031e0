"""Deflated Sharpe ratios: the papers' numbers, the moments, and what is undefined."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtester.errors import ConfigError
from backtester.metrics.sharpe import (
    Measured,
    SharpeFigures,
    deflated,
    deflated_benchmark,
    deflated_sharpe,
    expected_maximum,
    least_years,
    probabilistic_sharpe,
    sharpe_figures,
)

PAPER = SharpeFigures(2.5 / math.sqrt(250), -3.0, 10.0, 1250)  # Bailey & López de Prado (2014)
NORMAL = SharpeFigures(2.5 / math.sqrt(250), 0.0, 3.0, 1250)
VARIANCE = 0.5 / 250


def test_the_papers_example() -> None:
    assert deflated_benchmark(VARIANCE, 100) == pytest.approx(0.113172, abs=5e-7)
    assert deflated_sharpe(PAPER, VARIANCE, 100) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(PAPER, VARIANCE, 46) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(NORMAL, VARIANCE, 88) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize(
    ("trials", "value"), [(10, 1.574598), (45, 2.235640), (100, 2.530603), (1000, 3.255122)]
)
def test_expected_maximum(trials: int, value: float) -> None:
    assert expected_maximum(trials) == pytest.approx(value, abs=5e-7)


def test_minimum_backtest_length() -> None:
    assert least_years(45) == pytest.approx(4.998, abs=5e-4)
    assert least_years(45, 2.0) == pytest.approx(4.998 / 4, abs=5e-4)


def test_one_trial_is_not_deflated() -> None:
    assert expected_maximum(1) == 0.0
    assert deflated_sharpe(PAPER, VARIANCE, 1) == probabilistic_sharpe(PAPER)
    with pytest.raises(ConfigError, match="0 trials"):
        expected_maximum(0)


def test_moments_are_those_of_scipy() -> None:
    from scipy import stats

    x = np.random.default_rng(0).standard_t(5, (40, 7)) + 0.1
    f = sharpe_figures(x)
    flat = x.ravel()
    assert f.sharpe == pytest.approx(flat.mean() / flat.std(), rel=1e-12)
    assert f.skewness == pytest.approx(stats.skew(flat), rel=1e-12)
    assert f.kurtosis == pytest.approx(stats.kurtosis(flat, fisher=False), rel=1e-12)
    assert f.bars == 280


@pytest.mark.parametrize("level", [0.0, 0.1, -3e7])
def test_zero_variance_is_not_infinite(level: float) -> None:
    f = sharpe_figures(np.full(1000, level))
    assert math.isnan(f.sharpe)
    assert f.note == "zero variance: the P&L never changed"
    assert math.isnan(probabilistic_sharpe(f))
    assert sharpe_figures(np.arange(19.0)).note == "19 bars: 20 needed for a Sharpe ratio"
    assert math.isnan(sharpe_figures(np.arange(19.0)).sharpe)
    assert math.isfinite(sharpe_figures(np.arange(20.0)).sharpe)


@given(st.integers(2, 10_000))
def test_more_trials_deflate_more(trials: int) -> None:
    assert deflated_sharpe(PAPER, VARIANCE, trials + 1) < deflated_sharpe(PAPER, VARIANCE, trials)


def test_psr_is_the_frequency_of_luck() -> None:
    """Of samples without skill, a share p has a PSR above 1 − p."""
    rng = np.random.default_rng(2)
    psr = [probabilistic_sharpe(sharpe_figures(rng.standard_t(6, 400))) for _ in range(800)]
    assert np.mean(np.array(psr) > 0.9) == pytest.approx(0.1, abs=0.035)


def _measured(name: str, pnl: np.ndarray, tried: tuple[float, ...] = ()) -> Measured:
    return Measured(name, "m", "all", sharpe_figures(pnl), 365.0, tried)


def test_the_spread_is_that_of_all_trials() -> None:
    rng = np.random.default_rng(3)
    books = tuple(_measured(n, rng.normal(0.02 * i, 1, 500)) for i, n in enumerate("abc"))
    rows = deflated(books, 7)
    variance = float(np.var([b.figures.sharpe for b in books], ddof=1))
    assert rows[2].benchmark == pytest.approx(deflated_benchmark(variance, 7))
    assert rows[2].deflated == deflated_sharpe(books[2].figures, variance, 7)
    assert rows[2].annual == pytest.approx(books[2].figures.sharpe * math.sqrt(365))
    wider = deflated((*books[:2], _measured("c", rng.normal(0, 1, 500), (0.5, -0.5))), 7)
    assert wider[0].benchmark > rows[0].benchmark


def test_undefined_ratios_say_why() -> None:
    (alone,) = deflated((_measured("a", np.random.default_rng(4).normal(size=99)),), 5)
    assert math.isfinite(alone.probability)
    assert math.isnan(alone.deflated)
    assert alone.note == "fewer than two ratios: their spread is unknown"
    flat = deflated((_measured("a", np.zeros(29)), _measured("b", np.arange(29.0))), 5)
    assert flat[0].note.startswith("zero variance")
    document = flat[0].to_dict()
    assert document["sharpe"] is None
    assert document["trials"] == 5
