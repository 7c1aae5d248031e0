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
    "rank_correlation",
    "conditional_correlation",
    "sensitivity",
    "dependence",
    "matrix_repair",
    "chains",
    "monitoring",
    "tail_risk",
    "inference",
)
"""Modules of this package in the order of the table."""
