"""What selecting bars by the size of a move does to a correlation that has not changed.

Sources: Boyer, Gibson & Loretan, "Pitfalls in tests for changes in correlations" (1999); Forbes &
Rigobon, "No contagion, only interdependence", *J. Finance* 57 (2002). Bars in which x moves more
than usual show a higher correlation of x with y though the dependence is the same; with
δ = Var(x | selected)/Var(x) − 1,

    ρ_c = ρ √((1 + δ)/(1 + δρ²)),    ρ = ρ_c / √(1 + δ(1 − ρ_c²)).

Exact where y is linear in x plus an independent rest, the normal case among others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from backtester.arrays import Float
from backtester.errors import ConfigError


def conditional_correlation(rho: npt.ArrayLike, delta: npt.ArrayLike) -> Float:
    """Correlation ρ_c seen in bars where the variance of x is 1 + δ times its usual one.

    rho: of all bars, in [−1, 1]; delta: > −1; they broadcast. Raises ConfigError outside.
    """
    whole, excess = _checked(rho, delta)
    return np.asarray(whole * np.sqrt((1.0 + excess) / (1.0 + excess * whole**2)))


def adjusted_correlation(observed: npt.ArrayLike, delta: npt.ArrayLike) -> Float:
    """Correlation ρ of all bars that explains `observed` in bars of 1 + δ times the variance.

    The inverse of `conditional_correlation`: a crisis correlation is evidence of a change only as
    far as this exceeds the one of calm bars. Same ranges and errors.
    """
    seen, excess = _checked(observed, delta)
    return np.asarray(seen / np.sqrt(1.0 + excess * (1.0 - seen**2)))


def _checked(rho: npt.ArrayLike, delta: npt.ArrayLike) -> tuple[Float, Float]:
    correlation, excess = np.broadcast_arrays(np.asarray(rho, float), np.asarray(delta, float))
    if not ((np.abs(correlation) <= 1.0).all() and (excess > -1.0).all()):
        raise ConfigError(
            "a conditional correlation needs a correlation in [-1, 1] and δ > -1",
            cure="δ is the variance of the selected bars over that of all bars, minus 1.",
        )
    return correlation, excess
