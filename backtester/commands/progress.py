"""Progress of a long command: a bar with time left on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from backtester.commands.console import console, plain, say
from backtester.progress import Progress, silent

EVERY = 10.0  # seconds between lines where there is no terminal


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Progress]:
    """A `Progress` that shows itself on stderr while the block runs."""
    screen = console(error=True)
    if quiet:
        yield silent
    elif screen.is_terminal:
        with _bar() as report:
            yield report
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Bars(*columns, console=console(error=True), transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def report(done: int, total: int, what: str) -> None:
            bars.update(task, completed=done, total=total, description=escape(plain(what)))

        yield report


def _lines() -> Progress:
    started = last = time.monotonic()

    def report(done: int, total: int, what: str) -> None:
        nonlocal last
        now = time.monotonic()
        if done and now - last >= EVERY:
            last = now
            left = (now - started) / done * (total - done)
            say(f"{done}/{total} done, about {left:.0f} s left: {what}", error=True)

    return report
