"""NegativeCorrelationPairs: finds what is there, leaves what is not, and says when it breaks."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from backtester_strategies.negative_correlation_pairs import NegativeCorrelationPairs

from backtester.arrays import Float
from backtester.market.view import MarketInfo

from .driver import Step, World, drive, effectiveness, prices_of, simulate

CANDIDATES = 6
NAMES = tuple(f"A{i}" for i in range(CANDIDATES + 1))
PARTNER = 2  # position among the candidates
MONEY = 1e6


def matrix(rho: float) -> Float:
    """Independent assets but for the exposure and its partner."""
    correlation = np.eye(CANDIDATES + 1)
    correlation[0, PARTNER + 1] = correlation[PARTNER + 1, 0] = rho
    return correlation


@cache
def run(seed: int, paths: int, *spells: tuple[float, int]) -> tuple[Step, ...]:
    """Decisions over spells of (correlation with the partner, bars)."""
    rng = np.random.default_rng(seed)
    returns = [simulate(rng, bars, paths, matrix(rho)) for rho, bars in spells]
    world = World(prices_of(np.concatenate(returns)), NAMES, {"A0": MONEY}, NAMES[1:])
    return tuple(drive(world, NegativeCorrelationPairs()))


def ratio(steps: tuple[Step, ...]) -> Float:
    """Hedge per unit of exposure, (D, P, K)."""
    return np.array([s.hedges for s in steps]) / MONEY


def breaks(steps: tuple[Step, ...]) -> Float:
    """Where the signal is set, (D, P)."""
    return np.array([s.decision.signals["partner_break"] for s in steps])


def test_independent_assets_are_left_alone() -> None:
    """Mean |hedge| ≤ .05, out-of-sample effectiveness ≥ −.01."""
    steps = run(1, 200, (0.0, 2000))
    hedge = np.abs(ratio(steps)).sum(axis=-1)
    assert hedge.mean() <= 0.01  # measured .002
    assert effectiveness(list(steps)) >= -0.001  # measured −.0001
    assert np.mean(hedge > 0) <= 0.06  # Šidák at 5 %: measured 4.5 %


@pytest.mark.parametrize("kind", ["common jumps", "common volatility", "hourly bars"])
def test_independent_assets_are_left_alone_whatever_else_they_share(kind: str) -> None:
    """Common jumps and volatility are no correlation; Fisher's test alone takes 37 % for one."""
    rng, paths, bars = np.random.default_rng(11), 60, 700
    noise = rng.standard_normal((bars, paths, CANDIDATES + 1))
    elapsed = 1.0
    if kind == "common jumps":  # multivariate Student t with 4 degrees of freedom
        noise *= np.sqrt(4.0 / rng.chisquare(4, (bars, paths, 1))) / np.sqrt(2.0)
    elif kind == "common volatility":
        level = np.zeros((bars, paths, 1))
        for t in range(1, bars):
            level[t] = 0.98 * level[t - 1] + 0.1 * rng.standard_normal((paths, 1))
        noise *= np.exp(level)
    else:
        elapsed = 0.25
    world = World(prices_of(0.01 * noise), NAMES, {"A0": MONEY}, NAMES[1:], elapsed)
    steps = tuple(drive(world, NegativeCorrelationPairs()))
    hedge = np.abs(ratio(steps)).sum(axis=-1)
    assert hedge.mean() <= 0.01  # measured .001 to .002
    assert np.mean(hedge > 0) <= 0.07  # measured 4 to 5 %
    assert effectiveness(list(steps)) >= -0.002


@pytest.mark.parametrize("rho", [-0.7, 0.7])
def test_a_true_partner_is_found_with_its_sign(rho: float) -> None:
    steps = run(2, 60, (rho, 600))
    hedge = ratio(steps)
    assert np.mean(np.sign(hedge[:, :, PARTNER]) == -np.sign(rho)) > 0.999
    assert not np.delete(hedge, PARTNER, axis=2)[30:].any(axis=-1).mean() > 0.001
    assert hedge[:, :, PARTNER].mean() == pytest.approx(-rho, abs=0.08)  # shrunk a little
    assert effectiveness(list(steps)) == pytest.approx(rho**2, abs=0.03)


def test_never_long_what_rises_nor_short_what_falls() -> None:
    """Each hedge offsets the covariance it was sized on."""
    for step in run(3, 40, (0.4, 400)):
        covariance = step.decision.risk.covariance[:, 0, 1:]  # type: ignore[union-attr]
        assert np.all(step.hedges * covariance <= 0.0)


