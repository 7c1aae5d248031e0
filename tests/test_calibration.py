"""Calibration finds what was put in, says how sure it is, and refuses what it cannot use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from backtester_scenarios.correlated_returns import CorrelatedReturns

from backtester.calibration import Calibration, calibrate
from backtester.calibration.choices import PLAIN, Choices, Decoupling
from backtester.calibration.estimate import student_freedom, volatility_adjusted
from backtester.calibration.files import at_bar_end, bond_index, calibrate_files, log_basis
from backtester.calibration.library_choices import choices_named
from backtester.calibration.split import split_by_volatility
from backtester.calibration.variants import decoupled, towards_one
from backtester.errors import BacktesterError, ConfigError, DataError
from backtester.scenario_files import read_scenario

BARS = 3000
PERPETUALS = {"A-PERP": "A"}


def true_regime(rho: float, volatility: float, days: float) -> dict[str, Any]:
    return {
        "duration_days": days,
        "volatility": {"A": volatility, "B": 0.8 * volatility},
        "correlation": {"default": rho},
        "degrees_of_freedom": 6.0,
        "funding": {"A-PERP": {"level": 0.1, "volatility": 0.2, "half_life_days": 4.0}},
        "basis": {"A-PERP": {"volatility": 0.001, "half_life_days": 2.0}},
    }


TRUTH = CorrelatedReturns(
    name="truth",
    prices={"A": 100.0, "B": 10.0},
    perpetuals=PERPETUALS,
    regimes={
        "normal": true_regime(0.3, 0.4, 180.0),
        "crisis": true_regime(0.85, 1.6, 45.0),
    },
)


@pytest.fixture(scope="module")
def sample() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, float]:
    """Prices, funding, basis and the true share of crisis bars of one long path."""
    panel = TRUTH.draw(first=0, paths=1, bars=BARS, seed=21)
    prices = panel.to_frame()
    assert panel.funding is not None and panel.regime is not None
    funding = pd.DataFrame({"A-PERP": panel.funding[:, 0, 2]}, index=prices.index)
    basis = log_basis(prices, PERPETUALS)
    return prices[["A", "B"]], funding.iloc[1:], basis, float((panel.regime == 1).mean())


@pytest.fixture(scope="module")
def fitted(sample: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, float]) -> Calibration:
    prices, funding, basis, share = sample
    return calibrate(
        prices, crisis_share=share, perpetuals=PERPETUALS, funding=funding, basis=basis
    )


def test_a_simulated_sample_gives_its_parameters_back(fitted: Calibration) -> None:
    normal, crisis = fitted.regimes["normal"], fitted.regimes["crisis"]
    # labels are inferred, so some bars are filed wrongly: tolerances beyond the standard errors
    assert normal.correlation[0, 1] == pytest.approx(0.3, abs=0.07)
    assert crisis.correlation[0, 1] == pytest.approx(0.85, abs=0.04)
    assert normal.volatility == pytest.approx([0.4, 0.32], rel=0.1)
    assert crisis.volatility == pytest.approx([1.6, 1.28], rel=0.12)
    assert normal.correlation_error[0, 1] == pytest.approx(0.91 / np.sqrt(normal.bars), rel=0.05)
    assert fitted.split.normal_days == pytest.approx(180, rel=0.6)
    assert fitted.split.crisis_days == pytest.approx(45, rel=0.6)
    funding, basis = fitted.funding["A-PERP"], fitted.basis["A-PERP"]
    assert funding.half_life_days == pytest.approx(4.0, rel=0.2)
    assert funding.level["normal"] == pytest.approx(0.1, abs=0.04)
    assert funding.volatility["normal"] == pytest.approx(0.2, rel=0.12)
    assert basis.half_life_days == pytest.approx(2.0, rel=0.2)
    assert basis.volatility["crisis"] == pytest.approx(0.001, rel=0.15)


def test_what_it_writes_is_a_scenario(fitted: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(fitted.to_yaml(name="mine", command="a test"), encoding="utf-8")
    found = read_scenario(path)
    assert found.scenario.name == "mine" and found.scenario.assets == ("A", "B", "A-PERP")
    assert found.provenance.sample_size == {n: e.bars for n, e in fitted.regimes.items()}
    assert {c.what for c in found.provenance.choices} >= {"half_spread_bp", "depth_factor"}
    assert "the user's own prices" in found.provenance.sources[0].data
    written = found.scenario.tables.correlation[1, 0, 1]  # type: ignore[attr-defined]
    assert written == pytest.approx(fitted.regimes["crisis"].correlation[0, 1], abs=1e-4)
    assert found.scenario.draw(first=0, paths=2, bars=10, seed=1).paths == 2
    normal = yaml.safe_load(fitted.to_yaml(kind="normal"))
    assert list(normal["regimes"]) == ["normal"] and normal["name"] == "normal"


def test_the_table_shows_what_selection_does(fitted: Calibration) -> None:
    text = fitted.text()
    for words in ("A/B", "vol-adjusted", "half-life", "episodes", "±", "2000-01-01"):
        assert words in text
    # methods A8: nine times the variance turns .5 into .8660; the adjustment takes it back
    shown = np.array([[1.0, 0.866025], [0.866025, 1.0]])
    adjusted = volatility_adjusted(shown, np.array([3.0, 3.0]), np.array([1.0, 1.0]))
    assert adjusted[0, 1] == pytest.approx(0.5, abs=1e-6)


def test_constant_correlation_is_inflated_and_adjusted_back() -> None:
    rng = np.random.default_rng(5)
    scale = np.where(np.arange(6000) % 300 < 30, 3.0, 1.0)
    common, noise = rng.standard_normal((2, 6000))
    returns = np.stack([common * scale, 0.5 * common * scale + np.sqrt(0.75) * noise], axis=1)
    index = pd.date_range("2000-01-01", periods=6001, tz="UTC")
    steps = np.vstack([[0, 0], np.cumsum(returns, axis=0)]) / 100
    frame = pd.DataFrame(np.exp(steps), index=index, columns=["A", "B"])
    found = calibrate(frame)
    raw = found.regimes["crisis"].correlation[0, 1]
    assert raw > found.regimes["normal"].correlation[0, 1] + 0.2  # although β never changed


@pytest.mark.parametrize("freedom", [4.0, 10.0, None])
def test_degrees_of_freedom(freedom: float | None) -> None:
    rng = np.random.default_rng(1)
    z = rng.standard_normal((8000, 3))
    if freedom is not None:
        z *= np.sqrt((freedom - 2) / rng.chisquare(freedom, 8000))[:, None]
    found = student_freedom(z, np.eye(3))
    assert found is None if freedom is None else found == pytest.approx(freedom, rel=0.12)


def test_ledoit_wolf_shrinks_towards_the_identity(
    sample: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, float],
) -> None:
    plain = calibrate(sample[0]).regimes["crisis"].correlation[0, 1]
    shrunk = calibrate(sample[0], estimator="ledoit_wolf").regimes["crisis"].correlation[0, 1]
    assert 0.9 * plain < shrunk < plain


def test_choices_of_the_stressed_kinds(fitted: Calibration) -> None:
    with pytest.raises(ConfigError, match="kind 'crisis' needs the choice 'towards_one'"):
        fitted.to_yaml(kind="crisis")
    with pytest.raises(ConfigError, match=r"unknown kind of scenario 'crises'.*'crisis'"):
        fitted.to_yaml(kind="crises")
    how = {"how": "for a test", "source": "none"}
    more = {
        "towards_one": {"value": 0.5, **how},
        "decoupling": {"value": {"anchor": "B", "correlation": {"A": 0.2}}, **how},
        "durations": {"value": {"normal": 50.0, "crisis": 25.0}, **how},
    }
    choices = Choices.of(PLAIN.model_dump(exclude_none=True) | more)
    crisis = yaml.safe_load(fitted.to_yaml(kind="crisis", choices=choices))
    estimated = fitted.regimes["crisis"].correlation[0, 1]
    written = crisis["regimes"]["crisis"]
    assert written["correlation"][0][1] == pytest.approx((1 + estimated) / 2, abs=1e-4)
    assert written["duration_days"] == 25.0 and crisis["start"] == "normal"
    assert written["half_spread_bp"] == 8.0 and written["depth"] == 45e6
    apart = yaml.safe_load(fitted.to_yaml(kind="correlation_breakdown", choices=choices))
    assert apart["regimes"]["crisis"]["correlation"][0][1] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"half_spread": 1}, "unknown key 'half_spread'. Did you mean 'half_spread_bp'"),
        ({"depth_factor": {"value": -1.0, "how": "x", "source": "y"}}, "depth_factor.value"),
        ({"depth_factor": {"value": 0.5}}, "depth_factor.how"),
        ({"towards_one": {"value": 1.5, "how": "x", "source": "y"}}, "towards_one.value"),
    ],
)
def test_bad_choices(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Choices.of(PLAIN.model_dump(exclude_none=True) | entry)


def test_choices_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "choices.yaml"
    path.write_text(yaml.safe_dump(PLAIN.model_dump(exclude_none=True)), encoding="utf-8")
    assert Choices.read(path) == PLAIN == choices_named(str(path)) == choices_named("plain")
    with pytest.raises(ConfigError, match=r"no choices called 'crytpo'. Did you mean 'crypto'"):
        choices_named("crytpo")
    with pytest.raises(ConfigError, match=r"none.yaml.*cannot be read"):
        choices_named("none.yaml")


def test_variants_are_correlation_matrices() -> None:
    rng = np.random.default_rng(3)
    base = np.corrcoef(rng.standard_normal((4, 12)))
    names = tuple("ABCD")
    one = towards_one(base, names, {"A": 0.0, "B": 0.3, "C": 1.0, "D": 0.9})
    assert np.linalg.eigvalsh(one).min() > -1e-12
    assert towards_one(base, names, 1.0) == pytest.approx(np.ones((4, 4)))
    assert towards_one(base, names, 0.0) == pytest.approx(base)
    wanted = {"B": base[0, 1] / 2, "C": 0.0}
    apart = decoupled(base, names, Decoupling(anchor="A", correlation=wanted))
    assert np.linalg.eigvalsh(apart).min() > 0
    assert apart[0, 1] == pytest.approx(base[0, 1] / 2) and apart[0, 2] == 0.0
    assert apart[0, 3] == base[0, 3]
    with pytest.raises(ConfigError, match="Decoupling can only weaken"):
        decoupled(base, names, Decoupling(anchor="A", correlation={"B": 0.999}))
    with pytest.raises(ConfigError, match="decoupling names unknown 'X'"):
        decoupled(base, names, Decoupling(anchor="X", correlation={}))


def walk(bars: int, seed: int = 0, names: tuple[str, ...] = ("A", "B")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    index = pd.date_range("2020-01-01", periods=bars, tz="UTC")
    steps = rng.standard_normal((bars, len(names))) / 50
    return pd.DataFrame(np.exp(np.cumsum(steps, axis=0)), index=index, columns=list(names))


def late(frame: pd.DataFrame) -> pd.DataFrame:
    """A and B with no common day."""
    frame = frame.copy()
    frame.iloc[:300, 0] = np.nan
    frame.iloc[300:, 1] = np.nan
    return frame


GROWTH = pd.DataFrame({"A": walk(400)["A"], "B": 2.0 ** np.arange(400.0)}, index=walk(400).index)


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (walk(40), {}, "39 returns are too few.*at least 63"),
        (walk(120), {}, r"'crisis' has 1\d bars, too few for 2 assets.*longer history"),
        (walk(400), {"assets": ("A", "b")}, "no column 'b'. Did you mean 'B'"),
        (late(walk(600)), {}, "hardly overlap"),
        (walk(400).assign(B=1.0), {}, "price of 'B'.*never changes"),
        (GROWTH, {}, "'B' has the same return on every bar"),
        (walk(400).assign(B=-1.0), {}, "price of 'B'.*negative"),
        (walk(400), {"crisis_share": 0.0}, r"not in \(0, 0.5\]"),
        (walk(400), {"crisis_share": 0.9}, r"not in \(0, 0.5\]"),
        (walk(400), {"window_days": -1.0}, "window of -1 days"),
        (walk(400), {"estimator": "smaple"}, "Did you mean 'sample'"),
        (walk(400), {"start": "2030-01-01"}, "have no rows from 2030-01-01"),
        (walk(400), {"start": "soon"}, "'soon' is not a date"),
        (walk(400), {"calendar": "always"}, "unknown calendar 'always'"),
        (walk(400), {"perpetuals": PERPETUALS}, "perpetuals need funding data"),
        (walk(400), {"perpetuals": {"X-PERP": "X"}}, "follows 'X', which is not calibrated"),
        (walk(400).tz_localize(None), {}, "no time zone"),
        (
            walk(900),
            {"perpetuals": PERPETUALS, "funding": walk(50), "basis": walk(900)},
            "funding of 'A-PERP' has .* values in regime",
        ),
        (
            walk(900),
            {"perpetuals": PERPETUALS, "funding": walk(900, names=("X",)), "basis": walk(900)},
            "funding of 'A-PERP' has no column 'A'",
        ),
        (
            walk(900),
            {"perpetuals": PERPETUALS, "funding": walk(900) * 0 + 1e-4, "basis": walk(900)},
            "funding of 'A-PERP' never changes",
        ),
    ],
)
def test_data_that_cannot_be_used(frame: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(BacktesterError, match=words) as caught:
        calibrate(frame, **options)
    assert caught.value.cure


def test_a_regime_that_is_never_left() -> None:
    quiet_then_wild = np.r_[np.full(200, 0.01), np.full(40, 0.2)][:, None]
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (240, 1))
    with pytest.raises(DataError, match="the way into and out of a crisis"):
        split_by_volatility(quiet_then_wild * signs, 1.0, 0.15)


def test_the_split_is_by_clock_time() -> None:
    rng = np.random.default_rng(0)
    loud = np.where((np.arange(2000) // 100) % 5 == 4, 4.0, 1.0)
    daily = rng.standard_normal((2000, 2)) * loud[:, None]
    hourly = np.repeat(daily, 4, axis=0) / 2 * rng.choice([-1, 1], (8000, 1))
    one, two = split_by_volatility(daily, 1.0, 0.2), split_by_volatility(hourly, 0.25, 0.2)
    assert (one.crisis == two.crisis.reshape(2000, 4).mean(axis=1).round()).mean() > 0.98
    assert two.crisis_days == pytest.approx(one.crisis_days, rel=0.25)


def test_bond_index() -> None:
    yields = pd.Series([4.0, 4.0, np.nan, 5.0], index=pd.date_range("2020-01-01", periods=4))
    index = bond_index(yields)
    duration = (1 - 1.02**-20) / 0.04  # 8.1757 years
    assert duration == pytest.approx(8.1757, abs=1e-4)
    assert index.tolist() == pytest.approx(
        [100.0, 100 * np.exp(0.04 / 252), 100 * np.exp(0.08 / 252 - duration * 0.01)]
    )


def test_files(
    sample: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, float],
    fitted: Calibration,
    tmp_path: Path,
) -> None:
    prices, funding, basis, share = sample
    venue = prices.assign(**{"A-PERP": prices["A"] * np.exp(basis["A-PERP"])})
    for name, frame in (("prices", prices), ("funding", funding), ("venue", venue)):
        frame.to_csv(tmp_path / f"{name}.csv", date_format="%Y-%m-%dT%H:%MZ")
    found = calibrate_files(
        tmp_path / "prices.csv",
        funding=tmp_path / "funding.csv",
        basis=tmp_path / "venue.csv",
        perpetuals=PERPETUALS,
        crisis_share=share,
    )
    assert found.text() == fitted.text()
    with pytest.raises(ConfigError, match="bar label 'end' is unknown"):
        calibrate_files(tmp_path / "prices.csv", bar_label="end")
    moved = at_bar_end(prices)
    assert moved.index[0] == prices.index[1] and len(moved) == len(prices)
    with pytest.raises(DataError, match="basis prices have no column 'B-PERP'"):
        log_basis(prices, {"B-PERP": "B"})


DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.mark.slow
@pytest.mark.parametrize("data", [DATA] if DATA.is_dir() else [], ids=["shared"])
def test_the_library_is_what_its_command_writes(data: Path) -> None:
    """The shipped files are exactly what the module in their provenance makes of the data."""
    import backtester_scenarios

    from backtester.calibration.library import files

    folder = Path(backtester_scenarios.__file__).parent
    for name, text in files(data).items():
        assert (folder / name).read_text(encoding="utf-8") == text, name
