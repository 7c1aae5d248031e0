"""What is to be hedged: a book of one's own, held in fixed units or at constant notional."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtester.arrays import Float, Int
from backtester.errors import ConfigError, did_you_mean

KINDS = ("notional", "units")


@dataclass(frozen=True)
class Exposure:
    """Positions by asset at the first stamp, and how they evolve.

    hold: ``"units"`` keeps the number of units (notional moves with price); ``"notional"`` keeps
    the money (the owner rebalances every bar, free of cost here).
    """

    assets: tuple[str, ...]
    amounts: Float  # (len(assets),) in `unit`
    unit: str = "notional"  # "notional": money at the first stamp; "units": number of units
    hold: str = "units"

    def __post_init__(self) -> None:
        for name in ("unit", "hold"):
            value = getattr(self, name)
            if value not in KINDS:
                raise ConfigError(
                    f"{name} of the exposure is {value!r}",
                    cure=did_you_mean(str(value), KINDS),
                )
        if not len(self.assets):
            raise ConfigError("the exposure has no positions", cure="Give at least one position.")
        if not np.isfinite(self.amounts).all() or not np.any(self.amounts):
            raise ConfigError(
                f"the exposure {dict(zip(self.assets, self.amounts.tolist(), strict=True))} is "
                "zero or not finite",
                cure="Give at least one position different from zero.",
            )

    def units(self, price: Float, columns: Int) -> Float:
        """Units (P, N) at `price` (P, N), given the assets' columns."""
        units = np.zeros_like(price)
        for column, amount in zip(columns.tolist(), self.amounts.tolist(), strict=True):
            units[:, int(column)] += (
                amount / price[:, int(column)] if self.unit == "notional" else amount
            )
        return units
