"""A scenario's parameters as arrays per regime, in units of one bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Float
from backtester.errors import ScenarioError, did_you_mean

from .chain import generator_matrix, stationary, transition_matrix
from .correlation import check_correlation, semidefinite_cholesky
from .regime import CopulaRegime, MarketState, MeanReverting, PairCorrelation, Regime

if TYPE_CHECKING:
    from .regime_scenario import RegimeScenario

BASIS_POINT = 1e-4


@dataclass(frozen=True)
class Reversion:
    """An Ornstein–Uhlenbeck process over one bar, exactly: x' = level + decay (x − level) + s ε."""

    level: Float  # (S, K)
    decay: Float  # (S, K)
    noise: Float  # (S, K)
    spread: Float  # (S, K) stationary standard deviation


@dataclass(frozen=True)
class Tail:
    """Student-t scale √((ν−2)/χ²_ν), at most `limit`, divided by `norm` to keep unit variance."""

    freedom: float  # ν
    limit: float
    norm: float


@dataclass(frozen=True, eq=False)
class MarketTables:
    """Parameters by regime (S), assets that are not perpetuals (F), all assets (N), perps (K)."""

    start: Float  # (S,) probabilities of the first bar's regime
    transition: Float  # (S, S) over one bar
    mean: Float  # (S, F) of log returns over one bar
    volatility: Float  # (S, F) of log returns over one bar
    half_spread: Float | None  # (S, N) fraction of price
    depth: Float | None  # (S, N) money a day
    spot_of: tuple[int, ...]  # (K) column of each perpetual's spot
    funding: Reversion  # rate a year
    clamp: Float  # (S, K) rate a year, inf for none
    basis: Reversion  # log(perpetual / spot)
    years: float  # per bar


@dataclass(frozen=True, eq=False)
class CorrelationTables(MarketTables):
    """With the correlations of the assets that are not perpetuals."""

    correlation: Float  # (S, F, F)
    factor: Float  # (S, F, F) Cholesky


@dataclass(frozen=True, eq=False)
class Tables(CorrelationTables):
    """With the tails of a multivariate normal or Student-t law."""

    tails: tuple[Tail | None, ...]  # (S), None: Gaussian


def build_tables(scenario: RegimeScenario[Regime]) -> Tables:
    """Arrays of `scenario`; raises ScenarioError for what does not fit together."""
    market = market_fields(scenario)
    return Tables(
        **market,
        **correlation_fields(scenario),
        tails=tuple(_tail(n, r) for n, r in scenario.regimes.items()),
    )


def correlation_fields(
    scenario: RegimeScenario[Regime] | RegimeScenario[CopulaRegime],
) -> dict[str, Any]:
    """What `CorrelationTables` has beyond `MarketTables`."""
    spots = scenario.spots
    correlation = np.array([_matrix(n, r, spots) for n, r in scenario.regimes.items()])
    return {"correlation": correlation, "factor": semidefinite_cholesky(correlation)}


def market_fields(scenario: RegimeScenario[Any]) -> dict[str, Any]:
    """Fields of `MarketTables`; raises ScenarioError for what does not fit together."""
    from backtester.clock import calendar_named

    regimes, spots = scenario.regimes, tuple(scenario.prices)
    names, perpetuals = tuple(regimes), tuple(scenario.perpetuals)
    days = scenario.days_per_bar
    years = days / calendar_named(scenario.calendar).days_per_year
    rates = generator_matrix(
        names,
        {n: r.duration_days for n, r in regimes.items()},
        {n: r.next for n, r in regimes.items()},
    )
    if scenario.start == "stationary":
        start = stationary(rates)
    elif scenario.start in names:
        start = np.eye(len(names))[names.index(scenario.start)]
    else:
        raise ScenarioError(
            f"scenario {scenario.name!r} starts in unknown regime {scenario.start!r}",
            cure=did_you_mean(scenario.start, ("stationary", *names)),
        )
    annual = _rows(regimes, "volatility", spots)
    drift = _rows(regimes, "drift", spots, default=0.0)
    assert annual is not None and drift is not None
    clamps = [
        [_per_perpetual(n, r, "funding", p).clamp or np.inf for p in perpetuals]  # type: ignore[attr-defined]
        for n, r in regimes.items()
    ]
    for name, regime in regimes.items():
        for item in ("funding", "basis"):
            for key in getattr(regime, item):
                if key not in perpetuals:
                    raise _unknown(name, item, key, perpetuals)
    return {
        "start": start,
        "transition": transition_matrix(rates, days),
        "mean": (drift - annual * annual / 2.0) * years,
        "volatility": annual * np.sqrt(years),
        "half_spread": _scaled(_rows(regimes, "half_spread_bp", scenario.assets), BASIS_POINT),
        "depth": _rows(regimes, "depth", scenario.assets),
        "spot_of": tuple(spots.index(s) for s in scenario.perpetuals.values()),
        "funding": _reversion(regimes, "funding", perpetuals, days),
        "clamp": np.array(clamps, dtype=np.float64).reshape(len(names), len(perpetuals)),
        "basis": _reversion(regimes, "basis", perpetuals, days),
        "years": years,
    }


