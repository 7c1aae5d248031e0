"""Two-step fit of DCC(1,1) and cDCC with GARCH(1,1) margins.

Margins first, one series at a time; then (a, b) by maximum likelihood of the standardised
residuals with the correlation target S equal to their sample correlation (DCC) or to that of
z* = diag(Q)^½ z at the same (a, b) (cDCC).

Sources: Engle, J. Business & Economic Statistics 20 (2002); Aielli, J. Business & Economic
Statistics 31 (2013), who shows that Engle's target is not what Q reverts to; Pakel, Shephard,
Sheppard & Engle, J. Business & Economic Statistics 39 (2021): composite likelihood of neighbouring
pairs, without which a large cross-section biases b. DCC is a filter with good forecasts more than a
model: its moments and the consistency of the two steps are open (Caporin & McAleer 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from backtester.arrays import Float
from backtester.errors import DataError
from backtester.estimation.dcc import DynamicCorrelation, per_day
from backtester.estimation.dcc_likelihood import DccLikelihood
from backtester.estimation.differences import hessian, scores
from backtester.estimation.garch import Distribution, GarchFit, fit_garch

COMPOSITE_FROM = 31  # assets from which neighbouring pairs are used by default
_EDGE = 1e-4
_LONGEST = 1.0 - 1e-6  # persistence allowed
_DECREMENT = 1e-4


@dataclass(frozen=True, slots=True)
class DccFit:
    """A fitted DCC or cDCC; parameters per bar of the data."""

    names: tuple[str, ...]
    margins: tuple[GarchFit, ...]
    corrected: bool  # cDCC
    composite: bool
    a: float
    b: float
    target: Float  # S (N, N)
    covariance: Float  # (2, 2) of (a, b); nan on a bound
    loglik: float  # of the correlations, composite where `composite`
    bars: int
    on_bound: bool  # a near 0 or a + b near 1: no standard errors

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of a and b."""
        return float(np.sqrt(self.covariance[0, 0])), float(np.sqrt(self.covariance[1, 1]))

    @property
    def persistence(self) -> float:
        """a + b."""
        return self.a + self.b

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """Series whose GARCH fit fell back to constant variance."""
        return tuple(m.name for m in self.margins if not m.converged)

    def standardised(self, returns: npt.ArrayLike) -> Float:
        """z (T, N) of `returns` (T, N)."""
        data = np.asarray(returns, dtype=np.float64)
        columns = [m.standardised(data[:, i]) for i, m in enumerate(self.margins)]
        return np.stack(columns, axis=-1)

    def online(self, bar_days: float = 1.0) -> DynamicCorrelation:
        """The fitted filter as an online estimator; `bar_days`: trading days of a bar of the data.

        Its margins are uncentred (fit with ``mean="zero"`` for the very same filter); one of
        persistence 1 becomes an EWMA, without its ω.
        """
        pairs = [per_day(m.alpha, m.beta, bar_days) for m in self.margins]
        levels = [m.variance if np.isfinite(m.variance) else m.start for m in self.margins]
        a, b = per_day(self.a, self.b, bar_days)
        return DynamicCorrelation(
            a=a,
            b=b,
            alpha=tuple(alpha for alpha, _ in pairs),
            beta=tuple(beta for _, beta in pairs),
            corrected=self.corrected,
            winsor=float("inf"),
            target=tuple(tuple(row) for row in self.target.tolist()),
            level=tuple(level / bar_days for level in levels),
        )

    def correlations(self, returns: npt.ArrayLike) -> Float:
        """R of every bar, known before it, and of the bar after the last, (T + 1, N, N)."""
        from backtester.estimation.correlation import correlation
        from backtester.estimation.dcc_kernels import dcc_path

        likelihood = DccLikelihood(self.standardised(returns), self.corrected, self.composite)
        news = likelihood.news(self.a, self.b)
        return correlation(np.asarray(dcc_path(news, self.target, self.a, self.b)))


