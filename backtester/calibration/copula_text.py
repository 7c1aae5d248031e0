"""A calibration of CopulaGarch as text: what was estimated, how surely, and what it misses."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from backtester.calibration.copula import TAIL
from backtester.calibration.estimate import volatility_adjusted
from backtester.calibration.margins import LAGS
from backtester.calibration.reversion import processes_text

if TYPE_CHECKING:
    from backtester.calibration.copula_garch import CopulaCalibration


def diagnostics(calibration: CopulaCalibration) -> str:
    """Tables for a terminal."""
    start, end = calibration.window
    panel, spells = calibration.panel, calibration.spells
    processes = processes_text(calibration.funding, calibration.basis)
    return "\n".join(
        [
            f"{len(calibration.assets)} assets, {start} to {end}, {len(calibration.returns)} bars "
            f"of {panel.days_per_bar:g} days, {panel.calendar.name}",
            spells.rule,
            *_regimes(calibration),
            *_margins(calibration),
            *_correlations(calibration),
            *_tails(calibration),
            *(["", *processes] if processes else []),
            *_plausibility(calibration),
            "",
            f"log-likelihood {calibration.loglik:,.1f}; innovations drawn up to "
            f"{calibration.innovation_limit:g} standard deviations",
            *(f"note: {note}" for note in calibration.notes),
        ]
    )


def _regimes(calibration: CopulaCalibration) -> list[str]:
    spells = calibration.spells
    lines = [
        "",
        f"{'regime':<13}{'bars':>6}{'episodes':>10}{'days':>8}  {'copula ν':<14}volatility",
    ]
    for s, name in enumerate(spells.names):
        fit = calibration.copulas[name]
        vols = ", ".join(
            f"{a} {v:.1%} ± {e:.1%}"
            for a, v, e in zip(
                calibration.assets,
                calibration.volatility[s],
                calibration.volatility_error[s],
                strict=True,
            )
        )
        nu = _value(fit.degrees_of_freedom, fit.degrees_error, 1)
        lines.append(
            f"{name:<13}{fit.bars:>6}{spells.episodes[name]:>10}{spells.durations[name]:>8.1f}  "
            f"{nu:<14}{vols}"
        )
    lines += [
        f"copula of {name}: log-likelihood {c.loglik:.1f}, Gaussian {c.gaussian_loglik:.1f}"
        for name, c in calibration.copulas.items()
    ]
    return lines


def _margins(calibration: CopulaCalibration) -> list[str]:
    lines = [
        "",
        f"{'GARCH-t':<10}{'α':>16}{'β':>16}{'ν':>14}{'α+β':>8}{'log-lik':>10}{'free':>10}"
        f"{'LM before':>11}{'LM after':>10}{'LB²':>7}{'KS':>7}{'largest':>9}",
    ]
    for m in calibration.margins:
        alpha, beta, nu = (
            _value(value, m.errors.get(name), digits)
            for value, name, digits in ((m.alpha, "alpha", 3), (m.beta, "beta", 3), (m.nu, "nu", 1))
        )
        lines.append(
            f"{m.asset:<10}{alpha:>16}{beta:>16}{nu:>14}{m.alpha + m.beta:>8.3f}"
            f"{m.loglik:>10.1f}{m.free_loglik:>10.1f}{_p(m.before.p):>11}"
            f"{_p(m.after.p):>10}{_p(m.squares.p):>7}{_p(m.uniform.p):>7}"
            f"{np.abs(m.innovations).max():>9.1f}"
        )
    return [
        *lines,
        "free: log-likelihood of a GARCH whose long-run variance is free, not its regime's. "
        f"p-values of Engle's ARCH-LM ({LAGS} lags) before and after, Ljung–Box of squared "
        "innovations, Kolmogorov–Smirnov of their transforms: small after the fit is a misfit.",
    ]


def _correlations(calibration: CopulaCalibration) -> list[str]:
    names, assets = calibration.spells.names, calibration.assets
    width = max(len(f"{a}/{b}") for a in assets for b in assets) + 2
    lines = ["", f"{'correlation':<{width}}" + "".join(f"{n:>26}" for n in names) + "  adjusted"]
    level = calibration.volatility
    last = names[-1]
    adjusted = volatility_adjusted(calibration.copulas[last].correlation, level[-1], level[0])
    for i, j in combinations(range(len(assets)), 2):
        cells = ""
        for name in names:
            fit = calibration.copulas[name]
            shown = (
                f"{fit.correlation[i, j]:.3f} ± {fit.correlation_error[i, j]:.3f} "
                f"({fit.effective[i, j]:.0f})"
            )
            cells += f"{shown:>26}"
        lines.append(f"{f'{assets[i]}/{assets[j]}':<{width}}{cells}{adjusted[i, j]:>10.3f}")
    return [
        *lines,
        "Copula correlation, sin(πτ/2). ± jackknife over 20 runs of bars; in brackets the "
        f"independent bars with that error. adjusted: {last} without the mechanical effect of "
        "higher variance (Forbes & Rigobon 2002).",
    ]


def _tails(calibration: CopulaCalibration) -> list[str]:
    width = max(len("/".join(t.assets)) for t in calibration.tails) + 2
    lines = ["", f"{'joint tails':<{width}}{'lower':>8}{'upper':>8}{'model':>16}"]
    for t in calibration.tails:
        model = f"{t.model:.2f} ± {t.error:.2f}"
        lines.append(f"{'/'.join(t.assets):<{width}}{t.lower:>8.2f}{t.upper:>8.2f}{model:>16}")
    return [
        *lines,
        f"Share of one asset's {TAIL:.0%} most extreme innovations that are among the other's too.",
    ]


def _plausibility(calibration: CopulaCalibration) -> list[str]:
    lines = [
        "",
        f"{'overlay parameter':<30}{'−2 σ':>10}{'−1 σ':>10}{'neutral':>10}{'+1 σ':>10}{'+2 σ':>10}",
    ]
    for overlay, scales in calibration.plausibility.scales.items():
        for parameter, scale in scales.items():
            cells = ""
            for z in (-2.0, -1.0, 0.0, 1.0, 2.0):
                side = scale.up if z > 0 else scale.down
                shown = "–" if z != 0 and side is None else f"{float(scale.value(z)):.3g}"
                cells += f"{shown:>10}"
            lines.append(f"{f'{overlay}.{parameter}':<30}{cells}")
    lines += [f"{key}: {reason}" for key, reason in calibration.plausibility.missing.items()]
    return [
        *lines,
        "Values as unusual, among rolling windows of this history, as so many normal deviations.",
    ]


def _value(value: float | None, error: float | None, digits: int) -> str:
    if value is None:
        return "Gaussian"
    known = error is not None and np.isfinite(error)
    return f"{value:.{digits}f}" + (f" ± {error:.{digits}f}" if known else "")


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
