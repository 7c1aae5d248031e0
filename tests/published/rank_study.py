"""How often a rank correlation is not PSD, and what estimators cost: figures of docs/estimation.md.

``python -m tests.published.rank_study`` writes the table of repairs and prints the costs, which
depend on the machine.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from backtester.estimation.covariance import Covariance, covariance_estimator
from backtester.estimation.rank import KendallCovariance, SpearmanCovariance

PAGE = Path(__file__).resolve().parents[2] / "docs" / "estimation.md"
ASSETS, PATHS = 8, 400
BARS = (8, 12, 16, 24, 40)


def share_repaired(kind: type[SpearmanCovariance], bars: int, rho: float) -> float:
    """Share of normal paths, all correlations `rho`, whose estimate has to be repaired."""
    mixing = np.linalg.cholesky(rho * np.ones((ASSETS, ASSETS)) + (1.0 - rho) * np.eye(ASSETS)).T
    returns = 0.01 * np.random.default_rng(bars).standard_normal((bars, PATHS, ASSETS)) @ mixing
    estimator = kind(float(bars))
    state = estimator.init(PATHS, ASSETS)
    for row in returns:
        state = estimator.step(state, row, 1.0)
    return float(estimator.estimate(state)[1].repaired.mean())


def table() -> str:
    """Least and largest share over the correlations, by length of the window."""
    lines = ["| bars in the window | " + " | ".join(map(str, BARS)) + " |", "|---" * 6 + "|"]
    for name, kind in (("spearman", SpearmanCovariance), ("kendall", KendallCovariance)):
        cells = []
        for bars in BARS:
            shares = [share_repaired(kind, bars, rho) for rho in (0.0, 0.6, 0.9)]
            low, high = f"{100 * min(shares):.0f}", f"{100 * max(shares):.0f}"
            cells.append(f"{low} %" if low == high else f"{low}–{high} %")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def costs(paths: int) -> str:
    """Least processor time of a path's step and estimate, by estimator; windows of 60 bars."""
    returns = 0.01 * np.random.default_rng(1).standard_normal((100, paths, ASSETS))
    lines = []
    for name in Covariance:
        estimator = covariance_estimator(name)
        state = estimator.init(paths, ASSETS)
        best = [np.inf, np.inf]
        for t, row in enumerate(returns):
            start = time.process_time()
            state = estimator.step(state, row, 1.0)
            middle = time.process_time()
            if t >= 65:
                estimator.covariance(state)
                best[1] = min(best[1], time.process_time() - middle)
                best[0] = min(best[0], middle - start)
        step, estimate = (1e6 * seconds / paths for seconds in best)
        lines.append(f"{paths:6} paths {name:12} step {step:6.2f} estimate {estimate:6.2f} µs")
    return "\n".join(lines)


def main() -> None:
    """Write the table, print the costs."""
    lines = table()
    before, rest = PAGE.read_text(encoding="utf-8").split("<!-- repairs -->\n", 1)
    after = rest.split("<!-- end -->", 1)[1]
    PAGE.write_text(f"{before}<!-- repairs -->\n\n{lines}\n\n<!-- end -->{after}", encoding="utf-8")
    print(costs(256), flush=True)
    print(costs(10_000))


if __name__ == "__main__":
    main()
