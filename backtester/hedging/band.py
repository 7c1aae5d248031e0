"""What a no-trade band costs: the trade-off that the holding horizon is calibrated to (methods A4).

A target diffuses with variance rate s²; being x away from it costs ½A x² a unit of time. Under a
fee c the gap is reflected at ±b, under a fixed cost K it is set back to 0 from ±b. Averages over
the stationary distribution of the gap: uniform on ±b in the first case, a triangle in the second.
"""

from __future__ import annotations

from backtester.errors import ConfigError


def running_cost(
    half_width: float, *, fee: float = 0.0, gas: float = 0.0, diffusion: float, curvature: float
) -> tuple[float, float]:
    """Trading cost and risk, money a unit of time, of the band ±`half_width`.

    Under a fee: c s²/(2b) and A b²/6; under gas: K s²/b² and A b²/12.

    Parameters
    ----------
    half_width: b > 0, in the unit of the target. fee: c, money per unit traded. gas: K, money a
        trade. diffusion: s². curvature: A = γσ².

    Raises ConfigError where both costs are given, which have no closed form, or b is not positive.
    """
    if fee > 0.0 and gas > 0.0:
        raise ConfigError(
            "a band under a fee and a fixed cost has no closed form",
            cure="Give one of them; docs/no_trade_band.md measures both together.",
        )
    if not half_width > 0.0:
        raise ConfigError(f"a band of half-width {half_width} is none", cure="Give one > 0.")
    if gas > 0.0:
        return gas * diffusion / half_width**2, curvature * half_width**2 / 12.0
    return fee * diffusion / (2.0 * half_width), curvature * half_width**2 / 6.0
