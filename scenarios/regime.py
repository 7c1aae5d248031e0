"""Parameters of one regime, and of the mean-reverting processes within it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Strict, Tag

Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
NonNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
Probability = Annotated[float, Strict(), Field(ge=0, le=1)]


def _kind(value: Any) -> str:
    return "map" if isinstance(value, (Mapping, BaseModel)) else "one"


# One number for every asset, or one per asset by name.
PerAsset = Annotated[
    Annotated[Number, Tag("one")] | Annotated[dict[str, Number], Tag("map")], Discriminator(_kind)
]
PerAssetNonNegative = Annotated[
    Annotated[NonNegative, Tag("one")] | Annotated[dict[str, NonNegative], Tag("map")],
    Discriminator(_kind),
]
PerAssetPositive = Annotated[
    Annotated[Positive, Tag("one")] | Annotated[dict[str, Positive], Tag("map")],
    Discriminator(_kind),
]


class Parameters(BaseModel):
    """Frozen parameters; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MeanReverting(Parameters):
    """Ornstein–Uhlenbeck process: dx = κ (level − x) dt + …, κ = ln 2 / half-life.

    `volatility` is the stationary standard deviation, in the unit of `level`.
    """

    level: Number = 0.0
    volatility: NonNegative
    half_life_days: Positive


class Funding(MeanReverting):
    """Funding of a perpetual, decimals a year, positive = longs pay; |rate| is at most `clamp`."""

    clamp: Positive | None = None


class PairCorrelation(Parameters):
    """A correlation matrix in short: one value for every pair, and some pairs of their own."""

    default: Number
    pairs: dict[str, Number] = {}  # "BTC/ETH": 0.8


Matrix = tuple[tuple[Number, ...], ...]


class MarketState(Parameters):
    """What every regime has. Vols and drift a year; half-spread in bp; depth in money a day.

    Mappings are keyed by asset: `volatility` and `drift` by the assets that are not perpetuals
    (a perpetual follows its spot), `half_spread_bp` and `depth` by all, `funding` and `basis` by
    perpetual. `drift` is the expected return of the price; log returns have mean drift − σ²/2.
    """

    volatility: PerAssetNonNegative
    drift: PerAsset = 0.0
    half_spread_bp: PerAssetNonNegative | None = None
    depth: PerAssetPositive | None = None
    funding: dict[str, Funding] = {}
    basis: dict[str, MeanReverting] = {}
    duration_days: Positive | None = None
    next: dict[str, Probability] = {}


Freedom = Annotated[float, Strict(), Field(gt=2, allow_inf_nan=False)]
Correlation = Annotated[
    Annotated[Matrix, Tag("one")] | Annotated[PairCorrelation, Tag("map")],
    Discriminator(_kind),
]


class Regime(MarketState):
    """One state of a market whose returns are multivariate normal or Student-t.

    `scale_limit` bounds the Student-t scale √((ν−2)/χ²) of a day, with the variance kept: without
    it a law fitted to a few years draws days that no history of any length has shown.
    """

    correlation: Correlation
    degrees_of_freedom: Freedom | None = None
    scale_limit: Annotated[float, Strict(), Field(gt=1, allow_inf_nan=False)] | None = None


class CopulaRegime(MarketState):
    """One state of a market whose innovations have a Student-t copula.

    `correlation` is the copula's own (Kendall's τ is 2/π arcsin ρ whatever the margins), and
    `degrees_of_freedom` its ν; None is the Gaussian copula, which has no tail dependence.
    """

    correlation: Correlation
    degrees_of_freedom: Freedom | None = None
