"""`backtester demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtester.commands.compare import compare_study
from backtester.commands.console import Debug, Out, Quiet, Workers, command, console, say
from backtester.commands.progress import shown_progress


@command
def demo(
    out: Out = Path("results"),
    workers: Workers = 2,
    paths: Annotated[
        int, typer.Option("--paths", min=2, max=1_000_000, help="Paths of each simulated market.")
    ] = 1000,
    bars: Annotated[
        int, typer.Option("--bars", min=91, max=100_000, help="Bars of each simulated path.")
    ] = 365,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Compare and stress the built-in strategies on real and simulated markets."""
    from backtester.demo import demo_study
    from backtester.executor import executor_of

    study = demo_study(paths=paths, bars=bars)
    with executor_of(workers) as executor:  # one pool for both: starting workers takes seconds
        compare_study(study, out, executor, quiet)
        with shown_progress(quiet) as progress:
            from backtester.stresses.report import stress

            found = stress(study, out=out, workers=executor, progress=progress)
    if not quiet:
        from backtester.report.tables import stress_table

        console().print(stress_table(found))
    say(f"results: {found.folder}")
