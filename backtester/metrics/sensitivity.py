"""How a book's volatility moves with the correlations between its assets; all analytic.

With σ_p² = wᵀ D R D w the derivative to one correlation is ∂σ_p/∂ρ_ij = w_i w_j σ_i σ_j / σ_p. A
long book gains volatility where correlations rise, a hedged one where they fall.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.metrics.hedge import ratio


def uniform_volatility(weights: Float, volatility: Float, rho: Float | float) -> Float:
    """σ_p with one correlation between all assets, elementwise in `rho`.

    σ_p² = (1 − ρ) Σ w²σ² + ρ (Σ wσ)²; a correlation matrix only for ρ ≥ −1/(n − 1).
    weights, volatility: (n,).
    """
    alone, together = _parts(weights, volatility)
    at = np.asarray(rho, dtype=np.float64)
    return np.sqrt(np.maximum((1.0 - at) * alone + at * together, 0.0))


def uniform_sensitivity(weights: Float, volatility: Float, rho: Float | float) -> Float:
    """dσ_p/dρ of `uniform_volatility`: ((Σ wσ)² − Σ w²σ²) / 2σ_p; NaN where σ_p is 0."""
    alone, together = _parts(weights, volatility)
    # `ratio` takes a top of any sign; only its bottom must be positive
    return ratio(together - alone, 2.0 * uniform_volatility(weights, volatility, rho))


def _parts(weights: Float, volatility: Float) -> tuple[float, float]:
    money = np.asarray(weights, np.float64) * volatility
    return float(np.sum(money * money)), float(np.sum(money)) ** 2


def book_volatility(weights: Float, covariance: Float) -> float:
    """σ_p = √(wᵀ Σ w); weights (n,), covariance (n, n)."""
    return math.sqrt(max(float(np.einsum("i,ij,j->", weights, covariance, weights)), 0.0))


def pair_sensitivities(weights: Float, covariance: Float) -> Float:
    """∂σ_p/∂ρ_ij = w_i w_j σ_i σ_j / σ_p for every pair, (n, n), zero on the diagonal.

    NaN where the book has no volatility: there the derivative does not exist.
    """
    money = weights * np.sqrt(np.diag(covariance))
    out = ratio(np.outer(money, money), book_volatility(weights, covariance))
    np.fill_diagonal(out, 0.0)
    return out


@dataclass(frozen=True)
class PairSensitivity:
    """One pair of assets of a book."""

    first: str
    second: str
    correlation: float
    sensitivity: float  # percentage points of exposure a year for a rise of ρ from 0 to 1


@dataclass(frozen=True)
class BookSensitivity:
    """Correlation sensitivity of one book per unit of gross exposure.

    Derivatives are of yearly volatility in % of exposure, to all correlations of a kind at once:
    between exposed assets, between those and hedges, between hedges.
    """

    weights: tuple[tuple[str, float], ...]  # asset → notional per unit of exposure
    volatility: float  # % of exposure a year, before costs
    exposures: float
    across: float
    hedges: float
    pairs: tuple[PairSensitivity, ...]  # largest first

    @property
    def total(self) -> float:
        """To all correlations at once."""
        return self.exposures + self.across + self.hedges

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; NaN as None."""
        names = ("volatility", "exposures", "across", "hedges", "total")
        numbers: dict[str, float] = {n: getattr(self, n) for n in names}
        return {
            "weights": dict(self.weights),
            **{k: v if math.isfinite(v) else None for k, v in numbers.items()},
            "pairs": [
                {
                    "first": p.first,
                    "second": p.second,
                    "correlation": p.correlation if math.isfinite(p.correlation) else None,
                    "sensitivity": p.sensitivity if math.isfinite(p.sensitivity) else None,
                }
                for p in self.pairs
            ],
        }


def book_sensitivity(
    exposed: Sequence[str],
    exposure: Float,
    hedged: Sequence[str],
    hedges: Float,
    assets: Sequence[str],
    covariance: Float,
) -> BookSensitivity:
    """The sensitivities of a book to every correlation between its assets.

    Parameters
    ----------
    exposure (E,), hedges (K,): notional per unit of gross exposure of the assets `exposed` and
        `hedged`; an asset is one or the other.
    covariance: of simple returns a year, over `assets`, (N, N).
    """
    names = (*exposed, *hedged)
    weights = np.concatenate([exposure, hedges])
    pick = np.array([list(assets).index(n) for n in names])
    part = covariance[np.ix_(pick, pick)]
    slope = 100.0 * pair_sensitivities(weights, part)
    spread = np.sqrt(np.diag(part))
    rho = ratio(part, np.outer(spread, spread))
    split = len(exposed)
    i, j = np.triu_indices(len(names), 1)
    kept = weights[i] * weights[j] != 0.0
    found = [
        PairSensitivity(names[a], names[b], float(rho[a, b]), float(slope[a, b]))
        for a, b in zip(i[kept], j[kept], strict=True)
    ]
    return BookSensitivity(
        weights=tuple(zip(names, weights.tolist(), strict=True)),
        volatility=100.0 * book_volatility(weights, part),
        exposures=float(np.sum(np.triu(slope[:split, :split], 1))),
        across=float(np.sum(slope[:split, split:])),
        hedges=float(np.sum(np.triu(slope[split:, split:], 1))),
        pairs=tuple(sorted(found, key=lambda p: -abs(p.sensitivity))),
    )
