"""The fluctuation test for a change in correlation at an unknown time.

Source: Wied, Krämer & Dehling, "Testing for a change in correlation at an unknown point in time
using an extended functional delta method", *Econometric Theory* 28 (2012):

    Q = D̂ max_j (j/√T) |ρ̂_j − ρ̂_T|

with ρ̂_j the correlation of the first j of T observations. D̂⁻² is the long-run variance (Bartlett,
bandwidth ⌊log T⌋) of the influence of one observation on the correlation, which the delta method
makes of that of the five moments: ψ = uv − ρ̂(u² + v²)/2 with u, v standardised. Under no change Q
tends to the supremum of |Brownian bridge|, 5 % critical value 1.358. Neither a distribution nor
independence in time is assumed, but variances must not change: devolatilise first.

Testing again at every event is not this test: see `backtester.monitors.cusum`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float, Int
from backtester.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Cusum:
    """Outcome of the fluctuation test; arrays have the shape of the pairs."""

    statistic: Float  # 0 where a side does not move, or two points explain all
    at: Int  # observations before the most likely change; 0 where there is none
    before: Float  # correlation of the first `at` observations
    after: Float  # of the others

    @property
    def p_value(self) -> Float:
        """P(sup |Brownian bridge| ≥ statistic): Kolmogorov's distribution."""
        from scipy.special import kolmogorov

        return np.asarray(kolmogorov(self.statistic))


def correlation_cusum(x: Float, y: Float, *, first: int = 2) -> Cusum:
    """Test each pair of rows of `x` and `y`, both (..., T), for a change of correlation.

    first: fewest observations on either side of a change; 2 is the test as published. Over very
    short parts the correlation of a strongly correlated pair jumps, so that a monitor wants more.

    Raises ConfigError where the shapes differ or T < 2·first, with first ≥ 2.
    """
    from backtester.estimation.cusum_kernel import fluctuation

    if x.shape != y.shape or first < 2 or x.shape[-1] < 2 * first:
        raise ConfigError(
            f"correlation CUSUM of shapes {x.shape} and {y.shape}, at least {first} on either side",
            cure="Give two samples of one length, at least twice the shortest part (2 or more).",
        )
    shape, n = x.shape[:-1], x.shape[-1]
    pairs = int(np.prod(shape, dtype=np.int64))
    out, at = np.empty((3, pairs)), np.empty(pairs, dtype=np.int64)
    flat_x = np.ascontiguousarray(x, dtype=np.float64).reshape(pairs, n)
    flat_y = np.ascontiguousarray(y, dtype=np.float64).reshape(pairs, n)
    bandwidth = max(int(np.log(n)), 1)
    fluctuation(flat_x, flat_y, bandwidth, first, out[0], at, out[1], out[2])
    return Cusum(
        out[0].reshape(shape), at.reshape(shape), out[1].reshape(shape), out[2].reshape(shape)
    )


def bridge_critical(significance: float) -> float:
    """Value that sup |Brownian bridge| exceeds with probability `significance`; 1.358 at 5 %.

    Raises ConfigError unless 0 < significance < 1.
    """
    from scipy.special import kolmogi

    if not 0.0 < significance < 1.0:
        raise ConfigError(
            f"significance must lie between 0 and 1, got {significance!r}",
            cure="Give the probability of a false positive, for example 0.05.",
        )
    return float(kolmogi(significance))
