"""Tail dependence: how likely two assets are to crash together, given that one of them does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backtester.arrays import Float
from backtester.errors import ConfigError


def t_tail_dependence(rho: npt.ArrayLike, degrees: npt.ArrayLike) -> Float:
    """Coefficient of (lower = upper) tail dependence of a t copula, in [0, 1]; any shape.

    λ = 2 t_{ν+1}(−√((ν + 1)(1 − ρ)/(1 + ρ))), t_k the Student distribution function with k degrees
    of freedom (McNeil, Frey & Embrechts, *Quantitative Risk Management*, section 7.2.4). A normal
    copula has none for |ρ| < 1: ν = inf gives 0.

    Parameters
    ----------
    rho: correlation, in [−1, 1]. degrees: ν > 0, inf allowed. They broadcast.

    Raises ConfigError outside these ranges.
    """
    from scipy.special import stdtr

    correlation, freedom = np.broadcast_arrays(np.asarray(rho, float), np.asarray(degrees, float))
    if not (np.abs(correlation) <= 1.0).all():
        raise ConfigError(
            "correlation of a tail dependence lies outside [-1, 1]", cure="Give a correlation."
        )
    if not (freedom > 0.0).all():
        raise ConfigError(
            "degrees of freedom of a tail dependence must be > 0",
            cure="Give ν > 0; infinity is the normal copula.",
        )
    inside = correlation > -1.0
    ratio = np.divide(
        1.0 - correlation, 1.0 + correlation, out=np.full(inside.shape, np.inf), where=inside
    )
    finite = np.isfinite(freedom)
    more = np.where(finite, freedom, 1.0) + 1.0
    at = np.where(inside, -np.sqrt(more * np.where(inside, ratio, 1.0)), -np.inf)
    heavy = np.where(inside, 2.0 * stdtr(more, at), 0.0)
    return np.where(finite, heavy, (correlation == 1.0).astype(np.float64))
