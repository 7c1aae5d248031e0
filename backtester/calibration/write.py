"""A calibration as a scenario file, and as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from backtester.arrays import Float
from backtester.calibration.choices import PLAIN, Choices
from backtester.calibration.estimate import Estimate, volatility_adjusted
from backtester.calibration.reversion import Reverting, processes_text
from backtester.calibration.variants import crisis_correlation

if TYPE_CHECKING:
    from backtester.calibration.calibrate import Calibration

_BLURB = {
    "normal": "The normal regime alone.",
    "crisis": "Normal, then crises in which correlations converge towards one, volatility is up "
    "and liquidity down.",
    "correlation_breakdown": "Normal, then crises in which the hedge decouples from the exposure.",
    "regime_switching": "Normal and crisis as estimated, with the estimated chain between them.",
}


def yaml_text(
    calibration: Calibration,
    *,
    kind: str = "regime_switching",
    name: str | None = None,
    description: str | None = None,
    choices: Choices = PLAIN,
    sources: Sequence[Mapping[str, str]] = (),
    command: str | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The scenario of `kind` as YAML with its provenance; figures are rounded to what is known.

    sources: data, repository and licence of each data set. Raises ConfigError where a choice is
    missing for the kind, or names an asset that was not calibrated.
    """
    data = scenario_data(calibration, kind, name or kind, choices)
    data["description"] = description or data["description"]
    data["provenance"] = _provenance(calibration, kind, choices, sources, command, notes)
    return dumped(data)


def dumped(data: dict[str, Any]) -> str:
    """YAML with rows of a matrix and numbers by asset on one line each; no aliases."""
    import yaml

    from backtester.yaml_core import Dumper as Quoting

    class Dumper(Quoting):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def rows(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.Node:
        flow = all(isinstance(v, (int, float)) for v in values)
        return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=flow)

    def numbers(dumper: yaml.SafeDumper, values: dict[str, Any]) -> yaml.Node:
        flow = all(isinstance(v, (int, float)) for v in values.values())
        return dumper.represent_mapping("tag:yaml.org,2002:map", values.items(), flow_style=flow)

    Dumper.add_representer(list, rows)
    Dumper.add_representer(dict, numbers)
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, width=100, allow_unicode=True)


def scenario_data(
    calibration: Calibration, kind: str, name: str, choices: Choices
) -> dict[str, Any]:
    """The generator's parameters, without provenance."""
    crisis, _ = crisis_correlation(
        kind, calibration.regimes["crisis"].correlation, calibration.assets, choices
    )
    regimes = {
        "normal": _regime(calibration, "normal", calibration.regimes["normal"].correlation, choices)
    }
    start = "normal"
    if kind != "normal":
        durations = (calibration.split.normal_days, calibration.split.crisis_days)
        if kind != "regime_switching" and choices.durations is not None:
            durations = (choices.durations.value.normal, choices.durations.value.crisis)
        regimes["crisis"] = _regime(calibration, "crisis", crisis, choices)
        for regime, days in zip(("normal", "crisis"), durations, strict=True):
            regimes[regime] = {"duration_days": rounded(days, 3), **regimes[regime]}
        start = "stationary" if kind == "regime_switching" else "normal"
    data: dict[str, Any] = {
        "schema_version": 1,
        "generator": "CorrelatedReturns",
        "name": name,
        "description": _BLURB[kind],
        "calendar": calibration.calendar.name,
        "prices": {
            a: rounded(p, 6)
            for a, p in zip(calibration.assets, calibration.last_prices, strict=True)
        },
    }
    if calibration.perpetuals:
        data["perpetuals"] = dict(calibration.perpetuals)
    return {**data, "start": start, "regimes": regimes}


def _regime(
    calibration: Calibration, regime: str, correlation: Float, choices: Choices
) -> dict[str, Any]:
    estimate = calibration.regimes[regime]
    stressed = regime == "crisis"
    data: dict[str, Any] = {
        "volatility": {
            a: rounded(v, 4) for a, v in zip(calibration.assets, estimate.volatility, strict=True)
        },
        "correlation": [[round(float(x), 4) for x in row] for row in correlation],
    }
    if estimate.degrees_of_freedom is not None:
        data["degrees_of_freedom"] = round(estimate.degrees_of_freedom, 2)
        if choices.scale_limit is not None:
            data["scale_limit"] = float(choices.scale_limit.value)
    data |= liquidity(choices, stressed, (*calibration.assets, *calibration.perpetuals))
    return data | perpetual_processes(calibration.funding, calibration.basis, choices, regime)


def liquidity(choices: Choices, stressed: bool, assets: Sequence[str]) -> dict[str, Any]:
    """Half-spread and depth of a regime; choices may be made for more assets than are calibrated.

    One that is missing is an error where the file is read.
    """
    spread, depth = choices.spread_factor.value, choices.depth_factor.value
    return {
        "half_spread_bp": _times(choices.half_spread_bp.value, spread if stressed else 1.0, assets),
        "depth": _times(choices.depth.value, depth if stressed else 1.0, assets),
    }


def perpetual_processes(
    funding: Mapping[str, Reverting], basis: Mapping[str, Reverting], choices: Choices, regime: str
) -> dict[str, Any]:
    """Funding and basis of a regime by perpetual; nothing where there are none."""
    if not funding:
        return {}
    clamps = choices.funding_clamp.value if choices.funding_clamp else {}
    return {
        "funding": {
            p: process(fit, regime) | ({"clamp": float(clamps[p])} if p in clamps else {})
            for p, fit in funding.items()
        },
        "basis": {p: process(fit, regime) for p, fit in basis.items()},
    }


