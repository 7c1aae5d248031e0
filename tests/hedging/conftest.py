"""Small hedge problems stated by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backtester.hedging.batch import HedgeBatch


def stated(paths: int = 1, K: int = 1, rows: int = 0, **given: Any) -> HedgeBatch:
    """Unit risk on every instrument, no exposure, no cost and no limit but what is `given`."""
    ones = np.ones((paths, K))
    values: dict[str, Any] = {
        "F": np.broadcast_to(np.eye(K), (paths, K, K)),
        "f": 0.0 * ones,
        "risk_weight": np.ones(paths),
        "reward": 0.0 * ones,
        "h0": 0.0 * ones,
        "linear": 0.0 * ones,
        "impact": 0.0 * ones,
        "lower": -np.inf * ones,
        "upper": np.inf * ones,
        "gross": np.full(paths, np.inf),
        "turnover": np.full(paths, np.inf),
        "A": np.ones((paths, rows, K)),
        "b": np.zeros((paths, rows)),
        "band": np.zeros((paths, rows)),
        "scale": np.ones(paths),
    }
    for name, value in given.items():
        values[name] = np.broadcast_to(np.asarray(value, dtype=float), values[name].shape).copy()
    return HedgeBatch(**{name: np.array(value) for name, value in values.items()})


@pytest.fixture(scope="session")
def state() -> Callable[..., HedgeBatch]:
    """``state(paths, K, rows, **arrays)``."""
    return stated
