"""Ex-post labels: bursts found from their first day, from prices alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backtester.arrays import Float
from backtester.clock import CONTINUOUS
from backtester.errors import ConfigError
from backtester.market.panel import MarketPanel
from backtester.regimes.labels import labels_of
from backtester.regimes.volatility_labels import expost_label, market_volatility

HOUR = 3_600_000_000_000


def panel(returns: Float, hours: int = 24) -> MarketPanel:
    """A panel from log returns (T−1, P, N)."""
    path = np.concatenate([np.zeros((1, *returns.shape[1:])), np.cumsum(returns, axis=0)])
    times = np.arange(len(path), dtype=np.int64) * hours * HOUR + 1_577_836_800_000_000_000
    names = tuple("ABCDEFGH"[: returns.shape[2]])
    return MarketPanel(times=times, assets=names, prices=100 * np.exp(path), calendar=CONTINUOUS)


def bursts(seed: int = 0, bars: int = 730, paths: int = 1) -> tuple[Float, list[slice]]:
    """Returns at 2 % a day with two spells at 8 %."""
    spells = [slice(200, 240), slice(500, 530)]
    returns = 0.02 * np.random.default_rng(seed).standard_normal((bars, paths, 3))
    for spell in spells:
        returns[spell] *= 4.0
    return returns, spells


def test_known_bursts_are_found_from_their_first_day() -> None:
    returns, spells = bursts(paths=5)
    found = expost_label(panel(returns))
    crisis = found.label[1:] == 1
    for spell in spells:
        assert crisis[spell.start].all()
        assert crisis[spell].mean() > 0.95
    assert found.names == ("normal", "crisis")
    assert not found.known
    assert "with hindsight" in found.description and "15%" in found.description
    assert 0.12 < crisis.mean() < 0.2
    np.testing.assert_array_equal(found.label[0], found.label[1])


def test_one_enormous_day_is_crisis_itself() -> None:
    returns, _ = bursts()
    returns[350] = -0.5
    label = expost_label(panel(returns)).label[1:, 0]
    assert (label[341:360] == 1).all()


def test_spells_close_together_are_one_episode() -> None:
    returns = 0.01 * np.random.default_rng(1).standard_normal((600, 1, 4))
    returns[300:330] *= 6
    returns[350:380] *= 6
    label = expost_label(panel(returns)).label[1:, 0]
    assert (label[300:380] == 1).all()


def test_label_does_not_move_with_correlation() -> None:
    """Signs that undo the correlation but not the size of moves leave the label as it is."""
    rng = np.random.default_rng(2)
    common = 0.03 * rng.standard_normal((730, 1, 1)) * np.ones((1, 1, 3))
    flipped = common * rng.choice([-1.0, 1.0], size=(730, 1, 3))
    one, two = (market_volatility(panel(r), 21.0) for r in (common, flipped))
    np.testing.assert_allclose(one, two, rtol=1e-9)


def test_bar_size_changes_little() -> None:
    """The same prices daily and every four hours: the window is in clock time."""
    returns, _ = bursts()
    fine = np.repeat(returns / 6, 6, axis=0)
    day, hours = (expost_label(panel(r, h)).label for r, h in ((returns, 24), (fine, 4)))
    assert (day[1:, 0] == hours[1:, 0].reshape(730, 6)[:, 0]).mean() > 0.98


def test_units_of_an_asset_do_not_matter() -> None:
    returns, _ = bursts()
    scaled = returns * np.array([1.0, 0.01, 1.0])
    np.testing.assert_array_equal(
        expost_label(panel(returns)).label, expost_label(panel(scaled)).label
    )


def test_paths_are_labelled_alone() -> None:
    returns, _ = bursts(paths=4)
    whole = expost_label(panel(returns))
    for p in range(4):
        np.testing.assert_array_equal(
            whole.label[:, [p]], expost_label(panel(returns).path(p)).label
        )


def test_short_history_is_normal_and_says_so() -> None:
    found = expost_label(panel(bursts()[0][:60]))
    assert not found.label.any()
    assert "fewer than" in found.description


def test_true_regimes_are_used_where_known() -> None:
    returns, _ = bursts()
    truth = np.zeros((731, 1), dtype=np.int8)
    truth[5] = 1
    known = replace(panel(returns), regime=truth, regime_names=("calm", "storm"))
    found = labels_of(known)
    assert found.known and found.names == ("calm", "storm")
    np.testing.assert_array_equal(found.label, truth)
    assert not labels_of(panel(returns), labeller="volatility").known


@pytest.mark.parametrize("wrong", [{"window": 0.0}, {"share": 1.0}, {"shortest": -1.0}])
def test_nonsense_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="Give window"):
        expost_label(panel(bursts()[0]), **wrong)
