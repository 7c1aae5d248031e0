"""Log returns with GARCH margins and a Student-t copula: one serial loop, path by path.

Every number of a path comes from that path's shocks alone, in one order, so its bits depend on no
other path.
"""

from __future__ import annotations

import numba
import numpy as np

from backtester.arrays import Byte, Float, Int

jit = numba.njit(cache=True, error_model="numpy")


@jit
def margin_of(x: float, w: float, value: Float, slope: Float, step: float) -> float:
    """f(x), by cubic Hermite interpolation of log(f(x)/x) in w; linear beyond the last knot."""
    last = value.size - 1
    at = w / step
    if at >= last:
        return float(x * np.exp(value[last] + slope[last] * (at - last)))
    k = int(at)
    u = at - k
    rise = value[k + 1] - value[k]
    a = slope[k] - rise
    b = rise - slope[k + 1]
    y = value[k] + u * (rise + (1.0 - u) * (a * (1.0 - u) + b * u))
    return float(x * np.exp(y))


@jit
def fill_log_returns(
    shocks: Float,  # (F, T, P) standard normal
    state: Byte,  # (T, P) regime of each bar
    factor: Float,  # (M, F, F) Cholesky, M one, regimes or paths
    of_path: bool,  # whether M counts paths
    gamma: Float,  # (G, T, P) χ²/2
    gamma_of: Int,  # (S,) row of gamma, −1 for a Gaussian copula
    freedom: Float,  # (S,) ν of the copula
    map_of: Int,  # (S, F) row of the tables below
    value: Float,  # (D, K)
    slope: Float,  # (D, K)
    step: Float,  # (D,)
    drift: Float,  # (S, F) expected return of the price over one bar
    volatility: Float,  # (S, F) over one bar
    alpha: Float,  # (F,)
    beta: Float,  # (F,)
    start: Float,  # (F,) variance of the first bar, long run = 1
    limit: float,
    norm: Float,  # (F,) standard deviation of the limited innovation
    out: Float,  # (T, P, ≥ F) log returns
) -> None:
    """r = μ − h/2 + √h z with h = σ_s² g and g' = (1 − α − β) + g (α z² + β), into `out`.

    Unit-variance innovations z, with E[g] = 1: σ_s is the volatility of regime s whatever came
    before, while clustering is carried across regimes (multiplicative component GARCH, Engle &
    Rangel 2008, with a regime for the slow component).
    """
    assets, bars, paths = shocks.shape
    many = factor.shape[0] > 1
    g = np.empty((paths, assets))
    for p in range(paths):
        g[p] = start
    for t in range(bars):
        for p in range(paths):
            s = state[t, p]
            m = p if of_path else (s if many else 0)
            nu = freedom[s]
            mixing = 1.0
            if gamma_of[s] >= 0:
                mixing = np.sqrt(nu / (2.0 * gamma[gamma_of[s], t, p]))
            for i in range(assets):
                x = 0.0
                for j in range(i + 1):
                    x += factor[m, i, j] * shocks[j, t, p]
                x *= mixing
                w = x * x if gamma_of[s] < 0 else np.log1p(x * x / nu)
                d = map_of[s, i]
                z = margin_of(x, w, value[d], slope[d], step[d])
                z = min(max(z, -limit), limit) / norm[i]
                now = g[p, i]
                h = volatility[s, i] * volatility[s, i] * now
                out[t, p, i] = drift[s, i] - 0.5 * h + np.sqrt(h) * z
                g[p, i] = (1.0 - alpha[i] - beta[i]) + now * (alpha[i] * z * z + beta[i])
