"""Where a scenario's figures come from: the part of its file that is for people and for checks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from backtester.errors import ScenarioError
from backtester.plausibility import Scale

Text = Annotated[str, Field(min_length=1)]


class Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Block):
    """A data set: where it can be fetched again, and under which licence."""

    data: Text
    repository: Text
    licence: Text


class Window(Block):
    """First and last date of the sample, both included."""

    start: date
    end: date


class Choice(Block):
    """A figure that was not estimated: what, how it was chosen, and on whose word."""

    what: Text
    how: Text
    source: Text


class Figure(Block):
    """What an event was, in a measure that a drawn panel has too, and on whose word.

    measure: ``move`` simple return of `asset` from the first to the second of `days` (trading days
    after the first stamp); ``volatility`` a year, and ``correlation`` of the log returns of `pair`,
    between them; ``depth`` and ``spread`` at the second day relative to the base market, as a
    change and as a factor; ``funding`` mean rate a year of the bars that end within `days`, both
    included; ``quote`` change of the money all prices are in, at the second day.
    """

    measure: Literal["move", "volatility", "correlation", "depth", "spread", "funding", "quote"]
    asset: Text | None = None
    pair: Text | None = None
    days: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
    value: float
    source: Text

    @model_validator(mode="after")
    def _one_subject(self) -> Figure:
        if (self.measure == "correlation") != (self.asset is None) or (self.asset is None) == (
            self.pair is None
        ):
            raise ScenarioError(
                f"figure {self.measure!r} has asset {self.asset!r} and pair {self.pair!r}",
                cure="Give a pair such as BTC/ETH for a correlation, an asset otherwise.",
            )
        return self


class Provenance(Block):
    """Where a scenario's figures come from.

    `sample_size` is in bars by regime; `estimates` names the fields that were estimated, `choices`
    those that were set; `figures` are what a named event is measured by; `plausibility` is how
    unusual overlay parameters were in the history behind the figures: overlay → parameter → scale.
    """

    assets: tuple[Text, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)
    window: Window
    estimator: Text
    sample_size: dict[Text, Annotated[int, Field(ge=0)]] = Field(min_length=1)
    estimates: tuple[Text, ...]
    choices: tuple[Choice, ...] = ()
    figures: tuple[Figure, ...] = ()
    command: str | None = None
    notes: tuple[Text, ...] = ()
    plausibility: dict[Text, dict[Text, Scale]] = {}
