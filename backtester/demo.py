"""The demo study: index history and simulated crypto, three strategies beside four baselines."""

from __future__ import annotations

from backtester.study import Study

STRATEGIES = (
    "Naked",
    "StaticHedge",
    "OneToOne",
    "RollingOLS",
    "CrossAssetCorrelationHedge",
    "NegativeCorrelationPairs",
    "DeltaNeutralOffset",
)


def demo_study(paths: int = 1000, bars: int = 365, seed: int = 7) -> Study:
    """An altcoin book hedged with majors in three regimes, a spot–perpetual carry book, and the
    S&P 500 hedged with NASDAQ and oil on real history."""
    simulated = [
        {"scenario": name, "paths": paths, "bars": bars}
        for name in ("normal", "crisis", "regime_switching")
    ]
    return Study.of(
        {
            "name": "demo",
            "exposure": {"positions": {"SOL": 500_000, "LINK": 500_000}, "hold": "notional"},
            "capital": 1_000_000,
            "hedge_with": ["BTC-PERP", "ETH-PERP", "LTC", "PAXG"],
            "markets": [
                {
                    "history": "index-history",
                    "exposure": {"positions": {"SP500": 1_000_000}},
                    "hedge_with": ["NASDAQ", "WTI"],
                    "costs": {"fee_bps": 0.5, "half_spread_bps": 1.0, "borrow_bps": 30},
                },
                *simulated,
                {
                    "name": "spot-perp carry",
                    "scenario": "regime_switching",
                    "paths": min(paths, 256),
                    "bars": bars,
                    "exposure": {"positions": {"BTC": 1_000_000}, "hold": "notional"},
                    "hedge_with": ["BTC-PERP", "ETH-PERP"],
                },
            ],
            "strategies": list(STRATEGIES),
            "costs": {"fee_bps": 5.0, "half_spread_bps": 2.0, "impact": 1.0},
            "placebo_paths": min(paths, 32),
            "seed": seed,
            "stress": {"paths": min(paths, 50), "bars": bars, "scenario_paths": min(paths, 256)},
        }
    )
