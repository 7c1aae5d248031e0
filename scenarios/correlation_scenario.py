"""Regime-switching generators whose dependence is a correlation matrix: placebo and sweep."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.errors import ScenarioError, did_you_mean

from .correlation import check_correlation, exposure_correlation, semidefinite_cholesky
from .regime_scenario import R, RegimeScenario
from .tables import CorrelationTables


class CorrelationScenario(RegimeScenario[R]):
    """A regime-switching market with one correlation matrix a regime, which can be replaced."""

    @property
    @abstractmethod
    def tables(self) -> CorrelationTables:
        """Parameters as arrays per regime and bar."""

    def _base_dependence(self) -> dict[str, Any]:
        """Fields of the base regime that make up its dependence."""
        matrix = self.tables.correlation[self._base_index()]
        return {"correlation": tuple(tuple(float(x) for x in row) for row in matrix)}

    def constant_correlation(self) -> Any:
        """The placebo twin: the base regime's dependence in every regime, all else the same."""
        same = self._base_dependence()
        regimes = {n: r.model_copy(update=same) for n, r in self.regimes.items()}
        return self._with(name=f"{self.name} (constant correlation)"[:80], regimes=regimes)

    def with_exposure_correlation(
        self, rho: Float, exposed: tuple[str, ...], hedges: tuple[str, ...]
    ) -> Float:
        """Correlations, (P, F, F), in which exposure and hedge basket have correlation rho (P,).

        See `backtester_scenarios.correlation.exposure_correlation`; the base regime is the start.
        A perpetual stands for its spot. Raises ScenarioError where a hedge is the exposed asset
        or its perpetual: their correlation is not free.
        """
        rho = np.atleast_1d(np.asarray(rho, dtype=np.float64))
        if rho.ndim != 1 or not np.isfinite(rho).all() or (np.abs(rho) > 1).any():
            raise ScenarioError(
                f"correlations of a sweep must lie in [-1, 1], got {rho}", cure="Give rho as (P,)."
            )
        if not exposed or not hedges:
            raise ScenarioError("a sweep needs exposed assets and hedges", cure="Name both.")
        exposed_spot = {self._spot(a, "exposed asset"): a for a in exposed}
        hedge_spot = {self._spot(a, "hedge"): a for a in hedges}
        for spot, hedge in hedge_spot.items():
            if spot in exposed_spot:
                raise ScenarioError(
                    f"hedge {hedge!r} and exposed asset {exposed_spot[spot]!r} are both {spot!r}: "
                    "their correlation is not free",
                    cure="Sweep against hedges on other assets.",
                )
        base = self.tables.correlation[self._base_index()]
        return exposure_correlation(base, self.spots, tuple(exposed_spot), tuple(hedge_spot), rho)

    def _spot(self, asset: str, what: str) -> str:
        if asset not in self.assets:
            raise ScenarioError(
                f"{what} {asset!r} is not in scenario {self.name!r}",
                cure=did_you_mean(asset, self.assets),
            )
        return self.perpetuals.get(asset, asset)

    def _factor(self, correlation: Float | None, paths: int) -> Float:
        """Cholesky factors: the regimes' (S, F, F), or of an override (1, F, F) or (P, F, F)."""
        if correlation is None:
            return self.tables.factor
        matrix = np.asarray(correlation, dtype=np.float64)
        who = f"correlation given to scenario {self.name!r}"
        check_correlation(matrix, self.spots, who)
        if matrix.ndim == 3 and len(matrix) != paths:
            raise ScenarioError(
                f"{who} has {len(matrix)} matrices for {paths} paths",
                cure="Give one for all paths, or one per path drawn.",
            )
        factor = semidefinite_cholesky(matrix)
        return factor[None] if matrix.ndim == 2 else factor
