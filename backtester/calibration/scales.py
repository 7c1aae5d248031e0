"""Rebuild the default plausibility scales that ship with the built-in overlays.

``python -m backtester.calibration.scales DATA scenarios/overlays/scales.yaml`` reads the public
data sets named below as CSV files. Depth and spread have no public history: their scales rest on
published figures of six events.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.calibration.files import at_bar_end
from backtester.calibration.library import LAST_WHOLE_FTX_DAY
from backtester.calibration.plausibility import (
    WINDOW_DAYS,
    Plausibility,
    basis_scale,
    depeg_sides,
    funding_scale,
    outage_scale,
    plausibility_scales,
    windows_of,
)
from backtester.market.panel import MarketPanel
from backtester.plausibility import Coordinate, Scale, Tail

if TYPE_CHECKING:
    import pandas as pd

COMMAND = "python -m backtester.calibration.scales DATA scenarios/overlays/scales.yaml"
COINS = ("BTC", "ETH", "LTC", "LINK", "XRP", "BCH", "ADA", "BNB", "XLM")
SPOT = (
    "daily closes of nine coins 2017-11-10 to 2023-12-31 (Yahoo Finance via "
    "github.com/benjaminpo/crypto-price@a9d3c86b, MIT; from 2021 Binance via "
    "github.com/RobBudaghyan/mark6@0af2c2b2, no licence stated)"
)
JUMPS = SPOT.replace("nine coins", "BTC").replace("closes", "close")
HOURLY = (
    "hours without a bar for any pair, Binance 2021-01-01 to 2023-12-31 "
    "(github.com/RobBudaghyan/mark6@0af2c2b2, no licence stated)"
)
FUNDING = (
    "BTC and ETH perpetual funding, Binance 2020-01-01 to 2023-12-31 "
    "(github.com/supervik/historical-funding-rates-fetcher@66a085bc, MIT)"
)
BASIS = (
    "BTC and ETH perpetual over spot, FTX daily 2021-01-01 to 2022-07-19 "
    "(github.com/FilPerolo/breakout-forecast@ea58e340, no licence stated)"
)
STABLE = (
    "daily closes of USDT, USDC, DAI, TUSD, BUSD, FRAX and USTC (to 2022-05-31) 2017-11-09 to "
    "2023-12-31 (Yahoo Finance via github.com/xlrsp/MA-Stablecoins@e21f3c3f and "
    "github.com/finanzascuantitativasfc/2024-1-data@918b2901, no licence stated)"
)
MONTHS = 72
LIQUIDITY = (
    "six published events in the 72 months 2020-2025, a large venue's figure for each: March 2020 "
    "and October 2025 (books nearly empty, taken as -90 %), Kraken November 2022 -57 %, Coinbase "
    "March 2023 -50 %, an intraday halving in 2023, Coinbase October 2024 -46 % (theblock.co "
    "188845; tronweekly.com; Kaiko via bbapi.viigoo and binance.com; research.kaiko.com); the tail "
    "exponent is a choice"
)
SPREADS = (
    "published events in the 72 months 2020-2025: March 2020 (single-digit to hundreds of bp), "
    "March 2023 (slippage x 3), October 2025 (single-digit bp to double-digit %) (cryptoiq.co; "
    "theblockchain.page; research.kaiko.com); the tail exponent is a choice"
)
DEPTH_EVENTS = (0.90, 0.90, 0.57, 0.50, 0.50, 0.46)
SPREAD_EVENTS = (1000.0, 50.0, 3.0)
DEPTH_EXPONENT, SPREAD_EXPONENT = 4.0, 10.0


def spot(data: Path) -> Plausibility:
    """Correlation, decoupling, volatility and jumps of coins."""
    from backtester.market.loaders.files import read_prices

    prices = read_prices(data / "crypto_daily_close.csv.gz")["2017-11-10":][list(COINS)]
    return plausibility_scales(_panel(prices), leader="BTC", source=SPOT)


def funding(data: Path) -> Scale | None:
    """Funding of two perpetuals, daily sums."""
    from backtester.market.loaders.files import read_funding, read_prices

    prices = read_prices(data / "crypto_daily_close.csv.gz")["2020-01-01":][["BTC", "ETH"]]
    prices[["BTC-PERP", "ETH-PERP"]] = prices[["BTC", "ETH"]]
    paid = read_funding(data / "funding_binance_8h_2020_2023.csv.gz")
    paid = paid.rename(columns={"BTC": "BTC-PERP", "ETH": "ETH-PERP"})
    return funding_scale(windows_of(_panel(at_bar_end(prices), paid), WINDOW_DAYS, FUNDING))


def basis(data: Path) -> Scale | None:
    """Premium of two perpetuals over spot on one venue."""
    from backtester.market.loaders.files import read_prices

    venue = read_prices(data / "ftx_perp_spot_daily_2019_2022.csv.gz", values="close")
    columns = {"BTC-USD": "BTC", "ETH-USD": "ETH", "BTC-PERP": "BTC-PERP", "ETH-PERP": "ETH-PERP"}
    both = venue[:LAST_WHOLE_FTX_DAY][list(columns)].rename(columns=columns).dropna()
    return basis_scale(windows_of(_panel(both), WINDOW_DAYS, BASIS))


def stable(data: Path) -> Scale | None:
    """Depegs, each coin over its own dates."""
    import pandas as pd

    long = pd.read_csv(data / "stablecoins_daily_2017_2023.csv.gz", parse_dates=["date"])
    wide = long.pivot(index="date", columns="asset", values="close")
    wide.loc["2022-06-01":, "USTC"] = np.nan
    parts = [windows_of(_panel(wide[[c]].dropna()), WINDOW_DAYS, STABLE) for c in wide.columns]
    sides = [depeg_sides(part, 0) for part in parts]
    loss, premium = (np.concatenate([s[i] for s in sides]) for i in (0, 1))
    return parts[0].scale(0.0, "loss", loss, premium)


def outages(data: Path) -> Scale | None:
    """Maintenance of a venue."""
    from backtester.market.loaders.files import read_prices

    hourly = read_prices(data / "crypto_hourly_close_binance_2021_2023.csv.gz")[["BTC"]].dropna()
    return outage_scale(windows_of(_panel(hourly), WINDOW_DAYS, HOURLY))


def published(
    neutral: float,
    coordinate: Coordinate,
    events: tuple[float, ...],
    exponent: float,
    source: str,
) -> Scale:
    """A scale of published events: the k-th largest was reached in k of `MONTHS` months."""
    plain = Scale(
        neutral=neutral, coordinate=coordinate, windows=MONTHS, window_days=30.0, source=source
    )
    knots: dict[float, float] = {}
    for rank, value in enumerate(sorted(events, reverse=True), start=1):
        knots[round(float(plain.coordinate_of(np.asarray(value))), 4)] = round(rank / MONTHS, 4)
    return plain.model_copy(
        update={"up": Tail(knots=tuple(sorted(knots.items())), exponent=exponent)}
    )


def scales(data: Path) -> dict[str, dict[str, Scale]]:
    """Every default scale, by overlay and parameter."""
    from_coins = spot(data).scales
    found: dict[str, dict[str, Scale | None]] = {
        "CorrelationPath": {"theta": from_coins["CorrelationPath"]["theta"]},
        "Decoupling": {"kept": from_coins["Decoupling"]["kept"]},
        "Depeg": {"depth": stable(data)},
        "FundingShock": {"level": funding(data), "basis": basis(data)},
        "Jump": {"size": from_coins["Jump"]["size"].model_copy(update={"source": JUMPS})},
        "Liquidity": {
            "depth_loss": published(0.0, "loss", DEPTH_EVENTS, DEPTH_EXPONENT, LIQUIDITY),
            "spread_factor": published(1.0, "log", SPREAD_EVENTS, SPREAD_EXPONENT, SPREADS),
        },
        "Outage": {"duration_days": outages(data)},
        "Volatility": {"multiplier": from_coins["Volatility"]["multiplier"]},
    }
    result: dict[str, dict[str, Scale]] = {}
    for overlay, parameters in found.items():
        for name, scale in parameters.items():
            assert scale is not None, f"{overlay}.{name} has no scale in this data"
            result.setdefault(overlay, {})[name] = scale
    return result


def text(data: Path) -> str:
    """The file of default scales, figures rounded to what is known."""
    import yaml

    plain = Plausibility(scales(data)).data()
    return yaml.safe_dump(
        {"schema_version": 1, "command": COMMAND, "scales": _rounded(plain)},
        sort_keys=False,
        width=100,
        default_flow_style=None,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _panel(prices: pd.DataFrame, paid: pd.DataFrame | None = None) -> MarketPanel:
    return MarketPanel.from_frame(
        prices, calendar="24/7", funding=paid, assume_tz="UTC", missing="drop", name="scales"
    )


if __name__ == "__main__":
    import sys

    Path(sys.argv[2]).write_text(text(Path(sys.argv[1])), encoding="utf-8")
