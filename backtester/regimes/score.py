"""Probabilities without a fit: how far the book stands from what it is used to."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.estimation.correlation import fisher_z
from backtester.regimes.labelled import CONVERGENCE, DECOUPLING, NORMAL

FALL, SPREAD = 3.0, 0.6
"""Standard errors of Fisher's z at which a change of correlation is as likely as not, and the
width of the step."""
STRESS = 2.5
"""Times its usual variance at which a stress of the book is as likely as not."""


def threshold_score(correlation: Float, usual: Float, stress: Float, sample: float) -> Float:
    """Probability-like scores (P, 3) of normal, convergence and decoupling.

    correlation (P,) of book and basket now, `usual` (P,) its level, `stress` (P,) the book's short
    variance over its level, `sample` the effective bars behind `correlation`. A logistic step each
    in the fall of Fisher's z and in log stress: a rule, not a likelihood.
    """
    change = (fisher_z(correlation) - fisher_z(usual)) * np.sqrt(max(sample - 3.0, 1.0))
    fallen = _step((-change - FALL) / SPREAD)
    risen = _step((change - FALL) / SPREAD)
    stressed = _step((np.log(np.maximum(stress, 1e-12)) - np.log(STRESS)) / 0.25)
    out = np.empty((len(correlation), 3))
    out[:, DECOUPLING] = fallen
    out[:, CONVERGENCE] = (1.0 - fallen) * (1.0 - (1.0 - stressed) * (1.0 - risen))
    out[:, NORMAL] = 1.0 - out[:, DECOUPLING] - out[:, CONVERGENCE]
    return np.maximum(out, 0.0)


def _step(x: Float) -> Float:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -50.0, 50.0))))
