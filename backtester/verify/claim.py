"""A published number, the product's own answer to it, and whether the two agree."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backtester.errors import ConfigError


@dataclass(frozen=True)
class Claim:
    """A number that the package says it reproduces.

    Attributes
    ----------
    topic: heading of the table it stands in.
    what: the quantity, with the inputs that matter.
    published: the decimal number as its source prints it, in `unit`.
    compute: the package's own answer in the same unit; it must call what users call.
    source: where `published` stands, or how it was derived.
    tolerance: largest relative error, absolute where `published` is zero; None is half a unit of
        the last printed digit.
    unit: printed behind both numbers.
    """

    topic: str
    what: str
    published: str
    compute: Callable[[], float]
    source: str
    tolerance: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        plain = re.fullmatch(r"-?\d+(\.\d+)?", self.published)
        if not plain or (self.tolerance is not None and not self.tolerance > 0.0):
            raise ConfigError(
                f"claim {self.what!r}: {self.published!r} within {self.tolerance!r} means nothing",
                cure="Give a decimal number as its source prints it, and a tolerance > 0.",
            )

    @property
    def value(self) -> float:
        """The published number."""
        return float(self.published)

    @property
    def within(self) -> float:
        """Largest error allowed, relative unless `published` is zero."""
        if self.tolerance is not None:
            return self.tolerance
        half = 0.5 * 10.0 ** -len(self.published.partition(".")[2])
        # A thousandth more: the digit itself was rounded in floating point.
        return 1.001 * half / (abs(self.value) or 1.0)

    def check(self) -> Row:
        """Compute it; a number that cannot be computed does not hold and says why."""
        try:
            ours = float(self.compute())
        except Exception as error:  # every row is shown, whatever another one did
            return Row(self, math.nan, f"{type(error).__name__}: {error}")
        return Row(self, ours)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    claim: Claim
    ours: float
    problem: str = ""  # why there is no number

    @property
    def error(self) -> float:
        """|ours − published| / |published|, absolute where the published number is zero."""
        published = self.claim.value
        return abs(self.ours - published) / (abs(published) or 1.0)

    @property
    def holds(self) -> bool:
        """Whether the error is within the tolerance; never where there is no number."""
        return self.error <= self.claim.within


def checked(claims: Iterable[Claim]) -> tuple[Row, ...]:
    """Every claim computed, in order."""
    return tuple(claim.check() for claim in claims)
