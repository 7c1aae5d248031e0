"""Regime switching with a vine copula and GARCH(1,1) margins; needs the extra ``vine``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from backtester.arrays import Byte, Float
from backtester.errors import ScenarioError
from backtester.market.panel import MarketPanel

from .garch import fill_garch
from .history import Resolve
from .margin import Limit, Margin, MarginTables, margin_tables
from .quantile_map import MapTables, map_tables
from .regime import MarketState
from .regime_scenario import RegimeScenario, check_range
from .simulate import Shocks
from .tables import MarketTables, market_fields

CHUNK = 64
"""Bars given to the vine together, always as many: its bits depend on how many rows it is given."""
LARGEST = 5_000_000  # bytes of a vine file


class VineRegime(MarketState):
    """One state of a market whose innovations have a vine copula, in the JSON file `vine`."""

    vine: Annotated[str, Field(min_length=1)]


@dataclass(frozen=True, eq=False)
class VineTables(MarketTables):
    """With the margins, and each regime's vine as JSON."""

    margins: MarginTables
    maps: MapTables
    vines: tuple[str, ...]


class VineCopula(RegimeScenario[VineRegime]):
    """Innovations with a vine copula by regime, margins and volatility as in `CopulaGarch`.

    A vine (Bedford & Cooke 2002) builds the joint law from pairs, each with a family of its own:
    assets may crash together without rising together, which no t copula can. `vine` of a regime
    names a JSON file of `pyvinecopulib.Vinecop.to_json` beside the scenario file, its variables in
    the order of `prices`; `backtester.calibration.vine.fit_vine` writes one.

    Innovations are the vine's inverse Rosenblatt transform of the path's own normal shocks, made
    uniform. Correlation is no parameter here: the stress sweep needs another generator.

    Raises ScenarioError where the extra is not installed, or a vine cannot be used.
    """

    margins: dict[str, Margin] = Field(min_length=1)
    innovation_limit: Limit | None = None

    @classmethod
    def resolve_files(cls, parameters: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
        """`parameters` of a scenario file with the files they name resolved."""
        changed, regimes = dict(parameters), parameters.get("regimes")
        if isinstance(regimes, Mapping):
            changed["regimes"] = {
                name: dict(r) | {"vine": resolve(r["vine"])}
                if isinstance(r, Mapping) and isinstance(r.get("vine"), str)
                else r
                for name, r in regimes.items()
            }
        return changed

    @cached_property
    def tables(self) -> VineTables:
        """Parameters as arrays per regime and bar."""
        margins = margin_tables(self.margins, self.spots, self.innovation_limit, self.name)
        vines = tuple(_read(r.vine, n, self.spots) for n, r in self.regimes.items())
        maps = map_tables([None] * len(vines), margins.freedom)
        return VineTables(**market_fields(self), margins=margins, maps=maps, vines=vines)

    def draw(self, *, first: int, paths: int, bars: int, seed: int) -> MarketPanel:
        """Paths [first, first + paths) of the ensemble, `bars` bars (bars + 1 stamps)."""
        check_range(self.name, first, paths, bars)
        tables, spots = self.tables, len(self.prices)

        def fill(prices: Float, shocks: Shocks, state: Byte) -> None:
            from scipy.special import ndtr, ndtri

            vines = [_vine(text) for text in tables.vines]
            joint = np.empty_like(shocks.returns)
            for p in range(paths):
                uniform = np.clip(ndtr(shocks.returns[:, :, p].T), 1e-10, 1.0 - 1e-10)
                joint[:, :, p] = ndtri(_transformed(vines, uniform, state[:, p])).T
            eye = np.eye(spots)[None]
            fill_garch(prices, joint, state, eye, False, {}, [None] * len(vines), tables)

        # whole chunks, so that a bar's numbers do not depend on how many follow it
        padded = -(-bars // CHUNK) * CHUNK
        return self._panel(
            first=first,
            paths=paths,
            bars=padded,
            seed=seed,
            freedoms=[],
            mixing_days=max(self.days_per_bar, 1.0),
            fill=fill,
        ).between(0, bars + 1)

    def constant_correlation(self) -> VineCopula:
        """The placebo twin: the base regime's vine in every regime, all else the same."""
        same = {"vine": self.regimes[self.base].vine}
        regimes = {n: r.model_copy(update=same) for n, r in self.regimes.items()}
        twin: VineCopula = self._with(
            name=f"{self.name} (constant correlation)"[:80], regimes=regimes
        )
        return twin


def _transformed(vines: list[Any], uniform: Float, state: Byte) -> Float:
    """Dependent uniforms (T, F) from independent ones, bar by bar by the vine of its regime."""
    result = np.empty_like(uniform)
    for begin in range(0, len(uniform), CHUNK):
        part = slice(begin, begin + CHUNK)
        rows, here = np.asfortranarray(uniform[part]), state[part]
        for s in np.unique(here):
            drawn = vines[s].inverse_rosenblatt(rows, num_threads=1)
            result[part] = np.where((here == s)[:, None], drawn, result[part])
    return result


def _read(file: str, regime: str, assets: Sequence[str]) -> str:
    who = f"vine {Path(file).name!r} of regime {regime!r}"
    try:
        if Path(file).stat().st_size > LARGEST:
            raise ScenarioError(f"{who} is too large", cure=f"At most {LARGEST} bytes are read.")
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ScenarioError(f"{who} cannot be read ({reason})", cure="Check the path.") from error
    try:
        vine = _vine(text)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ScenarioError(
            f"{who} is no vine copula ({' '.join(str(error).split())[:120]})",
            cure="Write it with pyvinecopulib.Vinecop.to_json.",
        ) from error
    if vine.dim != len(assets) or set(vine.var_types) != {"c"}:
        raise ScenarioError(
            f"{who} has {vine.dim} variables for {len(assets)} assets, or one that is not "
            "continuous",
            cure=f"One continuous variable for each of {', '.join(assets)}, in this order.",
        )
    return text


@lru_cache(maxsize=64)
def _vine(text: str) -> Any:
    try:
        import pyvinecopulib
    except ImportError as error:
        raise ScenarioError(
            "generator VineCopula needs pyvinecopulib, which is not installed",
            cure="Install the extra: pip install 'hedge-backtester[vine]'.",
        ) from error
    return pyvinecopulib.Vinecop.from_json(text)
