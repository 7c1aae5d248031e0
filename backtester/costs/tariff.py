"""What an order meets at one event: every cost term's coefficient, and where orders fill."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from backtester.arrays import Bool, Float
from backtester.records import record


@record
class Tariff:
    """Coefficients of the C cost terms: each charges coefficient · |z|^power on z money."""

    coefficients: Float  # (C, P or 1, K) ≥ 0, money^(1 − power)
    powers: Float  # (C,)
    tradable: Bool | None = None  # (P or 1, K) orders fill; None where they always do

    def rates(self, paths: int) -> tuple[Float, Float]:
        """Planned coefficients (P, K) of |z| and of |z|^{3/2}; fixed costs are not among them."""
        shape = (paths, self.coefficients.shape[2])
        linear, steep = np.empty(shape), np.empty(shape)
        _kernels().plan(self.coefficients, self.powers, linear, steep)
        return linear, steep

    def fill(
        self, units: Float, price: Float, held: Float, cash: Float
    ) -> tuple[Float, Float, Float, Float]:
        """Trade `units` (P, K) at `price` (P, K): units held after, cash after, traded, charges.

        held (P, K) units and cash (P,) money before; traded (P,) is Σ|z|, charges (P, C) by term.
        """
        paths = len(units)
        after, left = np.empty(units.shape), np.empty(paths)
        traded, charges = np.empty(paths), np.empty((paths, len(self.powers)))
        _kernels().fill(
            units, price, self.coefficients, self.powers, held, cash, after, left, traded, charges
        )
        return after, left, traded, charges


@cache
def _kernels() -> Any:
    from backtester.costs import tariff_kernel

    return tariff_kernel
