"""In-sample and out-of-sample figures of a walk-forward evaluation, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtester.arrays import Float, Int
from backtester.clock import iso
from backtester.folds import Fold
from backtester.metrics.hedge import hedging_effectiveness
from backtester.metrics.pnl import PERCENT
from backtester.metrics.risk import certainty_equivalent, expected_shortfall, windows

FIGURES = {
    "net_es": "% of capital",
    "unhedged_es": "% of capital",
    "effectiveness_net": "fraction",
    "pnl_net": "bp of capital a bar",
    "certainty_equivalent": "bp of capital a bar",
}
"""What is shown of each window, with its unit. By bar, so that windows of any length compare."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Piece:
    """P&L of one window, money (B, P)."""

    net: Float
    unhedged: Float
    exposure: Float


@dataclass(frozen=True)
class FoldScore:
    """One choice, what it promised and what it held."""

    number: int
    train: tuple[str, str]  # first and last day
    test: tuple[str, str]
    chosen: str  # the parameter set chosen on most paths
    share: float  # of the paths
    inside: Figures  # of the chosen sets on the training window
    outside: Figures  # of the book that followed them, on the test window


@dataclass(frozen=True)
class WalkScore:
    """A walk-forward evaluation of one strategy on one market."""

    strategy: str
    market: str
    select: str
    sets: int  # parameter sets, each of which is a trial
    folds: tuple[FoldScore, ...]
    inside: Figures  # all training windows together
    outside: Figures  # all test windows together
    hindsight: str  # the set that would have been best on the test windows
    best: Figures  # its figures there, with a book of its own

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; NaN as None."""
        return {
            "strategy": self.strategy,
            "market": self.market,
            "select": self.select,
            "sets": self.sets,
            "in_sample": _plain(self.inside),
            "out_of_sample": _plain(self.outside),
            "hindsight": {"chosen": self.hindsight, **_plain(self.best)},
            "folds": [
                {
                    "number": f.number,
                    "train": list(f.train),
                    "test": list(f.test),
                    "chosen": f.chosen,
                    "share": f.share,
                    "in_sample": _plain(f.inside),
                    "out_of_sample": _plain(f.outside),
                }
                for f in self.folds
            ],
        }


def walk_score(
    folds: Sequence[Fold],
    names: Sequence[str],
    choice: Int,
    candidates: Float,
    unhedged: Float,
    exposure: Float,
    times: Int,
    followed: Float,
    *,
    strategy: str,
    market: str,
    select: str,
    capital: float,
    risk_aversion: float,
) -> WalkScore:
    """Scores of every fold and of all together.

    Parameters
    ----------
    choice: (W, P) set chosen for each fold; candidates: (C, B, P) net P&L of every set.
    unhedged, exposure: (B, P); times: (B + 1,).
    followed: (S, P) net P&L of the book that followed the choices, from the first test bar on.
    """
    first, last = folds[0].test[0], folds[-1].test[1]
    inside, outside, rows = [], [], []
    for w, fold in enumerate(folds):
        a, b = fold.train
        chosen = np.take_along_axis(candidates[:, a:b], choice[w][None, None], axis=0)[0]
        trained = Piece(chosen, unhedged[a:b], exposure[a:b])
        c, d = fold.test
        tested = Piece(followed[c - first : d - first], unhedged[c:d], exposure[c:d])
        inside.append(trained)
        outside.append(tested)
        counts = np.bincount(choice[w], minlength=len(names))
        most = int(np.argmax(counts))
        rows.append(
            FoldScore(
                w + 1,
                _days(times, a, b),
                _days(times, c, d),
                names[most],
                float(counts[most] / counts.sum()),
                figures([trained], capital, risk_aversion),
                figures([tested], capital, risk_aversion),
            )
        )
    test = slice(first, last)
    every = [
        figures([Piece(x[test], unhedged[test], exposure[test])], capital, risk_aversion)
        for x in candidates
    ]
    sign = 1.0 if select == "net_es" else -1.0
    ranked = [sign * f[select] for f in every]
    best = int(np.nanargmin(ranked)) if not np.isnan(ranked).all() else 0
    return WalkScore(
        strategy=strategy,
        market=market,
        select=select,
        sets=len(names),
        folds=tuple(rows),
        inside=figures(inside, capital, risk_aversion),
        outside=figures(outside, capital, risk_aversion),
        hindsight=names[best],
        best=every[best],
    )


def figures(pieces: Sequence[Piece], capital: float, risk_aversion: float) -> Figures:
    """`FIGURES` of some windows pooled; 10-bar losses never run from one window into the next."""
    net, bare = (
        np.concatenate([getattr(p, n).ravel() for p in pieces]) for n in ("net", "unhedged")
    )
    exposure = np.concatenate([p.exposure.ravel() for p in pieces])
    nothing = math.nan if net.size == 0 else 0.0

    def shortfall(name: str) -> float:
        losses = np.concatenate([windows(getattr(p, name)).ravel() for p in pieces])
        return expected_shortfall(losses) * PERCENT / capital if losses.size else math.nan

    return {
        "net_es": shortfall("net"),
        "unhedged_es": shortfall("unhedged"),
        "effectiveness_net": hedging_effectiveness(net, bare, exposure),
        "pnl_net": 1e4 * float(np.sum(net)) / max(net.size, 1) / capital + nothing,
        "certainty_equivalent": 1e4 * certainty_equivalent(net, capital, risk_aversion) / capital,
    }


def _days(times: Int, first: int, stop: int) -> tuple[str, str]:
    return iso(int(times[first]))[:10], iso(int(times[stop]))[:10]


def _plain(values: Figures) -> dict[str, float | None]:
    return {k: v if math.isfinite(v) else None for k, v in values.items()}
