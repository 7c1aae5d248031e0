"""Records are frozen dataclasses in all but the time they take to make."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from inspect import signature
from typing import Any

import pytest

from backtester.hedging.decision import HedgeDecision, Target
from backtester.market.view import MarketView
from backtester.records import record


@record
class Point:
    """Three fields, one given."""

    x: float
    y: float = 2.0
    names: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plain:
    """The same as a dataclass."""

    x: float
    y: float = 2.0
    names: dict[str, int] = field(default_factory=dict)


def test_a_record_is_made_and_changed_as_a_dataclass_is() -> None:
    point = Point(1.0, names={"a": 1})
    assert (point.x, point.y, point.names) == (1.0, 2.0, {"a": 1})
    assert point == Point(x=1.0, y=2.0, names={"a": 1}) != replace(point, y=3.0)
    assert replace(point, y=3.0) == Point(1.0, 3.0, {"a": 1})
    assert repr(point).endswith("Point(x=1.0, y=2.0, names={'a': 1})")
    assert pickle.loads(pickle.dumps(point)) == point
    assert [f.name for f in fields(point)] == ["x", "y", "names"]  # type: ignore[arg-type]
    assert list(signature(Point).parameters) == list(signature(Plain).parameters)


def test_a_default_is_made_afresh() -> None:
    one, other = Point(1.0), Point(1.0)
    assert one.names == {} and one.names is not other.names


@pytest.mark.parametrize("name", ["x", "new"])
def test_nothing_can_be_set(name: str) -> None:
    point: Any = Point(1.0)
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{name}'"):
        setattr(point, name, 3.0)
    with pytest.raises(FrozenInstanceError):
        del point.x


@pytest.mark.parametrize("kind", [Point, Plain])
def test_what_is_missing_or_unknown_is_named(kind: Any) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        kind()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        kind(1.0, z=2.0)


def test_what_it_would_not_call_is_refused() -> None:
    with pytest.raises(TypeError, match="Late has a __post_init__"):

        @record
        class Late:
            x: float

            def __post_init__(self) -> None: ...


def test_what_a_strategy_meets_and_makes_is_frozen() -> None:
    decision: Any = HedgeDecision(None, Target(None))  # type: ignore[arg-type]
    with pytest.raises(FrozenInstanceError):
        decision.scale = 1.0
    assert decision.signals == {} and decision.carry_seeking is False
    assert "past" in signature(MarketView).parameters
