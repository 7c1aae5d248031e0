"""Loops of settlement and reconciliation over paths, loaded lazily (numba); see settlement.py."""

from __future__ import annotations

from backtester.arrays import Float, Int
from backtester.compiled import inlined, jit
from backtester.costs.tariff_kernel import fill_path


@inlined
def settle_path(
    price: Float, before: Float, hedge_before: Float, exposure: Float, hedges: Float,
    funding: Float, funded: bool, borrow: Float, years: float, index: Int, notional: Float,
    constant: bool, hedge_price: Float, units_out: Float,
) -> tuple[float, float, float, float, float]:  # fmt: skip
    """One path of `settle`: exposure and hedge P&L, their carry, and money of the owner's trades.

    Prices (K,) of the instruments are filled, and units after (N,) where the exposure is
    `constant`.
    """
    moved, carried, bought = 0.0, 0.0, 0.0
    for n in range(price.shape[0]):
        units = exposure[n]
        moved += units * (price[n] - before[n])
        if funded:
            carried -= units * price[n] * funding[n]
        if borrow[n] > 0.0:
            carried += min(units * before[n], 0.0) * borrow[n] * years
        if constant:
            units_out[n] = notional[n] / price[n]
            bought += (units_out[n] - units) * price[n]
    hedged, earned = 0.0, 0.0
    for i in range(index.shape[0]):
        units, n = hedges[i], index[i]
        now = price[n]
        hedge_price[i] = now
        hedged += units * (now - hedge_before[i])
        if funded:
            earned -= units * now * funding[n]
        if borrow[n] > 0.0:
            earned += min(units * hedge_before[i], 0.0) * borrow[n] * years
    return moved, hedged, carried, earned, bought


@jit
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
    for p in range(price.shape[0]):
        moved, hedged, carried, earned, bought = settle_path(
            price[p], before[p], hedge_before[p], exposure[p], hedges[p], funding[p], funded,
            borrow, years, index, notional[p], constant, hedge_price[p], units_out[p],
        )  # fmt: skip
        pnl[0, p], pnl[1, p], pnl[2, p], pnl[3, p] = moved, hedged, carried, earned
        cash_out[p] = cash[p] + carried + earned - bought


@inlined
def mark_path(
    price: Float, hedge_price: Float, exposure: Float, hedges: Float, notional: Float
) -> tuple[float, float, float]:
    """Value of the positions of one path, gross exposure, gross book; notionals (K,) are filled."""
    held, gross = 0.0, 0.0
    for n in range(price.shape[0]):
        value = exposure[n] * price[n]
        held += value
        gross += abs(value)
    outside = gross
    for i in range(hedge_price.shape[0]):
        value = hedges[i] * hedge_price[i]
        held += value
        gross += abs(value)
        notional[i] = value
    return held, outside, gross


@jit
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
    first = -1
    for p in range(price.shape[0]):
        held, gross_exposure[t, p], gross = mark_path(
            price[p], hedge_price[p], exposure[p], hedges[p], notional[t, p]
        )
        now = cash[p] + held
        equity[t, p] = now
        exposure_pnl[t, p], hedge_pnl[t, p] = pnl[0, p], pnl[1, p]
        exposure_carry[t, p], hedge_carry[t, p] = pnl[2, p], pnl[3, p]
        total = pnl[0, p] + pnl[1, p] + pnl[2, p] + pnl[3, p]
        if filled:
            traded_out[t, p] = traded[p]
            for i in range(units.shape[1]):
                fills[t, p, i] = units[p, i]
            for c in range(terms.shape[1]):
                costs[t, p, c] = terms[p, c]
                total -= terms[p, c]
        before = equity[t - 1, p] if t > 0 else capital
        if first < 0 and not abs(now - before - total) <= tolerance * (gross + abs(now) + capital):
            first = p
    return first


@jit
def account(
    t: int, price: Float, before: Float, hedge_before: Float, exposure: Float, hedges: Float,
    cash: Float, funding: Float, funded: bool, borrow: Float, years: float, index: Int,
    notional_held: Float, constant: bool, filled: bool, units: Float, coefficients: Float,
    powers: Float, tolerance: float, capital: float, equity: Float, exposure_pnl: Float,
    hedge_pnl: Float, exposure_carry: Float, hedge_carry: Float, costs: Float, traded: Float,
    gross_exposure: Float, notional: Float, fills: Float, cash_out: Float, hedge_price: Float,
    units_out: Float, hedges_out: Float,
) -> int:  # fmt: skip
    """`settle`, then `fill` of `units` (P, K) where `filled`, then `record`: an event in one pass.

    hedges_out (P, K) is filled where `filled`; hedges are held on else.
    """
    rows, first = coefficients.shape[1], -1
    for p in range(price.shape[0]):
        moved, hedged, carried, earned, bought = settle_path(
            price[p], before[p], hedge_before[p], exposure[p], hedges[p], funding[p], funded,
            borrow, years, index, notional_held[p], constant, hedge_price[p], units_out[p],
        )  # fmt: skip
        left = cash[p] + carried + earned - bought
        total = moved + hedged + carried + earned
        if filled:
            traded[t, p], money, charged = fill_path(
                units[p], hedge_price[p], coefficients[:, p if rows > 1 else 0], powers, hedges[p],
                hedges_out[p], costs[t, p],
            )  # fmt: skip
            left = left - money - charged
            for i in range(units.shape[1]):
                fills[t, p, i] = units[p, i]
            for c in range(powers.shape[0]):
                total -= costs[t, p, c]
        held, gross_exposure[t, p], gross = mark_path(
            price[p], hedge_price[p], units_out[p] if constant else exposure[p],
            hedges_out[p] if filled else hedges[p], notional[t, p],
        )  # fmt: skip
        now = left + held
        cash_out[p], equity[t, p] = left, now
        exposure_pnl[t, p], hedge_pnl[t, p] = moved, hedged
        exposure_carry[t, p], hedge_carry[t, p] = carried, earned
        last = equity[t - 1, p] if t > 0 else capital
        if first < 0 and not abs(now - last - total) <= tolerance * (gross + abs(now) + capital):
            first = p
    return first
