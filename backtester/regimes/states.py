"""Named states from fitted ones: ordered by what happens to the hedge, not by mean correlation."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float, Int
from backtester.regimes.labelled import CONVERGENCE, DECOUPLING, NORMAL

WORSE = 1.5
"""A decoupling leaves a hedge set at the usual correlation so many times its usual residual; a
convergence at unchanged volatility leaves the best hedge so many times less."""
STRESS = 2.0
"""Times the usual variance of the book in a convergence."""


def name_states(scatter: Float, share: Float, common: float) -> Int:
    """Code of each fitted state, (K,).

    scatter: (K, 2, 2) of book and basket; share: (K,) of the bars. The most visited state is
    `normal`. Another is a decoupling where the hedge's correlation is materially lower and the
    money left at risk no smaller, a convergence where the book moves much more or the hedge follows
    it much more closely, and normal too where neither is so or it holds more than `common` of the
    past: what is common is no crisis.
    """
    base = int(np.argmax(share))
    usual = min(max(_rho(scatter[base]), 0.0), 0.995)
    out = np.full(len(share), NORMAL, dtype=np.int64)
    for k in range(len(share)):
        if k == base or not 0.0 < share[k] <= common or scatter[base, 0, 0] <= 0.0:
            continue
        rho = _rho(scatter[k])
        stress = scatter[k, 0, 0] / scatter[base, 0, 0]
        worse = (1.0 - 2.0 * usual * rho + usual**2) / (1.0 - usual**2)
        residual = stress * (1.0 - rho**2) / (1.0 - usual**2)
        if worse >= WORSE and residual >= 1.0:
            out[k] = DECOUPLING
        elif stress >= STRESS or (1.0 - usual**2) >= WORSE * (1.0 - rho**2):
            out[k] = CONVERGENCE
    return out


def template(scatter: Float, code: int) -> Float:
    """Scatter (2, 2) of a state never visited, made from the normal one.

    Convergence: volatilities doubled, Fisher's z of the correlation up by .3. Decoupling: z down by
    1, volatilities up by a fifth. Without them a first crisis of its kind could not be seen.
    """
    stretch, shift = (2.0, 0.3) if code == CONVERGENCE else (1.2, -1.0)
    rho = np.tanh(np.arctanh(min(max(_rho(scatter), -0.995), 0.995)) + shift)
    deviation = stretch * np.sqrt(np.diagonal(scatter))
    out = np.outer(deviation, deviation)
    out[0, 1] *= rho
    out[1, 0] *= rho
    return np.asarray(out)


def _rho(scatter: Float) -> float:
    size = float(scatter[0, 0] * scatter[1, 1])
    return float(scatter[0, 1]) / size**0.5 if size > 0.0 else 0.0
