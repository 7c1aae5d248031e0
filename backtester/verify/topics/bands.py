"""The no-trade band that the horizon makes, and what it costs."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from backtester.hedging.band import running_cost
from backtester.hedging.gate import gated
from backtester.hedging.horizon import TargetDiffusion, horizon
from backtester.hedging.solver import solve
from backtester.verify.claim import Claim
from backtester.verify.problems import lone

TOPIC = "No-trade bands"
FEE, GAS, DIFFUSION, CURVATURE = 1e-3, 1e-4, 0.04, 2.0
FEES = "b = (3cs²/2A)^⅓, cost cs²/2b, risk Ab²/6; c = 10 bp, s² = 0.04/day, A = 2"
GASES = "b = (12Ks²/A)^¼, cost Ks²/b², risk Ab²/12; K = 1 bp, s² = 0.04/day, A = 2"
claim = partial(Claim, TOPIC)


@cache
def band(fee: float, gas: float) -> float:
    """Distance from the target at which horizon, solver and gate begin to trade, by bisection."""
    unit = np.ones((1, 1))
    state = TargetDiffusion(unit, np.array([DIFFUSION]), 0.0)
    days = float(horizon(state, CURVATURE, unit, fee * unit, np.array([gas]))[0])

    def trades(gap: float) -> bool:
        batch = lone(CURVATURE * days, 0.0, np.array([gap]), fee=fee)
        found = solve(batch)
        if gas > 0.0:
            found = gated(batch, found, np.array([gas]))
        return float(found.h[0, 0]) != gap

    inside, outside = 0.0, 1.0
    while outside - inside > 1e-10 * outside:
        middle = 0.5 * (inside + outside)
        inside, outside = (inside, middle) if trades(middle) else (middle, outside)
    return outside


def rates(fee: float, gas: float, factor: float = 1.0) -> tuple[float, float]:
    """Trading cost and risk, bp a day, of `factor` times that band."""
    width = factor * band(fee, gas)
    found = running_cost(width, fee=fee, gas=gas, diffusion=DIFFUSION, curvature=CURVATURE)
    return 1e4 * found[0], 1e4 * found[1]


def cost_over_risk() -> float:
    """Of the band under a fee."""
    cost, risk = rates(FEE, 0.0)
    return cost / risk


CLAIMS = (
    claim("half-width under a fee", "0.0310723", lambda: band(FEE, 0.0), FEES),
    claim("its trading cost", "6.4366", lambda: rates(FEE, 0.0)[0], FEES, unit="bp/day"),
    claim("its risk", "3.2183", lambda: rates(FEE, 0.0)[1], FEES, unit="bp/day"),
    claim("both", "9.6549", lambda: sum(rates(FEE, 0.0)), FEES, unit="bp/day"),
    claim(
        "cost over risk at the best band",
        "2",
        cost_over_risk,
        "split ⅔ : ⅓",
        1e-6,
    ),
    claim(
        "both at 0.6 times the band",
        "11.8862",
        lambda: sum(rates(FEE, 0.0, 0.6)),
        FEES,
        unit="bp/day",
    ),
    claim(
        "both at 1.6 times the band",
        "12.2617",
        lambda: sum(rates(FEE, 0.0, 1.6)),
        FEES,
        unit="bp/day",
    ),
    claim(
        "half-width at 8 times the fee, multiple",
        "2",
        lambda: band(8.0 * FEE, 0.0) / band(FEE, 0.0),
        "cube-root law",
        1e-8,
    ),
    claim("half-width under gas", "0.0699927", lambda: band(0.0, GAS), GASES),
    claim("its trading cost", "8.16497", lambda: rates(0.0, GAS)[0], GASES, unit="bp/day"),
    claim("its risk", "8.16497", lambda: rates(0.0, GAS)[1], GASES, unit="bp/day"),
    claim(
        "half-width at 16 times the gas, multiple",
        "2",
        lambda: band(0.0, 16.0 * GAS) / band(0.0, GAS),
        "fourth-root law",
        1e-8,
    ),
)