def process(fit: Reverting, regime: str) -> dict[str, float]:
    """An Ornstein-Uhlenbeck process in one regime."""
    return {
        "level": rounded(fit.level[regime], 3),
        "volatility": rounded(fit.volatility[regime], 3),
        "half_life_days": rounded(fit.half_life_days, 3),
    }


def _times(
    value: float | Mapping[str, float], factor: float, assets: Sequence[str]
) -> float | dict[str, float]:
    if isinstance(value, Mapping):
        return {name: rounded(v * factor, 4) for name, v in value.items() if name in assets}
    return rounded(value * factor, 4)


def rounded(value: float, figures: int) -> float:
    """`value` to so many significant figures."""
    return float(f"{float(value):.{figures}g}")


def _provenance(
    calibration: Calibration,
    kind: str,
    choices: Choices,
    sources: Sequence[Mapping[str, str]],
    command: str | None,
    notes: Sequence[str],
) -> dict[str, Any]:
    import datetime

    used = ["half_spread_bp", "depth"]
    if choices.scale_limit is not None:
        used.append("scale_limit")
    estimates = ["volatility", "correlation", "degrees_of_freedom"]
    if calibration.perpetuals:
        estimates += ["funding", "basis"]
        used += ["funding_clamp"] if choices.funding_clamp else []
    if kind != "normal":
        _, chosen = crisis_correlation(
            kind, calibration.regimes["crisis"].correlation, calibration.assets, choices
        )
        used += ["spread_factor", "depth_factor", *chosen]
        if kind != "regime_switching" and choices.durations is not None:
            used.append("durations")
        else:
            estimates.append("duration_days")
    unknown = {"data": "the user's own prices", "repository": "not stated", "licence": "not stated"}
    regimes = ("normal",) if kind == "normal" else ("normal", "crisis")
    data: dict[str, Any] = {
        "assets": [*calibration.assets, *calibration.perpetuals],
        "sources": [dict(s) for s in sources] or [unknown],
        "window": {
            "start": datetime.date.fromisoformat(calibration.start[:10]),
            "end": datetime.date.fromisoformat(calibration.end[:10]),
        },
        "estimator": _estimator(calibration),
        "sample_size": {r: calibration.regimes[r].bars for r in regimes},
        "estimates": estimates,
        "choices": listed_choices(choices, used),
    }
    if command:
        data["command"] = command
    data["notes"] = [
        f"{calibration.split.episodes} crisis episodes; {calibration.split.rule}.",
        "Crisis bars were selected by their volatility, which raises the correlation measured "
        "within them even where dependence is constant (Forbes & Rigobon 2002).",
        *calibration.notes,
        *notes,
    ]
    return data


def listed_choices(choices: Choices, used: Sequence[str]) -> list[dict[str, str]]:
    """What, how and source of the choices named."""
    found = [(key, getattr(choices, key)) for key in used]
    return [{"what": key, "how": c.how, "source": c.source} for key, c in found]


def _estimator(calibration: Calibration) -> str:
    names = {"sample": "sample correlation", "ledoit_wolf": "Ledoit-Wolf correlation"}
    text = (
        f"{names[calibration.estimator]} and volatility of log returns about zero, by regime; "
        "Student-t degrees of freedom by profile maximum likelihood"
    )
    if calibration.perpetuals:
        text += (
            "; funding and basis: mean and deviation by regime, half-life by AR(1) regression "
            "over the whole window"
        )
    return text


def diagnostics(calibration: Calibration) -> str:
    """A table of what was estimated, with standard errors."""
    split, assets = calibration.split, calibration.assets
    lines = [
        f"{len(assets)} assets, {calibration.start} to {calibration.end}, "
        f"bars of {calibration.days_per_bar:g} days, {calibration.calendar.name}",
        split.rule,
        f"crisis episodes {split.episodes}; expected durations: normal {split.normal_days:.1f} "
        f"days, crisis {split.crisis_days:.1f} days",
        "",
        f"{'regime':<8}{'bars':>6}{'t dof':>7}  annual volatility",
    ]
    for name, estimate in calibration.regimes.items():
        tails = estimate.degrees_of_freedom
        vols = ", ".join(f"{a} {v:.1%}" for a, v in zip(assets, estimate.volatility, strict=True))
        lines.append(
            f"{name:<8}{estimate.bars:>6}{'∞' if tails is None else f'{tails:.1f}':>7}  {vols}"
        )
    lines += _pairs(calibration.regimes["normal"], calibration.regimes["crisis"], assets)
    lines += processes_text(calibration.funding, calibration.basis)
    return "\n".join([*lines, *(f"note: {note}" for note in calibration.notes)])


def _pairs(normal: Estimate, crisis: Estimate, assets: Sequence[str]) -> list[str]:
    adjusted = volatility_adjusted(crisis.correlation, crisis.volatility, normal.volatility)
    width = max(len(f"{a}/{b}") for a in assets for b in assets) + 2
    lines = ["", f"{'correlation':<{width}}{'normal':>16}{'crisis':>16}{'vol-adjusted':>14}"]
    for i, j in combinations(range(len(assets)), 2):
        cells = [
            f"{e.correlation[i, j]:.3f} ± {e.correlation_error[i, j]:.3f}" for e in (normal, crisis)
        ]
        lines.append(
            f"{f'{assets[i]}/{assets[j]}':<{width}}{cells[0]:>16}{cells[1]:>16}"
            f"{adjusted[i, j]:>14.3f}"
        )
    lines += [
        "± is Fisher's standard error, too small where tails are fat. vol-adjusted: the crisis",
        "correlation without the mechanical effect of higher variance (Forbes & Rigobon 2002).",
        "",
    ]
    return lines
