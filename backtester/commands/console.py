"""What every command shares: consoles, errors in words, exit codes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

from backtester.errors import AccountingError, BacktesterError, StoreError, StrategyError

if TYPE_CHECKING:
    from rich.console import Console

P = ParamSpec("P")
R = TypeVar("R")

NARROW = 60  # columns; below, a table is a list of lines
BROKEN, INPUT, STRATEGY, STORE, DEFECT, INTERRUPTED = 1, 2, 3, 4, 70, 130

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no table.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the results.", metavar="FOLDER")]
Workers = Annotated[
    int, typer.Option("--workers", min=1, max=256, help="Processes; results do not depend on it.")
]


def console(*, error: bool = False) -> Console:
    """A console on stdout or stderr; it honours NO_COLOR, TERM=dumb and the width it finds."""
    from rich.console import Console

    return Console(stderr=error, highlight=False, soft_wrap=False)


def plain(text: str) -> str:
    """`text` without control characters, on one line; no terminal may be driven by a name."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def say(text: str, *, error: bool = False) -> None:
    """One line as it stands: no markup, no wrapping inside a path."""
    from rich.text import Text

    console(error=error).print(Text(plain(text)), soft_wrap=True)


def exit_code(error: BacktesterError) -> int:
    """The documented exit code of an error."""
    if isinstance(error, StrategyError):
        return STRATEGY
    if isinstance(error, StoreError):
        return STORE
    return DEFECT if isinstance(error, AccountingError) else INPUT


def command(run: Callable[P, R]) -> Callable[P, R]:
    """A command whose errors end in one message and a documented exit code, not a traceback."""

    @functools.wraps(run)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        debug = bool(kwargs.get("debug"))
        try:
            return run(*args, **kwargs)
        except BacktesterError as error:
            _trace(debug)
            show(error)
            raise typer.Exit(exit_code(error)) from None
        except KeyboardInterrupt:
            _trace(debug)
            say("interrupted: nothing half-written is left; run it again to start over", error=True)
            raise typer.Exit(INTERRUPTED) from None
        except MemoryError:
            _trace(debug)
            say("error: out of memory", error=True)
            say("  cure: ask for fewer paths or workers", error=True)
            raise typer.Exit(INPUT) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            _trace(debug)
            say(f"internal error: {type(error).__name__}: {error}", error=True)
            if not debug:
                say("  cure: this is a defect of ours; --debug shows where", error=True)
            raise typer.Exit(DEFECT) from None

    return guarded


def show(error: BacktesterError) -> None:
    """An error in three lines – what, when, cure – in a frame on a terminal."""
    from rich.panel import Panel
    from rich.text import Text

    shown = console(error=True)
    lines = [f"error: {plain(error.what)}"]
    if error.when:
        lines.append(f"  time: {plain(error.when)}")
    lines.append(f"  cure: {plain(error.cure)}")
    if shown.is_terminal and shown.width >= NARROW:
        body = Text("\n".join(lines))
        body.stylize("bold red", 0, len("error:"))
        shown.print(Panel(body, border_style="red", expand=False))
        return
    for line in lines:
        shown.print(Text(line), soft_wrap=True)


def _trace(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc(file=sys.stderr)
