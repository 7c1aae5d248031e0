"""Loops of planning and charging over paths, loaded lazily (numba); see tariff.py."""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Float


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def plan(coefficients: Float, powers: Float, linear: Float, steep: Float) -> None:
    """Fill (P, K): sums of the coefficients (C, P or 1, K) of power one, and of steeper ones."""
    terms, rows, k = coefficients.shape
    for p in range(linear.shape[0]):
        row = p if rows > 1 else 0
        for i in range(k):
            one, more = 0.0, 0.0
            for c in range(terms):
                if powers[c] == 1.0:
                    one += coefficients[c, row, i]
                elif powers[c] > 1.0:
                    more += coefficients[c, row, i]
            linear[p, i] = one
            steep[p, i] = more


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def fill(
    units: Float, price: Float, coefficients: Float, powers: Float, held: Float, cash: Float,
    after: Float, left: Float, traded: Float, charges: Float,
) -> None:  # fmt: skip
    """Trade `units` (P, K): fill units after (P, K), cash left (P,), Σ|z| (P,), charges (P, C).

    A term charges coefficient · |z|^power on z = units · price, nothing where z is zero.
    """
    terms, rows, k = coefficients.shape
    for p in range(units.shape[0]):
        row = p if rows > 1 else 0
        size, bought, total = 0.0, 0.0, 0.0
        for i in range(k):
            z = units[p, i] * price[p, i]
            size += abs(z)
            bought += z
            after[p, i] = held[p, i] + units[p, i]
        for c in range(terms):
            power, amount = powers[c], 0.0
            for i in range(k):
                z = abs(units[p, i] * price[p, i])
                if z != 0.0:
                    rate = coefficients[c, row, i]
                    if power == 1.0:
                        amount += rate * z
                    elif power == 1.5:
                        amount += rate * z * np.sqrt(z)
                    else:
                        amount += rate * z**power
            charges[p, c] = amount
            total += amount
        traded[p] = size
        left[p] = cash[p] - bought - total
