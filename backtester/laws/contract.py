"""Law *contract*: shapes, names and finite numbers, also where a market is unkind."""

from __future__ import annotations

from dataclasses import replace

from backtester.engine import run
from backtester.errors import BacktesterError, ConfigError
from backtester.laws.bench import Bench
from backtester.laws.market import Layout, bare, bars_for, nearly_constant, synthetic
from backtester.laws.record import record
from backtester.laws.report import CheckResult, failed, note, passed

_NAN = " Rows of view.past after view.t hold NaN: a value read there is a look ahead."


def contract(bench: Bench) -> CheckResult:
    """Every decision of an ordinary run is usable."""
    taken = bench.baseline
    if taken.error is not None and _runs_unwatched(bench):
        return failed(
            "contract",
            "it raises only while its calls are watched, so it looks at who calls it: "
            + words(taken.error),
            taken.error.when,
        )
    if taken.error is not None:
        return failed("contract", words(taken.error), taken.error.when)
    if not taken.decisions:
        return failed("contract", "no decision was reached; is `warmup` longer than it says?")
    return passed("contract", f"{len(taken.decisions)} decisions, all usable")


def _runs_unwatched(bench: Bench) -> bool:
    try:
        run(bench.panel(), bench.fresh(), bench.setup)
    except BacktesterError:
        return False
    return True


def one_instrument(bench: Bench) -> CheckResult:
    """A study that allows a single hedge instrument."""
    name = "one instrument"
    asked = [a for a in bench.fresh().requires() if a in bench.layout.instruments]
    if len(asked) > 1:
        return passed(name, f"not asked: the strategy needs {', '.join(asked)}")
    only = asked[0] if asked else bench.layout.instruments[-1]
    layout = Layout(bench.layout.exposed, (only,))
    setup = replace(bench.setup, instruments=(only,))
    bars = bars_for(bench.fresh())
    panel = synthetic(layout, bars=bars, paths=2, seed=bench.seed)
    try:
        taken = record(bench.fresh(), panel, setup)
    except ConfigError as error:
        return failed(name, words(error), error.when)
    if taken.error is not None:
        return failed(name, f"with {only} alone: {words(taken.error)}", taken.error.when)
    return passed(name, f"works with {only} alone")


def quiet_asset(bench: Bench) -> CheckResult:
    """An asset that hardly moves makes variances vanish; no decision may turn NaN."""
    name = "quiet asset"
    asset = bench.layout.instruments[-1]
    panel = nearly_constant(bench.panel(), asset)
    taken = record(bench.fresh(), panel, bench.setup)
    if taken.error is not None:
        return failed(
            name,
            f"{asset} hardly moves, and then: {words(taken.error)} Guard divisions by a variance.",
            taken.error.when,
        )
    return passed(name, f"stays finite where {asset} hardly moves")


def bare_market(bench: Bench) -> CheckResult:
    """A market that publishes prices only; advice, since a strategy may be about funding."""
    name = "prices only"
    taken = record(bench.fresh(), bare(bench.panel()), bench.setup)
    if taken.error is not None:
        return note(
            name,
            False,
            "on a market without funding and depth, where view.funding and view.depth are None: "
            + words(taken.error),
            taken.error.when,
        )
    return note(name, True, "works on a market that publishes prices only")


def words(error: BacktesterError) -> str:
    """What and cure, with a hint where NaN may come from the future."""
    hint = _NAN if "not finite" in error.what else ""
    return f"{error.what}. {error.cure}{hint}"
