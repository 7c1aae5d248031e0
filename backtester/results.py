"""What a run returns: full records of one strategy on one market, in pandas for people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backtester.arrays import Byte
from backtester.engine import BlockRun
from backtester.errors import Status
from backtester.events import Signal
from backtester.market.panel import MarketPanel
from backtester.metrics.series import PathSeries
from backtester.setup import RunSetup

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class RunResult:
    """One strategy on one panel, every event of every path.

    The accessors return pandas objects of one path (`path=0` by default), indexed by UTC time.
    """

    strategy: str
    panel: MarketPanel
    setup: RunSetup
    block: BlockRun
    label: Byte  # (T, P) ex-post regime of the bar (t−1, t]
    label_names: tuple[str, ...]

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """UTC stamps of the events."""
        import pandas as pd

        return pd.DatetimeIndex(self.panel.times.astype("datetime64[ns]"), tz="UTC", name="time")

    def equity(self, path: int = 0) -> pd.DataFrame:
        """Equity in money of the unhedged book and of the hedged one before and after costs."""
        import pandas as pd

        s, capital = self.series(scored=False), self.setup.hedging.capital
        data = {
            "unhedged": s.unhedged[:, path],
            "gross": s.gross[:, path],
            "net": s.net[:, path],
        }
        frame = pd.DataFrame(data, index=self.index[1:]).cumsum() + capital
        start = pd.DataFrame(capital, index=self.index[:1], columns=frame.columns)
        first = self.block.ledger.costs[0, path].sum()
        if first:  # same_close may trade at the first event
            frame["net"] -= first
            start["net"] -= first
        return pd.concat([start, frame])

    def pnl(self, path: int = 0) -> pd.DataFrame:
        """Money per bar by source; costs are positive when paid."""
        import pandas as pd

        led = self.block.ledger
        columns = {
            "exposure": led.exposure_pnl[:, path],
            "hedges": led.hedge_pnl[:, path],
            "exposure_carry": led.exposure_carry[:, path],
            "hedge_carry": led.hedge_carry[:, path],
        }
        for c, term in enumerate(led.terms):
            columns[f"cost_{term}"] = led.costs[:, path, c]
        return pd.DataFrame(columns, index=self.index)

    def hedges(self, path: int = 0) -> pd.DataFrame:
        """Hedge notionals in money after each event."""
        import pandas as pd

        return pd.DataFrame(
            self.block.ledger.hedges[:, path].copy(),
            index=self.index,
            columns=list(self.setup.instruments),
        )

    def fills(self, path: int = 0) -> pd.DataFrame:
        """Every fill: time, instrument, units, price, money."""
        import pandas as pd

        units = self.block.ledger.fills[:, path]
        t, k = np.nonzero(units)
        columns = self.panel.indices(self.setup.instruments)[k]
        price = self.panel.prices[t, path, columns]
        return pd.DataFrame(
            {
                "time": self.index[t],
                "instrument": np.array(self.setup.instruments)[k],
                "units": units[t, k],
                "price": price,
                "money": units[t, k] * price,
            }
        )

    def status(self) -> dict[str, int]:
        """Path-decisions by outcome, named; decisions not due are left out."""
        values, counts = np.unique(self.block.ledger.status, return_counts=True)
        return {
            Status(int(v)).name: int(c)
            for v, c in zip(values, counts, strict=True)
            if v != Status.NONE
        }

    @property
    def unfilled(self) -> int:
        """Order-events at which an instrument was not tradable and its order waited."""
        return int(self.block.ledger.unfilled.sum())

    @property
    def signals(self) -> tuple[Signal, ...]:
        """What the strategy and its monitors signalled, e.g. correlation breaks, in time order."""
        return tuple(self.block.ledger.signals)

    def series(self, *, first: int | None = None, scored: bool = True) -> PathSeries:
        """The run's P&L bar by bar; `scored` starts at the first decision (or event `first`)."""
        led, panel = self.block.ledger, self.panel
        start = (self.block.first if first is None else first) if scored else 0
        now, prior = slice(start + 1, None), slice(start, -1)
        costs, traded = led.costs[now], led.traded[now]
        if self.setup.execution == "same_close" and scored:
            # The first decision's own fills happen at its stamp, before the first scored bar.
            costs, traded = costs.copy(), traded.copy()
            costs[0] += led.costs[start]
            traded[0] += led.traded[start]
        return PathSeries(
            strategy=self.strategy,
            market=panel.name,
            unhedged=led.exposure_pnl[now] + led.exposure_carry[now],
            hedge_pnl=led.hedge_pnl[now],
            hedge_carry=led.hedge_carry[now],
            costs=costs,
            terms=led.terms,
            traded=traded,
            exposure=led.gross_exposure[prior],
            hedge_gross=np.abs(led.hedges[prior]).sum(axis=-1),
            label=self.label[now],
            label_names=self.label_names,
            days=np.diff(panel.trading_days)[start:],
            ends=panel.times[now],
            days_per_year=panel.calendar.days_per_year,
            capital=self.setup.hedging.capital,
        )

    def stats(self) -> pd.DataFrame:
        """Scores by regime, with intervals; see docs/scores.md for every column."""
        from backtester.score import scorecard

        return scorecard(
            [(self.series(), None)], risk_aversion=self.setup.hedging.risk_aversion, seed=0
        ).to_frame()

    def audit(self, path: int = 0) -> Any:
        """Replay the fills through vectorbt and compare equity before carry; see audit.py."""
        from backtester.audit import audit

        return audit(self, path)

    def to_vectorbt(self, path: int = 0) -> Any:
        """A vectorbt Portfolio of the same fills, for its analytics."""
        from backtester.audit import to_vectorbt

        return to_vectorbt(self, path)

    def __repr__(self) -> str:
        return f"RunResult({self.strategy!r} on {self.panel!r}, {self.status()})"
