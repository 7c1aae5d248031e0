"""A strategy's own risk: a cvxpy builder on its class, numbers in the decision.

The builder is called once for each shape of its parameters; afterwards only numbers move. What it
answers is a variance per day in units of capital², so that the objective is ½ λ H · risk + cost
in units of capital, and risk aversion and horizon mean what they do elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backtester.arrays import Float
from backtester.errors import ProblemError
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.decision import Custom
from backtester.hedging.framed import RiskForm


@dataclass(frozen=True)
class CustomTemplate:
    """The builder and the shapes of its parameters."""

    builder: Callable[[Any, Mapping[str, Any]], Any]
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    periods: int = 1

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"the builder {self.builder.__qualname__}"

    def build(self, hedges: list[Any]) -> tuple[Any, list[Any]]:
        """See `backtester.hedging.framed.Template`."""
        import cvxpy as cp

        own = {name: cp.Parameter(shape, name=name) for name, shape in self.shapes}
        try:
            answer = self.builder(hedges[1], own)
        except Exception as error:  # a user's code: whatever it raised, say where
            raise ProblemError(
                f"{self.name} raised {type(error).__name__}: {error}",
                cure=f"It gets hedges of shape {hedges[1].shape} and the parameters "
                f"{', '.join(own) or 'none'}.",
            ) from error
        risk, limits = answer if isinstance(answer, tuple) else (answer, [])
        if not isinstance(risk, cp.Expression):
            raise ProblemError(
                f"{self.name} answered {type(risk).__name__}",
                cure="Return a cvxpy expression, or (expression, [constraints]).",
            )
        return risk, list(limits)

    def values(
        self, arrays: Mapping[str, Float], batch: HedgeBatch
    ) -> tuple[Float, dict[str, Any]]:
        """See `backtester.hedging.framed.Template`."""
        size = 0.5 * batch.risk_weight * batch.scale**2
        return np.where(size > 0.0, size, batch.scale), dict(arrays)


def form(risk: Custom, batch: HedgeBatch, capital: float) -> tuple[HedgeBatch, RiskForm]:
    """The risk, and the batch in units of capital."""
    shapes = tuple(sorted((name, a.shape[1:]) for name, a in risk.parameters.items()))
    template = CustomTemplate(risk.build, shapes)
    return replace(batch, scale=np.full(batch.paths, capital)), RiskForm(
        template, dict(risk.parameters)
    )
