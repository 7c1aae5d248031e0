"""`backtester new strategy NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtester.commands.console import Debug, command, say


@command
def strategy(
    name: Annotated[str, typer.Argument(help="Of the class, such as TailHedge.", metavar="NAME")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Where to write it.", metavar="FOLDER")
    ] = Path("strategies"),
    debug: Debug = False,
) -> None:
    """Write a working strategy and its test; nothing is overwritten."""
    from backtester.scaffold import new_strategy

    file, test = new_strategy(name, folder)
    say(f"strategy: {file}")
    say(f"test:     {test}")
    say(f"next:     backtester check {file}")
