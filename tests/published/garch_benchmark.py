"""The GARCH(1,1) benchmark of Fiorentini, Calzolari & Panattoni (1996), and its table.

``python -m tests.published.garch_benchmark FILE`` writes the table of docs/estimation.md from the
series ``dem2gbp_returns_1984_1991.csv.gz``: DEM/GBP of Bollerslev & Ghysels (1996), 1,974 daily
returns in per cent, which is not shipped.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from backtester.estimation.garch import GarchFit, fit_garch

PAGE = Path(__file__).resolve().parents[2] / "docs" / "estimation.md"
NAMES = ("mean", "omega", "alpha", "beta")
SYMBOLS = "μωαβ"
ESTIMATES = (-0.00619041, 0.0107613, 0.153134, 0.805974)
ERRORS = (0.00846212, 0.00285271, 0.0265228, 0.0335527)


def digits(ours: float, published: float) -> float:
    """Log relative error: how many digits agree."""
    return float(-np.log10(abs(ours - published) / abs(published)))


def fit(data: Path, backcast: str = "mean_square") -> GarchFit:
    """The benchmark's fit."""
    returns = np.genfromtxt(data, skip_header=1)
    return fit_garch(returns, backcast=backcast, name="DEM/GBP")  # type: ignore[arg-type]


def table(found: GarchFit) -> str:
    """Published value, ours and the digits that agree, of estimates and Hessian errors."""
    lines = ["| | published | ours | digits | error, published | ours | digits |", "|" + "---|" * 7]
    for symbol, name, value, error in zip(SYMBOLS, NAMES, ESTIMATES, ERRORS, strict=True):
        ours, its = getattr(found, name), found.classic_errors[name]
        lines.append(
            f"| {symbol} | {value} | {ours:.6g} | {digits(ours, value):.1f} "
            f"| {error} | {its:.6g} | {digits(its, error):.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Write the table into the page."""
    lines = table(fit(Path(sys.argv[1])))
    before, rest = PAGE.read_text(encoding="utf-8").split("<!-- benchmark -->\n", 1)
    after = rest.split("<!-- end -->", 1)[1]
    page = f"{before}<!-- benchmark -->\n\n{lines}\n\n<!-- end -->{after}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
