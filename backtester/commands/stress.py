"""`backtester stress STUDY.yaml`."""

from __future__ import annotations

from pathlib import Path

from backtester.commands.compare import Seed, StudyFile, seeded
from backtester.commands.console import Debug, Out, Quiet, Workers, command, console, say
from backtester.commands.progress import shown_progress


@command
def stress(
    study: StudyFile,
    out: Out = Path("results"),
    workers: Workers = 1,
    seed: Seed = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Stress a study: every named scenario, and correlations from −1 to 1 with re-hedging."""
    from backtester.commands.places import writable

    plan = seeded(study, seed)
    writable(out)
    with shown_progress(quiet) as progress:
        from backtester.stresses.report import stress as run

        found = run(plan, out=out, workers=workers, progress=progress)
    if not quiet:
        from backtester.report.tables import stress_table

        console().print(stress_table(found))
    say(f"results: {found.folder}")
