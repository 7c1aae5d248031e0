"""Simulate and recover: does the DCC fit find (a, b), and do its intervals cover?

``OMP_NUM_THREADS=1 python tests/published/dcc_study.py`` writes the table of docs/estimation.md in
about ten minutes of one core. Each replication draws T = 5,000 bars of N series with GARCH(1,1)
margins and correlations of the model that is fitted, fits everything anew and asks whether
estimate ± 1.96 standard errors holds the truth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numba
import numpy as np

from backtester.arrays import Float
from backtester.estimation.dcc_fit import DccFit, fit_dcc
from backtester.estimation.dcc_kernels import advance, factor_into
from backtester.rng import stream

PAGE = Path(__file__).resolve().parents[2] / "docs" / "estimation.md"
A, B = 0.05, 0.93
ALPHA, BETA = 0.05, 0.90
BARS, BURN, REPLICATIONS, SEED = 5000, 1000, 100, 20
CASES = (("dcc", 2), ("cdcc", 2), ("dcc", 10), ("cdcc", 10))


def target(assets: int) -> Float:
    """S_ij = .6^|i−j|."""
    index = np.arange(assets)
    return np.asarray(0.6 ** np.abs(index[:, None] - index[None, :]))


@numba.njit  # type: ignore[untyped-decorator, unused-ignore]
def _draw(
    shocks: Float, S: Float, a: float, b: float, alpha: float, beta: float, own: bool
) -> Float:
    """Returns (T, N) of unit long-run variance from normal `shocks` (T, N).

    Not cached: a test loads this file under a name of its own.
    """
    bars, assets = shocks.shape
    Q, variance, out = S.copy(), np.ones(assets), np.empty((bars, assets))
    lower, pivot = np.zeros((assets, assets)), np.empty(assets)
    news = np.empty(assets)
    for t in range(bars):
        factor_into(Q, lower, pivot)
        for i in range(assets):
            news[i] = 0.0  # diag(Q)^½ z
            for j in range(i + 1):
                news[i] += lower[i, j] * shocks[t, j]
            z = news[i] / np.sqrt(Q[i, i])
            out[t, i] = np.sqrt(variance[i]) * z
            square = out[t, i] * out[t, i]
            variance[i] = 1.0 - alpha - beta + alpha * square + beta * variance[i]
            if not own:
                news[i] = z
        advance(Q, S, news, a, b)
    return out


def simulate(model: str, assets: int, bars: int, replication: int, seed: int = SEED) -> Float:
    """Returns (T, N) in per cent of a DCC or cDCC process with GARCH margins."""
    shocks = stream(seed, "dcc_study", replication).standard_normal((bars + BURN, assets))
    return np.asarray(_draw(shocks, target(assets), A, B, ALPHA, BETA, model == "cdcc")[BURN:])


def recover(model: str, assets: int, replication: int, bars: int = BARS) -> DccFit:
    """The fit of one replication."""
    return fit_dcc(simulate(model, assets, bars, replication), model=model)  # type: ignore[arg-type]


def row(model: str, assets: int, fits: list[DccFit]) -> str:
    """One line of the table."""
    found = np.array([[f.a, f.b] for f in fits])
    errors = np.array([f.errors for f in fits])
    inside = np.abs(found - [A, B]) <= 1.96 * errors  # nan (on a bound) does not cover
    cells = [model, str(assets)]
    for k in range(2):
        cells += [
            f"{found[:, k].mean():.4f}",
            f"{found[:, k].std(ddof=1):.4f}",
            f"{np.nanmean(errors[:, k]):.4f}",
            f"{100 * inside[:, k].mean():.0f} %",
        ]
    cells.append(str(sum(f.on_bound for f in fits)))
    return "| " + " | ".join(cells) + " |"


_EACH = ("mean", "spread", "mean error", "covered")
_HEAD = ["model", "N", *(f"{k}: {v}" for k in "ab" for v in _EACH), "on a bound"]
HEAD = "| " + " | ".join(_HEAD) + " |\n|" + "---|" * len(_HEAD)


def table(cases: tuple[tuple[str, int], ...] = CASES, replications: int = REPLICATIONS) -> str:
    """The whole table."""
    lines = [HEAD]
    for model, assets in cases:
        fits = [recover(model, assets, r) for r in range(replications)]
        lines.append(row(model, assets, fits))
        print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def main() -> None:
    """Write the table into the page."""
    lines = table()
    before, rest = PAGE.read_text(encoding="utf-8").split("<!-- recover -->\n", 1)
    after = rest.split("<!-- end -->", 1)[1]
    page = f"{before}<!-- recover -->\n\n{lines}\n\n<!-- end -->{after}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
