"""Data against simulation: a true model fits, a wrong one is seen."""

from __future__ import annotations

import numpy as np
import pytest

from backtester.calibration.fit_check import TAILS, FitCheck, fit_check, outside
from backtester.errors import BacktesterError
from backtester.estimation.joint_tail import sample_joint_tail
from backtester.market.panel import MarketPanel

from .conftest import truth

BARS = 900


def checked(history: MarketPanel, simulated: MarketPanel) -> FitCheck:
    label = np.zeros(BARS, dtype=np.int8)
    return fit_check(history, simulated, label, ("normal",))


@pytest.fixture(scope="module")
def drawn() -> MarketPanel:
    return truth().draw(first=0, paths=90, bars=BARS, seed=4)


def test_a_path_of_the_model_fits_the_model(drawn: MarketPanel) -> None:
    shares = []
    for p in range(6):
        check = checked(drawn.path(p), drawn.select(np.arange(10, 90)))
        for data, model in (
            (check.quantile, check.quantile_model),
            (check.squares, check.squares_model),
            (check.lower, check.lower_model),
            (check.upper, check.upper_model),
        ):
            assert model.shape == (*data.shape, 3)
            assert (np.diff(model, axis=-1) >= 0).all()
            shares.append(outside(data, model).mean())
    assert np.mean(shares) < 0.22  # 10 % expected; a path's points move together


def test_a_wrong_model_is_seen(drawn: MarketPanel) -> None:
    calm = truth().model_copy(update={})
    wrong = type(calm)(
        **{n: getattr(calm, n) for n in type(calm).model_fields}
        | {"margins": {a: {} for a in "ABC"}, "regimes": {"one": {
            "volatility": 0.8, "correlation": {"default": 0.0},
            "funding": calm.regimes["normal"].funding, "basis": calm.regimes["normal"].basis,
        }}}
    )  # fmt: skip
    check = checked(drawn.path(0), wrong.draw(first=0, paths=60, bars=BARS, seed=1))
    assert outside(check.squares, check.squares_model).mean() > 0.4
    pairs = [check.pairs.index(p) for p in (("A", "B"), ("A", "C"), ("B", "C"))]
    assert outside(check.lower, check.lower_model)[pairs].mean() > 0.8
    low, high = check.rolling_model[0, [0, 2]]
    assert ((check.rolling[0] < low) | (check.rolling[0] > high)).mean() > 0.5


def test_figures_are_those_of_the_definitions(drawn: MarketPanel) -> None:
    history = drawn.path(3)
    check = checked(history, drawn.select(np.arange(5)))
    returns = np.diff(np.log(history.prices[:, 0]), axis=0)
    window = returns[200:260]
    want = (window[:, 0] * window[:, 1]).sum() / np.sqrt(
        (window[:, 0] ** 2).sum() * (window[:, 1] ** 2).sum()
    )
    assert check.rolling[0, 200] == pytest.approx(want, abs=1e-10)
    squares = returns[:, 2] ** 2 - (returns[:, 2] ** 2).mean()
    assert check.squares[2, 6] == pytest.approx(
        (squares[7:] * squares[:-7]).sum() / (squares**2).sum()
    )
    k = TAILS.index(0.05)
    for i, j in ((0, 1), (0, 2), (1, 2)):
        m = check.pairs.index(("ABC"[i], "ABC"[j]))
        for up, found in ((False, check.lower), (True, check.upper)):
            want = sample_joint_tail(returns[:, i], returns[:, j], 0.05, upper=up)
            assert found[m, k] == pytest.approx(want)
    assert check.quantile[:, 0] == pytest.approx(returns.min(axis=0))
    assert check.quantile[:, -1] == pytest.approx(returns.max(axis=0))


def test_other_bars_or_assets_are_refused(drawn: MarketPanel) -> None:
    with pytest.raises(BacktesterError, match="history has 901 stamps and the simulation 51"):
        checked(drawn.path(0), drawn.between(0, 51))
