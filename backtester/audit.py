"""The independent auditor: the same fills through vectorbt must give the same equity.

vectorbt keeps its own cash and positions. It is handed the fills – units, price and the money
charged – of the hedges, and its equity is compared with ours before carry (funding and borrow,
which it does not model). It is an optional dependency: ``pip install 'hedge-backtester[audit]'``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Float
from backtester.errors import PluginError

if TYPE_CHECKING:
    from backtester.results import RunResult


@dataclass(frozen=True)
class Audit:
    """What the replay of one path found."""

    difference: float  # largest |our equity − theirs| before carry, relative to capital
    fills: int
    ours: Float  # (T,) money
    theirs: Float  # (T,) money


def audit(result: RunResult, path: int = 0) -> Audit:
    """Replay the hedge fills of one path and compare equity before carry at every event.

    Raises PluginError where vectorbt is not installed.
    """
    led = result.block.ledger
    portfolio = to_vectorbt(result, path)
    theirs = np.asarray(portfolio.value(group_by=True), dtype=np.float64).reshape(-1)
    capital, cash = result.setup.hedging.capital, _cash(result, path)
    # Twice over: from equity less what the hedges did not earn, and from the hedges' own records.
    others = led.exposure_pnl[:, path] + led.exposure_carry[:, path] + led.hedge_carry[:, path]
    ours = cash + led.equity[:, path] - capital - np.cumsum(others)
    records = cash + np.cumsum(led.hedge_pnl[:, path] - led.costs[:, path].sum(axis=-1))
    apart = max(np.abs(ours - theirs).max(), np.abs(records - theirs).max())
    fills = int(np.count_nonzero(led.fills[:, path]))
    return Audit(float(apart) / capital, fills, ours, theirs)


def to_vectorbt(result: RunResult, path: int = 0) -> Any:
    """A vectorbt Portfolio of the hedges of one path: same fills, same charges, shared cash."""
    import pandas as pd

    vbt = load_vectorbt()
    led, names = result.block.ledger, list(result.setup.instruments)
    columns = result.panel.indices(result.setup.instruments)
    close = pd.DataFrame(result.panel.prices[:, path][:, columns], result.index, names)
    units = led.fills[:, path].copy()
    money = np.abs(units * close.to_numpy())
    total = money.sum(axis=1, keepdims=True)
    charged = led.costs[:, path].sum(axis=-1, keepdims=True)
    # The ledger keeps costs per event; the replay charges them to that event's orders by money.
    share = np.divide(money, total, out=np.zeros_like(money), where=total > 0)
    return vbt.Portfolio.from_orders(
        close,
        size=pd.DataFrame(units, result.index, names),
        size_type="amount",
        direction="both",
        price=close,
        fixed_fees=pd.DataFrame(share * charged, result.index, names),
        init_cash=_cash(result, path),
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        freq=pd.Timedelta(days=result.panel.days_per_bar),
        engine="numba",
    )


def _cash(result: RunResult, path: int) -> float:
    """Cash that never runs out, so that the replay cannot fill an order in part."""
    led = result.block.ledger
    columns = result.panel.indices(result.setup.instruments)
    bought = np.abs(led.fills[:, path] * result.panel.prices[:, path][:, columns]).sum()
    return float(result.setup.hedging.capital + 2.0 * bought)


def load_vectorbt() -> Any:
    """The vectorbt module; PluginError where it is not installed."""
    try:
        import vectorbt
    except ImportError as error:
        raise PluginError(
            "the audit needs vectorbt, which is not installed",
            cure="pip install 'hedge-backtester[audit]'.",
        ) from error
    return vectorbt
