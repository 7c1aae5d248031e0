"""Luck among many trials, and what a block bootstrap makes of dependence."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from backtester.metrics.bootstrap import stationary_factors, stationary_variance
from backtester.metrics.sharpe import (
    SharpeFigures,
    deflated_benchmark,
    deflated_sharpe,
    expected_maximum,
    least_years,
)
from backtester.verify.claim import Claim

TOPIC = "Inference"
DEFLATED = "Bailey & López de Prado (2014): SR 2.5 a year, 1,250 days, V[SR] = 0.5 a year"
LARGEST = "expected largest of N normals, (1 − γ)Z⁻¹(1 − 1/N) + γZ⁻¹(1 − 1/Ne), same paper"
BLOCKS = "Politis & Romano (1994): γ₀ + 2Σb(k)γ_k, n = 100, p = 0.1, γ = (1, 0.5, 0.25)"
VARIANCE = 0.5 / 250.0
claim = partial(Claim, TOPIC)


def deflated(trials: int, skewness: float = -3.0, kurtosis: float = 10.0) -> float:
    """DSR of the paper's example."""
    figures = SharpeFigures(2.5 / math.sqrt(250.0), skewness, kurtosis, 1250)
    return deflated_sharpe(figures, VARIANCE, trials)


def factor(k: int) -> float:
    """b(k) of blocks of mean length ten in a hundred bars."""
    return float(stationary_factors(100, 10.0)[k - 1])


def variance() -> float:
    """Bootstrap variance of √n times the mean."""
    return stationary_variance(np.array([1.0, 0.5, 0.25]), 100, 10.0)


CLAIMS = (
    claim(
        "deflated Sharpe ratio, 46 trials, γ₃ = −3, γ₄ = 10",
        "0.9505",
        lambda: deflated(46),
        DEFLATED,
    ),
    claim("the same, 100 trials", "0.9004", lambda: deflated(100), DEFLATED),
    claim("the same, 88 trials, normal", "0.9505", lambda: deflated(88, 0.0, 3.0), DEFLATED),
    claim(
        "benchmark SR₀ a day of 100 trials",
        "0.113172",
        lambda: deflated_benchmark(VARIANCE, 100),
        DEFLATED,
    ),
    *(
        claim(f"largest of {n:,}", text, partial(expected_maximum, n), LARGEST)
        for n, text in ((10, "1.574598"), (45, "2.235640"), (100, "2.530603"), (1000, "3.255122"))
    ),
    claim(
        "least backtest length, 45 trials, SR 1",
        "4.998",
        lambda: least_years(45),
        "Bailey, Borwein, López de Prado & Zhu (2014): about 5 years",
        unit="years",
    ),
    claim("bootstrap weight b(1)", "0.8910003", lambda: factor(1), BLOCKS),
    claim("bootstrap weight b(2)", "0.7938007", lambda: factor(2), BLOCKS),
    claim("bootstrap variance (true: 2.5)", "2.2879006", variance, BLOCKS),
)
