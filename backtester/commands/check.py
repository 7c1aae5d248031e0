"""`backtester check FILE_OR_NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtester.commands.console import BROKEN, NARROW, Debug, Quiet, command, console, plain, say
from backtester.commands.progress import shown_progress
from backtester.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from backtester.laws.report import CheckReport


@command
def check(
    reference: Annotated[
        str, typer.Argument(help="A name, module:Class or file.", metavar="FILE_OR_NAME")
    ],
    parameters: Annotated[
        str | None,
        typer.Option(
            "--parameters", help="JSON, YAML, or a file of either.", metavar="TEXT_OR_FILE"
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the synthetic markets.")] = 0,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Hold a strategy to the laws: no look-ahead, no hidden state, the same on every path."""
    given = read_parameters(parameters)
    with shown_progress(quiet) as progress:
        from backtester.laws import check_strategy

        report = check_strategy(reference, parameters=given, seed=seed, progress=progress)
    if not quiet:
        say(f"{report.strategy} ({report.origin})")
        say(f"on {report.market}")
        if console().width >= NARROW:
            console().print(table(report))
        else:
            for result in report.results:
                say(f"{result.verdict} {result.name}: {result.message}")
    if report.ok:
        say(f"{report.strategy}: every law holds")
        return
    broken = ", ".join(r.name for r in report.failures)
    say(f"{report.strategy}: broken: {broken}. docs/plugins.md says what each law means.")
    raise typer.Exit(BROKEN)


def read_parameters(text: str | None) -> dict[str, Any]:
    """Parameters from a file, or from JSON or YAML text; raises ConfigError."""
    from backtester.yaml_files import parse_mapping, read_mapping

    if text is None:
        return {}
    if text.lower().endswith((".json", ".yaml", ".yml")):
        return read_mapping(Path(text), "parameter")
    try:
        return parse_mapping(text, "parameter", "--parameters")
    except ConfigError as error:
        raise ConfigError(
            f"--parameters {text[:80]!r} cannot be read: {error.what}",
            cure="Give JSON such as '{\"halflife\": 20}', or a .json or .yaml file.",
        ) from error


def table(report: CheckReport) -> Table:
    """The laws, their verdicts and what was seen."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False)
    shown.add_column("law", no_wrap=True)
    shown.add_column("", no_wrap=True)
    shown.add_column("what was seen", ratio=1, overflow="fold")
    colours = {"pass": "green", "FAIL": "bold red", "note": "yellow"}
    for result in report.results:
        when = f" First at {result.when}." if result.when else ""
        shown.add_row(
            Text(plain(result.name)),
            Text(result.verdict, style=colours[result.verdict]),
            Text(plain(result.message + when)),
        )
    return shown
