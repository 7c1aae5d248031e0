"""Loops of settlement and reconciliation over paths, loaded lazily (numba); see settlement.py."""

from __future__ import annotations

import numba

from backtester.arrays import Float, Int


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def settle(
    price: Float, hedge_price: Float, before: Float, hedge_before: Float, exposure: Float,
    hedges: Float, cash: Float, funding: Float, funded: bool, borrow: Float, years: float,
    index: Int, notional: Float, constant: bool, pnl: Float, cash_out: Float, units_out: Float,
) -> None:  # fmt: skip
    """Fill `pnl` (4, P): exposure and hedge P&L, exposure and hedge carry; cash and units after.

    funding (P, N) is read where `funded`; notional (P, N) where the exposure is `constant`.
    """
    paths, assets = price.shape
    k = index.shape[0]
    for p in range(paths):
        moved, carried, bought = 0.0, 0.0, 0.0
        for n in range(assets):
            units = exposure[p, n]
            moved += units * (price[p, n] - before[p, n])
            if funded:
                carried -= units * price[p, n] * funding[p, n]
            if borrow[n] > 0.0:
                carried += min(units * before[p, n], 0.0) * borrow[n] * years
            units_out[p, n] = units
            if constant:
                units_out[p, n] = notional[p, n] / price[p, n]
                bought += (units_out[p, n] - units) * price[p, n]
        hedged, earned = 0.0, 0.0
        for i in range(k):
            units, n = hedges[p, i], index[i]
            hedged += units * (hedge_price[p, i] - hedge_before[p, i])
            if funded:
                earned -= units * hedge_price[p, i] * funding[p, n]
            if borrow[n] > 0.0:
                earned += min(units * hedge_before[p, i], 0.0) * borrow[n] * years
        pnl[0, p], pnl[1, p], pnl[2, p], pnl[3, p] = moved, hedged, carried, earned
        cash_out[p] = cash[p] + carried + earned - bought


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def reconcile(
    price: Float, hedge_price: Float, exposure: Float, hedges: Float, cash: Float, before: Float,
    pnl: Float, costs: Float, tolerance: float, capital: float, equity: Float,
    gross_exposure: Float, notional: Float, explained: Float,
) -> int:  # fmt: skip
    """Mark the book into `equity`, `gross_exposure` (P,) and `notional` (P, K); check the identity.

    Returns the first path on which Δequity is not explained by P&L, carry and costs, else −1.
    """
    paths, assets = price.shape
    k = hedges.shape[1]
    first = -1
    for p in range(paths):
        held, gross = 0.0, 0.0
        for n in range(assets):
            value = exposure[p, n] * price[p, n]
            held += value
            gross += abs(value)
        gross_exposure[p] = gross
        for i in range(k):
            value = hedges[p, i] * hedge_price[p, i]
            held += value
            gross += abs(value)
            notional[p, i] = value
        equity[p] = cash[p] + held
        total = pnl[0, p] + pnl[1, p] + pnl[2, p] + pnl[3, p]
        for c in range(costs.shape[1]):
            total -= costs[p, c]
        explained[p] = total
        apart = abs(equity[p] - before[p] - total)
        if first < 0 and not apart <= tolerance * (gross + abs(equity[p]) + capital):
            first = p
    return first
