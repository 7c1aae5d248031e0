"""`backtester calibrate DATA`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from backtester.commands.console import Debug, command, console, say
from backtester.errors import ConfigError

KINDS = ("normal", "crisis", "correlation_breakdown", "regime_switching")


@command
def calibrate(
    data: Annotated[Path, typer.Argument(help="Prices: CSV or Parquet.", metavar="DATA")],
    values: Annotated[
        str | None, typer.Option("--values", help="Price column of a long file, such as close.")
    ] = None,
    assets: Annotated[
        str | None, typer.Option("--assets", help="Columns to use: BTC,ETH,…", metavar="A,B,…")
    ] = None,
    funding: Annotated[
        Path | None, typer.Option("--funding", help="Funding rates: CSV or Parquet.")
    ] = None,
    basis: Annotated[
        Path | None, typer.Option("--basis", help="Prices of perpetuals and spots on one venue.")
    ] = None,
    perpetual: Annotated[
        list[str] | None,
        typer.Option("--perpetual", help="BTC-PERP=BTC; needs --funding and --basis."),
    ] = None,
    basis_spot: Annotated[
        list[str] | None,
        typer.Option("--basis-spot", help="BTC-PERP=BTC-USD; spot's name in the --basis file."),
    ] = None,
    crisis_share: Annotated[
        float, typer.Option("--crisis-share", help="Share of days called crisis, ex post.")
    ] = 0.10,
    start: Annotated[str | None, typer.Option("--start", help="First date used.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="Last date used.")] = None,
    calendar: Annotated[str, typer.Option("--calendar", help="24/7 or sessions.")] = "24/7",
    estimator: Annotated[
        str, typer.Option("--estimator", help="sample or ledoit_wolf.")
    ] = "sample",
    assume_tz: Annotated[
        str | None, typer.Option("--assume-tz", help="Zone of stamps without one.")
    ] = None,
    bar_label: Annotated[
        str, typer.Option("--bar-label", help="close or open: which end a stamp marks.")
    ] = "close",
    kind: Annotated[
        str, typer.Option("--kind", help="Scenario to write.", metavar="|".join(KINDS))
    ] = "regime_switching",
    choices: Annotated[
        str | None,
        typer.Option("--choices", help="Spreads, depth, …: crypto, pair names, or your YAML file."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the scenario.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the scenario there.", metavar="FILE")
    ] = None,
    debug: Debug = False,
) -> None:
    """Estimate a two-regime scenario from prices; prints what was estimated, with errors."""
    from rich.text import Text

    from backtester.calibration.files import calibrate_files
    from backtester.calibration.library_choices import choices_named
    from backtester.commands.places import write_file

    if kind not in KINDS:
        from backtester.errors import did_you_mean

        raise ConfigError(f"unknown kind of scenario {kind!r}", cure=did_you_mean(kind, KINDS))
    pairs = read_pairs(perpetual or [])
    if funding is not None and not pairs:
        raise ConfigError(
            "funding was given, but no perpetual that pays it",
            cure="Name each perpetual and its spot: --perpetual BTC-PERP=BTC.",
        )
    options: dict[str, Any] = {
        "assets": None if assets is None else [a.strip() for a in assets.split(",") if a.strip()],
        "start": start,
        "end": end,
        "calendar": calendar,
        "estimator": estimator,
        "crisis_share": crisis_share,
        "assume_tz": assume_tz,
    }
    found = calibrate_files(
        data,
        values=values,
        funding=funding,
        basis=basis,
        perpetuals=pairs,
        basis_spot=read_pairs(basis_spot or [], "--basis-spot"),
        bar_label=bar_label,
        **options,
    )
    text = ""
    if out is not None:
        extra = {} if choices is None else {"choices": choices_named(choices)}
        text = found.to_yaml(kind=kind, name=name, **extra)
    for line in found.text().splitlines():
        console().print(Text(line), soft_wrap=True)
    if out is not None:
        write_file(out, text)
        say(f"scenario: {out}")


def read_pairs(given: list[str], option: str = "--perpetual") -> dict[str, str]:
    """``["BTC-PERP=BTC"]`` as perpetual → spot; raises ConfigError."""
    pairs = {}
    for text in given:
        perpetual, equals, spot = (part.strip() for part in text.partition("="))
        if not (perpetual and equals and spot):
            raise ConfigError(
                f"{option} {text!r} does not name a perpetual and its spot",
                cure="Write it as BTC-PERP=BTC.",
            )
        pairs[perpetual] = spot
    return pairs
