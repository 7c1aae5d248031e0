"""Joint extremes at a finite threshold: what a t copula implies, and what a sample shows."""

from __future__ import annotations

import numpy as np

from backtester.arrays import Float
from backtester.errors import ConfigError


def joint_tail(rho: float, freedom: float | None, q: float) -> float:
    """P(U < q | V < q) of a t copula (None: Gaussian) at q in (0, ½].

    The limit for q → 0 is `t_tail_dependence`; upper and lower tail are alike. With e the q
    quantile of t_ν: ∫_{−∞}^{e} f_ν(x) T_{ν+1}((e − ρx) √((ν+1)/((ν+x²)(1−ρ²)))) dx over q,
    integrated over the probability of x. [textbook: the conditional of a bivariate t]
    """
    if not -1.0 <= rho <= 1.0:
        raise ConfigError(f"correlation {rho:g} is not in [-1, 1]", cure="Give a correlation.")
    if freedom is not None and not freedom > 0.0:
        raise ConfigError(f"{freedom:g} degrees of freedom", cure="Give a positive number.")
    if not 0.0 < q <= 0.5:
        raise ConfigError(f"a tail of {q:g} is not in (0, 0.5]", cure="Give a share such as 0.05.")
    if abs(rho) == 1.0:
        return 1.0 if rho > 0 else 0.0
    from scipy.integrate import quad
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    def within(share: float) -> float:
        p = share * q
        if freedom is None:
            x, edge = ndtri(p), ndtri(q)
            return float(ndtr((edge - rho * x) / np.sqrt(1.0 - rho * rho)))
        x, edge = stdtrit(freedom, p), stdtrit(freedom, q)
        spread = np.sqrt((freedom + x * x) * (1.0 - rho * rho) / (freedom + 1.0))
        return float(stdtr(freedom + 1.0, (edge - rho * x) / spread))

    value, _ = quad(within, 0.0, 1.0, epsabs=1e-10, epsrel=1e-9, limit=200)
    return float(value)


def sample_joint_tail(x: Float, y: Float, q: float, *, upper: bool = False) -> float:
    """Share of the q most extreme bars of `x` (T,) that are among those of `y` (T,) too."""
    if upper:
        x, y = -x, -y
    count = max(1, round(q * len(x)))
    first, second = np.argsort(x, kind="stable")[:count], np.argsort(y, kind="stable")[:count]
    return float(np.isin(first, second).mean())
