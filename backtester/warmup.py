"""Compile every kernel once after installation: ``python -m backtester.warmup``.

Numba keeps what it compiled beside the source files, so that the first run of a user does not wait.
Nothing here is needed for correctness: a kernel that is not yet compiled compiles when it is used.
"""

from __future__ import annotations

from typing import Any


def main() -> None:
    """Run one tiny study through every strategy, estimator, solver kernel and the auditor."""
    from backtester.api import compare
    from backtester.demo import demo_study
    from backtester.estimation.covariance import compile_estimators
    from backtester.hedging.solver import compile_kernels
    from backtester.monitors.warm import compile_monitors
    from backtester.plugins import load_scenario

    compile_kernels()
    compile_estimators()
    compile_monitors()
    regime = {"volatility": 0.5, "correlation": {"default": 0.5}, "degrees_of_freedom": 4.0}
    generator: Any = load_scenario("CopulaGarch")
    law = generator(name="warm-up", prices={"A": 1.0}, margins={"A": {}}, regimes={"one": regime})
    law.draw(first=0, paths=1, bars=1, seed=0)
    blocks: Any = load_scenario("BlockBootstrap")
    blocks(name="warm-up", history="index-history").draw(first=0, paths=1, bars=1, seed=0)
    study = demo_study(paths=2, bars=150)
    small = tuple(m for m in study.markets if m.scenario == "regime_switching")
    costs = study.costs.model_copy(update={"gas": 1.0})  # the gate's kernel too
    compare(study.model_copy(update={"markets": small, "costs": costs}))


if __name__ == "__main__":
    main()
