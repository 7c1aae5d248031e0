"""`backtester verify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backtester.commands.console import BROKEN, NARROW, Debug, Quiet, command, console, plain, say
from backtester.errors import ConfigError

if TYPE_CHECKING:
    from rich.table import Table

    from backtester.verify.claim import Row

PIPED = 150  # columns, where no terminal says how many there are


@command
def verify(
    topic: Annotated[
        str | None, typer.Option("--topic", help="Only this one, by how it begins.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="CSV of the DEM/GBP returns: adds the GARCH benchmark."),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/verify.md instead of a table.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Compute every published number that this package claims to reproduce, and compare."""
    if markdown and json:
        raise ConfigError("--markdown and --json were both given", cure="Ask for one of them.")
    from backtester.verify import table as texts
    from backtester.verify.catalogue import claims
    from backtester.verify.claim import checked

    rows = checked(claims(topic, data))
    partial = data is not None or topic is not None
    if json:
        import json as dumper

        typer.echo(dumper.dumps(texts.document(rows, data=partial), indent=2, allow_nan=False))
    elif markdown:
        typer.echo(texts.markdown(rows, data=partial), nl=False)
    else:
        if not quiet:
            show(rows)
            if not partial:
                say(texts.NEEDS_DATA.replace("`", ""))
        failed = [row for row in rows if not row.holds]
        for row in failed:
            say(
                f"does not hold: {row.claim.topic}: {texts.what(row)}: published "
                f"{texts.published(row)}, ours {texts.ours(row)}, within {texts.within(row)}"
            )
        say(texts.verdict(rows))
    if not all(row.holds for row in rows):
        raise typer.Exit(BROKEN)


def show(rows: Sequence[Row]) -> None:
    """A table a topic, or lines where the terminal is narrow."""
    from backtester.verify import table as texts

    shown = console()
    if not shown.is_terminal and "COLUMNS" not in shown._environ:
        shown.width = PIPED
    for topic, group in texts.by_topic(rows):
        if shown.width >= NARROW:
            shown.print(table(topic, group))
            shown.print()
            continue
        say(topic)
        for row in group:
            holds = "holds" if row.holds else "DOES NOT HOLD"
            say(
                f"  {texts.what(row)}: {texts.published(row)}, ours {texts.ours(row)}, "
                f"error {texts.error(row)}: {holds}"
            )


def table(topic: str, rows: Sequence[Row]) -> Table:
    """One topic."""
    from rich.table import Table
    from rich.text import Text

    from backtester.verify import table as texts

    shown = Table(title=topic, title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("what", ratio=3, overflow="fold")
    for name in ("published", "ours", "error", "within"):
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    shown.add_column("source", ratio=3, overflow="fold", style="dim")
    before = ""
    for row in rows:
        source = row.claim.source
        word, style = ("holds", "green") if row.holds else ("NO", "bold red")
        shown.add_row(
            Text(plain(texts.what(row))),
            texts.published(row),
            Text(plain(texts.ours(row))),
            texts.error(row),
            texts.within(row),
            Text(word, style=style),
            Text("″" if source == before else plain(source)),
        )
        before = source
    return shown
