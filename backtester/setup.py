"""What one run needs besides a market and a strategy: plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from backtester.accounting.exposure import Exposure
from backtester.costs.model import CostConfig
from backtester.errors import ConfigError
from backtester.hedging.assemble import HedgeSettings

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
    start: trading days before the first decision, the same for every strategy of a comparison;
        a strategy's own warm-up may be longer.
    """

    exposure: Exposure
    instruments: tuple[str, ...]
    costs: CostConfig
    hedging: HedgeSettings
    rebalance: float = 1.0
    execution: str = "next_event"
    start: float = 0.0

    def __post_init__(self) -> None:
        if self.execution not in EXECUTION:
            raise ConfigError(
                f"execution {self.execution!r} is unknown", cure=f"Use one of {EXECUTION}."
            )
        if not self.instruments:
            raise ConfigError("no hedge instruments", cure="Name at least one in hedge_with.")
        if len(set(self.instruments)) < len(self.instruments):
            raise ConfigError("a hedge instrument is named twice", cure="Name each one once.")
        if not self.rebalance >= 0:
            raise ConfigError(f"rebalance is {self.rebalance}", cure="Give days, 0 or more.")
