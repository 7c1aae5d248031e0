"""The labeller that looks at no future: the default detector, run over a history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backtester.arrays import Byte
from backtester.market.panel import MarketPanel
from backtester.regimes.book import Exposed, book_returns
from backtester.regimes.detector import HedgeRegimeDetector, RegimeDetector, fit_counts
from backtester.regimes.labelled import Labels

COMMON = 0.2
"""Share of the past above which a state is no crisis: keeps crises near 15 % of real history."""


def detector_label(
    panel: MarketPanel,
    exposure: Exposed,
    instruments: Sequence[str],
    detector: RegimeDetector[Any] | None = None,
) -> Labels:
    """The decision of a causal detector at each bar, (t−1, t], made with that bar's prices.

    A causal label puts the first days of a crash into "normal", and it is not bounded in share:
    use it beside a label made with hindsight, not in its place.
    """
    found = HedgeRegimeDetector(common=COMMON) if detector is None else detector
    label, state = run_detector(panel, exposure, instruments, found)
    said = (
        f"Labelled by a causal detector ({type(found).__name__}) as it stood at each bar; the "
        "first days of a crisis are late. No hedge's P&L is in it."
    )
    if isinstance(found, HedgeRegimeDetector):
        counts = fit_counts(state)
        named = ", ".join(f"{what} {n}" for what, n in counts.items() if n)
        said += f" Fits: {named}." if named else ""
    return Labels(label, found.names, said, known=False)


def run_detector(
    panel: MarketPanel, exposure: Exposed, instruments: Sequence[str], detector: RegimeDetector[Any]
) -> tuple[Byte, Any]:
    """Decisions (T, P) of a detector on a panel, and its last state."""
    book, hedges = book_returns(panel, exposure, instruments)
    elapsed = np.diff(panel.trading_days).tolist()
    state = detector.init(panel.paths, len(instruments))
    label: Byte = np.zeros((panel.bars, panel.paths), dtype=np.int8)
    for b, days in enumerate(elapsed):
        state = detector.step(state, book[b], hedges[b], days)
        label[b + 1] = detector.regime(state)
    label[0] = label[1]
    return label, state
