"""`check_strategy`: every law, in an order in which each one's verdict can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backtester.errors import BacktesterError, PluginError
from backtester.laws.bench import Bench, bench_for
from backtester.laws.contract import bare_market, contract, one_instrument, quiet_asset
from backtester.laws.determinism import determinism, repeats
from backtester.laws.ensemble import ensemble
from backtester.laws.inputs import inputs
from backtester.laws.interface import interface
from backtester.laws.metamorphic import another_year, other_units, twice_the_book
from backtester.laws.report import CheckReport, CheckResult, failed, note
from backtester.laws.scrambling import scrambling
from backtester.laws.state import state
from backtester.laws.truncation import truncation
from backtester.progress import Progress, silent
from backtester.strategy import Strategy

Law = Callable[[Bench], CheckResult]

LAWS: dict[str, Law] = {
    "determinism": determinism,
    "state": state,
    "inputs": inputs,
    "causality: cut": truncation,
    "causality: scramble": scrambling,
    "ensemble": ensemble,
    "one instrument": one_instrument,
    "quiet asset": quiet_asset,
    "prices only": bare_market,
    "twice the book": twice_the_book,
    "price units": other_units,
    "calendar date": another_year,
}
# They compare runs, so a strategy that does not repeat itself would fail them all, for one reason.
COMPARING = {
    "state": ("determinism",),
    **dict.fromkeys(
        ("causality: cut", "causality: scramble", "ensemble", "twice the book", "price units"),
        ("determinism", "state"),
    ),
    "calendar date": ("determinism", "state"),
}


def check_strategy(
    reference: str | type[Strategy[Any]],
    *,
    parameters: dict[str, Any] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> CheckReport:
    """Run the laws that speak of strategies on small synthetic markets.

    Parameters
    ----------
    reference: a class, or a name, ``module:Class``, ``file.py`` or ``file.py:Class``.
    parameters: of the strategy; the defaults otherwise.
    seed: of the synthetic markets.
    progress: told after each law.

    Raises PluginError where `reference` cannot be loaded and ConfigError where `parameters` do not
    suit it. What is wrong with the strategy itself is in the report, never raised.
    """
    kind, origin = _load(reference)
    given = dict(parameters or {})
    first = interface(kind, given)
    if not first.ok:
        return CheckReport(kind.__name__, origin, "no market yet", (first,))
    bench = bench_for(kind, given, seed)
    results = [first, _judged("contract", contract, bench)]
    if results[-1].ok:
        for done, (name, law) in enumerate(LAWS.items(), start=1):
            found = _not_judged(name, results, bench) or _judged(name, law, bench)
            results.append(found)
            progress(done, len(LAWS), name)
    return CheckReport(kind.__name__, origin, bench.describe(), tuple(results))


def _not_judged(name: str, before: list[CheckResult], bench: Bench) -> CheckResult | None:
    """A law that cannot be judged because an earlier one showed that runs do not repeat."""
    broken = [r.name for r in before if not r.ok and r.name in COMPARING.get(name, ())]
    differs = repeats(bench) if broken else None
    if differs is None:
        return None
    why = f"not judged: two runs on the same data differ; mend {broken[0]} first"
    return note(name, False, why, differs.when)


def _judged(name: str, law: Law, bench: Bench) -> CheckResult:
    """A law's verdict; an error of the strategy is a failure of that law."""
    try:
        return law(bench)
    except BacktesterError as error:
        return failed(name, f"{error.what}. {error.cure}", error.when)


def _load(reference: str | type[Strategy[Any]]) -> tuple[type[Strategy[Any]], str]:
    if isinstance(reference, str):
        from backtester.plugins import find

        plugin, found = find("strategies", reference)
        assert isinstance(found, type)
        return found, plugin.origin
    if not (isinstance(reference, type) and issubclass(reference, Strategy)):
        raise PluginError(
            f"{reference!r} is not a strategy class",
            cure="Give a class that derives from backtester.strategy.Strategy, or its name.",
        )
    return reference, f"class {reference.__module__}.{reference.__qualname__}"
