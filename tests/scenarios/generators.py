"""One small scenario of each generator, with everything in it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from backtester_scenarios.block_bootstrap import BlockBootstrap
from backtester_scenarios.copula_garch import CopulaGarch
from backtester_scenarios.historical_replay import HistoricalReplay

MARGINS = {
    "A": {"alpha": 0.10, "beta": 0.85, "degrees_of_freedom": 5.0},
    "B": {"alpha": 0.05, "beta": 0.90, "degrees_of_freedom": 8.0},
    "C": {"alpha": 0.08, "beta": 0.80},
}


def copula_regime(rho: float, volatility: float, nu: float | None, **more: Any) -> dict[str, Any]:
    """One regime of `copula_garch`."""
    return {
        "volatility": {"A": volatility, "B": volatility / 2, "C": volatility * 1.5},
        "correlation": {"default": rho, "pairs": {"A/C": rho - 0.2}},
        "degrees_of_freedom": nu,
        "half_spread_bp": 2.0,
        "depth": {"A": 1e8, "B": 2e8, "C": 3e8, "A-PERP": 4e8},
        "funding": {
            "A-PERP": {"level": 0.1, "volatility": 0.2, "half_life_days": 3.0, "clamp": 0.4}
        },
        "basis": {"A-PERP": {"volatility": 0.002, "half_life_days": 0.7}},
        **more,
    }


def copula_garch(**changes: Any) -> CopulaGarch:
    """Three assets, a perpetual, two regimes; keyword arguments replace fields."""
    fields: dict[str, Any] = {
        "name": "small",
        "prices": {"A": 100.0, "B": 50.0, "C": 10.0},
        "perpetuals": {"A-PERP": "A"},
        "margins": MARGINS,
        "regimes": {
            "normal": copula_regime(0.5, 0.5, 6.0, duration_days=40.0),
            "crisis": copula_regime(0.8, 1.0, 3.0, duration_days=10.0, half_spread_bp=8.0),
        },
    }
    return CopulaGarch(**(fields | changes))


def block_bootstrap(**changes: Any) -> BlockBootstrap:
    """The built-in index history."""
    return BlockBootstrap(**({"name": "small", "history": "index-history"} | changes))


def historical_replay(**changes: Any) -> HistoricalReplay:
    """The built-in index history, from many starts."""
    fields = {"name": "small", "histories": ["index-history"], "starts": "random", "longest": 250}
    return HistoricalReplay(**(fields | changes))


def vine_copula(folder: Path, theta: float = 2.0, **changes: Any) -> Any:
    """Three assets in a chain of Clayton copulas: they crash together, and do not rise together."""
    import pyvinecopulib as pv
    from backtester_scenarios.vine_copula import VineCopula

    regimes = {}
    for name, value, volatility, days in (("normal", theta, 0.5, 40.0), ("crisis", 4.0, 1.0, 10.0)):
        pair = pv.Bicop(family=pv.families.clayton, parameters=np.array([[value]]))
        none = pv.Bicop(family=pv.families.indep)
        vine = pv.Vinecop.from_structure(
            structure=pv.DVineStructure(order=[1, 2, 3]), pair_copulas=[[pair, pair], [none]]
        )
        (folder / f"{name}.json").write_text(vine.to_json(), encoding="utf-8")
        own = copula_regime(0.5, volatility, None, duration_days=days)
        regimes[name] = {k: v for k, v in own.items() if k not in ("correlation",)} | {
            "vine": str(folder / f"{name}.json")
        }
        del regimes[name]["degrees_of_freedom"]
    fields: dict[str, Any] = {
        "name": "small",
        "prices": {"A": 100.0, "B": 50.0, "C": 10.0},
        "perpetuals": {"A-PERP": "A"},
        "margins": MARGINS,
        "regimes": regimes,
    }
    return VineCopula(**(fields | changes))


def _vine() -> Any:
    with TemporaryDirectory() as folder:
        return vine_copula(Path(folder))


GENERATORS: dict[str, Callable[[], Any]] = {
    "CopulaGarch": copula_garch,
    "BlockBootstrap": block_bootstrap,
    "BlockBootstrap, pooled": lambda: block_bootstrap(pooled=True),
    "HistoricalReplay": historical_replay,
}
if find_spec("pyvinecopulib") is not None:
    GENERATORS["VineCopula"] = _vine
"""Generator → a scenario that draws different paths."""
