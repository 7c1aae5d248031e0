"""Loops of settlement and reconciliation over paths, loaded lazily (numba); see settlement.py."""

from __future__ import annotations

import numba

from backtester.arrays import Float, Int


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def settle(
    price: Float, before: Float, hedge_before: Float, exposure: Float, hedges: Float, cash: Float,
    funding: Float, funded: bool, borrow: Float, years: float, index: Int, notional: Float,
    constant: bool, pnl: Float, cash_out: Float, hedge_price: Float, units_out: Float,
) -> None:  # fmt: skip
    """Fill `pnl` (4, P): exposure and hedge P&L, exposure and hedge carry; cash after; and the
    instruments' prices (P, K).

    funding (P, N) is read where `funded`; notional (P, N) where the exposure is `constant`, and
    only then units after (P, N) are filled.
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
            if constant:
                units_out[p, n] = notional[p, n] / price[p, n]
                bought += (units_out[p, n] - units) * price[p, n]
        hedged, earned = 0.0, 0.0
        for i in range(k):
            units, n = hedges[p, i], index[i]
            now = price[p, n]
            hedge_price[p, i] = now
            hedged += units * (now - hedge_before[p, i])
            if funded:
                earned -= units * now * funding[p, n]
            if borrow[n] > 0.0:
                earned += min(units * hedge_before[p, i], 0.0) * borrow[n] * years
        pnl[0, p], pnl[1, p], pnl[2, p], pnl[3, p] = moved, hedged, carried, earned
        cash_out[p] = cash[p] + carried + earned - bought


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def record(
    t: int, price: Float, hedge_price: Float, exposure: Float, hedges: Float, cash: Float,
    pnl: Float, filled: bool, units: Float, traded: Float, terms: Float, tolerance: float,
    capital: float, equity: Float, exposure_pnl: Float, hedge_pnl: Float, exposure_carry: Float,
    hedge_carry: Float, costs: Float, traded_out: Float, gross_exposure: Float, notional: Float,
    fills: Float,
) -> int:  # fmt: skip
    """Write row t of the ledger's arrays, from `equity` (T, P) on; check the identity of the event.

    The book is marked; units (P, K), traded (P,) and terms (P, C) are read where `filled`. Returns
    the first path on which Δequity is not explained by P&L, carry and costs, else −1.
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
        gross_exposure[t, p] = gross
        for i in range(k):
            value = hedges[p, i] * hedge_price[p, i]
            held += value
            gross += abs(value)
            notional[t, p, i] = value
        now = cash[p] + held
        equity[t, p] = now
        exposure_pnl[t, p], hedge_pnl[t, p] = pnl[0, p], pnl[1, p]
        exposure_carry[t, p], hedge_carry[t, p] = pnl[2, p], pnl[3, p]
        total = pnl[0, p] + pnl[1, p] + pnl[2, p] + pnl[3, p]
        if filled:
            traded_out[t, p] = traded[p]
            for i in range(k):
                fills[t, p, i] = units[p, i]
            for c in range(terms.shape[1]):
                costs[t, p, c] = terms[p, c]
                total -= terms[p, c]
        before = equity[t - 1, p] if t > 0 else capital
        if first < 0 and not abs(now - before - total) <= tolerance * (gross + abs(now) + capital):
            first = p
    return first
