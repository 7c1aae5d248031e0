"""What the numbers of a report rest on and cannot say, in plain words."""

from __future__ import annotations

from backtester.comparison import Comparison
from backtester.report.labels import clean_text, number
from backtester.study import Study


def of_runs(study: Study, comparison: Comparison) -> tuple[str, ...]:
    """How the numbers came about and what they cannot say."""
    fill = (
        "Orders fill at the close the strategy has just seen (same_close): this looks ahead."
        if study.execution == "same_close"
        else "A decision sees prices up to its own stamp; its orders fill at the next event's "
        "price, and what does not fill is cancelled before the next decision."
    )
    if study.delay > 1:
        fill = (
            "A decision sees prices up to its own stamp; its orders fill "
            f"{study.delay} events later. "
            "The next decision counts what is under way as filled."
        )
    texts = [
        fill,
        f"Costs: {costs_text(study)} A cost is planned by the optimiser and charged by the broker "
        "with the same formula. No market is moved by the hedge beyond the impact charged.",
        "Funding and borrow accrue at their stamp on the position held over the bar before it; a "
        "fill on a funding stamp neither pays nor receives that stamp.",
        f"The hedge is decided every {number(study.rebalance, 2)} trading days; limits hold at "
        "the decision's prices.",
        "Regime labels are ex post: they say, with hindsight, which bars were a crisis, and are "
        "independent of any hedge's P&L. Strategies never see them.",
        "Net expected shortfall is the mean loss over the worst 2.5 % of overlapping 10-bar "
        "windows, after trading costs and carry, in per cent of capital. A loss is positive.",
        "The certainty equivalent is the sure income worth as much as the net P&L to exponential "
        "utility with the study's risk aversion.",
        "Effectiveness is one minus the sum of squared hedged P&L over that of the unhedged book, "
        "per unit of exposure, uncentred and pooled over paths before dividing. A steady cost "
        "leaves it untouched, which is why it does not rank.",
        "Intervals are 95 %: a jackknife over paths for simulated markets; whole crisis episodes "
        "or stationary blocks resampled for history. Fewer than five episodes, or too few tail "
        "observations, are called insufficient rather than given an interval.",
        "Intervals hold the scenario or the history to be the right one: they say nothing of "
        "crises that neither contains. The choice among many trials is corrected for only where a "
        "p-value or a Sharpe ratio says so.",
    ]
    if any(spec.grid is not None for spec in study.strategies):
        walked = bool(comparison.evidence.walks)
        texts.append(
            "A strategy with a grid chose its parameters on past windows of each path, after "
            "costs, and is scored on the bars that followed; every strategy is scored on those."
            if walked
            else "A strategy with a grid made no choice here: it ran with the parameters it names."
        )
    if any(not m.simulated for m in comparison.markets):
        texts.append(
            "A history is one path. Parameters were fixed before the run or chosen walk-forward, "
            "and estimators use the past only, so every scored bar is out of sample for the "
            "estimators; a person who chose the strategies after seeing this history is not."
        )
    if any(m.simulated for m in comparison.markets):
        texts.append(
            "A simulated market is only as good as its scenario file, which states assets, "
            "window, estimator and sample size of its calibration."
        )
    texts.append(
        "Plots hold at most 1,500 points a line; longer series keep the smallest and largest "
        "value of each stretch of time, in place. Tables and files hold every number."
    )
    return tuple(texts)


def costs_text(study: Study) -> str:
    """The study's cost settings in words."""
    c = study.costs
    parts = [f"fee {_bps(c.fee_bps)}", f"half-spread {_bps(c.half_spread_bps)} or the market's own"]
    impact = f"square-root impact × {number(c.impact, 2)}" if c.impact else "no market impact"
    parts.append(impact)
    parts.append(f"borrow {_bps(c.borrow_bps)} a year on shorts")
    own = " Markets with settings of their own differ." if _own_costs(study) else ""
    return ", ".join(parts) + "." + own


def _own_costs(study: Study) -> bool:
    return any(m.costs is not None for m in study.markets)


def _bps(value: float | dict[str, float]) -> str:
    if isinstance(value, dict):
        named = (f"{clean_text(k, 40)} {number(v, 2)}" for k, v in value.items())
        return f"in bp by instrument ({', '.join(named)})"
    return f"{number(value, 2)} bp"


def of_sweep() -> tuple[str, ...]:
    """Limits of the stress report."""
    return (
        "The sweep moves one correlation at a time and leaves volatility alone: a real crisis "
        "moves both, which is what the scenarios are for.",
        "A break-even is found by bisection on shared shocks; it is a point estimate, and the "
        "band of its curve says how well it is known.",
    )
