"""Loops of planning and charging over paths, loaded lazily (numba); see tariff.py."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.compiled import inlined, jit


@jit
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


@inlined
def fill_path(
    units: Float, price: Float, coefficients: Float, powers: Float, held: Float, after: Float,
    charges: Float,
) -> tuple[float, float, float]:  # fmt: skip
    """One path of `fill`: Σ|z|, Σz and Σ charges, money; units after (K,), charges (C,) filled.

    coefficients (C, K).
    """
    k = units.shape[0]
    size, bought, total = 0.0, 0.0, 0.0
    for i in range(k):
        z = units[i] * price[i]
        size += abs(z)
        bought += z
        after[i] = held[i] + units[i]
    for c in range(powers.shape[0]):
        power, amount = powers[c], 0.0
        for i in range(k):
            z = abs(units[i] * price[i])
            if z != 0.0:
                rate = coefficients[c, i]
                if power == 1.0:
                    amount += rate * z
                elif power == 1.5:
                    amount += rate * z * np.sqrt(z)
                else:
                    amount += rate * z**power
        charges[c] = amount
        total += amount
    return size, bought, total


@jit
def fill(
    units: Float, price: Float, coefficients: Float, powers: Float, held: Float, cash: Float,
    after: Float, left: Float, traded: Float, charges: Float,
) -> None:  # fmt: skip
    """Trade `units` (P, K): fill units after (P, K), cash left (P,), Σ|z| (P,), charges (P, C).

    A term charges coefficient · |z|^power on z = units · price, nothing where z is zero.
    """
    rows = coefficients.shape[1]
    for p in range(units.shape[0]):
        traded[p], bought, total = fill_path(
            units[p], price[p], coefficients[:, p if rows > 1 else 0], powers, held[p], after[p],
            charges[p],
        )  # fmt: skip
        left[p] = cash[p] - bought - total