def test_a_break_is_signalled_and_the_hedge_scaled_down() -> None:
    """Correlation .8 → 0 at bar 300. Measured: median delay 6 days, 95 % within 17."""
    steps = run(4, 200, (0.8, 300), (0.0, 150))
    after = np.array([s.t for s in steps]) >= 300
    signal, hedge = breaks(steps), np.abs(ratio(steps)).sum(axis=-1)
    assert signal[after].any(axis=0).all()
    delay = np.argmax(signal[after], axis=0)
    assert np.median(delay) <= 9
    assert np.quantile(delay, 0.95) <= 25
    size = hedge[after].mean(axis=1)
    before = hedge[~after][-30:].mean()
    assert before == pytest.approx(0.75, abs=0.05)
    assert size[10] < 0.65 * before and size[20] < 0.35 * before and size[40] < 0.2 * before


def test_false_alarms_are_rare_and_short() -> None:
    """Constant correlation .8: measured .5 a year, 1.5 % of days."""
    signal = breaks(run(5, 200, (0.8, 600)))
    years = len(signal) / 365.0
    starts = (signal[1:] & ~signal[:-1]).sum() / signal.shape[1] / years
    assert starts <= 1.2
    assert signal.mean() <= 0.025


def test_a_rising_correlation_is_no_break() -> None:
    signal = breaks(run(6, 100, (0.5, 300), (0.9, 60)))
    assert signal[-60:].mean() <= 0.01


def test_the_hedge_comes_back_when_the_correlation_does() -> None:
    steps = run(7, 60, (0.8, 300), (0.0, 60), (0.8, 240))
    hedge = np.abs(ratio(steps)).sum(axis=-1).mean(axis=1)
    signal = breaks(steps)
    assert hedge[-1] == pytest.approx(0.75, abs=0.05)
    assert signal[-60:].mean() < 0.03


class Blind(NegativeCorrelationPairs):
    """The same without its monitor."""

    def monitors(self, market: MarketInfo) -> tuple[Any, ...]:
        return ()


def test_the_break_beats_holding_on() -> None:
    """In the 60 days after a break it loses less than the same strategy without the monitor."""
    rng = np.random.default_rng(8)
    returns = [simulate(rng, 300, 150, matrix(0.8)), simulate(rng, 60, 150, matrix(0.0))]
    world = World(prices_of(np.concatenate(returns)), NAMES, {"A0": MONEY}, NAMES[1:])
    late = {}
    for strategy in (NegativeCorrelationPairs(), Blind()):
        late[type(strategy)] = effectiveness([s for s in drive(world, strategy) if s.t >= 300])
    assert (
        late[NegativeCorrelationPairs] > late[Blind] + 0.1
    )  # measured −.11 against −.30, which is also what an EWMA hedge of all six loses


def test_several_partners_share_the_work() -> None:
    correlation = np.eye(4)
    correlation[0, 1:3] = correlation[1:3, 0] = [0.6, -0.6]
    returns = simulate(np.random.default_rng(9), 400, 40, correlation)
    world = World(prices_of(returns), NAMES[:4], {"A0": MONEY}, NAMES[1:4])
    found = {}
    for partners in (1, 2):
        steps = list(drive(world, NegativeCorrelationPairs(partners=partners)))
        assert (ratio(tuple(steps)) != 0).sum(axis=-1).max() <= partners
        found[partners] = effectiveness(steps)
    assert found[1] == pytest.approx(0.36, abs=0.04)
    assert found[2] == pytest.approx(0.72, abs=0.05)


def test_a_portfolio_is_hedged_as_a_whole() -> None:
    """Long A0 and A1 in equal volatility: the common driver is what the partner must match."""
    correlation = np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.6], [0.6, 0.6, 1.0]])
    returns = simulate(np.random.default_rng(10), 400, 60, correlation)
    names, sides = ("A0", "A1", "H"), {}
    for sign in (1.0, -1.0):
        world = World(prices_of(returns), names, {"A0": MONEY, "A1": sign * MONEY}, ("H",))
        sides[sign] = list(drive(world, NegativeCorrelationPairs()))
    assert ratio(tuple(sides[1.0])).mean() == pytest.approx(-1.2, abs=0.06)
    assert effectiveness(sides[1.0]) == pytest.approx(0.72, abs=0.03)
    assert np.abs(ratio(tuple(sides[-1.0]))).mean() < 0.01  # the spread is uncorrelated with H
