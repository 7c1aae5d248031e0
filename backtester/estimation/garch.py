"""Fit of a GARCH(1,1) with normal or Student-t innovations.

    r_t = μ + e_t,   e_t = √h_t · z_t,   h_t = ω + α e²_{t−1} + β h_{t−1}

Source: Bollerslev, J. Econometrics 31 (1986); standard errors: Bollerslev & Wooldridge, Econometric
Reviews 11 (1992). `arch` finds the optimum; Newton steps on the same likelihood, written once more
here, polish it and prove it: a fit counts as converged only if the likelihood cannot be raised by
more than 1e-6 to second order.

Where the recursion starts matters in the third digit. ``arch`` starts at a weighted mean of the
first 75 squared residuals, the benchmark of Fiorentini, Calzolari & Panattoni (1996) at the mean
squared residual of the whole sample, which moves with μ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from backtester.arrays import Float
from backtester.errors import DataError
from backtester.estimation.garch_problem import PARAMETERS, Backcast, Problem

MINIMUM_BARS = 100

Distribution = Literal["normal", "t"]


@dataclass(frozen=True, slots=True)
class GarchFit:
    """A fitted GARCH(1,1); returns and `omega` in the units of the data, per bar."""

    name: str
    mean: float
    omega: float
    alpha: float
    beta: float
    nu: float | None  # degrees of freedom, at most 200; None: normal
    errors: dict[str, float]  # robust (sandwich); nan where a parameter is on a bound
    classic_errors: dict[str, float]  # from the Hessian alone
    loglik: float
    start: float  # e² and h before the first bar
    bars: int
    converged: bool
    on_bound: tuple[str, ...]  # parameters at the edge of what is allowed
    message: str  # the optimiser's, or why the fit fell back

    @property
    def persistence(self) -> float:
        """α + β."""
        return self.alpha + self.beta

    @property
    def variance(self) -> float:
        """Long-run variance of a bar, ω/(1 − α − β); infinite at persistence 1."""
        rest = 1.0 - self.persistence
        return self.omega / rest if rest > 0.0 else float("inf")

    def variances(self, returns: npt.ArrayLike) -> Float:
        """Variance of every bar of `returns` (T,), known before the bar."""
        from backtester.estimation.garch_kernels import garch_variance

        residuals = np.asarray(returns, dtype=np.float64) - self.mean
        return np.asarray(garch_variance(residuals, self.omega, self.alpha, self.beta, self.start))

    def standardised(self, returns: npt.ArrayLike) -> Float:
        """Standardised residuals z (T,) of `returns` (T,)."""
        residuals = np.asarray(returns, dtype=np.float64) - self.mean
        return np.asarray(residuals / np.sqrt(self.variances(returns)))


def fit_garch(
    returns: npt.ArrayLike,
    *,
    distribution: Distribution = "normal",
    backcast: Backcast = "arch",
    mean: Literal["constant", "zero"] = "constant",
    name: str = "series",
    fallback: bool = False,
) -> GarchFit:
    """Maximum-likelihood GARCH(1,1) of `returns` (T,), T ≥ 100.

    Parameters
    ----------
    distribution: of z, ``"normal"`` (quasi-likelihood) or ``"t"`` (unit variance, ν fitted).
    backcast: where the recursion starts; see above.
    name: of the series, for messages.
    fallback: where no optimum is found, return constant variance (α = β = 0) with ``converged``
        False and the reason in ``message``, instead of raising.

    Raises DataError for too few, not finite or constant returns, and where no optimum is found.
    """
    data = _usable(np.asarray(returns, dtype=np.float64), name)
    scale = float(data.std())
    scaled = data / scale
    free = np.array([mean == "constant", True, True, True, distribution == "t"])
    problem = Problem(scaled, free, backcast)
    found, message = problem.solve()
    if found is None:
        if not fallback:
            raise DataError(
                f"GARCH(1,1) of {name!r} ({len(data)} bars) did not converge: {message}",
                cure="Give more bars, check for gaps and outliers, or accept constant variance "
                "with fallback=True.",
            )
        centre = 0.0 if mean == "zero" else float(scaled.mean())
        found = np.array([centre, float(np.mean((scaled - centre) ** 2)), 0.0, 0.0, 0.0])
        return _result(problem, found, scale, name, converged=False, message=message)
    return _result(problem, found, scale, name, converged=True, message=message)


def _usable(data: Float, name: str) -> Float:
    if data.ndim != 1 or len(data) < MINIMUM_BARS:
        raise DataError(
            f"returns of {name!r} of shape {data.shape} are too few for a GARCH fit",
            cure=f"Give at least {MINIMUM_BARS} returns of one series; 1,000 are reasonable.",
        )
    if not np.isfinite(data).all():
        bar = int(np.flatnonzero(~np.isfinite(data))[0])
        raise DataError(
            f"return {bar} of {name!r} is {data[bar]}", cure="Fill or drop the bars without prices."
        )
    if np.ptp(data) == 0.0 or data.std() < 1e-14 * np.abs(data).max():
        raise DataError(
            f"the returns of {name!r} are constant", cure="Leave out an asset that does not move."
        )
    return data


def _result(
    problem: Problem, point: Float, scale: float, name: str, *, converged: bool, message: str
) -> GarchFit:
    robust, classic = np.full(5, np.nan), np.full(5, np.nan)
    free = problem.inside(point) if converged else np.zeros(5, dtype=np.bool_)
    bars = len(problem.data)
    tail = float(point[4])
    nu = 1.0 / tail if tail > 0.0 else None
    units = np.array([scale, scale * scale, 1.0, 1.0, nu * nu if nu else 0.0])
    if free.any():
        slopes, curve = problem.derivatives(point, free)
        inverse = np.linalg.inv(-curve)
        meat = slopes.T @ slopes / bars
        classic[free] = np.sqrt(np.diagonal(inverse) / bars)
        robust[free] = np.sqrt(np.diagonal(inverse @ meat @ inverse) / bars)
    total = float(problem.terms(problem.free, point)(point[problem.free]).sum())
    mean, omega, alpha, beta = (float(v) for v in (point * units)[:4])
    kept = [i for i in range(5) if problem.free[i]]
    return GarchFit(
        name=name,
        mean=mean,
        omega=omega,
        alpha=alpha,
        beta=beta,
        nu=nu,
        errors={PARAMETERS[i]: float(robust[i] * units[i]) for i in kept},
        classic_errors={PARAMETERS[i]: float(classic[i] * units[i]) for i in kept},
        loglik=total - bars * float(np.log(scale)),
        start=problem.start(point[0]) * scale * scale,
        bars=bars,
        converged=converged,
        on_bound=problem.bounds(point) if converged else (),
        message=message,
    )
