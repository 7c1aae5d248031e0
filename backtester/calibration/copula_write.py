"""A calibration of CopulaGarch as a scenario file."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backtester.calibration.choices import PLAIN, Choices
from backtester.calibration.write import (
    dumped,
    liquidity,
    listed_choices,
    perpetual_processes,
    rounded,
)

if TYPE_CHECKING:
    from backtester.calibration.copula_garch import CopulaCalibration

UNKNOWN = {"data": "the user's own prices", "repository": "not stated", "licence": "not stated"}

VINES = (
    "; vines of the ranks of each regime: Dissmann's structure, families by BIC, parameters by "
    "maximum likelihood (pyvinecopulib)"
)


def yaml_text(
    calibration: CopulaCalibration,
    *,
    name: str | None = None,
    description: str | None = None,
    choices: Choices = PLAIN,
    sources: Sequence[Mapping[str, str]] = (),
    command: str | None = None,
    notes: Sequence[str] = (),
    vines: Mapping[str, str] | None = None,
) -> str:
    """The scenario as YAML with its provenance; figures are rounded to what is known.

    vines: regime → name of its vine's file; the generator is then VineCopula. sources: data,
    repository and licence of each data set.
    """
    kind = "copula_garch" if vines is None else "vine_copula"
    data = scenario_data(calibration, name or kind, choices, vines)
    data["description"] = description or data["description"]
    data["provenance"] = _provenance(calibration, choices, sources, command, notes)
    if vines is not None:
        data["provenance"]["estimator"] += VINES
    return dumped(data)


def scenario_data(
    calibration: CopulaCalibration,
    name: str,
    choices: Choices,
    vines: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The generator's name and parameters, without provenance."""
    data: dict[str, Any] = {
        "schema_version": 1,
        "generator": "CopulaGarch" if vines is None else "VineCopula",
        "name": name,
        "description": f"Regimes with a {'t' if vines is None else 'vine'} copula each, GARCH-t "
        "margins, all as estimated.",
        "calendar": calibration.panel.calendar.name,
        "days_per_bar": rounded(calibration.panel.days_per_bar, 12),
        "prices": {
            a: rounded(p, 6)
            for a, p in zip(calibration.assets, calibration.panel.prices[-1, 0], strict=True)
        },
    }
    if calibration.perpetuals:
        data["perpetuals"] = dict(calibration.perpetuals)
    data["start"] = "stationary"
    data["innovation_limit"] = calibration.innovation_limit
    data["margins"] = {m.asset: _margin(m.alpha, m.beta, m.nu) for m in calibration.margins}
    data["regimes"] = {
        r: _regime(calibration, r, choices, None if vines is None else vines[r])
        for r in calibration.spells.names
    }
    return data


def _margin(alpha: float, beta: float, nu: float | None) -> dict[str, float]:
    # rounded down: α + β must stay below one
    found = {"alpha": int(alpha * 1e4) / 1e4, "beta": int(beta * 1e4) / 1e4}
    return found if nu is None else found | {"degrees_of_freedom": round(nu, 2)}


def _regime(
    calibration: CopulaCalibration, regime: str, choices: Choices, vine: str | None
) -> dict[str, Any]:
    spells, fit = calibration.spells, calibration.copulas[regime]
    volatility = calibration.volatility[spells.names.index(regime)]
    data: dict[str, Any] = {
        "duration_days": rounded(spells.durations[regime], 3),
        "volatility": {
            a: rounded(v, 4) for a, v in zip(calibration.assets, volatility, strict=True)
        },
    }
    if vine is not None:
        data["vine"] = vine
    else:
        data["correlation"] = [[round(float(x), 4) for x in row] for row in fit.correlation]
    if len(spells.following.get(regime, {})) > 1 or len(spells.names) > 2:
        data["next"] = _shares(spells.following[regime])
    if vine is None and fit.degrees_of_freedom is not None:
        data["degrees_of_freedom"] = round(fit.degrees_of_freedom, 2)
    named = (*calibration.assets, *calibration.perpetuals)
    data |= liquidity(choices, regime != "normal", named)
    return data | perpetual_processes(calibration.funding, calibration.basis, choices, regime)


def _shares(following: Mapping[str, float]) -> dict[str, float]:
    """Probabilities with four decimals that still add up to one."""
    found = {name: round(share, 4) for name, share in following.items()}
    last = list(found)[-1]
    found[last] = round(1.0 - sum(v for k, v in found.items() if k != last), 4)
    return found


def _provenance(
    calibration: CopulaCalibration,
    choices: Choices,
    sources: Sequence[Mapping[str, str]],
    command: str | None,
    notes: Sequence[str],
) -> dict[str, Any]:
    spells = calibration.spells
    used = ["half_spread_bp", "depth", "spread_factor", "depth_factor"]
    estimates = ["margins", "volatility", "correlation", "degrees_of_freedom", "duration_days"]
    if calibration.perpetuals:
        estimates += ["funding", "basis"]
        used += ["funding_clamp"] if choices.funding_clamp else []
    limit = {
        "what": "innovation_limit",
        "how": "a quarter above the largest innovation of the sample, in standard deviations",
        "source": "choice: the fitted tails, drawn over a thousand years, would show days no "
        "market has shown",
    }
    start, end = (datetime.date.fromisoformat(day[:10]) for day in calibration.window)
    data: dict[str, Any] = {
        "assets": [*calibration.assets, *calibration.perpetuals],
        "sources": [dict(s) for s in sources] or [UNKNOWN],
        "window": {"start": start, "end": end},
        "estimator": "volatility: root mean square of each regime; margins: GARCH(1,1) with "
        "Student-t innovations by maximum likelihood on returns over their regime's volatility; "
        "copulas: correlation by Kendall's tau, degrees of freedom by maximum likelihood of ranks",
        "sample_size": {r: calibration.copulas[r].bars for r in spells.names},
        "estimates": estimates,
        "choices": [*listed_choices(choices, used), limit],
    }
    if command:
        data["command"] = command
    data["notes"] = [
        "; ".join(f"{spells.episodes[r]} episodes of {r}" for r in spells.names) + ".",
        spells.rule if spells.rule.endswith(".") else f"{spells.rule}.",
        *calibration.notes,
        *notes,
    ]
    if calibration.plausibility.scales:
        data["plausibility"] = calibration.plausibility.data()
    return data
