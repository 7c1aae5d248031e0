"""Carry: what a position earns or pays for being held – funding and borrow; never part of cost(z).

Funding (perpetuals): a long pays ``mark notional × rate`` at the stamp when the rate is positive,
a short receives it. Borrow: a short pays ``rate × elapsed time`` on its notional.

The formulas in numpy; `accounting.settlement_kernel` applies them in one loop and is held to these.
"""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float


def funding_cash(units: Float, price: Float, rate: Float) -> Float:
    """Cash received by each position at a funding stamp, same shape as `units`.

    units held over (t−1, t], price and rate (fraction of notional) at t.
    """
    return np.asarray(-units * price * rate)


def borrow_cash(units: Float, price: Float, rate_per_year: Float, years: float) -> Float:
    """Cash received (negative: paid) by shorts over the bar, on the notional at its start."""
    return np.asarray(np.minimum(units * price, 0.0) * rate_per_year * years)
