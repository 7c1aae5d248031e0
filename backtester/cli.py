"""The command line: one module per command in `backtester.commands`; starts without heavy imports.

Exit codes: 0 done; 1 `check` found a broken law, or `verify` a number that does not hold; 2 bad
input (study, data, file, option); 3 a strategy raised or broke its contract; 4 results or output
could not be written; 70 a defect of ours; 130 interrupted; 141 the reader of the output left.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from backtester.commands.calibrate import calibrate
from backtester.commands.check import check
from backtester.commands.compare import compare
from backtester.commands.demo import demo
from backtester.commands.listing import listing
from backtester.commands.new import strategy
from backtester.commands.streams import ended, prepare
from backtester.commands.stress import stress
from backtester.commands.verify import verify

app = typer.Typer(
    name="backtester",
    help="Does my hedge still work when correlations move, after costs, and what breaks it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
new = typer.Typer(help="Start a plugin from a working template.", no_args_is_help=True)
new.command("strategy")(strategy)
app.add_typer(new, name="new", short_help="start a plugin from a template")
app.command("demo", short_help="the built-in strategies, real and simulated")(demo)
app.command("compare", short_help="run a study and score it by regime")(compare)
app.command("stress", short_help="find what breaks a study's strategies")(stress)
app.command("list", short_help="installed strategies and scenarios")(listing)
app.command("calibrate", short_help="a scenario from prices")(calibrate)
app.command("check", short_help="hold a strategy to the laws")(check)
app.command("verify", short_help="published numbers beside our own")(verify)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"backtester {version('hedge-backtester')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Does my hedge still work when correlations move, after costs, and what breaks it?"""


def main() -> None:
    """Entry point of the `backtester` script."""
    prepare()
    code: object = 0
    try:
        app()
    except SystemExit as end:
        code = end.code
    if code is not None and not isinstance(code, int):
        sys.exit(str(code))
    sys.exit(ended(code or 0))
