"""The default weights of DCC and GARCH are the medians of fits to real daily closes.

The data are not shipped: place ``crypto_daily_close.csv.gz`` and ``cross_asset_daily.csv.gz`` in
``../shared/data`` beside the project to run this.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backtester.estimation.covariance import DynamicCorrelation
from backtester.estimation.dcc_fit import fit_dcc

DATA = Path(__file__).resolve().parents[3] / "shared/data"
MARKETS = {
    "crypto_daily_close.csv.gz": ["BTC", "ETH", "BNB", "XRP", "ADA", "LTC", "LINK"],
    "cross_asset_daily.csv.gz": ["SPY", "TLT", "GLD", "DBC", "XLE", "XLP", "XLU"],
}
ABSENT = [name for name in MARKETS if not (DATA / name).is_file()]


@pytest.mark.slow
@pytest.mark.skipif(bool(ABSENT), reason=f"absent from ../shared/data: {', '.join(ABSENT)}")
def test_the_defaults_are_what_daily_markets_show() -> None:
    import pandas as pd

    fits = []
    for name, columns in MARKETS.items():
        prices = pd.read_csv(DATA / name, index_col=0)[columns]
        returns = prices.pct_change(fill_method=None).dropna().to_numpy()
        fits += [fit_dcc(returns, names=columns, model=m, mean="zero") for m in ("dcc", "cdcc")]
    default = DynamicCorrelation()
    assert np.median([f.a for f in fits]) == pytest.approx(default.a, abs=0.003)
    assert np.median([f.b for f in fits]) == pytest.approx(default.b, abs=0.005)
    margins = [m for f in fits[::2] for m in f.margins]
    assert np.median([m.alpha for m in margins]) == pytest.approx(default.alpha, abs=0.015)
    assert np.median([m.beta for m in margins]) == pytest.approx(default.beta, abs=0.015)
