"""Value at risk and expected shortfall of a normal."""

from __future__ import annotations

from functools import partial

from backtester.hedging.shortfall import normal_shortfall
from backtester.metrics.risk import entropic_risk, expected_shortfall, value_at_risk
from backtester.verify.claim import Claim
from backtester.verify.problems import normal_grid

TOPIC = "Tail risk"
NORMAL = "standard normal: z_α, and φ(z_α)/(1 − α)"
SAMPLE = 1_000_000
claim = partial(Claim, TOPIC)

CLAIMS = (
    claim("ES at 97.5 %, closed form", "2.337803", lambda: normal_shortfall(0.975), NORMAL),
    claim(
        "ES at 97.5 % of a million equally likely values",
        "2.337803",
        lambda: expected_shortfall(normal_grid(SAMPLE), 0.975),
        NORMAL,
        2e-5,
    ),
    claim(
        "VaR at 99 % of the same",
        "2.326348",
        lambda: value_at_risk(normal_grid(SAMPLE), 0.99),
        NORMAL,
        2e-5,
    ),
    claim(
        "entropic risk, λ = 1, of the same",
        "0.5",
        lambda: entropic_risk(normal_grid(SAMPLE), 1.0),
        "(1/λ) ln E exp(−λX) = λ/2",
        1e-4,
    ),
)
