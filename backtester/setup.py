"""What one run needs besides a market and a strategy: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.accounting.exposure import Exposure
from backtester.clock import Clock, iso
from backtester.costs.model import CostConfig
from backtester.errors import ConfigError, DataError
from backtester.hedging.assemble import HedgeSettings
from backtester.market.panel import MarketPanel
from backtester.market.view import MarketInfo

EXECUTION = ("next_event", "same_close")


@dataclass(frozen=True)
class RunSetup:
    """The study's side of a run.

    Attributes
    ----------
    exposure: what is to be hedged.
    instruments: names of the eligible hedges, K.
    costs: what trading costs.
    hedging: capital, risk aversion, horizon and limits.
    rebalance: trading days between decisions; 0 decides at every event.
    execution: ``"next_event"`` fills at the next event's price; ``"same_close"`` at the price the
        decision saw, which no one can do: it is flagged in every report.
    delay: events from a decision to the first at which its orders fill; 1 with ``"same_close"``.
    start: trading days before the first decision, the same for every strategy of a comparison;
        a strategy's own warm-up may be longer.
    """

    exposure: Exposure
    instruments: tuple[str, ...]
    costs: CostConfig
    hedging: HedgeSettings
    rebalance: float = 1.0
    execution: str = "next_event"
    delay: int = 1
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.execution not in EXECUTION:
            raise ConfigError(
                f"execution {self.execution!r} is unknown", cure=f"Use one of {EXECUTION}."
            )
        if isinstance(self.delay, bool) or self.delay != int(self.delay):
            raise ConfigError(
                f"delay is {self.delay!r}", cure="Give a whole number of events, 1 or more."
            )
        if self.delay < 1 or (self.delay > 1 and self.execution == "same_close"):
            raise ConfigError(
                f"delay is {self.delay} with execution {self.execution!r}",
                cure="Give 1 or more events with next_event, and 1 with same_close.",
            )
        if not self.instruments:
            raise ConfigError("no hedge instruments", cure="Name at least one in hedge_with.")
        if len(set(self.instruments)) < len(self.instruments):
            raise ConfigError("a hedge instrument is named twice", cure="Name each one once.")
        if not self.rebalance >= 0:
            raise ConfigError(f"rebalance is {self.rebalance}", cure="Give days, 0 or more.")


def market_info(panel: MarketPanel, setup: RunSetup) -> MarketInfo:
    """What a strategy may know before the first event; raises DataError for unknown assets."""
    index = panel.indices(setup.instruments, "hedge_with")
    panel.indices(setup.exposure.assets, "the exposure")
    return MarketInfo(
        assets=panel.assets,
        instruments=setup.instruments,
        instrument_index=index,
        exposed=setup.exposure.assets,
        paths=panel.paths,
        days_per_bar=panel.days_per_bar,
        days_per_year=panel.calendar.days_per_year,
        capital=setup.hedging.capital,
    )


def clock_of(panel: MarketPanel, every: float, warmup: float, who: str) -> Clock:
    """The run's clock; raises DataError where the history is shorter than the warm-up."""
    days = panel.trading_days
    start = int(np.searchsorted(days, warmup - 1e-9, side="left"))
    if start >= panel.bars - 1:
        raise DataError(
            f"market {panel.name!r} has {panel.bars} bars ({days[-1]:.6g} trading days), but "
            f"strategy {who} needs {warmup:.6g} days before its first decision",
            when=iso(int(panel.times[-1])),
            cure="Give more history or a shorter window.",
        )
    return Clock(panel.times, days, every, start)
