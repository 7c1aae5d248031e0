"""Regime labels that score a market: a simulation's own, else made from prices with hindsight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from backtester.errors import ConfigError
from backtester.market.panel import MarketPanel
from backtester.regimes.book import Exposed
from backtester.regimes.detector_labels import detector_label
from backtester.regimes.hedge_labels import hedge_label
from backtester.regimes.labelled import Labels
from backtester.regimes.volatility_labels import expost_label

Labeller = Literal["hedge", "volatility", "detector"]
LABELLERS: tuple[Labeller, ...] = ("hedge", "volatility", "detector")


def labels_of(
    panel: MarketPanel,
    exposure: Exposed | None = None,
    instruments: Sequence[str] = (),
    labeller: str = "hedge",
) -> Labels:
    """The true regimes of a simulated panel, else ex-post ones by a labeller at its defaults.

    labeller: ``"hedge"`` (three states by what happened to the hedge; needs the exposure and its
    instruments), ``"detector"`` (the same three, as the default detector saw them at the time) or
    ``"volatility"`` (the most volatile bars). None knows any hedge's P&L.
    Raises ConfigError, DataError.
    """
    if panel.regime is not None:
        said = "The regime of each bar is the simulation's own."
        return Labels(panel.regime, panel.regime_names, said, known=True)
    if labeller == "volatility":
        return expost_label(panel)
    if labeller not in LABELLERS:
        raise ConfigError(f"labeller {labeller!r} is unknown", cure=f"Use one of {LABELLERS}.")
    if exposure is None or not instruments:
        raise ConfigError(
            f"market {panel.name!r} is to be labelled by what happened to a hedge, without a book",
            cure="Give labels_of the exposure and its instruments, or labeller='volatility'.",
        )
    if labeller == "detector":
        return detector_label(panel, exposure, instruments)
    return hedge_label(panel, exposure, instruments)
