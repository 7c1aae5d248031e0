"""Loop of orders over paths, loaded lazily (numba); see broker.py."""

from __future__ import annotations

import numba

from backtester.arrays import Bool, Byte, Float


@numba.njit(cache=True, error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
def units_to(
    h: Float, held: Float, price: Float, trade: Bool, status: Byte, ok: Bool, units: Float
) -> bool:
    """Fill units (P, K) that take `held` units to `h` money at `price`; whether a path sends any.

    A path sends where `trade` (P,) and `ok` of its status (P,); elsewhere its units are zero.
    """
    sent = False
    for p in range(h.shape[0]):
        send = trade[p] and ok[status[p]]
        sent |= send
        for i in range(h.shape[1]):
            gap = h[p, i] - held[p, i] * price[p, i]
            units[p, i] = gap / price[p, i] if send else 0.0
    return sent
