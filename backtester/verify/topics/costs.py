"""What trading and holding costs, as the ledger charges it."""

from __future__ import annotations

from functools import partial

import numpy as np

from backtester.costs.carry import borrow_cash, funding_cash
from backtester.costs.model import CostConfig, CostModel
from backtester.costs.quote import Quote
from backtester.verify.claim import Claim

TOPIC = "Costs"
BOYD = "Boyd et al. (2017), §2.3: a|x| + bσ|x|^{3/2}/V^{1/2}"
ROOT = "I = Yσ√(Q/V) (Almgren et al. 2005; Donier & Bonart 2015)"
claim = partial(Claim, TOPIC)


def charged(*terms: str, impact: float = 1.0, depth: float = 1e10) -> float:
    """Money paid for $10m at 1 bp half-spread and 3 % volatility a day."""
    quote = Quote(
        price=np.array([[100.0]]),
        half_spread=np.array([[1e-4]]),
        depth=np.array([[depth]]),
        volatility=np.array([[0.03]]),
    )
    settings = CostConfig(fee_bps=0, half_spread_bps=1, impact=impact)
    found = CostModel.of(settings, ("X",), ("X",)).charge(np.array([[1e7]]), quote)
    return sum(float(found[term][0]) for term in terms)


def short_year() -> float:
    """Percent a year that a short perpetual earns at .01 % every eight hours."""
    stamps = np.full(3 * 365, 1e-4)
    return 100.0 * float(funding_cash(np.array(-1.0), np.array(1.0), stamps).sum())


def borrowed() -> float:
    """Percent a year that a short pays at 2 % a year, accrued daily on constant notional."""
    paid = borrow_cash(np.full(365, -2.0), np.array(50.0), np.array(0.02), 1.0 / 365.0)
    return float(-paid.sum())


CLAIMS = (
    claim("half-spread, $10m at 1 bp", "1000", lambda: charged("spread"), BOYD, 1e-12, "$"),
    claim("impact, σ 3 %/day, V $10bn", "9486.83", lambda: charged("impact"), BOYD, unit="$"),
    claim("both", "10486.83", lambda: charged("spread", "impact"), BOYD, unit="$"),
    claim(
        "impact of the whole order, Y = 1",
        "9.4868",
        lambda: charged("impact") / 1e3,
        ROOT,
        unit="bp",
    ),
    claim(
        "average over its execution, Y = 2/3",
        "6.3246",
        lambda: charged("impact", impact=2.0 / 3.0) / 1e3,
        "two thirds of the square-root law",
        unit="bp",
    ),
    claim(
        "impact on a tenth of the depth, multiple",
        "3.1623",
        lambda: charged("impact", depth=1e9) / charged("impact"),
        ROOT,
    ),
    claim(
        "funding of 0.01 % per 8 h, received by a short",
        "10.95",
        short_year,
        "1,095 stamps a year, simple",
        1e-12,
        "%/y",
    ),
    claim(
        "borrow at 2 % a year on a short of $100", "2", borrowed, "365 daily accruals", 1e-12, "$/y"
    ),
)
