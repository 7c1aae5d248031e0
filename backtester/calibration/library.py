"""Rebuild the scenario files that ship with the package.

``python -m backtester.calibration.library DATA scenarios`` reads the public data sets named in
`SOURCES`, as daily CSV files, and writes the YAML files. Figures that are chosen, not estimated,
stand in `library_choices.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from backtester.calibration.calibrate import Calibration, calibrate
from backtester.calibration.choices import Choices
from backtester.calibration.files import at_bar_end, bond_index, log_basis
from backtester.calibration.library_choices import (
    BTC_ETH,
    COINS,
    CRYPTO,
    CRYPTO_GOLD,
    STOCK_BOND,
)
from backtester.calibration.variants import KINDS

if TYPE_CHECKING:
    import pandas as pd

COMMAND = "python -m backtester.calibration.library DATA scenarios"
SOURCES: dict[str, dict[str, str]] = {
    "yahoo": {
        "data": "crypto daily close in USD before 2021-01-01 (Yahoo Finance)",
        "repository": "github.com/benjaminpo/crypto-price@a9d3c86b",
        "licence": "MIT",
    },
    "binance": {
        "data": "crypto daily close in USDT from 2021-01-01 (Binance spot, close of the 23:00 bar)",
        "repository": "github.com/RobBudaghyan/mark6@0af2c2b2",
        "licence": "none stated; only computed figures are kept here",
    },
    "funding": {
        "data": "Binance BTC and ETH perpetual funding, 8-hourly, 2020-2023",
        "repository": "github.com/supervik/historical-funding-rates-fetcher@66a085bc",
        "licence": "MIT",
    },
    "ftx": {
        "data": "FTX daily candles of perpetuals and spot, 2021-01-01 to 2022-07-19",
        "repository": "github.com/FilPerolo/breakout-forecast@ea58e340",
        "licence": "none stated; only computed figures are kept here",
    },
    "stable": {
        "data": "TerraUSD daily close in USD (Yahoo Finance)",
        "repository": "github.com/finanzascuantitativasfc/2024-1-data@918b2901",
        "licence": "none stated; only computed figures are kept here",
    },
    "lean": {
        "data": "SPY daily, adjusted for dividends and splits",
        "repository": "github.com/QuantConnect/Lean@24863901",
        "licence": "Apache-2.0",
    },
    "fred": {
        "data": "ten-year constant-maturity Treasury yield (FRED DGS10), latest revision",
        "repository": "github.com/qie2003/treasury-yield-forecast@b8a6a97a",
        "licence": "none stated; US government data, only computed figures are kept here",
    },
}
BASIS_WINDOW = "Basis: 2021-01-01 to 2022-07-19 only, the days the venue's data has."
MAJORS = ("ETH", "BTC", "SOL", "LTC", "LINK", "PAXG")
LAST_WHOLE_FTX_DAY = "2022-07-19"  # the candle of the 20th was cut short: 236 bp of false basis


DAY_END = "A day's close is stamped at the end of the day: 00:00 UTC of the next date."


def crypto(data: Path) -> Calibration:
    """Six spots and two perpetuals, 2021–2023."""
    from backtester.market.loaders.files import read_prices

    return _with_perpetuals(data, read_prices(data / "crypto_daily_close.csv.gz"), MAJORS)


def coins(data: Path) -> Calibration:
    """The same with LUNA, FTT and TerraUSD, until the last month in which all three were coins."""
    from backtester.market.loaders.files import read_prices

    prices = read_prices(data / "crypto_daily_close.csv.gz")
    stable = read_prices(data / "stablecoins_daily_2017_2023.csv.gz", values="close")
    prices["UST"] = stable["USTC"].reindex(prices.index)
    return _with_perpetuals(data, prices, (*MAJORS, "LUNA", "FTT", "UST"), end="2022-05-01")


def _with_perpetuals(
    data: Path, prices: pd.DataFrame, assets: tuple[str, ...], end: str | None = None
) -> Calibration:
    from backtester.market.loaders.files import read_funding, read_prices

    perpetuals = {"BTC-PERP": "BTC", "ETH-PERP": "ETH"}
    venue = read_prices(data / "ftx_perp_spot_daily_2019_2022.csv.gz", values="close")
    basis = log_basis(
        venue[:LAST_WHOLE_FTX_DAY], {p: f"{spot}-USD" for p, spot in perpetuals.items()}
    )
    return calibrate(
        at_bar_end(prices),
        assets=assets,
        start="2021-01-02",
        end=end,
        assume_tz="UTC",
        perpetuals=perpetuals,
        funding=read_funding(data / "funding_binance_8h_2020_2023.csv.gz"),
        basis=at_bar_end(basis),
    )


def btc_eth(data: Path) -> Calibration:
    """BTC and ETH, November 2017 to 2023."""
    from backtester.market.loaders.files import read_prices

    prices = at_bar_end(read_prices(data / "crypto_daily_close.csv.gz"))
    return calibrate(prices, assets=("ETH", "BTC"), start="2017-11-10", assume_tz="UTC")


def crypto_gold(data: Path) -> Calibration:
    """BTC and tokenised gold, 2021–2023."""
    from backtester.market.loaders.files import read_prices

    prices = at_bar_end(read_prices(data / "crypto_daily_close.csv.gz"))
    return calibrate(prices, assets=("BTC", "PAXG"), start="2021-01-02", assume_tz="UTC")


def stock_bond(data: Path) -> Calibration:
    """SPY and a ten-year par bond, 1998–2021."""
    import pandas as pd

    from backtester.market.loaders.files import read_prices

    equity = read_prices(data / "us_equity_daily_1998_2021.csv.gz", values="adj_close")
    macro = pd.read_csv(data / "macro_daily_1990_2023.csv.gz", index_col=0, parse_dates=True)
    prices = pd.DataFrame({"SPY": equity["SPY"]}).join(
        bond_index(macro["dgs10"]).rename("UST10"), how="left"
    )
    return calibrate(prices, calendar="sessions", assume_tz="UTC")


Pair = tuple[Callable[[Path], Calibration], Choices, tuple[str, ...], str]
PAIRS: dict[str, Pair] = {
    "pair_btc_eth": (
        btc_eth,
        BTC_ETH,
        ("yahoo", "binance"),
        "ETH and BTC, normal and crisis as estimated: a pair of strong positive correlation.",
    ),
    "pair_stock_bond": (
        stock_bond,
        STOCK_BOND,
        ("lean", "fred"),
        "Stocks and ten-year Treasuries: a negative correlation that turns positive in the crisis.",
    ),
    "pair_crypto_gold": (
        crypto_gold,
        CRYPTO_GOLD,
        ("binance",),
        "BTC and tokenised gold, as estimated: a correlation too weak to hedge with.",
    ),
}


def files(data: Path) -> dict[str, str]:
    """File name → text of every scenario of the library."""
    universe = crypto(data)
    written = {
        f"{kind}.yaml": universe.to_yaml(
            kind=kind,
            choices=CRYPTO,
            sources=_sources("binance", "funding", "ftx"),
            command=COMMAND,
            notes=[DAY_END, BASIS_WINDOW],
        )
        for kind in KINDS
    }
    written["normal_coins.yaml"] = coins(data).to_yaml(
        kind="normal",
        name="normal_coins",
        description="The normal regime of January 2021 to April 2022, with LUNA, FTT and TerraUSD.",
        choices=COINS,
        sources=_sources("binance", "stable", "funding", "ftx"),
        command=COMMAND,
        notes=[DAY_END],
    )
    for name, (load, choices, sources, description) in PAIRS.items():
        written[f"{name}.yaml"] = load(data).to_yaml(
            name=name,
            description=description,
            choices=choices,
            sources=_sources(*sources),
            command=COMMAND,
            notes=() if load is stock_bond else [DAY_END],
        )
    return written


def _sources(*names: str) -> list[dict[str, str]]:
    return [SOURCES[name] for name in names]


def main(arguments: list[str]) -> None:
    """Write the library: `arguments` are the data folder and the folder to write to."""
    data, out = (Path(a) for a in arguments)
    for name, text in files(data).items():
        (out / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
