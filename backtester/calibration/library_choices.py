"""Figures of the shipped scenarios that are chosen, not estimated, each with its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backtester.calibration.choices import PLAIN, Choices
from backtester.errors import ConfigError, did_you_mean

_SPREAD = {
    "how": "top of book of a large venue: BTC and ETH about 1 bp, perpetuals half of it, smaller "
    "coins 3-4 bp, tokenised gold 8 bp",
    "source": "choice; top-of-book BTC perpetual 0.1-1 bp is the textbook range",
}
_DEPTH = {
    "how": "median daily volume on one venue (FTX 2021-01 to 2022-07): BTC 444m, ETH 354m, "
    "BTC-PERP 1,629m, ETH-PERP 929m; LTC and LINK scaled from BTC by Yahoo volume; SOL from "
    "SOL-PERP 336m at BTC's spot-to-perpetual ratio; PAXG a choice",
    "source": "github.com/FilPerolo/breakout-forecast@ea58e340; "
    "github.com/benjaminpo/crypto-price@a9d3c86b",
}
_SPREAD_FACTOR = {
    "value": 5.0,
    "how": "spreads of a whole crisis regime, well below its worst minutes",
    "source": "choice; 12-13 March 2020: single-digit bp to hundreds, one venue 1,000 bp "
    "(cryptoiq.co, thecoinrepublic.com, research.ledgerprime.com)",
}
_DEPTH_FACTOR = {
    "value": 0.35,
    "how": "between the FTX and the SVB figures of the worst large venue",
    "source": "November 2022 BTC 2 % depth: Kraken -57 %, Binance -25 %, 16 exchanges -40 % "
    "(theblock.co 188845, cointime.ai); March 2023: Gemini -74 %, Coinbase -50 % (tronweekly.com)",
}
_SCALE_LIMIT = {
    "value": 6.0,
    "how": "no day is wilder than six times its regime's volatility: the fitted tails, drawn over "
    "a thousand years, would show days no market has shown",
    "source": "choice; largest scale in the samples (Mahalanobis length over the root of the "
    "number of assets): 3.8 over six coins 2021-2023, 7.6 over ETH and BTC 2017-2023",
}
_HALF_SPREAD = {
    "ETH": 1.0,
    "BTC": 1.0,
    "SOL": 3.0,
    "LTC": 4.0,
    "LINK": 4.0,
    "PAXG": 8.0,
    "BTC-PERP": 0.5,
    "ETH-PERP": 0.5,
    "LUNA": 4.0,
    "FTT": 5.0,
    "UST": 2.0,
}
_MONEY_A_DAY = {
    "ETH": 354e6,
    "BTC": 444e6,
    "SOL": 92e6,
    "LTC": 31e6,
    "LINK": 16e6,
    "PAXG": 5e6,
    "BTC-PERP": 1629e6,
    "ETH-PERP": 929e6,
    "LUNA": 50e6,
    "FTT": 15e6,
    "UST": 25e6,
}
FOUNDERED = ("LUNA", "FTT", "UST")


def _crypto(*assets: str, **more: Any) -> Choices:
    return Choices.of(
        {
            "half_spread_bp": {"value": {a: _HALF_SPREAD[a] for a in assets}, **_SPREAD},
            "depth": {"value": {a: _MONEY_A_DAY[a] for a in assets}, **_DEPTH},
            "spread_factor": _SPREAD_FACTOR,
            "depth_factor": _DEPTH_FACTOR,
            "scale_limit": _SCALE_LIMIT,
            **more,
        }
    )


CRYPTO = _crypto(
    *(a for a in _HALF_SPREAD if a not in FOUNDERED),
    funding_clamp={
        "value": {"BTC-PERP": 3.285, "ETH-PERP": 4.106},
        "how": "0.3 % (BTC) and 0.375 % (ETH) per 8 hours, times 3 × 365",
        "source": "largest rates in the funding history, at the exchange's clamp",
    },
    towards_one={
        "value": {"ETH": 0.5, "BTC": 0.5, "SOL": 0.5, "LTC": 0.5, "LINK": 0.5, "PAXG": 0.1},
        "how": "half of the way from the estimated crisis correlation to one; gold moves little",
        "source": "choice; Q1 2020 BTC-ETH .93, median BTC with the 15 largest .81, gold about 0 "
        "(research.binance.com, correlations Q1 2020)",
    },
    decoupling={
        "value": {
            "anchor": "BTC",
            "correlation": {"ETH": 0.4, "SOL": 0.3, "LTC": 0.3, "LINK": 0.3},
        },
        "how": "the hedge decouples: BTC-ETH falls from about .8 to .4, other coins to .3",
        "source": "choice, a hypothetical; BTC-ETH 30-day correlation fell from .78 to below .71 "
        "between May 2023 and January 2024 (Kaiko via crypto-expart.com)",
    },
    durations={
        "value": {"normal": 60.0, "crisis": 30.0},
        "how": "crises more frequent and longer than estimated, so that a year holds several",
        "source": "choice; the estimated durations are in regime_switching",
    },
)
COINS = _crypto(
    *_HALF_SPREAD,
    funding_clamp={
        "value": {"BTC-PERP": 3.285, "ETH-PERP": 4.106},
        "how": "0.3 % (BTC) and 0.375 % (ETH) per 8 hours, times 3 × 365",
        "source": "largest rates in the funding history, at the exchange's clamp",
    },
)
BTC_ETH = _crypto("ETH", "BTC")
CRYPTO_GOLD = _crypto("BTC", "PAXG")
STOCK_BOND = Choices.of(
    {
        "half_spread_bp": {
            "value": {"SPY": 0.3, "UST10": 0.8},
            "how": "half a tick: one cent on an ETF share; 1/64 of a point on a ten-year future",
            "source": "choice, from exchange tick sizes",
        },
        "depth": {
            "value": {"SPY": 20e9, "UST10": 100e9},
            "how": "daily turnover of SPY and of the ten-year Treasury future, order of magnitude",
            "source": "choice",
        },
        "spread_factor": {
            "value": 3.0,
            "how": "spreads of a whole crisis regime",
            "source": "choice",
        },
        "depth_factor": {"value": 0.35, "how": "as for crypto", "source": "choice"},
        "scale_limit": {"value": 6.0, "how": "as for crypto", "source": "choice"},
        "crisis_correlation": {
            "value": {"SPY/UST10": 0.2},
            "how": "bonds fall with stocks, as in 2022; the estimate over 1998-2021 is negative",
            "source": "choice, informed by 2022 (stock-bond correlation -.30 → +.20)",
        },
    }
)
BY_NAME = {
    "plain": PLAIN,
    "crypto": CRYPTO,
    "btc_eth": BTC_ETH,
    "crypto_gold": CRYPTO_GOLD,
    "stock_bond": STOCK_BOND,
}


def choices_named(reference: str) -> Choices:
    """Choices of the library by name, or from the user's own YAML file; raises ConfigError."""
    if reference in BY_NAME:
        return BY_NAME[reference]
    if not reference.endswith((".yaml", ".yml")):
        raise ConfigError(
            f"there are no choices called {reference!r}",
            cure=did_you_mean(reference, BY_NAME) + " Your own: a file that ends in .yaml.",
        )
    return Choices.read(Path(reference))
