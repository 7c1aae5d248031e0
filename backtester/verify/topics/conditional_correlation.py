"""One step of dynamic conditional correlation, and how long a shock to it lasts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from backtester.estimation.dcc import DynamicCorrelation, half_life
from backtester.verify.claim import Claim

TOPIC = "Dynamic conditional correlation"
STEP = (
    "Engle (2002): Q = (1 − a − b)S + a zzᵀ + bQ by hand; a = 0.05, b = 0.93, S₁₂ = 0.4, Q₁₂ = 0.6"
)
EWMA = "the same with a + b = 1: RiskMetrics (1996), λ = 0.94"
LASTS = "ln 0.5/ln(a + b), forecasts of Engle & Sheppard (2001)"
claim = partial(Claim, TOPIC)


def step(a: float, b: float, second: float) -> float:
    """Correlation after z = (−2, second) from Q = [[1, .6], [.6, 1]], S₁₂ = .4."""
    dcc = DynamicCorrelation(
        a, b, 0.0, 0.0, level=(1.0, 1.0), winsor=float("inf"), target=((1.0, 0.4), (0.4, 1.0))
    )
    state = dcc.init(1, 2)
    if dcc.blend < 1.0:  # else Q is S and the news are not looked at
        before, target = np.array([[1.0, 0.6], [0.6, 1.0]]), np.array(dcc.target)
        news = (before - dcc.blend * target) / (1.0 - dcc.blend)
        state = replace(state, news=news[None], news_weight=1.0)
    after = dcc.step(state, np.array([[-2.0, second]]), 1.0)
    return float(dcc.correlation(after)[0, 0, 1])


CLAIMS = (
    claim("ρ after z = (−2, −3)", "0.682504", lambda: step(0.05, 0.93, -3.0), STEP),
    claim("ρ after z = (−2, 3)", "0.209637", lambda: step(0.05, 0.93, 3.0), STEP),
    claim("ρ after z = (−2, −3), a + b = 1", "0.699198", lambda: step(0.06, 0.94, -3.0), EWMA),
    claim("ρ after any z, a = b = 0: constant", "0.4", lambda: step(0.0, 0.0, -3.0), STEP, 1e-12),
    *(
        claim(f"half-life, a + b = {p:g}", text, partial(half_life, p), LASTS, unit="days")
        for p, text in ((0.95, "13.51"), (0.97, "22.76"), (0.99, "68.97"))
    ),
)
