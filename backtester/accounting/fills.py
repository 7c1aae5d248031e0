"""What was traded at one event: the record that passes from the broker to the ledger."""

from __future__ import annotations

from backtester.arrays import Float, Int
from backtester.records import record


@record
class Fills:
    """Fills of one event on every path; costs positive when paid."""

    units: Float  # (P, K)
    traded: Float  # (P,) money, sum of absolute trades
    costs: Float  # (P, C) money by term
    unfilled: Int | None = None  # (P,) instruments whose order could not fill; None for none
