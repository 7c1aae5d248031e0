"""`backtester compare STUDY.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backtester.commands.console import Debug, Out, Quiet, Workers, command, console, say
from backtester.commands.progress import shown_progress

if TYPE_CHECKING:
    from backtester.executor import Executor
    from backtester.study import Study

StudyFile = Annotated[Path, typer.Argument(help="A study file.", metavar="STUDY.yaml")]
Seed = Annotated[int | None, typer.Option("--seed", help="Instead of the study's own.")]


@command
def compare(
    study: StudyFile,
    out: Out = Path("results"),
    workers: Workers = 1,
    seed: Seed = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Run every strategy of a study on every market and score them by regime."""
    compare_study(seeded(study, seed), out, workers, quiet)


def compare_study(study: Study, out: Path, workers: int | Executor, quiet: bool) -> None:
    """Compare, show the table, say where the results are."""
    from backtester.commands.places import writable

    writable(out)
    with shown_progress(quiet) as progress:
        from backtester.api import compare as run

        found = run(study, out=out, workers=workers, progress=progress)
    if not quiet:
        from backtester.report.tables import comparison_table

        console().print(comparison_table(found))
    say(f"results: {found.folder}")


def seeded(file: Path, seed: int | None) -> Study:
    """The study of a file, with another seed where one is given."""
    from backtester.study import Study

    study = Study.read(file)
    return study if seed is None else Study.of({**study.model_dump(mode="json"), "seed": seed})
