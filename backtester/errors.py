"""Errors that name the object, the time and the cure; and `Status`, a path's outcome as data."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class BacktesterError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    what: the object and what is wrong with it.
    cure: what the user can do about it.
    when: the time it happened, where there is one (ISO 8601, UTC).
    """

    def __init__(self, what: str, *, cure: str, when: str | None = None) -> None:
        self.what, self.cure, self.when = what, cure, when
        at = f" at {when}" if when else ""
        super().__init__(f"{what}{at}. {cure}")

    def __reduce__(self) -> tuple[object, ...]:  # keyword arguments survive a worker's pickle
        return _rebuild, (type(self), self.what, self.cure, self.when)


def _rebuild(kind: type[BacktesterError], what: str, cure: str, when: str | None) -> Exception:
    return kind(what, cure=cure, when=when)


class DataError(BacktesterError):
    """Market data or a book that cannot be used as it is."""


class ConfigError(BacktesterError):
    """A study, parameter or scenario file that does not say what to do."""


class ScenarioError(BacktesterError):
    """A scenario that cannot be drawn: not PSD, out of bounds, no paths."""


class PluginError(BacktesterError):
    """A strategy, scenario or cost plugin that cannot be found, loaded or trusted."""


class StrategyError(PluginError):
    """A strategy that raised, or answered with a wrong shape, NaN or unknown instrument."""


class ProblemError(BacktesterError):
    """A hedge problem that is not well posed (not DPP, bad shapes, not finite)."""


class AccountingError(BacktesterError):
    """The ledger does not reconcile; always a defect of ours."""


class StoreError(BacktesterError):
    """Results that could not be written or read; nothing half-written is left behind."""


class Status(IntEnum):
    """Outcome of one path's hedge problem at one decision; the docstring of each is its advice."""

    NONE = 0
    OK = 1
    REFERENCE = 2
    SECOND = 3
    ELASTIC = 4
    HELD = 5
    INVALID = 6

    @property
    def ok(self) -> bool:
        """Whether an order may be sent: an answer exists and its certificate holds."""
        return self in (Status.OK, Status.REFERENCE, Status.SECOND, Status.ELASTIC)

    @property
    def advice(self) -> str:
        """What happened and what to do, for the report."""
        return _ADVICE[self]


_ADVICE = {
    Status.NONE: "no decision was due",
    Status.OK: "solved by the batched solver; certificate holds",
    Status.REFERENCE: "the batched solver's certificate failed; solved by the reference solver",
    Status.SECOND: "batched and reference solver failed; solved by the second solver",
    Status.ELASTIC: "limits could not all hold; relaxed in the stated order (turnover, then gross, "
    "then neutrality): widen the limit named in the report",
    Status.HELD: "no solver certified an answer; the previous hedge was kept: check the limits "
    "and the scale of the problem",
    Status.INVALID: "the problem of this path is not well posed: its covariance is not positive "
    "semi-definite, a value is not finite, or a lower limit exceeds the upper one; the previous "
    "hedge was kept: check the estimator, its warm-up and the limits",
}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice for a misspelt `name`: the nearest known ones, else all of them."""
    options = sorted(known)
    near = difflib.get_close_matches(name, options, n=3, cutoff=0.5)
    lower = {o.lower(): o for o in options}
    if name.lower() in lower:
        near = [lower[name.lower()]]
    if near:
        return "Did you mean " + " or ".join(repr(n) for n in near) + "?"
    return "Known: " + (", ".join(options) if options else "none") + "."