def fit_dcc(
    returns: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    model: Literal["dcc", "cdcc"] = "cdcc",
    distribution: Distribution = "normal",
    mean: Literal["constant", "zero"] = "constant",
    composite: bool | None = None,
    errors: bool = True,
    fallback: bool = False,
    margins: Sequence[GarchFit] | None = None,
) -> DccFit:
    """Fit DCC(1,1) to `returns` (T, N), N ≥ 2.

    Parameters
    ----------
    model: ``"dcc"`` (Engle) or ``"cdcc"`` (Aielli).
    distribution, mean: of the margins.
    composite: likelihood of neighbouring pairs; default from 31 assets on.
    errors: compute standard errors, about three times the work of the fit.
    fallback: series without a GARCH optimum get constant variance and are listed in `fallbacks`,
        instead of raising.
    margins: fits to use instead of fitting them (``backcast="arch"``).

    Raises DataError for returns that cannot be fitted (see `fit_garch`), for assets whose residuals
    are collinear, and where no optimum is found.
    """
    data = np.asarray(returns, dtype=np.float64)
    if data.ndim != 2 or data.shape[1] < 2:
        raise DataError(
            f"returns of shape {data.shape} have no correlation to fit",
            cure="Give returns of at least two assets, (bars, assets).",
        )
    count = data.shape[1]
    labels = tuple(names) if names is not None else tuple(f"series {i}" for i in range(count))
    if len(labels) != count or (margins is not None and len(margins) != count):
        raise DataError(
            f"{len(labels)} names and {count if margins is None else len(margins)} margins for "
            f"returns of {count} assets",
            cure="Give one of each an asset, in the order of the columns.",
        )
    if margins is None:
        margins = [
            fit_garch(data[:, i], distribution=distribution, mean=mean, name=n, fallback=fallback)
            for i, n in enumerate(labels)
        ]
    many = count >= COMPOSITE_FROM if composite is None else composite
    z = np.stack([m.standardised(data[:, i]) for i, m in enumerate(margins)], axis=-1)
    likelihood = DccLikelihood(z, model == "cdcc", many)
    _separate(likelihood, labels)
    point = _search(likelihood, labels)
    bound = bool(point[0] < _EDGE or point[1] < _EDGE or point.sum() > 1.0 - _EDGE)
    covariance = np.full((2, 2), np.nan)
    if not bound:
        point, curve = _polish(likelihood, point, labels)
        if errors:
            from backtester.estimation.dcc_errors import two_step_covariance

            step = _steps(point)
            covariance = two_step_covariance(likelihood, point, step, curve, tuple(margins), data)
    a, b = float(point[0]), float(point[1])
    return DccFit(
        names=labels,
        margins=tuple(margins),
        corrected=likelihood.corrected,
        composite=many,
        a=a,
        b=b,
        target=likelihood.target(a, b),
        covariance=covariance,
        loglik=float(likelihood.terms(point).sum()),
        bars=len(data),
        on_bound=bound,
    )


def _separate(likelihood: DccLikelihood, labels: tuple[str, ...]) -> None:
    """Raise DataError where the residuals of two or more assets are collinear."""
    target = likelihood.target(0.0, 0.0)
    if np.linalg.eigvalsh(target)[0] > 1e-8:
        return
    off = np.abs(target - np.eye(len(target)))
    i, j = np.unravel_index(int(off.argmax()), off.shape)
    raise DataError(
        f"the correlations of {', '.join(labels)} are singular (closest: {labels[i]} and "
        f"{labels[j]}, {target[i, j]:.6f})",
        cure="Leave one of the collinear assets out, or give more bars than assets.",
    )


def _inside(logits: Float) -> Float:
    """(a, b) of (logit of (a + b)/longest, logit of a/(a + b))."""
    total, share = 1.0 / (1.0 + np.exp(-np.clip(logits, -40.0, 40.0)))
    return np.array([_LONGEST * total * share, _LONGEST * total * (1.0 - share)])


def _search(likelihood: DccLikelihood, labels: tuple[str, ...]) -> Float:
    """(a, b) by Nelder–Mead from the best of nine starts."""
    from scipy.optimize import minimize

    def loss(logits: Float) -> float:
        return -float(likelihood.terms(_inside(logits)).sum())

    starts = [
        np.log([s / (1.0 - s), u / (1.0 - u)])
        for s in (0.7, 0.95, 0.99)
        for u in (0.02, 0.05, 0.15)
    ]
    best = min(starts, key=loss)
    options = {"xatol": 1e-4, "fatol": 1e-5, "maxiter": 2000}
    found = minimize(loss, best, method="Nelder-Mead", options=options)
    if not found.success or not np.isfinite(found.fun):
        raise DataError(
            f"DCC of {', '.join(labels)} did not converge: {found.message}",
            cure="Give more bars, or fewer assets that move almost together.",
        )
    return _inside(found.x)


def _steps(point: Float) -> Float:
    """Differences in (a, b) that stay well inside the bounds."""
    room = min(float(point[0]), 1.0 - float(point.sum()), float(point[1]))
    return np.array([1.0, 1.0]) * min(1e-4, 0.05 * room)


def _polish(
    likelihood: DccLikelihood, point: Float, labels: tuple[str, ...]
) -> tuple[Float, Float]:
    """Newton steps to the maximum, and the Hessian there; raises DataError if it is none."""
    for _ in range(4):
        step = _steps(point)
        gradient = scores(likelihood.terms, point, step).mean(axis=0)
        curve = hessian(likelihood.terms, point, step)
        move = -np.linalg.solve(curve, gradient)
        promise = 0.5 * float(gradient @ move) * len(likelihood.z)
        trial = point + move
        if promise < 1e-9 or min(trial.min(), 1.0 - trial.sum()) < _EDGE:
            break
        if likelihood.terms(trial).sum() < likelihood.terms(point).sum():
            break
        point = trial
    if np.linalg.eigvalsh(curve)[-1] >= 0.0 or promise > _DECREMENT:
        raise DataError(
            f"DCC of {', '.join(labels)} did not converge: a Newton step promises {promise:.1e} "
            "of log-likelihood",
            cure="Give more bars; with constant correlations a and b are not identified.",
        )
    return point, curve