def _tail(regime: str, parameters: Regime) -> Tail | None:
    """With a = (ν−2)/limit²: E[min((ν−2)/χ², limit²)] = P(χ²_{ν−2} > a) + limit² P(χ²_ν < a)."""
    freedom, limit = parameters.degrees_of_freedom, parameters.scale_limit
    if freedom is None:
        if limit is not None:
            raise ScenarioError(
                f"regime {regime!r} has a scale_limit but no degrees_of_freedom",
                cure="Gaussian returns have no scale to limit; remove it, or give both.",
            )
        return None
    if limit is None:
        return Tail(freedom, np.inf, 1.0)
    from scipy.special import gammainc, gammaincc

    half = (freedom - 2.0) / limit**2 / 2.0
    variance = gammaincc(freedom / 2.0 - 1.0, half) + limit**2 * gammainc(freedom / 2.0, half)
    return Tail(freedom, limit, float(np.sqrt(variance)))


def _rows(
    regimes: Mapping[str, MarketState],
    item: str,
    assets: Sequence[str],
    default: float | None = None,
) -> Float | None:
    """One row per regime; None where no regime gives the item."""
    given = {name: getattr(regime, item) for name, regime in regimes.items()}
    absent = [name for name, value in given.items() if value is None]
    if len(absent) == len(given):
        return None
    if absent:
        raise ScenarioError(
            f"regime {absent[0]!r} has no {item}, but another regime has",
            cure="Give it in every regime, or in none.",
        )
    rows = [_row(name, item, value, assets, default) for name, value in given.items()]
    return np.array(rows, dtype=np.float64)


def _row(
    regime: str, item: str, value: object, assets: Sequence[str], default: float | None
) -> list[float]:
    if not isinstance(value, Mapping):
        assert isinstance(value, (int, float))
        return [float(value)] * len(assets)
    for key in value:
        if key not in assets:
            raise _unknown(regime, item, key, assets)
    lacking = [a for a in assets if a not in value]
    if lacking and default is None:
        raise ScenarioError(
            f"{item} of regime {regime!r} lacks asset {lacking[0]!r}",
            cure="Give one number for all assets, or one per asset.",
        )
    return [float(value.get(a, default)) for a in assets]


def _unknown(regime: str, item: str, key: str, known: Sequence[str]) -> ScenarioError:
    return ScenarioError(
        f"{item} of regime {regime!r} names unknown asset {key!r}", cure=did_you_mean(key, known)
    )


def _scaled(rows: Float | None, factor: float) -> Float | None:
    return None if rows is None else rows * factor


def _matrix(regime: str, parameters: Regime | CopulaRegime, names: Sequence[str]) -> Float:
    given, who = parameters.correlation, f"correlation of regime {regime!r}"
    if isinstance(given, PairCorrelation):
        matrix = np.full((len(names), len(names)), given.default)
        np.fill_diagonal(matrix, 1.0)
        known = {
            f"{a}/{b}": (i, j) for i, a in enumerate(names) for j, b in enumerate(names) if i != j
        }
        for pair, value in given.pairs.items():
            if pair not in known:
                raise ScenarioError(
                    f"{who} has unknown pair {pair!r}", cure=did_you_mean(pair, known)
                )
            i, j = known[pair]
            matrix[i, j] = matrix[j, i] = value
    elif any(len(row) != len(given) for row in given):
        raise ScenarioError(f"rows of the {who} differ in length", cure="Give a square matrix.")
    else:
        matrix = np.array(given, dtype=np.float64)
    check_correlation(matrix, names, who)
    return matrix


def _per_perpetual(
    regime: str, parameters: MarketState, item: str, perpetual: str
) -> MeanReverting:
    given: Mapping[str, MeanReverting] = getattr(parameters, item)
    if perpetual not in given:
        raise ScenarioError(
            f"{item} of regime {regime!r} lacks perpetual {perpetual!r}",
            cure="Give volatility and half_life_days (and level) for each perpetual.",
        )
    return given[perpetual]


def _reversion(
    regimes: Mapping[str, MarketState], item: str, perpetuals: Sequence[str], days: float
) -> Reversion:
    shape = (len(regimes), len(perpetuals))
    of = [[_per_perpetual(n, r, item, p) for p in perpetuals] for n, r in regimes.items()]
    level = np.array([[x.level for x in row] for row in of]).reshape(shape)
    spread = np.array([[x.volatility for x in row] for row in of]).reshape(shape)
    half_life = np.array([[x.half_life_days for x in row] for row in of]).reshape(shape)
    decay = np.exp2(-days / half_life)
    return Reversion(level, decay, spread * np.sqrt(1.0 - decay * decay), spread)
