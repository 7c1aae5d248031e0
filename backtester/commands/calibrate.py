"""`backtester calibrate DATA`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtester.commands.console import Debug, command, console, say
from backtester.commands.places import free
from backtester.errors import ConfigError

if TYPE_CHECKING:
    from backtester.calibration import Calibration, CopulaCalibration

# The first is the one the shipped scenarios were made with, the second the default.
GENERATORS = ("CorrelatedReturns", "CopulaGarch", "VineCopula")
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
        str | None,
        typer.Option("--estimator", help="Of CorrelatedReturns: sample (default), ledoit_wolf."),
    ] = None,
    assume_tz: Annotated[
        str | None, typer.Option("--assume-tz", help="Zone of stamps without one.")
    ] = None,
    bar_label: Annotated[
        str, typer.Option("--bar-label", help="close or open: which end a stamp marks.")
    ] = "close",
    generator: Annotated[
        str | None,
        typer.Option(
            "--generator",
            help="Law to fit; CopulaGarch, unless --kind or --estimator asks for the other.",
            metavar="|".join(GENERATORS),
        ),
    ] = None,
    exposure: Annotated[
        list[str] | None,
        typer.Option("--exposure", help="ETH=1; with --hedge-with, regimes of that book's hedge."),
    ] = None,
    hedge_with: Annotated[
        str | None, typer.Option("--hedge-with", help="Hedges of the exposure.", metavar="A,B,…")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", help="Of CorrelatedReturns: which scenario.", metavar="|".join(KINDS)
        ),
    ] = None,
    choices: Annotated[
        str | None,
        typer.Option("--choices", help="Spreads, depth, …: crypto, pair names, or your YAML file."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the scenario.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the scenario there.", metavar="FILE")
    ] = None,
    plots: Annotated[
        Path | None,
        typer.Option("--plots", help="Data against simulation, an HTML page.", metavar="FILE"),
    ] = None,
    no_plots: Annotated[
        bool, typer.Option("--no-plots", help="No page beside the scenario of a copula.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Estimate a scenario from prices; prints what was estimated, with errors."""
    from rich.text import Text

    from backtester.calibration.files import read_inputs
    from backtester.calibration.library_choices import choices_named
    from backtester.commands.places import write_file

    plain = kind is not None or estimator is not None
    generator = generator or (GENERATORS[0] if plain else GENERATORS[1])
    for what, given, known in (
        ("kind of scenario", kind or KINDS[-1], KINDS),
        ("generator", generator, GENERATORS),
    ):
        if given not in known:
            from backtester.errors import did_you_mean

            raise ConfigError(f"unknown {what} {given!r}", cure=did_you_mean(given, known))
    copula = generator != GENERATORS[0]
    _only_for(copula, plain, bool(exposure or hedge_with))
    pairs = read_pairs(perpetual or [])
    if funding is not None and not pairs:
        raise ConfigError(
            "funding was given, but no perpetual that pays it",
            cure="Name each perpetual and its spot: --perpetual BTC-PERP=BTC.",
        )
    if plots is None and copula and out is not None and not no_plots:
        plots = out.with_suffix(".html")
    for new_file in (out, plots):
        if new_file is not None:
            free(new_file)
    inputs = read_inputs(
        data,
        values=values,
        funding=funding,
        basis=basis,
        perpetuals=pairs,
        basis_spot=read_pairs(basis_spot or [], "--basis-spot"),
        bar_label=bar_label,
    )
    options: dict[str, Any] = inputs | {
        "assets": None if assets is None else _names(assets),
        "start": start,
        "end": end,
        "calendar": calendar,
        "crisis_share": crisis_share,
        "assume_tz": assume_tz,
    }
    extra: dict[str, Any] = {} if choices is None else {"choices": choices_named(choices)}
    found: Calibration | CopulaCalibration
    beside: dict[str, str] = {}  # files the scenario names
    if copula:
        from backtester.calibration.copula_garch import calibrate_copula

        book = {a: _amount(n) for a, n in read_pairs(exposure or [], "--exposure").items()}
        fit = calibrate_copula(**options, exposure=book, hedge_with=_names(hedge_with or ""))
        found = fit
        if generator == "VineCopula":
            stem = "scenario" if out is None else out.stem
            vines = {
                regime: (f"{stem}.{regime}.json", text) for regime, text in fit.vines().items()
            }
            extra["vines"] = {regime: file for regime, (file, _) in vines.items()}
            beside = dict(vines.values())
    else:
        from backtester.calibration.calibrate import calibrate as estimate

        found = estimate(**options, estimator=estimator or "sample")
        extra["kind"] = kind or KINDS[-1]
    text = found.to_yaml(name=name, **extra)
    for line in found.text().splitlines():
        console().print(Text(line), soft_wrap=True)
    if plots is not None:
        from backtester.report.calibration import calibration_html

        page = calibration_html(found.check(text, beside), name or generator, found.text())
        write_file(plots, page)
        say(f"plots: {plots}")
    if out is not None:
        for vine_file, vine in beside.items():
            write_file(out.parent / vine_file, vine)
            say(f"vine: {out.parent / vine_file}")
        write_file(out, text)
        say(f"scenario: {out}")


def _only_for(copula: bool, plain: bool, book: bool) -> None:
    """Raise ConfigError for an option of the other generator."""
    if copula and plain:
        raise ConfigError(
            "--kind and --estimator are options of generator CorrelatedReturns",
            cure="Leave them out: a copula is written as estimated, from ranks.",
        )
    if book and not copula:
        raise ConfigError(
            "--exposure and --hedge-with are options of generators CopulaGarch and VineCopula",
            cure="Add --generator CopulaGarch; CorrelatedReturns splits by volatility.",
        )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _amount(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"--exposure {text!r} is no number", cure="Write ETH=1.") from error


def read_pairs(given: list[str], option: str = "--perpetual") -> dict[str, str]:
    """``["BTC-PERP=BTC"]`` as perpetual → spot; raises ConfigError."""
    pairs = {}
    for text in given:
        perpetual, equals, spot = (part.strip() for part in text.partition("="))
        if not (perpetual and equals and spot):
            raise ConfigError(
                f"{option} {text!r} does not name a perpetual and its spot",
                cure=f"Write it as {'ETH=1' if option == '--exposure' else 'BTC-PERP=BTC'}.",
            )
        pairs[perpetual] = spot
    return pairs
