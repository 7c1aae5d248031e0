"""The markets of the out-of-sample study: real prices, funding and costs, as study dictionaries.

The files come from a folder of the user's (docs/out_of_sample.md says which); `prepare` writes the
few columns each market needs into a folder of its own, in the form studies read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

CAPITAL = 1_000_000
PERP = {"fee_bps": 5.0, "half_spread_bps": 0.5}
"""Taker fee of the large perpetual venues, base tier; top of book .1 to 1 bp."""
ETF = {"fee_bps": 0.5, "half_spread_bps": 1.0, "borrow_bps": 30.0}
"""A choice: half a cent of commission on $100, a cent wide, easy to borrow."""
OLD_COINS = ("XRP", "ADA", "LTC", "BCH", "XLM")
NEW_COINS = ("SOL", "AVAX", "LINK", "DOT", "UNI")


@dataclass(frozen=True)
class Case:
    """One market: what is held, what may hedge it, and where its prices come from."""

    name: str
    positions: Mapping[str, float]
    hedge_with: tuple[str, ...]
    costs: Mapping[str, Any]
    calendar: str = "24/7"
    builtin: str | None = None
    funded: bool = False

    def study(self, folder: Path) -> dict[str, Any]:
        """The market as an entry of a study; files as `prepare` wrote them."""
        history: Any = self.builtin
        if self.builtin is None:
            stem = self.name.replace(" ", "_").replace(",", "")
            history = {"prices": str(folder / f"{stem}.csv"), "calendar": self.calendar}
            history["assume_tz"] = "UTC"
            if self.funded:
                history["funding"] = str(folder / "funding.csv")
                history["columns"] = [*self.positions, *self.hedge_with]
        return {
            "name": self.name,
            "history": history,
            "exposure": {"positions": dict(self.positions), "hold": "notional"},
            "hedge_with": list(self.hedge_with),
            "costs": dict(self.costs),
        }


def equal(*names: str) -> dict[str, float]:
    """The capital in equal parts."""
    return dict.fromkeys(names, CAPITAL / len(names))


CASES = (
    Case("ETH with BTC", equal("ETH"), ("BTC-PERP",), PERP, funded=True),
    Case("coins of 2018 with BTC", equal(*OLD_COINS), ("BTC-PERP",), PERP, funded=True),
    Case(
        "coins of 2021 with BTC ETH gold",
        equal(*NEW_COINS),
        ("BTC-PERP", "ETH-PERP", "PAXG"),
        {
            "fee_bps": {"BTC-PERP": 5.0, "ETH-PERP": 5.0, "PAXG": 10.0},
            "half_spread_bps": {"BTC-PERP": 0.5, "ETH-PERP": 1.0, "PAXG": 3.0},
            "borrow_bps": {"PAXG": 300.0},
        },
        funded=True,
    ),
    Case(
        "spot with its perpetual",
        equal("BTC", "ETH"),
        ("BTC-PERP", "ETH-PERP"),
        {"fee_bps": 5.0, "half_spread_bps": {"BTC-PERP": 0.5, "ETH-PERP": 1.0}},
        funded=True,
    ),
    Case("SPY with TLT GLD UUP", equal("SPY"), ("TLT", "GLD", "UUP"), ETF, "sessions"),
    Case("XLE with USO", equal("XLE"), ("USO",), ETF, "sessions"),
    Case("BTC with SPY GLD", equal("BTC"), ("SPY", "GLD"), ETF, "sessions"),
    Case(
        "S&P 500 with NASDAQ WTI",
        equal("SP500"),
        ("NASDAQ", "WTI"),
        ETF,
        "sessions",
        builtin="index-history",
    ),
)


def prepare(data: Path, folder: Path) -> None:
    """Write the prices of every case, and the funding of both perpetuals, into `folder`."""
    coins = pd.read_csv(data / "crypto_daily_close.csv.gz", index_col=0, parse_dates=True)
    funds = pd.read_csv(data / "cross_asset_daily.csv.gz", index_col=0, parse_dates=True)
    venue = pd.read_csv(data / "ftx_perp_spot_daily_2019_2022.csv.gz", parse_dates=["date"])
    perps = venue.pivot(index="date", columns="market", values="close")
    funding(data).to_csv(folder / "funding.csv")
    # A perpetual is marked at its coin's close, but for the one case that has its own prices.
    marked = coins.assign(**{"BTC-PERP": coins["BTC"], "ETH-PERP": coins["ETH"]})
    own = coins[["BTC", "ETH"]].join(perps[["BTC-PERP", "ETH-PERP"]])
    both = coins[["BTC"]].join(funds[["SPY", "GLD"]], how="inner")
    sources = {
        "ETH with BTC": marked.loc["2018":],
        "coins of 2018 with BTC": marked.loc["2018":],
        "coins of 2021 with BTC ETH gold": marked.loc["2021":],
        "spot with its perpetual": own.loc["2020":"2022-08-13"],
        "SPY with TLT GLD UUP": funds,
        "XLE with USO": funds,
        "BTC with SPY GLD": both,
    }
    for case in CASES:
        if case.builtin is None:
            columns = [*case.positions, *case.hedge_with]
            stem = case.name.replace(" ", "_").replace(",", "")
            frame = sources[case.name][columns].dropna()
            # The close of day D is known when D ends.
            frame.index = frame.index + pd.Timedelta(days=1)
            frame.index.name = "time"
            frame.to_csv(folder / f"{stem}.csv")


def funding(data: Path) -> pd.DataFrame:
    """Rates at every stamp: Binance, and BitMEX for BTC in 2018 and 2019, which it lacks."""
    new = pd.read_csv(data / "funding_binance_8h_2020_2023.csv.gz", parse_dates=["time_utc"])
    old = pd.read_csv(data / "funding_bitmex_xbtusd_2016_2020.csv.gz", parse_dates=["time_utc"])
    wide = new.pivot(index="time_utc", columns="asset", values="funding_rate")
    wide.columns = [f"{asset}-PERP" for asset in wide.columns]
    before = old.set_index("time_utc")["funding_rate"].loc["2018":"2019"]
    both = pd.concat([before.to_frame("BTC-PERP"), wide]).sort_index()
    both.index.name = "time"
    return both.fillna(0.0)
