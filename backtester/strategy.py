"""The protocol a user implements: a strategy says what, the engine says how.

A strategy is a frozen pydantic model: its fields are its parameters. All that evolves is an
explicit state value that the engine carries from event to event, so one instance serves any number
of runs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backtester.accounting.book import Book
from backtester.errors import ConfigError, did_you_mean
from backtester.hedging.decision import HedgeDecision
from backtester.market.view import MarketInfo, MarketView
from backtester.monitors.monitor import Monitor

Days = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A length of trading time in days, > 0."""

S = TypeVar("S")


class Strategy(BaseModel, Generic[S]):
    """Base of every strategy; parameters are fields, `S` is the state it carries.

    The engine calls `init` and `monitors` once, `observe` at every market event on every path, and
    `decide` when a rebalance is due: on schedule, or where a monitor's event asks for one. All
    arrays are read-only; to change one, copy it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @property
    def warmup(self) -> float:
        """Trading days of history needed before the first decision."""
        return 0.0

    def requires(self) -> tuple[str, ...]:
        """Assets the market must have; checked before the run."""
        return ()

    def init(self, market: MarketInfo) -> S:
        """State before the first event."""
        return None  # type: ignore[return-value]

    def observe(self, view: MarketView, state: S) -> S:
        """State after the event; runs on every path at every event."""
        return state

    def monitors(self, market: MarketInfo) -> tuple[Monitor[Any], ...]:
        """What to watch; asked once, before the first event. Events are in `view.events`."""
        return ()

    @abstractmethod
    def decide(self, view: MarketView, book: Book, state: S) -> HedgeDecision:
        """What to hedge and how risk is measured; pure.

        It answers for every path; the engine uses the answer where `view.due` is on (None: all).
        """

    @classmethod
    def configured(cls, parameters: dict[str, Any] | None = None) -> Strategy[Any]:
        """An instance from parameters; a misspelt or invalid one is a ConfigError with advice."""
        given = parameters or {}
        for key in given:
            if key not in cls.model_fields:
                raise ConfigError(
                    f"strategy {cls.__name__} has no parameter {key!r}",
                    cure=did_you_mean(key, cls.model_fields),
                )
            if isinstance(given[key], bool) and _numbers_only(cls.model_fields[key].annotation):
                raise ConfigError(  # pydantic would read 1 or 0
                    f"strategy {cls.__name__}: parameter {key!r} is a number, not {given[key]}",
                    cure="See the docstring of the strategy for the meaning of its parameters.",
                )
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the parameters"
            raise ConfigError(
                f"strategy {cls.__name__}: parameter {where!r} is not valid: {first['msg']}",
                cure="See the docstring of the strategy for the meaning of its parameters.",
            ) from error


def _numbers_only(annotation: Any) -> bool:
    """Whether a field takes numbers, and neither true nor false."""
    kinds = {
        get_args(kind)[0] if get_origin(kind) is Annotated else kind
        for kind in (annotation, *get_args(annotation))
        if isinstance(kind, Hashable)
    }
    return bool(kinds & {int, float}) and bool not in kinds
