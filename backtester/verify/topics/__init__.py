"""One topic a module: `TOPIC`, its title, and `CLAIMS`."""

from __future__ import annotations

ORDER = (
    "hedge_ratio",
    "stale_hedge",
    "robust_hedge",
    "one_period",
    "bands",
    "costs",
    "correlation",
    "dependence",
    "matrix_repair",
    "chains",
    "tail_risk",
)
"""Modules of this package in the order of the table."""
