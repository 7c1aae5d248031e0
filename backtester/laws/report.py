"""What a check found: one result per law, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckResult:
    """One law and whether it held.

    A result that is only `advice` never fails a check: it tells the author about a property that
    not every honest strategy has.
    """

    name: str
    ok: bool
    message: str
    when: str | None = None  # first time it failed, ISO 8601
    advice: bool = False

    @property
    def verdict(self) -> str:
        """``pass``, ``FAIL`` or ``note``."""
        if self.ok:
            return "pass"
        return "note" if self.advice else "FAIL"


@dataclass(frozen=True)
class CheckReport:
    """Every law that was run on one strategy, in order."""

    strategy: str
    origin: str
    market: str  # the synthetic market it ran on, in words
    results: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """Whether every law held; advice does not count."""
        return not self.failures

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The laws that did not hold."""
        return tuple(r for r in self.results if not r.ok and not r.advice)

    def text(self) -> str:
        """The report as plain text, one law a line, for a terminal or an assertion."""
        width = max(len(r.name) for r in self.results)
        lines = [f"{self.strategy} ({self.origin})", f"on {self.market}"]
        for r in self.results:
            when = f" [first at {r.when}]" if r.when else ""
            lines.append(f"  {r.verdict}  {r.name:<{width}}  {r.message}{when}")
        count = len(self.failures)
        kept = "every law holds" if not count else f"{count} of {len(self.results)} laws broken"
        return "\n".join([*lines, kept])


def passed(name: str, message: str) -> CheckResult:
    """A law that held."""
    return CheckResult(name, True, message)


def failed(name: str, message: str, when: str | None = None) -> CheckResult:
    """A law that did not hold."""
    return CheckResult(name, False, message, when)


def note(name: str, ok: bool, message: str, when: str | None = None) -> CheckResult:
    """A property worth knowing, which an honest strategy may lack."""
    return CheckResult(name, ok, message, when, advice=True)
