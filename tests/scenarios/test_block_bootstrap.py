"""`BlockBootstrap` resamples whole bars, in geometric blocks, within their regime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from backtester_scenarios.block_bootstrap import BlockBootstrap

from backtester.errors import BacktesterError, ScenarioError

from .generators import block_bootstrap

SCENARIO = block_bootstrap()
PANEL = SCENARIO.draw(first=0, paths=400, bars=250, seed=3)
HISTORY = SCENARIO.rows.steps
STEPS = np.diff(np.log(PANEL.prices), axis=0)


def rows_of(steps: np.ndarray, history: np.ndarray) -> np.ndarray:
    """Row of the history that each bar of `steps` (..., N) shows; fails where there is none."""
    mix = 0.7071 ** np.arange(history.shape[1])  # one asset alone may repeat a return, such as 0
    key, order = history @ mix, np.argsort(history @ mix)
    near = np.searchsorted(key[order], steps @ mix - 1e-12)
    row = order[np.minimum(near, len(order) - 1)]
    assert np.abs(history[row] - steps).max() < 1e-10
    return np.asarray(row)


def write(folder: Path, prices: np.ndarray, columns: str = "AB") -> Path:
    index = pd.date_range("2020-01-01", periods=len(prices), tz="UTC", name="time")
    file = folder / "prices.csv"
    pd.DataFrame(prices, index, list(columns)).to_csv(file)
    return file


def test_bars_are_whole_and_of_the_regime_the_chain_visits() -> None:
    row = rows_of(STEPS, HISTORY)
    for s, rows in enumerate(SCENARIO.rows.of):
        inside = row[PANEL.regime[1:] == s]
        assert np.isin(inside, rows).all()
        count = np.bincount(np.searchsorted(rows, inside), minlength=len(rows))
        mean = len(inside) / len(rows)  # blocks of 20: counts vary some 40 times as much as Poisson
        assert abs(count - mean).max() < 6 * np.sqrt(40 * mean) + 20


def test_moments_of_each_regime_are_the_history_s() -> None:
    for s, rows in enumerate(SCENARIO.rows.of):
        want, inside = HISTORY[rows], PANEL.regime[1:] == s
        bars = inside.sum(axis=0)
        for moment in (lambda x: x, lambda x: x**2, lambda x: x[..., [0]] * x):
            target = moment(want).mean(axis=0)
            excess = np.where(inside[..., None], moment(STEPS) - target, 0).sum(axis=0)
            error = np.sqrt((excess**2).sum(axis=0)) / bars.sum()  # paths are independent
            assert (abs(excess.sum(axis=0)) / bars.sum() < 4 * error).all(), s


def test_durations_are_those_of_the_labels() -> None:
    state = PANEL.regime[1:]
    want = SCENARIO.rows.durations
    assert want["normal"] > 3 * want["crisis"] > 0
    leave = 1 / want["crisis"]
    crisis = state[:-1] == 1
    left = (crisis & (state[1:] == 0)).sum() / crisis.sum()
    assert abs(left - leave) < 4 * np.sqrt(leave / crisis.sum()) + leave**2


def test_blocks_are_geometric_and_in_order() -> None:
    plain = block_bootstrap(conditional=False, mean_block_days=10.0)
    assert plain.regime_names == ()
    panel = plain.draw(first=0, paths=300, bars=250, seed=5)
    assert panel.regime is None
    row = rows_of(np.diff(np.log(panel.prices), axis=0), HISTORY)
    goes_on = row[1:] == (row[:-1] + 1) % len(HISTORY)
    assert abs(goes_on.mean() - 0.9) < 4 * np.sqrt(0.09 / goes_on.size)
    pairs = goes_on[1:] & goes_on[:-1]
    assert abs(pairs.mean() - 0.81) < 4 * np.sqrt(0.81 * 0.19 * 2 / pairs.size)


def weight(k: int, n: int, p: float) -> float:
    """b(k) of Politis & Romano: the share of γ_k the bootstrap variance of the mean keeps."""
    return (1 - k / n) * (1 - p) ** k + k / n * (1 - p) ** (n - k)


def test_variance_of_the_mean_is_that_of_politis_and_romano(tmp_path: Path) -> None:
    n, p = 100, 0.1
    assert weight(1, n, p) == pytest.approx(0.8910003, abs=1e-7)
    assert weight(2, n, p) == pytest.approx(0.7938007, abs=1e-7)
    assert 1 + 2 * (weight(1, n, p) * 0.5 + weight(2, n, p) * 0.25) == pytest.approx(
        2.2879006, abs=1e-6
    )
    noise = np.random.default_rng(1).standard_normal((n + 2, 2))
    steps = 0.01 * (noise[2:] + noise[1:-1] + 0.5 * noise[:-2])  # a moving average
    file = write(tmp_path, 100 * np.exp(np.vstack([np.zeros(2), np.cumsum(steps, axis=0)])))
    history = {"prices": str(file), "calendar": "24/7"}
    scenario = BlockBootstrap(name="ma", history=history, mean_block_days=10.0, conditional=False)
    last = scenario.draw(first=0, paths=20_000, bars=n, seed=7).prices[[0, -1]]
    found = np.log(last[1] / last[0]).var(axis=0) / n
    centred = steps - steps.mean(axis=0)
    gamma = [(centred[k:] * centred[: n - k]).sum(axis=0) / n for k in range(n)]
    want = gamma[0] + 2 * sum(weight(k, n, p) * gamma[k] for k in range(1, n))
    assert (abs(found / want - 1) < 4 * np.sqrt(2 / 20_000)).all()


def test_fields_come_with_their_bar(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    prices = 100 * np.exp(np.cumsum(0.02 * rng.standard_normal((400, 2)), axis=0))
    file = write(tmp_path, prices)
    for item in ("half_spread", "depth", "funding"):
        values = np.exp(rng.standard_normal((400, 2))) * 1e-3
        pd.read_csv(file, index_col=0).assign(A=values[:, 0], B=values[:, 1]).to_csv(
            tmp_path / f"{item}.csv"
        )
    shut = (rng.random((400, 2)) < 0.2).astype(int)
    pd.read_csv(file, index_col=0).assign(A=1 - shut[:, 0], B=1 - shut[:, 1]).to_csv(
        tmp_path / "tradable.csv"
    )
    kinds = ("half_spread", "depth", "funding", "tradable")
    more = {i: str(tmp_path / f"{i}.csv") for i in kinds}
    scenario = BlockBootstrap(name="full", history={"prices": str(file), **more})
    panel = scenario.draw(first=0, paths=5, bars=60, seed=1)
    source = scenario.rows.panel
    row = rows_of(np.diff(np.log(panel.prices), axis=0), scenario.rows.steps)
    assert panel.tradable is not None and 0.1 < (~panel.tradable).mean() < 0.3
    for item in kinds:
        assert np.array_equal(getattr(panel, item)[1:], getattr(source, item)[row + 1, 0]), item
    assert (panel.funding[0] == 0).all()
    assert panel.prices[0, :, 0] == pytest.approx(prices[-1, 0])
    dear = BlockBootstrap(name="full", history={"prices": str(file)}, prices={"B": 7.0})
    assert dear.draw(first=0, paths=1, bars=2, seed=1).prices[0, 0].tolist() == [
        prices[-1, 0],
        7.0,
    ]


def test_without_drift_prices_are_martingales() -> None:
    for pooled in (False, True):
        scenario = block_bootstrap(drift="none", pooled=pooled)
        last = scenario.draw(first=0, paths=4000, bars=40, seed=2).prices[[0, -1]]
        ratio = last[1] / last[0]
        assert (abs(ratio.mean(axis=0) - 1) < 4 * ratio.std(axis=0) / np.sqrt(4000)).all()
        rows = scenario.rows
        for s, of in enumerate(rows.of):
            inside = rows.steps[s] if pooled else rows.steps[of]
            assert np.exp(inside).mean(axis=0) == pytest.approx(np.ones(3), abs=1e-14)


def test_the_twin_has_one_dependence_and_each_regime_s_volatility() -> None:
    twin = SCENARIO.constant_correlation()
    matrix = [np.corrcoef(twin.rows.steps[s].T) for s in (0, 1)]
    assert matrix[0] == pytest.approx(matrix[1], abs=1e-12)
    own = [np.corrcoef(HISTORY[rows].T) for rows in SCENARIO.rows.of]
    assert abs(own[0] - own[1]).max() > 0.02
    for s, rows in enumerate(SCENARIO.rows.of):
        assert twin.rows.steps[s].std(axis=0) == pytest.approx(HISTORY[rows].std(axis=0))
        assert twin.rows.steps[s].mean(axis=0) == pytest.approx(HISTORY[rows].mean(axis=0))
    panel = twin.draw(first=0, paths=400, bars=250, seed=3)
    assert np.array_equal(panel.regime, PANEL.regime)


def test_regimes_of_a_book_s_hedge() -> None:
    book = block_bootstrap(exposure={"SP500": 1.0}, hedge_with=("NASDAQ",))
    assert book.regime_names == ("normal", "convergence", "decoupling")
    rows = book.rows
    assert sum(len(r) for r in rows.of) == len(HISTORY)
    panel = book.draw(first=0, paths=200, bars=250, seed=1)
    for s in range(3):
        inside = np.diff(np.log(panel.prices), axis=0)[panel.regime[1:] == s]
        assert np.isin(rows_of(inside, HISTORY), rows.of[s]).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"history": "index-histry"}, "no built-in history 'index-histry'.*Did you mean"),
        ({"durations": {"decupling": 5.0}}, "'decupling', which its history never visits"),
        ({"start": "decoupling"}, "starts in regime 'decoupling'.*Visited: normal, crisis"),
        ({"prices": {"SP50": 1.0}}, "unknown asset 'SP50'. Did you mean 'SP500'"),
        ({"history": {"prices": "index-history", "columns": ["SP5"]}}, "asset 'SP5'"),
        ({"history": {"prices": "index-history", "start": "2031-01-01"}}, "has 0 stamps from 2031"),
        ({"history": {"prices": "index-history", "start": "may"}}, "date 'may' cannot be read"),
        ({"history": "nowhere.csv"}, "'nowhere.csv'"),
        ({"name": "a\nb"}, "printable"),
        ({"exposure": {"SP500": 1.0}}, "has an exposure or hedges, but not both"),
        ({"exposure": {"SP": 1.0}, "hedge_with": ("WTI",)}, "'SP', which"),
    ],
)
def test_bad_parameters(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BacktesterError, match=words):
        block_bootstrap(**changes)


def test_a_short_window_has_one_regime_and_says_so_of_the_other() -> None:
    short = {"prices": "index-history", "start": "2005-01-03", "end": "2005-03-31"}
    scenario = block_bootstrap(history=short)
    assert scenario.regime_names == ("normal",)
    assert (scenario.draw(first=0, paths=2, bars=9, seed=1).regime == 0).all()
    with pytest.raises(ScenarioError, match="'crisis', which its history never visits"):
        block_bootstrap(history=short, durations={"crisis": 10.0})


def test_bars_or_paths_that_cannot_be_drawn() -> None:
    with pytest.raises(ScenarioError, match="asked for 0 paths"):
        SCENARIO.draw(first=0, paths=0, bars=5, seed=1)
