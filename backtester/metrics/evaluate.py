"""From a series to every figure of one regime, with the replicates its interval is made from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backtester.arrays import Bool, Float
from backtester.metrics import hedge, pnl
from backtester.metrics.bootstrap import (
    LEAST_BLOCKS,
    block_length,
    history_draws,
    tail_block_length,
)
from backtester.metrics.inference import Sample, bootstrap_paths, leave_one_out, path_groups
from backtester.metrics.moments import COLUMN, Moments
from backtester.metrics.regime import ALL, Regime, episode_count
from backtester.metrics.risk import (
    HORIZON,
    LEVEL,
    Tail,
    drawdown_fraction,
    expected_shortfall,
    tail_counts,
    windows,
)
from backtester.metrics.series import PathSeries

LEAST_BARS = 20
"""Path-bars below which nothing is quoted as a rate a year."""
LEAST_EPISODES = 5
LEAST_TAIL = 10
LEAST_EVENTS = 5

_ANNUAL = (
    "certainty_equivalent",
    "residual_volatility",
    "volatility_removed",
    "turnover",
    "cost_drag",
    "carry",
    "pnl_gross",
    "pnl_net",
    "pnl_net_money",
    "price_of_volatility",
    "unhedged_certainty_equivalent",
    "unhedged_volatility",
    "unhedged_pnl",
)
_REASON = {
    "effectiveness_net": "the unhedged book did not move in this regime",
    "effectiveness_gross": "the unhedged book did not move in this regime",
    "residual_beta": "the unhedged book did not move in this regime",
    "price_of_volatility": "no volatility was removed",
}
_NO_EXPOSURE = "no exposure in this regime"


@dataclass(frozen=True)
class Evaluation:
    """Figures of one regime."""

    samples: dict[str, Sample]
    tail_observations: int
    tail_events: int
    shortage: str  # why no interval of the row can be given, or ""
    tail_shortage: str  # why none of the tail figures can


def evaluate(
    series: PathSeries,
    values: Moments,
    regime: Regime,
    falls: tuple[Float, Float],
    risk_aversion: float,
    seed: int,
) -> Evaluation:
    """Every figure of `regime`; `falls` are its drawdowns (P,) in money, net and unhedged."""
    history = series.unhedged.shape[1] == 1
    kind = "bootstrap" if history else "jackknife"
    starting = regime.bars[: len(values.net_windows)]
    net_tail = _tail(values.net_windows, starting, history, series.capital)
    bare_tail = _tail(values.unhedged_windows, starting, history, series.capital)
    length = block_length(values.unhedged[:, 0]) if history else math.nan
    shortage = _shortage(regime, history, length)
    memory = tail_block_length(-values.unhedged_windows[:, 0]) if history else math.nan
    freedom = tail_freedom(int(np.count_nonzero(starting)), memory) if history else math.inf
    if shortage:
        total, sums = values.by_path(regime.bars).sum(axis=0), np.empty((0, len(COLUMN)))
        net_es, bare_es = np.empty(0), np.empty(0)
    elif history:
        rows = values.by_bar(regime.bars)
        total = np.einsum("bk->k", rows)
        sums, net_es, bare_es = _bootstrap(
            rows, values, regime, (net_tail, bare_tail), seed, (length, memory), series.capital
        )
    else:
        paths = values.by_path(regime.bars)
        total, sums = np.einsum("pk->k", paths), leave_one_out(paths)
        net_es, bare_es = net_tail.without_each(), bare_tail.without_each()
    figures = _figures(total, series, values, risk_aversion)
    replicates = _figures(sums, series, values, risk_aversion)
    few = total[COLUMN["bars"]] < LEAST_BARS
    samples = {}
    for name, value in figures.items():
        note = _REASON.get(name, _NO_EXPOSURE) if math.isnan(float(value)) else ""
        number = float(value)
        if few and name in _ANNUAL:
            number = math.nan
            note = f"{int(total[COLUMN['bars']])} bars: {LEAST_BARS} needed to quote a year"
        bounded = name.startswith("effectiveness")
        samples[name] = Sample(number, replicates[name], kind, note, bounded)
    empty = "" if starting.any() else f"no window of {HORIZON} bars starts in this regime"
    net = samples["net_es"] = Sample(net_tail.value, net_es, kind, empty, freedom=freedom)
    bare = samples["unhedged_es"] = Sample(bare_tail.value, bare_es, kind, empty, freedom=freedom)
    samples["net_es_change"] = net.minus(bare)
    samples |= _drawdowns(series, regime, falls, seed, bool(shortage))
    losses = -values.net_windows
    observations, events = tail_counts(losses, starting, LEVEL, HORIZON)
    thin = _needed(observations, LEAST_TAIL, "tail observation")
    thin = thin or _needed(events, LEAST_EVENTS, "distinct tail event")
    return Evaluation(samples, observations, events, shortage, thin)


def _figures(
    sums: Float, series: PathSeries, values: Moments, risk_aversion: float
) -> dict[str, Float]:
    """Every figure that is a function of sums (..., columns), elementwise over replicates."""
    s = {name: sums[..., i] for name, i in COLUMN.items()}
    capital = series.capital
    bare_vol = pnl.volatility_percent(s["unhedged_square"], s["at_risk_years"])
    removed = bare_vol - pnl.volatility_percent(s["gross_square"], s["at_risk_years"])

    def worth(utility: str, shift: float) -> Float:
        mean = hedge.ratio(s[utility], s["bars"])
        log = np.log(mean, out=np.full(mean.shape, np.nan), where=mean > 0.0) + shift
        return -pnl.BASIS_POINTS * log / risk_aversion * hedge.ratio(s["bars"], s["years"])

    def volatility(square: str) -> Float:
        return np.asarray(np.sqrt(hedge.ratio(s[square], s["years"])))

    return {
        "certainty_equivalent": worth("net_utility", values.net_shift),
        "effectiveness_net": hedge.effectiveness_of(s["net_square"], s["unhedged_square"]),
        "effectiveness_gross": hedge.effectiveness_of(s["gross_square"], s["unhedged_square"]),
        "residual_volatility": volatility("gross_money_square"),
        "volatility_removed": removed,
        "residual_beta": hedge.ratio(s["gross_unhedged"], s["unhedged_square"]),
        "turnover": pnl.turnover(s["traded"], s["exposure_years"]),
        "cost_drag": pnl.rate_on_exposure(s["cost"], s["exposure_years"]),
        "carry": pnl.rate_on_exposure(s["carry"], s["exposure_years"]),
        "pnl_gross": pnl.rate_on_capital(s["gross"], s["years"], capital),
        "pnl_net": pnl.rate_on_capital(s["net"], s["years"], capital),
        "pnl_net_money": hedge.ratio(s["net"], s["years"]),
        "price_of_volatility": pnl.price_of_volatility(
            s["cost"], s["carry"], s["exposure_years"], removed
        ),
        "unhedged_certainty_equivalent": worth("unhedged_utility", values.unhedged_shift),
        "unhedged_volatility": volatility("unhedged_money_square"),
        "unhedged_pnl": pnl.rate_on_capital(s["unhedged"], s["years"], capital),
    }


def _tail(pnl_windows: Float, starting: Bool, history: bool, capital: float) -> Tail:
    """Losses in % of capital; units are first bars of a history, else groups of paths."""
    bars, paths = pnl_windows.shape
    losses = pnl_windows[starting] * (-pnl.PERCENT / capital)
    if history:
        unit = np.flatnonzero(starting[:, 0])
        return Tail.of(losses, unit, bars + HORIZON - 1, LEVEL, whole=True)
    groups = path_groups(paths)
    unit = np.broadcast_to(groups, starting.shape)[starting]
    return Tail.of(losses, unit, int(groups.max()) + 1, LEVEL, whole=False)


def _bootstrap(
    rows: Float,
    values: Moments,
    regime: Regime,
    tails: tuple[Tail, Tail],
    seed: int,
    lengths: tuple[float, float],
    capital: float,
) -> tuple[Float, Float, Float]:
    """Replicated totals (R, columns) and expected shortfalls (R,) of a one-path regime.

    lengths: mean blocks for the totals and for the shortfalls.
    The whole history is put together anew bar by bar and its windows are summed again: windows
    drawn as they are would be too alike within a block, and their spread too small.
    """
    bars, pair = regime.bars[:, 0], (values.net, values.unhedged)
    sums = [
        np.einsum("b,bk->k", draw.weights, rows)
        for draw in history_draws(bars, regime.name, seed, lengths[0])
    ]
    shortfalls = []
    for draw in history_draws(bars, regime.name, seed, lengths[1]):
        if draw.index is None:
            shortfalls.append([t.weighted(draw.weights[: t.sizes.size]) for t in tails])
        else:
            again = (windows(pnl_[draw.index]) for pnl_ in pair)
            shortfalls.append([expected_shortfall(w) * pnl.PERCENT / capital for w in again])
    both = np.array(shortfalls)
    return np.array(sums), both[:, 0], both[:, 1]


RUINED = "lost all the capital"
"""What the note of a drawdown says of ruin; reports look for it."""


def tail_freedom(count: int, length: float) -> float:
    """Degrees of freedom of a shortfall on one path: independent losses in its tail, less one.

    count: windows; length: bars over which losses come together, at least the horizon. At least
    two, below which Student's t has no spread to speak of.
    """
    return max(2.0, (1.0 - LEVEL) * count / length - 1.0)


def _drawdowns(
    series: PathSeries, regime: Regime, falls: tuple[Float, Float], seed: int, short: bool
) -> dict[str, Sample]:
    """Median and worst drawdown, % of capital; a single path allows no interval."""
    visited = regime.bars.any(axis=0)
    out = {}
    for name, money in zip(("max_drawdown", "unhedged_drawdown"), falls, strict=True):
        percent = pnl.PERCENT * drawdown_fraction(money, series.capital)
        ruined = int(np.count_nonzero(money[visited] >= series.capital))
        note = f"capped on {_counted(ruined, 'path')} that {RUINED}" if ruined else ""
        one = "" if visited.size > 1 else "; one path: no interval"
        draws = np.empty(0)
        if visited.size > 1 and not short:
            draws = bootstrap_paths(np.where(visited, percent, np.nan), seed)
        median = float(np.median(percent[visited]))
        out[name] = Sample(median, draws, "bootstrap", (note + one).removeprefix("; "), True)
        if name == "max_drawdown":
            worst = float(percent[visited].max())
            out["worst_drawdown"] = Sample(
                worst, note=f"largest of {_counted(regime.paths, 'path')}"
            )
    return out


def _shortage(regime: Regime, history: bool, length: float) -> str:
    """Why the regime allows no interval, or nothing."""
    if not history:
        return _needed(regime.paths, LEAST_EPISODES, "path")
    if regime.name == ALL:
        return _needed(int(regime.count / length + 1e-9), LEAST_BLOCKS, "block")
    return _needed(episode_count(regime.bars), LEAST_EPISODES, "episode")


def _needed(count: int, least: int, what: str) -> str:
    """The reason why `count` is not enough, or nothing."""
    if count >= least:
        return ""
    return f"insufficient: {_counted(count, what)}, {least} needed"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
