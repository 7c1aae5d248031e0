"""From a study's market specification to a market and the setup of its runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backtester.accounting.exposure import Exposure
from backtester.errors import ConfigError
from backtester.hedging.assemble import HedgeSettings
from backtester.hedging.decision import Limits
from backtester.market.panel import MarketPanel
from backtester.regimes.labelled import Labels
from backtester.regimes.labels import labels_of
from backtester.scenario import EnsembleMarket, HistoryMarket, Market, Scenario
from backtester.setup import RunSetup
from backtester.study import ExposureSpec, HistorySpec, MarketSpec, Study


@dataclass(frozen=True)
class Arena:
    """One market of a study, ready to run."""

    name: str
    market: Market
    setup: RunSetup
    simulated: bool
    labeller: str = "hedge"  # of a history

    def labels(self, panel: MarketPanel) -> Labels:
        """The regimes of a panel of this market, by which its scores are split."""
        return labels_of(panel, self.setup.exposure, self.setup.instruments, self.labeller)


def arena_of(study: Study, spec: MarketSpec, *, start: float = 0.0) -> Arena:
    """The market of `spec` and the study's setup for it; raises ConfigError or DataError.

    start: trading days before the first decision, common to the strategies compared.
    """
    market = market_of(spec, study.seed)
    name = spec.name or market.name
    exposure = exposure_of(spec.exposure or study.exposure)
    instruments = spec.hedge_with or study.hedge_with
    for asset in instruments:
        if asset in exposure.assets:
            raise ConfigError(
                f"study {study.name!r}: {asset!r} is both exposed and a hedge on market {name!r}",
                cure="Hedging a position with itself is selling it; leave it out of hedge_with.",
            )
    limits, capital = study.limits, study.capital
    setup = RunSetup(
        exposure=exposure,
        instruments=tuple(instruments),
        costs=spec.costs or study.costs,
        hedging=HedgeSettings(
            capital=capital,
            risk_aversion=study.risk_aversion,
            horizon=study.horizon,
            limits=Limits(
                lower=None if limits.position is None else -limits.position * capital,
                upper=None if limits.position is None else limits.position * capital,
                gross=None if limits.gross is None else limits.gross * capital,
                turnover=None if limits.turnover is None else limits.turnover * capital,
            ),
        ),
        rebalance=study.rebalance,
        execution=study.execution,
        delay=study.delay,
        start=start,
    )
    simulated = isinstance(market, EnsembleMarket)
    return Arena(name, market, setup, simulated, study.labeller)


def market_of(spec: MarketSpec, seed: int) -> Market:
    """The market a specification names."""
    if spec.scenario is not None:
        from backtester.scenario_files import load_scenario

        return EnsembleMarket(load_scenario(spec.scenario), spec.paths, spec.bars, seed)
    assert spec.history is not None
    return HistoryMarket(history_of(spec.history))


def history_of(history: str | HistorySpec) -> MarketPanel:
    """A built-in history by name, or the user's own files."""
    if isinstance(history, str):
        from backtester.market.loaders.builtin import BUILTIN

        if history not in BUILTIN:
            from backtester.errors import did_you_mean

            raise ConfigError(
                f"there is no built-in history {history!r}",
                cure=did_you_mean(history, BUILTIN) + " Own files: history: {prices: FILE}.",
            )
        return BUILTIN[history]()
    from backtester.market.loaders.files import panel_from_files

    return panel_from_files(
        prices=Path(history.prices),
        funding=None if history.funding is None else Path(history.funding),
        half_spread=_path_or_number(history.half_spread),
        depth=_path_or_number(history.depth),
        tradable=None if history.tradable is None else Path(history.tradable),
        calendar=history.calendar,
        assume_tz=history.assume_tz,
        missing=history.missing,
        columns=history.columns,
        start=history.start,
        end=history.end,
    )


def exposure_of(spec: ExposureSpec) -> Exposure:
    """The exposure a specification states, or reads from a file."""
    if spec.file is not None:
        from backtester.market.loaders.files import read_book

        book = read_book(Path(spec.file))
        return Exposure(book.assets, book.amounts, book.unit, spec.hold)
    assert spec.positions is not None
    return Exposure(
        tuple(spec.positions),
        np.array(list(spec.positions.values()), dtype=np.float64),
        spec.unit,
        spec.hold,
    )


def scenario_of(arena: Arena) -> Scenario | None:
    """The scenario behind a simulated market."""
    return arena.market.scenario if isinstance(arena.market, EnsembleMarket) else None


def _path_or_number(value: str | float | None) -> Path | float | None:
    return Path(value) if isinstance(value, str) else value
