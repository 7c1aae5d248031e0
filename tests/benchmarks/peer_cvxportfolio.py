"""cvxportfolio on prices handed to it; runs in an environment of its own, prints one JSON object.

``python peer_cvxportfolio.py PRICES.npz`` with ``prices`` (T, N), ``held`` (the exposure's money at
the start), ``aversion``, ``cost`` (fraction of a trade), ``halflife`` (days), ``limit`` (of a
hedge, over capital), ``capital`` and ``start`` (bar of the first decision). Every day: minimum
variance plus cost of the trade, exposure untouched, hedges within limits. Nothing is downloaded.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import cvxportfolio as cvx
import numpy as np
import pandas as pd


def main(file: str) -> None:
    """Back-test, and say what a bar took and what was held."""
    given = np.load(file)
    prices, held, capital = given["prices"], given["held"], float(given["capital"])
    names = [f"A{i}" for i in range(prices.shape[1])]
    days = pd.date_range("2024-01-01", periods=len(prices), freq="D", tz="UTC")
    returns = pd.DataFrame(prices[1:] / prices[:-1] - 1.0, days[:-1], names)
    returns["cash"] = 0.0
    exposed, hedges = names[: len(held)], names[len(held) :]
    cost, limit, start = float(given["cost"]), float(given["limit"]), int(given["start"])
    halflife = pd.Timedelta(float(given["halflife"]), "D")
    covariance = cvx.forecast.HistoricalFactorizedCovariance(half_life=halflife)
    free = pd.Series(0.0, names)
    free[hedges] = limit
    allowed = pd.Series(1e3, names)
    allowed[hedges] = limit
    policy = cvx.SinglePeriodOptimization(
        -0.5 * float(given["aversion"]) * cvx.FullCovariance(covariance)
        - cvx.TransactionCost(a=cost),
        [*(cvx.NoTrade(name, list(days)) for name in exposed),
         cvx.MinWeights(-allowed), cvx.MaxWeights(allowed)],
        include_cash_return=False,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        market = cvx.UserProvidedMarketData(
            returns=returns, cash_key="cash", base_location=Path(folder),
            min_history=pd.Timedelta(0, "D"),
        )  # fmt: skip
        simulator = cvx.MarketSimulator(
            market_data=market, costs=[cvx.TransactionCost(a=cost)], base_location=Path(folder)
        )
        book = pd.Series([*held, *(0.0 for _ in hedges), capital - held.sum()], returns.columns)
        before = time.perf_counter()
        result = simulator.backtest(policy, start_time=days[start], end_time=days[-2], h=book)
        seconds = time.perf_counter() - before
    after = result.h_plus[hedges].dropna().to_numpy()  # the last bar decides nothing
    print(json.dumps({
        "seconds": seconds, "bars": len(after), "hedges": after.tolist(),
        "version": cvx.__version__,
    }))  # fmt: skip


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(sys.argv[1])
