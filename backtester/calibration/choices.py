"""Figures a calibration cannot estimate from closing prices: chosen, each with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backtester.errors import ConfigError, did_you_mean
from backtester.fields import Number, Positive

T = TypeVar("T")
NonNegative = Annotated[Number, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]
Correlation = Annotated[Number, Field(ge=-1, le=1)]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Chosen(_Block, Generic[T]):
    """A value, how it was chosen, and on whose word."""

    value: T
    how: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]


class Decoupling(_Block):
    """Correlation each asset keeps with the anchor, the hedge that fails."""

    anchor: str
    correlation: dict[str, Correlation]


class Durations(_Block):
    """Expected durations of a stressed scenario, in days."""

    normal: Positive
    crisis: Positive


class Choices(_Block):
    """What is chosen, not estimated. Half-spread in bp, depth in money a day, clamp a year.

    Attributes
    ----------
    half_spread_bp, depth: in the normal regime, one number or one per asset (perpetuals too).
    spread_factor, depth_factor: what the crisis multiplies them by.
    scale_limit: largest Student-t scale of a day, in multiples of the regime's volatility.
    funding_clamp: largest |funding rate|, decimals a year, per perpetual.
    towards_one: θ of the crisis scenario's homotopy, one number or one per asset.
    decoupling: what `correlation_breakdown` does to the hedge.
    crisis_correlation: crisis correlations set by hand, "A/B": value.
    durations: of the crisis and correlation_breakdown scenarios.
    """

    half_spread_bp: Chosen[NonNegative | dict[str, NonNegative]]
    depth: Chosen[Positive | dict[str, Positive]]
    spread_factor: Chosen[Positive]
    depth_factor: Chosen[Positive]
    scale_limit: Chosen[Annotated[Number, Field(gt=1, allow_inf_nan=False)]] | None = None
    funding_clamp: Chosen[dict[str, Positive]] | None = None
    towards_one: Chosen[Share | dict[str, Share]] | None = None
    decoupling: Chosen[Decoupling] | None = None
    crisis_correlation: Chosen[dict[str, Correlation]] | None = None
    durations: Chosen[Durations] | None = None

    @classmethod
    def of(cls, data: dict[str, Any], source: str = "choices") -> Choices:
        """Choices from a mapping; a misspelt or invalid entry is a ConfigError."""
        for key in data:
            if key not in cls.model_fields:
                raise ConfigError(
                    f"{source}: unknown key {key!r}", cure=did_you_mean(key, cls.model_fields)
                )
        try:
            return cls(**data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ConfigError(
                f"{source}: {where}: {first['msg']}",
                cure="Every choice needs value, how and source; see docs/scenarios.md.",
            ) from error

    @classmethod
    def read(cls, path: Path) -> Choices:
        """Choices from a YAML file."""
        from backtester.yaml_files import read_mapping

        return cls.of(read_mapping(path, "choices"), f"choices file {path.name!r}")


PLAIN = Choices.of(
    {
        "half_spread_bp": {
            "value": 2.0,
            "how": "one number for every asset; replace it by your venue's figures",
            "source": "placeholder of `backtester calibrate`",
        },
        "depth": {
            "value": 100_000_000.0,
            "how": "one number for every asset; replace it by your venue's daily volume",
            "source": "placeholder of `backtester calibrate`",
        },
        "spread_factor": {
            "value": 4.0,
            "how": "spreads go from single-digit to tens of bp in a crisis",
            "source": "12-13 March 2020: single-digit bp to hundreds, one venue 1,000 bp "
            "(cryptoiq.co, thecoinrepublic.com)",
        },
        "depth_factor": {
            "value": 0.45,
            "how": "the depth left on the worst large venue after FTX: -57 % to -40 %",
            "source": "November 2022, BTC 2 % depth: Kraken -57 %, 16 exchanges -40 % "
            "(theblock.co 188845, cointime.ai)",
        },
    }
)
"""Used where no choices are given; the file that comes out says so."""
