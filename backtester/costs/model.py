"""The study's cost settings, and the model that plans and charges with the same terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from backtester.arrays import Float
from backtester.costs.gas import Gas
from backtester.costs.impact import SquareRootImpact
from backtester.costs.proportional import HalfSpread, ProportionalFee
from backtester.costs.quote import Quote
from backtester.costs.tariff import Tariff
from backtester.costs.terms import CostTerm
from backtester.errors import ConfigError, did_you_mean
from backtester.fields import Number

Rate = Annotated[Number, Field(ge=0, allow_inf_nan=False)]


class CostConfig(BaseModel):
    """What trading costs. Numbers apply to every instrument; a mapping names instruments.

    Attributes
    ----------
    fee_bps: exchange commission in basis points of money traded.
    half_spread_bps: used where the market publishes no spread.
    impact: Y of the square-root law, 0 for none; about 1 is realistic, and needs depth.
    borrow_bps: basis points a year paid on shorts.
    gas: money paid for every instrument traded, whatever the size of the trade.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)

    fee_bps: Rate | dict[str, Rate] = 5.0
    half_spread_bps: Rate | dict[str, Rate] = 1.0
    impact: Rate = 0.0
    borrow_bps: Rate | dict[str, Rate] = 0.0
    gas: Rate | dict[str, Rate] = 0.0

    def scaled(self, factor: float) -> CostConfig:
        """The same costs times `factor`; for sensitivity tables and laws."""

        def times(value: float | dict[str, float]) -> float | dict[str, float]:
            if isinstance(value, dict):
                return {k: v * factor for k, v in value.items()}
            return value * factor

        return CostConfig(
            fee_bps=times(self.fee_bps),
            half_spread_bps=times(self.half_spread_bps),
            impact=self.impact * factor,
            borrow_bps=times(self.borrow_bps),
            gas=times(self.gas),
        )


def per_asset(
    value: float | Mapping[str, float], names: tuple[str, ...], what: str, unit: float = 1e-4
) -> Float:
    """A number or mapping as an array over `names`, times `unit` (1e-4: basis points to fractions).

    A name the mapping leaves out costs nothing; one that is not in `names` is a ConfigError.
    """
    if isinstance(value, Mapping):
        for name in value:
            if name not in names:
                raise ConfigError(
                    f"costs.{what} names {name!r}, which the market lacks",
                    cure=did_you_mean(name, names),
                )
        return np.array([value.get(n, 0.0) for n in names]) * unit
    return np.full(len(names), float(value)) * unit


@dataclass(frozen=True)
class CostModel:
    """The terms of one run; `rates` plans, `charge` charges, both with the terms' coefficients."""

    terms: tuple[CostTerm, ...]
    borrow: Float  # (N,) fraction a year paid on shorts

    @classmethod
    def of(
        cls, config: CostConfig, assets: tuple[str, ...], instruments: tuple[str, ...]
    ) -> CostModel:
        """The model of a study's settings for one market."""
        fee = per_asset(config.fee_bps, assets, "fee_bps")
        pick = [assets.index(i) for i in instruments]
        terms: list[CostTerm] = [ProportionalFee(fee[pick]), HalfSpread()]
        if config.impact > 0:
            terms.append(SquareRootImpact(config.impact))
        gas = per_asset(config.gas, assets, "gas", unit=1.0)[pick]
        if gas.any():
            terms.append(Gas(gas))
        return cls(tuple(terms), per_asset(config.borrow_bps, assets, "borrow_bps"))

    @property
    def has_impact(self) -> bool:
        """Whether any term is steeper than proportional."""
        return any(t.power > 1.0 for t in self.terms)

    @property
    def gas(self) -> Float | None:
        """Fixed cost of each instrument traded, (K,) money; None where there is none."""
        return next((t.amounts for t in self.terms if isinstance(t, Gas)), None)

    @cached_property
    def powers(self) -> Float:
        """Power of |z| of each term, (C,)."""
        return np.array([term.power for term in self.terms])

    def at(self, quote: Quote) -> Tariff:
        """The coefficients of every term at one event."""
        found = [term.coefficient(quote) for term in self.terms]
        rows, k = max(map(len, found)), quote.price.shape[1]
        coefficients = np.empty((len(found), rows, k))
        for c, coefficient in enumerate(found):
            coefficients[c] = coefficient
        return Tariff(coefficients, self.powers)

    def rates(self, quote: Quote) -> tuple[Float, Float]:
        """Planned coefficients (P, K) of |z| and of |z|^{3/2}; fixed costs are not among them."""
        return self.at(quote).rates(len(quote.price))

    def charge(self, z: Float, quote: Quote) -> dict[str, Float]:
        """Cost of trading `z` money, (P,) per term."""
        *_, charges = self.at(quote).fill(z, np.ones(z.shape), np.zeros(z.shape), np.zeros(len(z)))
        return {term.name: charges[:, c] for c, term in enumerate(self.terms)}
