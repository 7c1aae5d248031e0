"""Minimum-variance hedge ratio and effectiveness of a series that a textbook prints."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.metrics.hedge import contracts, minimum_variance_ratio
from backtester.verify.claim import Claim

TOPIC = "Minimum-variance hedge"
BOOK = "Hull, Options, Futures, and Other Derivatives, Table 3.2 (jet fuel, heating oil)"
RECOMPUTED = "the same fifteen months, more digits"

# fmt: off
HEATING_OIL = np.array([.021, .035, -.046, .001, .044, -.029, -.026, -.029, .048, -.006, -.036,
                        -.011, .019, -.027, .029])
JET_FUEL = np.array([.029, .020, -.044, .008, .026, -.019, -.010, -.007, .043, .011, -.036, -.018,
                     .009, -.032, .023])
# fmt: on
claim = partial(Claim, TOPIC)


def hull(position: int) -> float:
    """Ratio, correlation or effectiveness of the book's series."""
    return minimum_variance_ratio(JET_FUEL, HEATING_OIL)[position]


CLAIMS = (
    claim("correlation ρ", "0.928", lambda: hull(1), BOOK),
    claim("hedge ratio h*", "0.78", lambda: hull(0), BOOK),
    claim("hedge ratio h*", "0.777651", lambda: hull(0), RECOMPUTED),
    claim("effectiveness ρ²", "0.861875", lambda: hull(2), RECOMPUTED),
    claim(
        "contracts for 2,000,000 gallons, 42,000 each",
        "37.03",
        lambda: contracts(hull(0), 2e6, 42e3),
        BOOK,
    ),
)
